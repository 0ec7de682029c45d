#include "coordinator/placed.h"

#include <stdlib.h>

#include "common/market_order.h"
#include "common/memory.h"
#include "common/phases.h"
#include "coordinator/partition.h"

struct pw_placed pw_placed_choose(const struct pw_market *market, const struct pw_settings *settings,
                                  int in_bulk, int n_ranks)
{
    struct pw_placed placed = {0};
    if (n_ranks == 1)
        return placed;
    enum pw_phase before = pw_phase_enter(PW_PHASE_SETUP);
    placed.order = pw_partition_choose(market, settings, in_bulk, n_ranks, &placed.cut);
    if (placed.order != NULL)
        placed.market = pw_market_reorder(market, placed.order);
    pw_phase_leave(before);
    return placed;
}

struct pw_placed pw_placed_make(const struct pw_market *market, const struct pw_settings *settings,
                                int in_bulk, struct pw_transport *transport)
{
    struct pw_placed placed = {0};
    if (transport->rank == 0)
        placed = pw_placed_choose(market, settings, in_bulk, transport->size);
    if (transport->size == 1)
        return placed;
    enum pw_phase before = pw_phase_enter(PW_PHASE_SETUP);
    int has_order = placed.order != NULL;
    pw_transport_share(transport, &has_order, sizeof has_order);
    if (has_order) {
        size_t agents = (size_t)market->n_agents;
        if (placed.order == NULL)
            placed.order = pw_alloc(agents, sizeof *placed.order);
        pw_transport_share(transport, placed.order, agents * sizeof *placed.order);
        if (placed.market == NULL)
            placed.market = pw_market_reorder(market, placed.order);
    }
    pw_phase_leave(before);
    return placed;
}

void pw_placed_release(struct pw_placed *placed)
{
    free(placed->order);
    pw_market_destroy(placed->market);
}
