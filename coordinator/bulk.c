#include "coordinator/bulk.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/case.h"
#include "common/memory.h"
#include "common/phases.h"
#include "coordinator/bulk_chair.h"
#include "coordinator/bulk_mail.h"
#include "coordinator/bulk_rows.h"
#include "coordinator/bulk_words.h"
#include "coordinator/clock.h"
#include "coordinator/setup.h"
#include "coordinator/signals.h"

/* The answer of rank 0 to a round, or to what all have shown. */
struct verdict {
    int32_t number; /* counts them */
    int32_t how;    /* enum pw_bulk_verdict */
    double settled_s;
};

/* Which agents a state message is of. */
struct state_header {
    int32_t first, end;
};

/* State goes to rank 0 in messages of about so many doubles, of which the header takes one. */
enum { STATE_MESSAGE = 1 << 16, HEADER = 1 };
_Static_assert(sizeof(struct state_header) == HEADER * sizeof(double), "the header of a state message");

/* One rank of a bulk run. */
struct squad {
    const struct pw_negotiation *negotiation;
    struct pw_transport *transport;
    struct pw_placement placement;
    struct pw_bulk_rows bulk;
    struct pw_bulk_mail mail;
    struct pw_bulk_words words;
    int round, closely;     /* the last one made, and whether it was looked at closely */
    int is_calm;            /* it moved no trade here by more than a trade at rest may move */
    struct verdict verdict; /* heard last */
    int awaited;            /* number of the verdict that this rank cannot go on without */
    int ahead;              /* rounds since the last verdict without any prices of others */
    int is_leaving, n_goodbyes;
    int64_t start_ns, compute_ns;

    struct pw_bulk_chair *chair; /* rank 0, else NULL; and there: */
    int n_shown;                 /* agents whose state has come */
    int is_closed;               /* states are awaited, or all is over: no words are judged */
};

static int suits(const struct pw_settings *settings, const struct pw_network *network, int n_products,
                 const char **why)
{
    const struct {
        int stands_against;
        const char *what;
    } obstacles[] = {
        {settings->bulk == PW_BULK_NO, "run.bulk: no"},
        {settings->clock != PW_CLOCK_WALL, "run.clock: wall is needed"},
        {!pw_network_is_instant(network), "network: messages must not be late or lost"},
        {settings->exchange != PW_EXCHANGE_PAIRED, "negotiation.exchange: paired is needed"},
        {settings->solver != PW_SOLVE_EXACT, "negotiation.solver: exact is needed"},
        {settings->criterion == PW_CRITERION_AGENT, "stop.criterion: trade or global is needed"},
        {settings->ratify, "stop.ratify: no is needed"},
        {settings->share > 0.0, "stop.share: 0 is needed"},
        {settings->timeline, "run.timeline: no is needed"},
        {n_products > 1, "a market of one product is needed"},
    };
    for (size_t i = 0; i < sizeof obstacles / sizeof *obstacles; i++) {
        if (obstacles[i].stands_against) {
            *why = obstacles[i].what;
            return 0;
        }
    }
    return 1;
}

int pw_bulk_suits(const struct pw_negotiation *negotiation, const char **why)
{
    struct pw_network network = pw_setup_network(negotiation);
    return suits(negotiation->settings, &network, negotiation->market->n_products, why);
}

int pw_bulk_takes_parts(const struct pw_settings *settings)
{
    return settings->slots_count == 1 && settings->profiles[0] == '\0';
}

int pw_bulk_draws_parts(const struct pw_settings *settings)
{
    struct pw_network network = pw_case_network(settings, NULL);
    const char *why;
    return pw_case_is_drawn(settings) && pw_links_have_parts(settings->links.kind) &&
           settings->placement != PW_PLACE_GRAPH && settings->delay_links[0] == '\0' &&
           pw_bulk_takes_parts(settings) && suits(settings, &network, 1, &why);
}

static void fail_hard(struct squad *squad, const struct pw_error *err)
{
    fprintf(stderr, "peerwatt: rank %d: %s\n", squad->transport->rank, err->text);
    pw_transport_abort(squad->transport, err->code);
}

static void check_size(struct squad *squad, int from, size_t size, size_t expected)
{
    struct pw_error err;
    if (size == expected)
        return;
    pw_fail(&err, PW_INTERNAL, "a message of %zu bytes from rank %d, %zu were expected", size, from,
            expected);
    fail_hard(squad, &err);
}

/* ---- Rank 0 ---- */

