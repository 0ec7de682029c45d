#include "coordinator/placement.h"

#include "common/larger.h"

/* Following the course takes so much of the time of all agents' solves and offers (`run --log-view` on the
 * virtual clock, 10 000 agents: "judge" on rank 0 beside "solve" and "send" of all ranks). */
static const double JUDGE = 0.13, MOST_SPARED = 0.9;

struct pw_placement pw_placement_with_judge(int n_agents, int n_ranks)
{
    struct pw_placement placement = {n_agents, n_ranks, 0};
    if (n_ranks == 1 || n_ranks > n_agents)
        return placement;
    int leaves_one = (n_agents - n_ranks) / (n_ranks - 1);
    placement.spared = (int)(n_agents * pw_smaller(JUDGE, MOST_SPARED / (n_ranks - 1)));
    placement.spared = placement.spared < leaves_one ? placement.spared : leaves_one;
    return placement;
}

/* Blocks are equal, that of rank 0 with the agents that it is spared. */
int pw_placement_first(const struct pw_placement *placement, int rank)
{
    long n_agents = placement->n_agents, n_ranks = placement->n_ranks, spared = placement->spared;
    if (n_ranks <= n_agents) {
        return rank == 0 ? 0 : (int)((n_agents + spared) * rank / n_ranks - spared);
    }
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

int pw_placement_rank(const struct pw_placement *placement, int agent)
{
    long n_agents = placement->n_agents, n_ranks = placement->n_ranks;
    if (n_ranks > n_agents)
        return agent + 1;
    /* The largest rank whose block starts at or before the agent. */
    return (int)(((agent + placement->spared + 1L) * n_ranks - 1) / (n_agents + placement->spared));
}
