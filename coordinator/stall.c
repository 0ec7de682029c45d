#include "coordinator/stall.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"

enum { MOST_ANSWERS = 8, AGENTS_DESCRIBED = 4, PEERS_DESCRIBED = 6 };

/* How long the ranks have to answer before the story is told without them. */
static const int64_t ANSWER_NS = 2000000000;

/* Ranks report every half a second at least: less patience than this would take haste for silence. */
static const int64_t LEAST_PATIENCE_NS = 1500000000;

void pw_stall_init(struct pw_stall *stall, struct pw_transport *transport, int64_t patience_ns,
                   int64_t now_ns)
{
    size_t ranks = (size_t)transport->size;
    *stall = (struct pw_stall){.transport = transport, .patience_ns = patience_ns, .quiet_since_ns = now_ns};
    if (stall->patience_ns < LEAST_PATIENCE_NS)
        stall->patience_ns = LEAST_PATIENCE_NS;
    stall->heard_ns = pw_alloc(ranks, sizeof *stall->heard_ns);
    stall->heard = pw_alloc(ranks, 1);
    for (size_t r = 0; r < ranks; r++)
        stall->heard_ns[r] = now_ns;
}

static void forget_answers(struct pw_stall *stall)
{
    stall->n_answers = 0;
    for (int i = 0; i < MOST_ANSWERS; i++) {
        free(stall->answers[i]);
        stall->answers[i] = NULL;
    }
}

void pw_stall_finish(struct pw_stall *stall)
{
    free(stall->heard_ns);
    free(stall->heard);
    forget_answers(stall);
}

void pw_stall_heard(struct pw_stall *stall, int rank)
{
    stall->heard[rank] = 1;
}

void pw_stall_answer(struct pw_stall *stall, int rank, const char *text, size_t size)
{
    int i = stall->n_answers++;
    if (size == 0 || i >= MOST_ANSWERS)
        return;
    stall->answers[i] = pw_alloc(size + 1, 1);
    memcpy(stall->answers[i], text, size);
    stall->answer_rank[i] = rank;
}

/* The rank that has been silent for longer than the patience, or -1. */
static int silent_rank(const struct pw_stall *stall, int64_t now_ns)
{
    for (int r = 0; r < stall->transport->size; r++) {
        if (now_ns - stall->heard_ns[r] > stall->patience_ns)
            return r;
    }
    return -1;
}

static enum pw_code tell(const struct pw_stall *stall, int64_t now_ns, struct pw_error *err)
{
    int silent = silent_rank(stall, now_ns);
    char story[800] = "";
    for (int i = 0; i < MOST_ANSWERS && i < stall->n_answers; i++) {
        size_t used = strlen(story);
        if (stall->answers[i] != NULL)
            snprintf(story + used, sizeof story - used, "\n  rank %d: %s", stall->answer_rank[i],
                     stall->answers[i]);
    }
    double quiet_s = (double)(now_ns - stall->quiet_since_ns) * 1e-9;
    if (silent >= 0)
        return pw_fail(err, PW_ENVIRONMENT,
                       "rank %d has been silent for %.1f s: it hangs, or its machine does%s", silent,
                       (double)(now_ns - stall->heard_ns[silent]) * 1e-9, story);
    return pw_fail(err, PW_INTERNAL,
                   "the negotiation stands still for %.1f s although nothing is under way%s", quiet_s, story);
}

enum pw_code pw_stall_watch(struct pw_stall *stall, int64_t now_ns, int64_t fires, int64_t next_due_in_ns,
                            struct pw_error *err)
{
    for (int r = 0; r < stall->transport->size; r++) {
        if (stall->heard[r])
            stall->heard_ns[r] = now_ns;
        stall->heard[r] = 0;
    }
    if (fires != stall->fires)
        stall->quiet_since_ns = now_ns;
    if (next_due_in_ns > 0 && now_ns + next_due_in_ns > stall->quiet_since_ns)
        stall->quiet_since_ns = now_ns;
    stall->fires = fires;
    int stands = now_ns - stall->quiet_since_ns > stall->patience_ns || silent_rank(stall, now_ns) >= 0;
    if (stands && stall->asked_ns == 0) {
        stall->asked_ns = now_ns;
        forget_answers(stall);
        for (int r = 0; r < stall->transport->size; r++)
            pw_transport_send(stall->transport, r, PW_TAG_STALL_ASK, NULL, 0);
    }
    if (stall->asked_ns == 0)
        return PW_OK;
    if (!stands) { /* it moves again */
        stall->asked_ns = 0;
        return PW_OK;
    }
    int all = stall->n_answers >= stall->transport->size;
    return all || now_ns - stall->asked_ns > ANSWER_NS ? tell(stall, now_ns, err) : PW_OK;
}

static void append(char *text, size_t size, const char *more)
{
    strncat(text, more, size - strlen(text) - 1);
}

static void describe_agent(const struct pw_host *host, int n, int64_t now_ns, char *text, size_t size)
{
    const struct pw_market *market = host->market;
    const struct pw_agent *agent = host->agents[n - host->first];
    char part[120];
    int waiting = 0;
    snprintf(part, sizeof part, "%sagent %d waits for ", text[0] != '\0' ? "; " : "",
             pw_market_called(market, n));
    append(text, size, part);
    for (int slot = 0; slot < agent->n_links; slot++) {
        if (pw_agent_inbox(agent, slot)->complete || pw_agent_inbox(agent, slot)->settled)
            continue;
        int peer = pw_market_end_agent(market, market->end_twin[market->end_first[n] + slot]);
        snprintf(part, sizeof part, "%s%d", waiting > 0 ? ", " : "", pw_market_called(market, peer));
        if (waiting++ < PEERS_DESCRIBED)
            append(text, size, part);
    }
    double since_s = (double)(now_ns - host->idle_since_ns[n - host->first]) * 1e-9;
    snprintf(part, sizeof part, "%s since %.1f s", waiting > PEERS_DESCRIBED ? " and others" : "", since_s);
    append(text, size, part);
}

void pw_stall_describe(const struct pw_host *host, int64_t now_ns, char *text, size_t size)
{
    int described = 0;
    text[0] = '\0';
    for (int n = host->first; n < host->end && described < AGENTS_DESCRIBED; n++) {
        const struct pw_agent *agent = host->agents[n - host->first];
        if (agent->n_links == 0 || pw_agent_ready(agent))
            continue;
        describe_agent(host, n, now_ns, text, size);
        described++;
    }
}
