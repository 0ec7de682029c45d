#include "coordinator/opening.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "common/penalty.h"
#include "coordinator/placement.h"
#include "coordinator/roll.h"

enum { MOST_CALLS = 6 };

/* Over how much of the market's price scale the slope of each call is a chord: where supply has steps a
 * tangent says nothing of what is near. */
static const double WIDTHS[MOST_CALLS] = {0.05, 0.01, 0.003, 0.003, 0.003, 0.003};

/* A price moves by no more than this share of the scale until it is between two that are too low and too
 * high. */
static const double LONGEST_STEP = 0.3;

int pw_opening_suits(const struct pw_market *market)
{
    size_t agents = (size_t)market->n_agents, products = (size_t)market->n_products;
    if ((size_t)market->n_links != agents * (agents - 1) / 2 || agents < 2)
        return 0;
    for (size_t i = 0; i < (size_t)market->n_links * products; i++) {
        double fee = market->fee_a[i % products];
        if (market->fee_a[i] != fee || market->fee_b[i] != fee)
            return 0;
    }
    return 1;
}

/* An agent sells what it gives at the price less the fee, or buys what it takes at the price and the fee;
 * between it does neither. */
static double net_power(const struct pw_market *market, int n, int q, double price)
{
    double fee = market->fee_a[q];
    double sells = pw_market_supply(market, n, q, price - fee),
           buys = pw_market_supply(market, n, q, price + fee);
    return sells > 0.0 ? sells : buys < 0.0 ? buys : 0.0;
}

struct pw_call pw_opening_call(const struct pw_market *market, int n, int q, double price, double width)
{
    double rise = net_power(market, n, q, price + width) - net_power(market, n, q, price - width);
    return (struct pw_call){net_power(market, n, q, price), rise / (2.0 * width)};
}

/* ---- Who hears whom ---- */

/* The calls of all agents; each rank has made those of its own and hears the others'. */
struct calls {
    const struct pw_negotiation *negotiation;
    struct pw_transport *transport;
    struct pw_placement placement;
    struct pw_call *all; /* [agents] */
    struct pw_roll roll; /* ranks heard */
};

static void fail_hard(const struct calls *calls, const struct pw_error *err)
{
    fprintf(stderr, "peerwatt: rank %d: %s\n", calls->transport->rank, err->text);
    pw_transport_abort(calls->transport, err->code);
}

static void hear(void *context, int from, enum pw_tag tag, const unsigned char *bytes, size_t size)
{
    struct calls *calls = context;
    struct pw_error err;
    int first = pw_placement_first(&calls->placement, from), end = pw_placement_end(&calls->placement, from);
    size_t expected = (size_t)(end - first) * sizeof *calls->all;
    if (tag != PW_TAG_CALLS || size != expected) {
        pw_fail(&err, PW_INTERNAL,
                "a message with tag %d of %zu bytes from rank %d, calls of %zu were expected", (int)tag, size,
                from, expected);
        fail_hard(calls, &err);
    }
    if (size > 0)
        memcpy(calls->all + first, bytes, size);
    pw_roll_mark(&calls->roll, from);
}

/* Collective: every rank's calls to all. Nobody leaves before all have heard all. */
static void tell(struct calls *calls)
{
    const struct pw_placement *placement = &calls->placement;
    struct pw_transport *transport = calls->transport;
    int first = pw_placement_first(placement, transport->rank),
        end = pw_placement_end(placement, transport->rank);
    struct pw_error err;
    int ready = 1;
    pw_roll_clear(&calls->roll, transport->size);
    pw_roll_mark(&calls->roll, transport->rank);
    for (int r = 0; r < transport->size; r++)
        if (r != transport->rank)
            pw_transport_send(transport, r, PW_TAG_CALLS, calls->all + first,
                              (size_t)(end - first) * sizeof *calls->all);
    if (pw_roll_wait(&calls->roll, transport, hear, calls, "the calls", calls->negotiation->settings->stall_s,
                     &err) != PW_OK)
        fail_hard(calls, &err);
    pw_transport_share(transport, &ready, sizeof ready);
}

static void call(struct calls *calls, int q, double price, double width)
{
    const struct pw_placement *placement = &calls->placement;
    int rank = calls->transport->rank;
    for (int n = pw_placement_first(placement, rank); n < pw_placement_end(placement, rank); n++)
        calls->all[n] = pw_opening_call(calls->negotiation->market, n, q, price, width);
    tell(calls);
}

/* ---- What each makes of it ---- */

