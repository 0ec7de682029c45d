#include <math.h>
#include <stdlib.h>

#include "agent/balance.h"
#include "agent/rows_internal.h"
#include "agent/rules.h"
#include "common/memory.h"

static size_t n_seats(const struct pw_rows *rows)
{
    return (size_t)rows->n_groups * LANES;
}

/* All agents here are always heard and answered. */
void pw_rows_pace_create(struct pw_rows *rows)
{
    size_t visitors = (size_t)rows->spec.n_visitors, places = n_seats(rows) + visitors,
           ends = pw_rows_n_ends(rows), deepest = (size_t)rows->depth_max * LANES;
    double **by_place[] = {&rows->pace.heard, &rows->pace.answered, &rows->pace.counts, &rows->pace.due,
                           &rows->pace.largest_factor};
    double **by_end[] = {&rows->target, &rows->answers, &rows->dead, &rows->free};
    for (size_t i = 0; i < sizeof by_place / sizeof *by_place; i++)
        *by_place[i] = pw_rows_reals(places);
    for (size_t i = 0; i < sizeof by_end / sizeof *by_end; i++)
        *by_end[i] = pw_rows_reals(deepest);
    rows->sent = pw_rows_reals(ends);
    rows->visitor_round = pw_alloc(visitors, sizeof *rows->visitor_round);
    rows->visitor_ends = pw_alloc(visitors, sizeof *rows->visitor_ends);
    for (size_t place = 0; place < n_seats(rows); place++)
        rows->pace.heard[place] = rows->pace.answered[place] = 1.0;
}

void pw_rows_pace_destroy(struct pw_rows *rows)
{
    void *arrays[] = {rows->pace.heard,
                      rows->pace.answered,
                      rows->pace.counts,
                      rows->pace.due,
                      rows->pace.largest_factor,
                      rows->target,
                      rows->answers,
                      rows->dead,
                      rows->free,
                      rows->sent,
                      rows->visitor_round,
                      rows->visitor_ends};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
}

void pw_rows_hear(struct pw_rows *rows, int first, int count, int round)
{
    for (int visitor = first; visitor < first + count; visitor++) {
        rows->visitor_round[visitor] = round;
        rows->pace.heard[n_seats(rows) + (size_t)visitor] = 1.0;
    }
}

static enum pw_row_kind set_balance(struct pw_rows *rows, size_t place, int round, int heard)
{
    enum pw_row_kind kind = heard ? pw_rows_kind(rows, round) : PW_ROW_PLAIN;
    rows->pace.counts[place] = kind == PW_ROW_COUNT || kind == PW_ROW_BALANCE;
    rows->pace.due[place] = kind == PW_ROW_BALANCE;
    rows->pace.largest_factor[place] = fmin(PW_LARGEST_FACTOR, 1.0 + PW_TIGHTENING_ROUNDS / fmax(round, 1));
    return kind;
}

enum pw_row_kind pw_rows_pace_open(struct pw_rows *rows)
{
    enum pw_row_kind most = pw_rows_kind(rows, rows->rounds);
    for (size_t place = 0; place < n_seats(rows); place++)
        set_balance(rows, place, rows->rounds, 1);
    for (int visitor = 0; visitor < rows->spec.n_visitors; visitor++) {
        size_t place = n_seats(rows) + (size_t)visitor;
        enum pw_row_kind kind =
            set_balance(rows, place, rows->visitor_round[visitor], rows->pace.heard[place] > 0.0);
        most = kind > most ? kind : most;
    }
    return most;
}

/* In the first round nobody has been waited for yet. */
void pw_rows_pace_close(struct pw_rows *rows)
{
    for (int visitor = 0; visitor < rows->spec.n_visitors; visitor++) {
        size_t place = n_seats(rows) + (size_t)visitor;
        rows->pace.answered[place] = rows->rounds == 0 ? 1.0 : rows->pace.heard[place];
        rows->pace.heard[place] = 0.0;
    }
}

/* That of an agent with the mean number of links and of waiting ones. */
double pw_rows_stiffness(const struct pw_rows *rows)
{
    double waiting = 0.0, agents = fmax(1.0, rows->spec.n_agents);
    if (rows->spec.stiffness > 0.0)
        return rows->spec.stiffness;
    for (int visitor = 0; visitor < rows->spec.n_visitors; visitor++) {
        if (!(rows->pace.heard[n_seats(rows) + (size_t)visitor] > 0.0))
            waiting += rows->visitor_ends[visitor];
    }
    return pw_stiffness_auto((double)rows->n_links / agents, waiting / agents);
}
