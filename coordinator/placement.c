#include "coordinator/placement.h"

#include <stddef.h>

int pw_placement_first(const struct pw_placement *placement, int rank)
{
    long n_agents = placement->n_agents, n_ranks = placement->n_ranks;
    if (placement->first != NULL)
        return placement->first[rank];
    if (n_ranks <= n_agents)
        return (int)(n_agents * rank / n_ranks);
    return rank == 0 ? 0 : rank <= n_agents ? rank - 1 : (int)n_agents;
}

int pw_placement_end(const struct pw_placement *placement, int rank)
{
    if (placement->n_ranks <= placement->n_agents)
        return pw_placement_first(placement, rank + 1);
    return rank >= 1 && rank <= placement->n_agents ? rank : pw_placement_first(placement, rank);
}

struct pw_block pw_placement_block(const struct pw_placement *placement, int rank)
{
    return (struct pw_block){pw_placement_first(placement, rank), pw_placement_end(placement, rank)};
}

/* The last block that starts at or before the agent. */
static int search(const int *first, int n_ranks, int agent)
{
    int low = 0, high = n_ranks;
    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        if (first[middle] <= agent)
            low = middle;
        else
            high = middle;
    }
    return low;
}

int pw_placement_rank(const struct pw_placement *placement, int agent)
{
    long n_agents = placement->n_agents, n_ranks = placement->n_ranks;
    if (placement->first != NULL)
        return search(placement->first, placement->n_ranks, agent);
    if (n_ranks > n_agents)
        return agent + 1;
    /* The largest rank whose block starts at or before the agent. */
    return (int)(((agent + 1L) * n_ranks - 1) / n_agents);
}
