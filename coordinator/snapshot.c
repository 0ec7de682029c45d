#include "coordinator/snapshot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "common/prefetch.h"

enum { AGENT_FIXED = 6, AGENT_PER_PRODUCT = 2, SLOT_FIXED = 1, SLOT_PER_PRODUCT = 2 };
enum { AGENT_IN_STEP = 2 };                  /* more of an agent in step */
enum { OWN_FIXED = 2, OWN_PER_PRODUCT = 1 }; /* more of a slot that does not keep step */

/* Link ends whose memory is fetched into the cache so far ahead. */
enum { AHEAD = 16 };

static double *doubles(int count, int per)
{
    return pw_alloc((size_t)count * (size_t)per, sizeof(double));
}

static struct pw_snapshot *make(const struct pw_market *market)
{
    struct pw_snapshot *snapshot = pw_alloc(1, sizeof *snapshot);
    int agents = market->n_agents, products = market->n_products;
    size_t trades = (size_t)market->n_links * (size_t)products;
    snapshot->market = market;
    snapshot->power = doubles(agents, products);
    snapshot->price = doubles(agents, products);
    snapshot->wait_s = doubles(agents, 1);
    snapshot->compute_s = doubles(agents, 1);
    snapshot->iterations = pw_alloc((size_t)agents, sizeof(int64_t));
    snapshot->sent = pw_alloc((size_t)agents, sizeof(int64_t));
    snapshot->lost = pw_alloc((size_t)agents, sizeof(int64_t));
    snapshot->duplicates = pw_alloc((size_t)agents, sizeof(int64_t));
    snapshot->moved2 = doubles(agents, 1);
    snapshot->moved_priced2 = doubles(agents, 1);
    snapshot->penalty = doubles(market->n_links, 1);
    snapshot->trades = pw_alloc_lines(trades * sizeof *snapshot->trades);
    return snapshot;
}

struct pw_snapshot *pw_snapshot_create(const struct pw_market *market, int is_paired)
{
    struct pw_snapshot *snapshot = make(market);
    size_t links = (size_t)market->n_links;
    snapshot->is_paired = is_paired;
    snapshot->ends = pw_alloc(links, sizeof *snapshot->ends);
    snapshot->before = pw_alloc(links * (size_t)market->n_products, sizeof *snapshot->before);
    return snapshot;
}

struct pw_snapshot *pw_snapshot_create_in_step(const struct pw_market *market, int round, double settled_s)
{
    struct pw_snapshot *snapshot = make(market);
    snapshot->is_paired = 1;
    snapshot->round = round;
    snapshot->settled_s = settled_s;
    return snapshot;
}

void pw_snapshot_destroy(struct pw_snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    void *arrays[] = {snapshot->power,      snapshot->price,         snapshot->wait_s,  snapshot->compute_s,
                      snapshot->iterations, snapshot->sent,          snapshot->lost,    snapshot->duplicates,
                      snapshot->moved2,     snapshot->moved_priced2, snapshot->penalty, snapshot->trades,
                      snapshot->ends,       snapshot->before,        snapshot};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
}

size_t pw_snapshot_agent_size(int n_links, int n_products, int in_step)
{
    int agent = AGENT_FIXED + AGENT_PER_PRODUCT * n_products,
        slot = SLOT_FIXED + SLOT_PER_PRODUCT * n_products;
    if (in_step)
        agent += AGENT_IN_STEP;
    else
        slot += OWN_FIXED + OWN_PER_PRODUCT * n_products;
    return (size_t)agent + (size_t)n_links * (size_t)slot;
}

static size_t block_size(const struct pw_market *market, int first, int end, int in_step)
{
    size_t count = 0;
    for (int n = first; n < end; n++)
        count += pw_snapshot_agent_size(pw_market_degree(market, n), market->n_products, in_step);
    return count * sizeof(double);
}

size_t pw_snapshot_size(const struct pw_host *host, int first, int end)
{
    return block_size(host->market, first, end, 0);
}

static void put(unsigned char **to, double value)
{
    memcpy(*to, &value, sizeof value);
    *to += sizeof value;
}

static double get(const unsigned char **from)
{
    double value;
    memcpy(&value, *from, sizeof value);
    *from += sizeof value;
    return value;
}

static void write_slot(const struct pw_agent *agent, int slot, int64_t settled_ns, unsigned char **to)
{
    put(to, agent->penalty[slot]);
    for (int q = 0; q < agent->n_products; q++) {
        put(to, agent->mine[(size_t)q * (size_t)agent->n_links + (size_t)slot]);
        put(to, pw_agent_trade_price(agent, slot, q));
    }
    put(to, pw_agent_inbox(agent, slot)->round);
    put(to, settled_ns < 0 ? NAN : (double)settled_ns * 1e-9);
    for (int q = 0; q < agent->n_products; q++)
        put(to, agent->before[(size_t)q * (size_t)agent->n_links + (size_t)slot]);
}

