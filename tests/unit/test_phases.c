/* Where a process spends its time. */
#include <check.h>

#include "common/phases.h"
#include "coordinator/clock.h"
#include "tests/unit/suites.h"

/* Before the start nothing is measured; then each phase counts without those inside it. */
START_TEST(a_phase_counts_without_those_inside_it)
{
    struct pw_phase_sum sums[PW_N_PHASES];
    pw_phase_leave(pw_phase_enter(PW_PHASE_SOLVE));
    pw_phase_sent(10);
    pw_phases_read(sums);
    ck_assert_int_eq(sums[PW_PHASE_SOLVE].calls, 0);
    ck_assert_int_eq(sums[PW_PHASE_SOLVE].messages, 0);
    pw_phases_start(pw_clock_ns);
    int64_t start_ns = pw_clock_ns();
    enum pw_phase rest = pw_phase_enter(PW_PHASE_SOLVE);
    pw_clock_sleep(2000000);
    enum pw_phase solve = pw_phase_enter(PW_PHASE_WAIT);
    pw_phase_sent(7);
    pw_phase_sent(8);
    pw_clock_sleep(20000000);
    pw_phase_leave(solve);
    pw_phase_leave(rest);
    pw_phases_read(sums);
    int64_t passed_ns = pw_clock_ns() - start_ns, total_ns = 0;
    for (int p = 0; p < PW_N_PHASES; p++)
        total_ns += sums[p].ns;
    ck_assert_int_ge(sums[PW_PHASE_SOLVE].ns, 2000000);
    ck_assert_int_ge(sums[PW_PHASE_WAIT].ns, 20000000);
    ck_assert_int_le(sums[PW_PHASE_SOLVE].ns, passed_ns - sums[PW_PHASE_WAIT].ns);
    ck_assert_int_le(sums[PW_PHASE_SOLVE].ns + sums[PW_PHASE_WAIT].ns, total_ns);
    ck_assert_int_eq(sums[PW_PHASE_SOLVE].calls, 1);
    ck_assert_int_eq(sums[PW_PHASE_WAIT].calls, 1);
    ck_assert_int_eq(sums[PW_PHASE_WAIT].messages, 2);
    ck_assert_int_eq(sums[PW_PHASE_WAIT].bytes, 15);
    ck_assert_int_eq(sums[PW_PHASE_SOLVE].messages, 0);
}
END_TEST

Suite *phases_suite(void)
{
    Suite *suite = suite_create("phases");
    TCase *tcase = tcase_create("phases");
    tcase_add_test(tcase, a_phase_counts_without_those_inside_it);
    suite_add_tcase(suite, tcase);
    return suite;
}
