#include "coordinator/pacer.h"

#include <stdlib.h>

#include "common/memory.h"
#include "net_models/due_queue.h"

/* An agent may fire this many times, over delta, while one of its offers is under way. */
static const double FIRES_AHEAD = 8.0;
static const int64_t FIRST_REST_NS = 50000, LONGEST_REST_NS = 10000000;

struct pw_pacer {
    const struct pw_host *host;
    int64_t allowance; /* fires; INT64_MAX in a synchronous market, where nobody can run ahead */
    int first_end;
    int64_t *sent_at; /* [ends here] fires of the agent when its latest offer left */
    int64_t *oldest;  /* [agents here] at most the least sent_at of the offers without an answer */
    int64_t *rest_ns; /* [agents here] length of the next rest */
    unsigned char *rests;
    struct pw_due_queue *resting; /* of agents */
};

struct pw_pacer *pw_pacer_create(const struct pw_host *host, double delta)
{
    struct pw_pacer *pacer = pw_alloc(1, sizeof *pacer);
    const struct pw_market *market = host->market;
    size_t agents = (size_t)(host->end - host->first);
    pacer->host = host;
    int is_paired = agents == 0 || pw_exchange_is_paired(host->agents[0]->rules.exchange);
    pacer->allowance = delta < 1.0 && is_paired ? (int64_t)(FIRES_AHEAD / delta) : INT64_MAX;
    pacer->first_end = market->end_first[host->first];
    pacer->sent_at =
        pw_alloc((size_t)(market->end_first[host->end] - pacer->first_end), sizeof *pacer->sent_at);
    pacer->oldest = pw_alloc(agents, sizeof *pacer->oldest);
    pacer->rest_ns = pw_alloc(agents, sizeof *pacer->rest_ns);
    pacer->rests = pw_alloc(agents, 1);
    pacer->resting = pw_due_queue_create(agents, sizeof(int));
    return pacer;
}

void pw_pacer_destroy(struct pw_pacer *pacer)
{
    if (pacer == NULL)
        return;
    free(pacer->sent_at);
    free(pacer->oldest);
    free(pacer->rest_ns);
    free(pacer->rests);
    pw_due_queue_destroy(pacer->resting);
    free(pacer);
}

static int64_t *sent_at(const struct pw_pacer *pacer, int n)
{
    return pacer->sent_at + (pacer->host->market->end_first[n] - pacer->first_end);
}

void pw_pacer_fired(struct pw_pacer *pacer, int n)
{
    const struct pw_agent *agent = pw_host_agent(pacer->host, n);
    for (int i = 0; i < agent->n_out; i++)
        sent_at(pacer, n)[agent->outbox[i]] = agent->fires;
}

static int is_ahead(struct pw_pacer *pacer, int n)
{
    const struct pw_agent *agent = pw_host_agent(pacer->host, n);
    int64_t *oldest = &pacer->oldest[n - pacer->host->first];
    if (agent->fires - *oldest <= pacer->allowance)
        return 0;
    *oldest = agent->fires;
    for (int slot = 0; slot < agent->n_links; slot++) {
        int64_t sent = sent_at(pacer, n)[slot];
        if (!pw_agent_inbox(agent, slot)->complete && !pw_agent_inbox(agent, slot)->settled && sent < *oldest)
            *oldest = sent;
    }
    return agent->fires - *oldest > pacer->allowance;
}

int pw_pacer_may_fire(struct pw_pacer *pacer, int n, int64_t now_ns)
{
    int i = n - pacer->host->first;
    if (!is_ahead(pacer, n)) {
        pacer->rest_ns[i] = FIRST_REST_NS;
        return 1;
    }
    if (!pacer->rests[i]) {
        pacer->rests[i] = 1;
        pw_due_queue_push(pacer->resting, now_ns + pacer->rest_ns[i], &n);
        pacer->rest_ns[i] = 2 * pacer->rest_ns[i] < LONGEST_REST_NS ? 2 * pacer->rest_ns[i] : LONGEST_REST_NS;
    }
    return 0;
}

int pw_pacer_rested(struct pw_pacer *pacer, int64_t now_ns)
{
    int n;
    if (!pw_due_queue_pop(pacer->resting, now_ns, &n))
        return -1;
    pacer->rests[n - pacer->host->first] = 0;
    return n;
}

int64_t pw_pacer_next(const struct pw_pacer *pacer)
{
    return pw_due_queue_next(pacer->resting);
}