void pw_snapshot_write(const struct pw_host *host, int first, int end, unsigned char *out)
{
    for (int n = first; n < end; n++) {
        int i = n - host->first;
        const struct pw_agent *agent = host->agents[i];
        if (n + 1 < end)
            pw_agent_fetch_fire(host->agents[i + 1]);
        put(&out, (double)agent->fires);
        put(&out, (double)host->sent[i]);
        put(&out, (double)host->lost[i]);
        put(&out, (double)agent->duplicates);
        put(&out, (double)host->wait_ns[i] * 1e-9);
        put(&out, (double)host->compute_ns[i] * 1e-9);
        for (int q = 0; q < agent->n_products; q++) {
            put(&out, pw_agent_power(agent, q));
            put(&out, agent->price[q]);
        }
        for (int slot = 0; slot < agent->n_links; slot++)
            write_slot(agent, slot, host->settled_ns[pw_host_end(host, n, slot)], &out);
    }
}

/* Fetches what take_slot() will touch of the link at position `end` of the end arrays. */
static void fetch_link(const struct pw_snapshot *snapshot, int end)
{
    size_t l = (size_t)snapshot->market->end_link[end], first = l * (size_t)snapshot->market->n_products;
    pw_prefetch(&snapshot->trades[first]);
    if (snapshot->ends == NULL)
        return;
    pw_prefetch(&snapshot->ends[l]);
    pw_prefetch(&snapshot->before[first]);
}

/* The end of agent n of the link at position `end` of the end arrays. */
static void take_slot(struct pw_snapshot *snapshot, int n, int end, const unsigned char **from)
{
    const struct pw_market *market = snapshot->market;
    int l = market->end_link[end], side = market->link_a[l] != n;
    double penalty = get(from);
    if (side == 0)
        snapshot->penalty[l] = penalty;
    size_t products = (size_t)market->n_products, first = (size_t)l * products;
    for (size_t i = first; i < first + products; i++) {
        snapshot->trades[i].mine[side] = get(from);
        snapshot->trades[i].price[side] = get(from);
    }
    if (snapshot->ends == NULL)
        return;
    snapshot->ends[l].round[side] = (int32_t)get(from);
    snapshot->ends[l].settled_s[side] = get(from);
    for (size_t i = first; i < first + products; i++) {
        double before = get(from), move = snapshot->trades[i].mine[side] - before, priced = penalty * move;
        snapshot->before[i][side] = before;
        snapshot->moved2[n] += move * move;
        snapshot->moved_priced2[n] += priced * priced;
    }
}

static void take_agent(struct pw_snapshot *snapshot, int n, const unsigned char **from)
{
    const struct pw_market *market = snapshot->market;
    snapshot->iterations[n] = (int64_t)get(from);
    snapshot->sent[n] = (int64_t)get(from);
    snapshot->lost[n] = (int64_t)get(from);
    snapshot->duplicates[n] = (int64_t)get(from);
    snapshot->wait_s[n] = get(from);
    snapshot->compute_s[n] = get(from);
    for (int q = 0; q < market->n_products; q++) {
        snapshot->power[n * market->n_products + q] = get(from);
        snapshot->price[n * market->n_products + q] = get(from);
    }
    int in_step = snapshot->ends == NULL;
    snapshot->moved2[n] = in_step ? get(from) : 0.0;
    snapshot->moved_priced2[n] = in_step ? get(from) : 0.0;
    int last = market->end_first[market->n_agents] - 1;
    for (int e = market->end_first[n]; e < market->end_first[n + 1]; e++) {
        fetch_link(snapshot, e + AHEAD < last ? e + AHEAD : last);
        take_slot(snapshot, n, e, from);
    }
}

enum pw_code pw_snapshot_take_in(struct pw_snapshot *snapshot, int first, int end, const unsigned char *bytes,
                                 size_t size, struct pw_error *err)
{
    size_t expected = block_size(snapshot->market, first, end, snapshot->ends == NULL);
    if (size != expected)
        return pw_fail(err, PW_INTERNAL, "a snapshot of agents %d to %d of %zu bytes, %zu were expected",
                       first, end - 1, size, expected);
    for (int n = first; n < end; n++)
        take_agent(snapshot, n, &bytes);
    return PW_OK;
}