static void take_state(struct squad *squad, int from, const unsigned char *bytes, size_t size)
{
    struct state_header header;
    struct pw_error err;
    if (size < sizeof header)
        check_size(squad, from, size, sizeof header);
    memcpy(&header, bytes, sizeof header);
    if (pw_bulk_chair_take(squad->chair, header.first, header.end, bytes + sizeof header,
                           size - sizeof header, &err) != PW_OK)
        fail_hard(squad, &err);
    squad->n_shown += header.end - header.first;
}

/* ---- All ranks ---- */

static void hear(struct squad *squad, const struct verdict *verdict)
{
    squad->verdict = *verdict;
    squad->ahead = 0;
    for (int i = 0; i < squad->words.n_below; i++)
        pw_transport_send(squad->transport, squad->words.first_below + i, PW_TAG_BULK_VERDICT, verdict,
                          sizeof *verdict);
}

static void take_verdict(struct squad *squad, int from, const unsigned char *bytes, size_t size)
{
    struct verdict verdict;
    check_size(squad, from, size, sizeof verdict);
    memcpy(&verdict, bytes, sizeof verdict);
    hear(squad, &verdict);
}

/* Rank 0: answers as soon as it has heard of all. */
static void preside(struct squad *squad)
{
    struct verdict verdict = {.number = squad->verdict.number + 1};
    if (pw_bulk_words_are_all(&squad->words) && !squad->is_closed) {
        struct pw_bulk_word word = pw_bulk_words_merge(&squad->words);
        struct pw_bulk_round round = {word.rounds, squad->closely, word.interrupted, word.sums};
        verdict.how = pw_bulk_chair_round(squad->chair, &round, pw_clock_ns());
        squad->is_closed = verdict.how == PW_BULK_SHOW;
    } else if (squad->n_shown == squad->placement.n_agents) {
        squad->n_shown = 0;
        enum pw_phase before = pw_phase_enter(PW_PHASE_JUDGE);
        verdict.how = pw_bulk_chair_conclude(squad->chair);
        squad->is_closed = verdict.how == PW_BULK_OVER;
        pw_phase_leave(before);
    } else {
        return;
    }
    verdict.settled_s = pw_bulk_chair_settled_s(squad->chair);
    hear(squad, &verdict);
}

/* Another rank: tells of itself and those below, unless it has said goodbye to the one above. */
static void report(struct squad *squad)
{
    if (squad->is_leaving || !pw_bulk_words_are_all(&squad->words))
        return;
    struct pw_bulk_word word = pw_bulk_words_merge(&squad->words);
    pw_transport_send(squad->transport, squad->words.above, PW_TAG_BULK_WORD, &word, sizeof word);
}

static void receive(void *context, int from, enum pw_tag tag, const unsigned char *bytes, size_t size)
{
    struct squad *squad = context;
    struct pw_error err;
    switch (tag) {
    case PW_TAG_BULK_PRICES:
        if (pw_bulk_mail_take(&squad->mail, from, bytes, size, &err) != PW_OK)
            fail_hard(squad, &err);
        return;
    case PW_TAG_GOODBYE:
        squad->n_goodbyes++;
        return;
    case PW_TAG_BULK_WORD:
        if (pw_bulk_words_take(&squad->words, from, bytes, size, &err) != PW_OK)
            fail_hard(squad, &err);
        return;
    case PW_TAG_BULK_VERDICT:
        take_verdict(squad, from, bytes, size);
        return;
    case PW_TAG_BULK_STATE:
        take_state(squad, from, bytes, size);
        return;
    default:
        pw_fail(&err, PW_INTERNAL, "a message with tag %d from rank %d in a bulk run", (int)tag, from);
        fail_hard(squad, &err);
    }
}

/* Ranks that say goodbye to this one: those that it tells prices, and those above and below. */
static int n_companions(const struct squad *squad)
{
    return squad->bulk.n_neighbours + squad->words.n_below + (squad->words.above >= 0);
}

/* Whom a rank waits for between two rounds, in words. */
static void tell_whom(const struct squad *squad, char *text, size_t size)
{
    const struct pw_bulk_neighbour *late = pw_bulk_mail_lacks(&squad->mail);
    int below = pw_bulk_words_lack(&squad->words), has_spoken = squad->words.last[0].rounds > 0;
    if (squad->is_leaving)
        snprintf(text, size, "%d ranks to say goodbye", n_companions(squad) - squad->n_goodbyes);
    else if (late != NULL && squad->verdict.number >= squad->awaited)
        snprintf(text, size, "the prices of rank %d after round %d", late->rank, squad->round);
    else if (squad->is_closed)
        snprintf(text, size, "the state of %d agents", squad->placement.n_agents - squad->n_shown);
    else if (has_spoken && below >= 0)
        snprintf(text, size, "the word of rank %d after round %d", below, squad->round);
    else
        snprintf(text, size, "the word of rank 0 after round %d", squad->round);
}

