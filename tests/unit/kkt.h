/* The optimality conditions of a market, recomputed from powers, prices and trades alone. */
#ifndef PW_TEST_KKT_H
#define PW_TEST_KKT_H

#include "common/market.h"

struct test_kkt {
    double price; /* worst violation in price units */
    double power; /* worst violation in power units */
};

/* `power` and `price` [n_agents], `trade` [n_links] from link_a to link_b, for product q of the market. A
 * power may answer any price within price_slack of its agent's; trades below power_slack count as none. */
struct test_kkt test_kkt(const struct pw_market *market, int q, const double *power, const double *price,
                         const double *trade, double price_slack, double power_slack);

#endif
