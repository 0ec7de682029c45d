#include "coordinator/placement.h"

/* Agents of rank 0, where not each agent has a rank of its own: with them its work is that of the others. */
static int hosted_by_chair(const struct pw_placement *placement)
{
    double work = (1.0 + placement->chair) / placement->n_ranks - placement->chair;
    return work > 0.0 ? (int)(placement->n_agents * work) : 0;
}

int pw_placement_first(const struct pw_placement *placement, int rank)
{
    long n_agents = placement->n_agents, n_ranks = placement->n_ranks;
    if (n_ranks > n_agents)
        return rank == 0 ? 0 : rank <= n_agents ? rank - 1 : (int)n_agents;
    if (!(placement->chair > 0.0) || n_ranks == 1)
        return (int)(n_agents * rank / n_ranks);
    int of_chair = hosted_by_chair(placement);
    return rank == 0 ? 0 : of_chair + (int)((n_agents - of_chair) * (rank - 1) / (n_ranks - 1));
}

int pw_placement_end(const struct pw_placement *placement, int rank)
{
    if (placement->n_ranks <= placement->n_agents)
        return rank == placement->n_ranks - 1 ? placement->n_agents : pw_placement_first(placement, rank + 1);
    return rank >= 1 && rank <= placement->n_agents ? rank : pw_placement_first(placement, rank);
}

/* Of n agents on so many ranks, evenly: the largest rank whose block starts at or before the agent. */
static int rank_among(long agent, long n_agents, long n_ranks)
{
    return (int)(((agent + 1L) * n_ranks - 1) / n_agents);
}

int pw_placement_rank(const struct pw_placement *placement, int agent)
{
    int n_agents = placement->n_agents, n_ranks = placement->n_ranks;
    if (n_ranks > n_agents)
        return agent + 1;
    if (!(placement->chair > 0.0) || n_ranks == 1)
        return rank_among(agent, n_agents, n_ranks);
    int of_chair = hosted_by_chair(placement);
    return agent < of_chair ? 0 : 1 + rank_among(agent - of_chair, n_agents - of_chair, n_ranks - 1);
}
