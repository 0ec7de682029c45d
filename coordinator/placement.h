/* Which rank hosts which agents: contiguous blocks. */
#ifndef PW_PLACEMENT_H
#define PW_PLACEMENT_H

struct pw_placement {
    int n_agents, n_ranks;
    double chair; /* what rank 0 has to do besides, as a share of the work for all agents; it hosts so much
                     less */
};

/* What rank 0 has to do on the virtual clock, where it follows the course of the whole market: measured by
 * `run --log-view` (judge against solve, send and receive). */
#define PW_CHAIR_VIRTUAL 0.08

/* With as many ranks as agents or fewer, every rank hosts a block, rank 0 too, if there is work for it beside
 * the chair's. With more, rank 0 only
 * coordinates, ranks 1 to n_agents host one agent each, and what remains idles. */
int pw_placement_first(const struct pw_placement *placement, int rank);

/* The agent after the last one of `rank`. */
int pw_placement_end(const struct pw_placement *placement, int rank);

int pw_placement_rank(const struct pw_placement *placement, int agent);

#endif
