#include "coordinator/neighbours.h"

#include <stdlib.h>

#include "common/memory.h"
#include "coordinator/roll.h"

struct pw_neighbours *pw_neighbours_create(const struct pw_host *host)
{
    const struct pw_market *market = host->market;
    struct pw_neighbours *neighbours = pw_alloc(1, sizeof *neighbours);
    size_t size = (size_t)host->placement.n_ranks;
    unsigned char *linked = pw_alloc(size, 1);
    for (int e = market->end_first[host->first]; e < market->end_first[host->end]; e++)
        linked[pw_placement_rank(&host->placement, pw_market_end_agent(market, market->end_twin[e]))] = 1;
    neighbours->ranks = pw_alloc(size, sizeof *neighbours->ranks);
    neighbours->reached_ns = pw_alloc(size, sizeof *neighbours->reached_ns);
    for (int r = 0; r < host->placement.n_ranks; r++) {
        neighbours->reached_ns[r] = -1;
        if (linked[r] && r != host->rank)
            neighbours->ranks[neighbours->count++] = r;
    }
    free(linked);
    return neighbours;
}

void pw_neighbours_destroy(struct pw_neighbours *neighbours)
{
    free(neighbours->ranks);
    free(neighbours->reached_ns);
    free(neighbours);
}

void pw_neighbours_hear(struct pw_neighbours *neighbours, int rank, int64_t reached_ns)
{
    if (reached_ns > neighbours->reached_ns[rank])
        neighbours->reached_ns[rank] = reached_ns;
}

void pw_neighbours_skip(struct pw_neighbours *neighbours, int64_t reached_ns)
{
    for (int k = 0; k < neighbours->count; k++)
        pw_neighbours_hear(neighbours, neighbours->ranks[k], reached_ns);
}

int64_t pw_neighbours_slowest(const struct pw_neighbours *neighbours)
{
    int64_t slowest_ns = INT64_MAX;
    for (int k = 0; k < neighbours->count; k++) {
        int64_t reached_ns = neighbours->reached_ns[neighbours->ranks[k]];
        slowest_ns = reached_ns < slowest_ns ? reached_ns : slowest_ns;
    }
    return slowest_ns;
}

const char *pw_neighbours_missing(const struct pw_neighbours *neighbours, int64_t reached_ns, char *text,
                                  size_t size)
{
    int *behind = pw_alloc((size_t)neighbours->count + 1, sizeof *behind), n_behind = 0;
    for (int k = 0; k < neighbours->count; k++) {
        if (neighbours->reached_ns[neighbours->ranks[k]] < reached_ns)
            behind[n_behind++] = neighbours->ranks[k];
    }
    pw_ranks_name(behind, n_behind, text, size);
    free(behind);
    return text;
}
