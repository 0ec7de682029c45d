#include "tests/unit/kkt.h"

#include <math.h>
#include <stdlib.h>

static double response(const struct pw_market *market, int n, int q, double price, int high)
{
    double sum = 0;
    for (int i = market->asset_first[n]; i < market->asset_first[n + 1]; i++) {
        int k = i * market->n_products + q;
        double p;
        if (market->a[k] > 0)
            p = fmin(fmax((price - market->b[k]) / market->a[k], market->p_min[k]), market->p_max[k]);
        else
            p = (high ? price >= market->b[k] : price > market->b[k]) ? market->p_max[k] : market->p_min[k];
        sum += p;
    }
    return sum;
}

static double trade_violation(double gain, double t, double t_min, double t_max, double fee, double slack)
{
    if (t >= t_max - slack && t <= t_min + slack)
        return 0;
    double cost = t > slack ? fee : t < -slack ? -fee : 0;
    if (fabs(t) <= slack) {
        double more = t < t_max - slack ? gain - fee : 0, less = t > t_min + slack ? -gain - fee : 0;
        return fmax(0, fmax(more, less));
    }
    if (t >= t_max - slack)
        return fmax(0, cost - gain);
    if (t <= t_min + slack)
        return fmax(0, gain - cost);
    return fabs(gain - cost);
}

struct test_kkt test_kkt(const struct pw_market *market, int q, const double *power, const double *price,
                         const double *trade, double price_slack, double power_slack)
{
    struct test_kkt worst = {0, 0};
    double *net = calloc((size_t)market->n_agents, sizeof *net);
    for (int l = 0; l < market->n_links; l++) {
        int a = market->link_a[l], b = market->link_b[l], k = l * market->n_products + q;
        net[a] += trade[l];
        net[b] -= trade[l];
        double gain = price[b] - price[a];
        worst.price = fmax(worst.price, trade_violation(gain, trade[l], market->t_min[k], market->t_max[k],
                                                        market->fee_a[k] + market->fee_b[k], power_slack));
        worst.power = fmax(worst.power, fmax(market->t_min[k] - trade[l], trade[l] - market->t_max[k]));
    }
    for (int n = 0; n < market->n_agents; n++) {
        double low = response(market, n, q, price[n] - price_slack, 0);
        double high = response(market, n, q, price[n] + price_slack, 1);
        worst.power = fmax(worst.power, fabs(net[n] - power[n]));
        worst.power = fmax(worst.power, fmax(low - power[n], power[n] - high));
    }
    free(net);
    return worst;
}
