/* Synchronous rounds of a market in one process, counted: all offers delivered, then all agents fired, until
 * the residuals are small or the welfare of the agreed state stays close to the optimum. No MPI, no clock. */
#ifndef PW_ROUNDS_H
#define PW_ROUNDS_H

#include "agent/agent.h"
#include "common/market.h"
#include "common/settings.h"

enum { ROUNDS_GAPS = 2 };

struct rounds_options {
    struct pw_rules rules;
    const double *penalty;   /* [n_links] at the start */
    double optimum;          /* social welfare of the reference */
    double scale;            /* welfare gaps are relative to this */
    double residual;         /* for primal and dual alike; 0: do not look */
    double gap[ROUNDS_GAPS]; /* descending; the first 0: do not look */
    int max_rounds;
};

struct rounds_result {
    int residual;         /* rounds until both residuals hold, max_rounds + 1 if never */
    double residual_gap;  /* relative welfare gap of the agreed state then */
    int gap[ROUNDS_GAPS]; /* rounds from which |welfare gap| stays below, max_rounds + 1 if never */
};

struct rounds_result rounds_run(const struct pw_market *market, const struct rounds_options *options);

/* Minus the cost of the cheapest dispatch that delivers `trade` [n_links], as near as limits allow, and minus
 * the fees; one product. */
double rounds_welfare(const struct pw_market *market, const double *trade);

/* All agents, started, with rules and penalties given, or those that a run makes of settings, all with delta
 * 1; rounds_step() delivers every offer and fires everybody who is ready. */
struct rounds {
    const struct pw_market *market;
    struct pw_agent **agents;
    long offers; /* made so far, those of the start too */
};
struct rounds rounds_begin(const struct pw_market *market, const struct pw_rules *rules,
                           const double *penalty);
struct rounds rounds_begin_as(const struct pw_market *market, const struct pw_settings *settings);
void rounds_step(struct rounds *rounds);
void rounds_end(struct rounds *rounds);

/* Fills trade [n_links] with the agreed trades (t - t')/2 of the last offers. */
void rounds_agreed(const struct rounds *rounds, double *trade);

#endif
