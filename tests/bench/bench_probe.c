#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/outcome.h"
#include "coordinator/negotiate.h"
#include "tests/unit/clearing.h"
#include "tests/unit/random_market.h"
int main(int argc, char **argv)
{
    int lo = atoi(argv[1]), hi = atoi(argv[2]), s0 = atoi(argv[3]), s1 = atoi(argv[4]);
    for (int f = lo; f < hi; f++)
        for (uint64_t seed = (uint64_t)s0; seed <= (uint64_t)s1; seed++) {
            struct pw_market *m = test_market((enum test_family)f, f == FAMILY_POOL ? 2 + (int)seed : 4 + (int)seed, f==FAMILY_POOL?1:.7, seed);
            struct pw_settings s; pw_settings_default(&s); struct pw_error err;
            s.tolerance = 1e-3; s.criterion = PW_CRITERION_GLOBAL; s.max_time_s = 20;
            for (int i = 5; i < argc; i++) if (pw_settings_override(&s, argv[i], &err)) printf("%s\n", err.text);
            if (f == FAMILY_POOL && s.exchange == PW_EXCHANGE_POOL) for (int l = 0; l < m->n_links && seed % 2 == 0; l++) m->fee_b[l] = .2;
            struct pw_transport *t = pw_transport_loopback();
            struct pw_negotiation ng = {m, &s, PW_PROGRESS_NONE, INT64_MAX, NULL};
            struct pw_outcome *o; pw_negotiate(&ng, t, &o);
            struct pw_summary *u = &o->summary;
            struct test_clearing c = test_measure(m, &s, o);
            printf("%-14s %2lu %-9s %6.0f prim %.1e dual %.1e price %.1e bal %.1e spread %.1e mism %.1e gap %.1e\n", test_family_name((enum test_family)f), (unsigned long)seed, pw_status_text(u->status), u->iterations_mean, u->primal_residual/u->tolerance_primal, u->dual_residual/u->tolerance_dual, u->price_residual/u->tolerance_price, u->balance_max/u->tolerance_primal, u->price_spread_max/u->tolerance_spread, u->price_mismatch_max/u->tolerance_price, c.welfare_gap);
            pw_outcome_destroy(o); pw_transport_close(t); pw_market_destroy(m);
        }
    return 0;
}