/* The price that is looked for lies between `low` and `high`, once they are known. */
struct search {
    double price, low, high;
};

static double sum_of(const struct calls *calls, int of_slopes)
{
    double sum = 0.0;
    for (int n = 0; n < calls->negotiation->market->n_agents; n++)
        sum += of_slopes ? calls->all[n].slope : calls->all[n].power;
    return sum;
}

/* Newton's next price; the middle, where that is not between a price too low and one too high. */
static void move(struct search *search, double excess, double slope, double longest)
{
    double step = slope > 0.0 ? -excess / slope : -copysign(longest, excess);
    if (excess < 0.0)
        search->low = search->price;
    else
        search->high = search->price;
    double next = search->price + fmin(fmax(step, -longest), longest);
    int is_bracketed = isfinite(search->low) && isfinite(search->high);
    if (is_bracketed && !(next > search->low && next < search->high))
        next = search->low + (search->high - search->low) / 2.0;
    search->price = next;
}

/* Everybody sells to all buyers, and buys of all sellers, in proportion; at one price. */
static void set_start(const struct calls *calls, int q, double price, struct pw_start *start)
{
    const struct pw_market *market = calls->negotiation->market;
    size_t products = (size_t)market->n_products;
    double traded = 0.0, fee = market->fee_a[q];
    for (int n = 0; n < market->n_agents; n++)
        traded += fabs(calls->all[n].power) / 2.0;
    for (int n = 0; n < market->n_agents; n++) {
        double power = calls->all[n].power;
        start->price[(size_t)n * products + (size_t)q] = power > 0.0   ? price - fee
                                                         : power < 0.0 ? price + fee
                                                                       : price;
    }
    for (int l = 0; l < market->n_links; l++) {
        size_t i = (size_t)l * products + (size_t)q;
        double a = calls->all[market->link_a[l]].power, b = calls->all[market->link_b[l]].power;
        start->trade[i] = a * b < 0.0 ? a * fabs(b) / traded : 0.0;
        start->trade_price[i] = price;
    }
}

/* The mean price of the slot before, by what was traded; by link, where nothing was. */
static double price_before(const struct pw_market *market, int q, const struct pw_start *start)
{
    double weighted = 0.0, traded = 0.0, sum = 0.0;
    for (int l = 0; l < market->n_links; l++) {
        size_t i = (size_t)l * (size_t)market->n_products + (size_t)q;
        weighted += fabs(start->trade[i]) * start->trade_price[i];
        traded += fabs(start->trade[i]);
        sum += start->trade_price[i];
    }
    return traded > 0.0 ? weighted / traded : sum / market->n_links;
}

static int open_product(struct calls *calls, int q, const struct pw_scales *scales, double tolerance,
                        struct pw_start *start)
{
    struct search search = {price_before(calls->negotiation->market, q, start), -INFINITY, INFINITY};
    double price = search.price;
    int count = 0;
    while (count < MOST_CALLS) {
        price = search.price;
        call(calls, q, price, WIDTHS[count++] * scales->price);
        double excess = sum_of(calls, 0);
        if (fabs(excess) <= tolerance)
            break;
        move(&search, excess, sum_of(calls, 1), LONGEST_STEP * scales->price);
    }
    set_start(calls, q, price, start);
    return count;
}

int pw_opening_make(const struct pw_negotiation *negotiation, struct pw_transport *transport,
                    struct pw_start *start)
{
    const struct pw_market *market = negotiation->market;
    struct pw_scales scales = pw_market_scales(market);
    struct calls calls = {.negotiation = negotiation,
                          .transport = transport,
                          .placement = {market->n_agents, transport->size},
                          .all = pw_alloc((size_t)market->n_agents, sizeof *calls.all),
                          .roll = {pw_alloc((size_t)transport->size, 1), 0}};
    int count = 0;
    for (int q = 0; q < market->n_products; q++)
        count += open_product(&calls, q, &scales, negotiation->settings->tolerance * scales.power, start);
    free(calls.roll.here);
    free(calls.all);
    return count;
}

void pw_opening_count(struct pw_outcome *outcome, int calls)
{
    for (int n = 0; n < outcome->n_agents; n++) {
        outcome->iterations[n] += calls;
        outcome->messages_sent[n] += (long)calls * (outcome->n_agents - 1);
        outcome->summary.messages_sent += (long)calls * (outcome->n_agents - 1);
    }
    for (int l = 0; l < outcome->n_links; l++)
        outcome->messages[l] += 2L * calls;
    outcome->summary.iterations_mean += calls;
}