/* No wait without an end: says who is waited for. */
static void watch_wait(struct squad *squad, int64_t since_ns, int64_t now_ns)
{
    struct pw_error err;
    char whom[100];
    double waited_s = (double)(now_ns - since_ns) * 1e-9;
    if (waited_s < squad->negotiation->settings->stall_s)
        return;
    tell_whom(squad, whom, sizeof whom);
    pw_fail(&err, PW_ENVIRONMENT, "has waited %.1f s for %s", waited_s, whom);
    fail_hard(squad, &err);
}

/* A rank makes so many rounds at most without prices of others and without a verdict. */
enum { MOST_AHEAD = 64 };

/* What a rank waits for between two rounds. In step: the verdict and all prices. At its own pace: as many
 * prices as it needs, and either some that are new or agents here that are not at rest; or that the state be
 * shown. */
static int may_go_on(const struct squad *squad)
{
    if (squad->is_leaving)
        return squad->n_goodbyes == n_companions(squad);
    if (squad->verdict.number < squad->awaited)
        return 0;
    if (!squad->bulk.is_paced)
        return pw_bulk_mail_lacks(&squad->mail) == NULL;
    if (squad->verdict.how >= PW_BULK_SHOW)
        return 1;
    int is_alone = squad->bulk.n_neighbours == 0;
    int has_reason = pw_bulk_mail_count(&squad->mail) > 0 || (is_alone && squad->ahead == 0) ||
                     (!squad->is_calm && squad->ahead < MOST_AHEAD);
    return has_reason && pw_bulk_mail_is_enough(&squad->mail);
}

static void await(struct squad *squad)
{
    int is_crowded = squad->transport->crowded;
    struct pw_idle idle = {.longest_ns = is_crowded ? 1000000 : 100000,
                           .busy_first = is_crowded ? 0 : 2000,
                           .spins_first = is_crowded ? 0 : 2000};
    int64_t since_ns = pw_clock_ns();
    enum pw_phase before = pw_phase_enter(PW_PHASE_WAIT);
    for (;;) {
        int happened = pw_transport_poll(squad->transport, receive, squad);
        if (squad->chair != NULL)
            preside(squad);
        else
            report(squad);
        if (may_go_on(squad))
            break;
        int64_t now_ns = pw_clock_ns();
        since_ns = happened > 0 ? now_ns : since_ns;
        watch_wait(squad, since_ns, now_ns);
        if (happened > 0 || pw_transport_sending(squad->transport))
            pw_idle_reset(&idle);
        pw_idle_turn(&idle, now_ns, INT64_MAX);
    }
    pw_phase_leave(before);
}

/* `message`: room for the header, and the state of the agents first .. end - 1; `count` doubles in all. */
static void send_state(struct squad *squad, int first, int end, double *message, size_t count)
{
    struct state_header header = {first, end};
    memcpy(message, &header, sizeof header);
    if (squad->chair != NULL)
        take_state(squad, 0, (const unsigned char *)message, count * sizeof *message);
    else
        pw_transport_send(squad->transport, 0, PW_TAG_BULK_STATE, message, count * sizeof *message);
}

/* All agents' state to rank 0, in messages of bounded size. */
static void show_state(struct squad *squad)
{
    pw_phase_enter(PW_PHASE_RESULT);
    const struct pw_market *market = squad->negotiation->market;
    const struct pw_bulk_rows *bulk = &squad->bulk;
    int64_t now_ns = pw_clock_ns();
    struct pw_bulk_times times = {(double)squad->compute_ns * 1e-9,
                                  (double)(now_ns - squad->start_ns - squad->compute_ns) * 1e-9,
                                  squad->verdict.settled_s};
    size_t room = 0, count = HEADER;
    double *message = NULL;
    for (int n = bulk->first, first = n; n < bulk->end; n++) {
        size_t size = pw_bulk_rows_part_size(bulk, market, n);
        if (count + size > room) {
            room = count + size + STATE_MESSAGE;
            message = pw_realloc(message, room, sizeof *message);
        }
        pw_bulk_rows_part(bulk, market, n, &times, message + count);
        count += size;
        if (count >= STATE_MESSAGE || n + 1 == bulk->end) {
            send_state(squad, first, n + 1, message, count);
            count = HEADER;
            first = n + 1;
        }
    }
    free(message);
}

