#include "coordinator/placed.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/market_order.h"
#include "common/memory.h"
#include "common/phases.h"
#include "coordinator/partition.h"
#include "coordinator/speed.h"

/* A market with fewer links is simulated so soon that speeds need not be measured. */
enum { LINKS_TO_MEASURE = 20000 };

/* Rank 0: the order for the blocks. */
static void choose_order(struct pw_placed *placed, const struct pw_market *market,
                         const struct pw_settings *settings, int in_bulk, int n_ranks)
{
    struct pw_placement placement = {market->n_agents, n_ranks, placed->block_first};
    placed->order = pw_partition_choose(market, settings, in_bulk, &placement, &placed->cut);
    if (placed->order != NULL)
        placed->market = pw_market_reorder(market, placed->order);
}

struct pw_placed pw_placed_choose(const struct pw_market *market, const struct pw_settings *settings,
                                  int in_bulk, int n_ranks)
{
    struct pw_placed placed = {0};
    if (n_ranks == 1)
        return placed;
    enum pw_phase before = pw_phase_enter(PW_PHASE_SETUP);
    choose_order(&placed, market, settings, in_bulk, n_ranks);
    pw_phase_leave(before);
    return placed;
}

/* Collective: an array of `count` that rank 0 may have, NULL where it has none. */
static int *share_numbers(int *numbers, size_t count, struct pw_transport *transport)
{
    int is_there = numbers != NULL;
    pw_transport_share(transport, &is_there, sizeof is_there);
    if (!is_there)
        return NULL;
    if (numbers == NULL)
        numbers = pw_alloc(count, sizeof *numbers);
    pw_transport_share(transport, numbers, count * sizeof *numbers);
    return numbers;
}

/* Collective: blocks by the ranks' speed, where that pays and ranks have a processor each. */
static int *find_blocks(const struct pw_market *market, const struct pw_settings *settings,
                        struct pw_transport *transport)
{
    int *block_first = NULL;
    int pays = settings->clock == PW_CLOCK_VIRTUAL && settings->placement != PW_PLACE_BLOCKS &&
               market->n_links >= LINKS_TO_MEASURE && !transport->crowded;
    pw_transport_share(transport, &pays, sizeof pays);
    if (!pays)
        return NULL;
    double *speeds = pw_speed_gather(transport, settings->stall_s);
    if (speeds != NULL)
        block_first = pw_speed_blocks(speeds, transport->size, market->n_agents);
    free(speeds);
    return share_numbers(block_first, (size_t)transport->size + 1, transport);
}

struct pw_placed pw_placed_make(const struct pw_market *market, const struct pw_settings *settings,
                                int in_bulk, struct pw_transport *transport)
{
    struct pw_placed placed = {0};
    if (transport->size == 1)
        return placed;
    enum pw_phase before = pw_phase_enter(PW_PHASE_SETUP);
    placed.block_first = find_blocks(market, settings, transport);
    if (transport->rank == 0)
        choose_order(&placed, market, settings, in_bulk, transport->size);
    placed.order = share_numbers(placed.order, (size_t)market->n_agents, transport);
    if (placed.order != NULL && placed.market == NULL)
        placed.market = pw_market_reorder(market, placed.order);
    pw_phase_leave(before);
    return placed;
}

void pw_placed_say(const struct pw_placed *placed, int n_ranks)
{
    const int *first = placed->block_first;
    int least = INT_MAX, most = 0;
    fprintf(stderr, "agents are placed %s: %.3g %% of the links lie between ranks\n",
            placed->order != NULL ? "by the graph" : "in blocks", 100.0 * placed->cut);
    if (first == NULL)
        return;
    for (int r = 0; r < n_ranks; r++) {
        int hosted = first[r + 1] - first[r];
        least = hosted < least ? hosted : least;
        most = hosted > most ? hosted : most;
    }
    fprintf(stderr, "ranks are not equally fast: they host %d to %d agents\n", least, most);
}

void pw_placed_release(struct pw_placed *placed)
{
    free(placed->order);
    free(placed->block_first);
    pw_market_destroy(placed->market);
}
