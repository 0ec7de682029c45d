/* The list of all unit suites; a new one is a file and a row. */
#ifndef PW_SUITES_H
#define PW_SUITES_H

#include <check.h>

#define PW_SUITES(X)                                                                                         \
    X(text_suite)                                                                                            \
    X(memory_suite)                                                                                          \
    X(readers_suite)                                                                                         \
    X(settings_suite)                                                                                        \
    X(override_suite)                                                                                        \
    X(case_suite)                                                                                            \
    X(market_suite)                                                                                          \
    X(links_suite)                                                                                           \
    X(fees_suite)                                                                                            \
    X(structure_suite)                                                                                       \
    X(choose_suite)                                                                                          \
    X(kept_suite)                                                                                            \
    X(random_suite)                                                                                          \
    X(net_models_suite)                                                                                      \
    X(delay_laws_suite)                                                                                      \
    X(losses_suite)                                                                                          \
    X(net_tables_suite)                                                                                      \
    X(pace_suite)                                                                                            \
    X(due_queue_suite)                                                                                       \
    X(event_queue_suite)                                                                                     \
    X(exact_sum_suite)                                                                                       \
    X(phases_suite)                                                                                          \
    X(partition_suite)                                                                                       \
    X(codec_suite)                                                                                           \
    X(rank_parts_suite)                                                                                      \
    X(local_problem_suite)                                                                                   \
    X(inner_admm_suite)                                                                                      \
    X(rows_suite)                                                                                            \
    X(rows_pace_suite)                                                                                       \
    X(peers_suite)                                                                                           \
    X(peer_memory_suite)                                                                                     \
    X(penalty_suite)                                                                                         \
    X(limits_suite)                                                                                          \
    X(paired_suite)                                                                                          \
    X(innovation_suite)                                                                                      \
    X(pool_suite)                                                                                            \
    X(glance_suite)                                                                                          \
    X(neighbours_suite)                                                                                      \
    X(snapshot_suite)                                                                                        \
    X(bulk_words_suite)                                                                                      \
    X(bulk_chair_suite)                                                                                      \
    X(negotiate_suite)                                                                                       \
    X(quiescence_suite)                                                                                      \
    X(settled_suite)                                                                                         \
    X(course_suite)                                                                                          \
    X(window_suite)                                                                                          \
    X(simulate_suite)                                                                                        \
    X(feasibility_suite)                                                                                     \
    X(reference_suite)                                                                                       \
    X(profiles_suite)                                                                                        \
    X(horizon_suite)                                                                                         \
    X(study_suite)                                                                                           \
    X(journal_suite)                                                                                         \
    X(trace_suite)

#define DECLARE_SUITE(suite) Suite *suite(void);
PW_SUITES(DECLARE_SUITE)
#undef DECLARE_SUITE

#endif