static void make_round(struct squad *squad)
{
    int64_t start_ns = pw_clock_ns();
    squad->ahead = pw_bulk_mail_count(&squad->mail) > 0 ? 0 : squad->ahead + 1;
    pw_bulk_mail_read(&squad->mail);
    pw_phase_enter(PW_PHASE_SOLVE);
    squad->closely = squad->bulk.is_paced || squad->verdict.how == PW_BULK_CLOSELY;
    struct pw_bulk_word word = {.sums = pw_rows_step(squad->bulk.rows, squad->closely)};
    squad->compute_ns += pw_clock_ns() - start_ns;
    pw_phase_enter(PW_PHASE_MESSAGES);
    squad->is_calm = word.sums.excess <= 1.0;
    word.rounds = ++squad->round;
    word.interrupted = pw_signals_caught();
    pw_bulk_mail_send(&squad->mail);
    pw_bulk_words_say(&squad->words, &word);
}

/* At its own pace a rank may have sent prices or a word that nobody will use: all are received before it
 * leaves. A goodbye is the last message from a rank to another as companions, and messages keep their order.
 */
static void say_goodbye(struct squad *squad)
{
    const struct pw_bulk_words *words = &squad->words;
    for (int i = 0; i < squad->bulk.n_neighbours; i++)
        pw_transport_send(squad->transport, squad->bulk.neighbours[i].rank, PW_TAG_GOODBYE, NULL, 0);
    for (int i = 0; i < words->n_below; i++)
        pw_transport_send(squad->transport, words->first_below + i, PW_TAG_GOODBYE, NULL, 0);
    if (words->above >= 0)
        pw_transport_send(squad->transport, words->above, PW_TAG_GOODBYE, NULL, 0);
    squad->is_leaving = 1;
    await(squad);
}

/* In step every round and every showing of the state waits for its verdict; at its own pace a rank waits for
 * that of what it has shown. */
static void negotiate(struct squad *squad)
{
    while (squad->verdict.how != PW_BULK_OVER) {
        int shows = squad->verdict.how == PW_BULK_SHOW;
        if (shows)
            show_state(squad);
        else
            make_round(squad);
        if (shows || !squad->bulk.is_paced)
            squad->awaited = squad->verdict.number + 1;
        await(squad);
        pw_phase_enter(PW_PHASE_MESSAGES);
    }
    if (squad->bulk.is_paced)
        say_goodbye(squad);
}

static void set_up(struct squad *squad)
{
    struct pw_transport *transport = squad->transport;
    struct pw_bulk_terms terms = pw_bulk_terms_share(squad->negotiation->market, transport);
    pw_bulk_rows_create(squad->negotiation, &terms, &squad->placement, transport->rank, &squad->bulk);
    pw_bulk_mail_create(&squad->mail, &squad->bulk, squad->negotiation->settings->delta, transport);
    int ready = 1;
    pw_transport_share(transport, &ready, sizeof ready); /* start together */
    squad->start_ns = pw_clock_ns();
    if (transport->rank == 0) {
        squad->chair =
            pw_bulk_chair_create(squad->negotiation, &terms.scales, !squad->bulk.is_paced, squad->start_ns);
    }
    pw_bulk_terms_release(&terms);
}

static void tear_down(struct squad *squad)
{
    pw_bulk_mail_release(&squad->mail);
    pw_bulk_chair_destroy(squad->chair);
    pw_bulk_rows_release(&squad->bulk);
}

void pw_bulk_negotiate(const struct pw_negotiation *negotiation, struct pw_transport *transport,
                       struct pw_outcome **outcome)
{
    struct squad squad = {.negotiation = negotiation,
                          .transport = transport,
                          .placement = {negotiation->market->n_agents, transport->size},
                          .words = pw_bulk_words_of(transport->rank, transport->size)};
    enum pw_phase before = pw_phase_enter(PW_PHASE_SETUP);
    if (negotiation->settings->max_rounds == 1) /* no verdict comes before the last round */
        squad.verdict.how = PW_BULK_CLOSELY;
    set_up(&squad);
    negotiate(&squad);
    pw_phase_enter(PW_PHASE_RESULT);
    *outcome = squad.chair != NULL ? pw_bulk_chair_outcome(squad.chair) : NULL;
    tear_down(&squad);
    pw_phase_leave(before);
}
