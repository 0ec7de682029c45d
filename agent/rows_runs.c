#include "agent/rows_internal.h"
#include "common/memory.h"

/* Shorter ones, as they come about by chance, are left among the rows that share nothing. */
enum { LEAST_RUN = 8 };

/* The place of the peer that all agents of a group have in a row, or -1. Where there is no end any peer will
 * do. */
static int32_t peer_of_all(const struct pw_rows *rows, long row)
{
    int32_t common = -1;
    for (int j = 0; j < LANES; j++) {
        size_t e = (size_t)row * LANES + (size_t)j;
        if (!(rows->slope[e] > 0.0))
            continue;
        if (common != -1 && rows->peer[e] != common)
            return -1;
        common = rows->peer[e];
    }
    return common;
}

/* How many rows from `row` on have peers in places that follow each other. */
static int length_of(const struct pw_rows *rows, long row, long end)
{
    int32_t place = peer_of_all(rows, row);
    int length = 0;
    while (place >= 0 && row + length < end && peer_of_all(rows, row + length) == place + length)
        length++;
    return length;
}

/* Lists the runs of a group, if `runs` is not NULL; returns how many there are. */
static int list_runs(const struct pw_rows *rows, int g, struct pw_row_run *runs)
{
    long first = rows->group_first[g], end = rows->group_first[g + 1];
    int count = 0, is_apart = 0; /* true: the last run is one of rows that share nothing */
    for (long row = first; row < end;) {
        int length = length_of(rows, row, end), is_shared = length >= LEAST_RUN;
        int32_t place = is_shared ? peer_of_all(rows, row) : -1;
        row += length > 0 ? length : 1;
        count += is_shared || !is_apart;
        is_apart = !is_shared;
        if (runs != NULL)
            runs[count - 1] = (struct pw_row_run){(int)(row - first), place};
    }
    return count;
}

void pw_rows_find_runs(struct pw_rows *rows)
{
    rows->run_first = pw_alloc((size_t)rows->n_groups + 1, sizeof *rows->run_first);
    for (int g = 0; g < rows->n_groups; g++)
        rows->run_first[g + 1] = rows->run_first[g] + list_runs(rows, g, NULL);
    rows->runs = pw_alloc((size_t)rows->run_first[rows->n_groups], sizeof *rows->runs);
    for (int g = 0; g < rows->n_groups; g++)
        list_runs(rows, g, rows->runs + rows->run_first[g]);
}
