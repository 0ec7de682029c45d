/* Rank 0's decisions in a bulk run, without a run. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "common/memory.h"
#include "common/penalty.h"
#include "coordinator/bulk_chair.h"
#include "coordinator/snapshot.h"
#include "tests/unit/random_market.h"
#include "tests/unit/rows_parts.h"
#include "tests/unit/suites.h"

/* The state of all agents as ends at their own pace send it, every end offering `trade`. */
static void show(struct pw_bulk_chair *chair, const struct pw_market *market, double trade)
{
    struct pw_error err = {0};
    for (int n = 0; n < market->n_agents; n++) {
        int links = pw_market_degree(market, n);
        size_t count = pw_snapshot_agent_size(links, 1, 0), fixed = pw_snapshot_agent_size(0, 1, 0);
        double *part = pw_alloc(count, sizeof *part);
        for (int k = 0; k < links; k++) {
            const double slot[] = {1.0, trade, 5.0,
                                   9.0, NAN,   trade}; /* penalty, mine, price, round, -, before */
            pw_copy_reals(part + fixed + 6 * (size_t)k, slot, 6);
        }
        ck_assert_int_eq(
            pw_bulk_chair_take(chair, n, n + 1, (unsigned char *)part, count * sizeof *part, &err), PW_OK);
        free(part);
    }
}

/* At their own pace the words of ranks may be of rounds before what is judged. However far that misses, and
 * however near to nothing the words were, a market at rest is judged again. */
START_TEST(what_is_at_rest_is_judged_again)
{
    struct pw_market *market = test_market(FAMILY_TWO_SIDED, 9, 1.0, 2);
    struct pw_settings settings;
    struct pw_negotiation negotiation = rows_parts_negotiation(market, &settings);
    struct pw_scales scales = pw_market_scales(market);
    struct pw_bulk_chair *chair = pw_bulk_chair_create(&negotiation, &scales, 0, 0);
    struct pw_bulk_round round = {.rounds = 9, .closely = 1};
    for (int look = 0; look < 5; look++) {
        ck_assert_int_eq(pw_bulk_chair_round(chair, &round, 1), PW_BULK_SHOW);
        show(chair, market, 1e3 * scales.power); /* both ends give: far from a market */
        ck_assert_int_eq(pw_bulk_chair_conclude(chair), PW_BULK_CLOSELY);
        round.sums.gap2 = 1e-15 * scales.power * scales.power; /* a little more than nothing */
    }
    round.sums.gap2 = 1e6 * scales.power * scales.power;
    ck_assert_int_ne(pw_bulk_chair_round(chair, &round, 1), PW_BULK_SHOW);
    pw_bulk_chair_destroy(chair);
    pw_market_destroy(market);
}
END_TEST

Suite *bulk_chair_suite(void)
{
    Suite *suite = suite_create("bulk_chair");
    TCase *tests = tcase_create("bulk_chair");
    tcase_add_test(tests, what_is_at_rest_is_judged_again);
    suite_add_tcase(suite, tests);
    return suite;
}
