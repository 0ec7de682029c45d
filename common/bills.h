/* Who pays what: the agents' bills over one or more time slots, from the agreed trades alone. A trade of
 * energy is paid by its buyer to its seller, at the mean of the prices that both ends saw; each end pays its
 * own fee on top, to whoever collects fees. */
#ifndef PW_BILLS_H
#define PW_BILLS_H

#include "common/error.h"
#include "common/market.h"
#include "common/outcome.h"

/* Energy is power times hours; money, its price. All [n_agents]; never negative but for what a negative
 * price makes of it, and the remainder. */
struct pw_bills {
    int n_agents;
    double *energy_bought, *energy_sold;
    double *energy_remainder; /* produced less consumed less sold plus bought: no trade covers it */
    double *paid, *received;  /* money for energy, to sellers and from buyers */
    double *fees;
    double *balance;                   /* received - paid - fees */
    double *price_bought, *price_sold; /* averages; NaN where nothing was bought, sold */
};

/* Of runs of one market, each `hours` long; for pw_bills_destroy(). */
struct pw_bills *pw_bills_create(const struct pw_market *market, struct pw_outcome *const *outcomes,
                                 int count, double hours);
void pw_bills_destroy(struct pw_bills *bills);

/* Writes them as CSV, a row per agent and one of sums; unknown prices are empty cells. Errors as
 * pw_file_write(). */
enum pw_code pw_bills_write(const struct pw_bills *bills, const struct pw_market *market, const char *path,
                            int force, struct pw_error *err);

#endif
