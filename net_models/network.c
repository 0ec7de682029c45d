#include "net_models/network.h"

#include <math.h>

#include "net_models/burst.h"
#include "net_models/models.h"

/* A transmission this often lost is let through, so that the loop ends whatever the loss. */
enum { MOST_LOSSES = 100000 };

/* Times in nanoseconds must fit. */
static const double LONGEST_S = 1e9;

static int is_lost(const struct pw_network *network, const struct pw_transmission *transmission)
{
    struct pw_draw key = pw_transmission_draw(transmission, PW_DRAW_LOSS);
    return pw_random_uniform(&key, 0) < network->loss;
}

static uint32_t independent_losses(const struct pw_network *network, struct pw_transmission transmission)
{
    uint32_t most = network->retransmit == PW_RETRANSMIT_NEVER ? 1 : MOST_LOSSES;
    while (transmission.attempt < most && is_lost(network, &transmission))
        transmission.attempt++;
    return transmission.attempt;
}

static struct pw_burst burst_of(const struct pw_network *network)
{
    return (struct pw_burst){network->loss, network->burst_length, network->burst_loss};
}

static uint32_t burst_losses(const struct pw_network *network, const struct pw_transmission *transmission)
{
    struct pw_burst burst = burst_of(network);
    uint32_t way = pw_transmission_way(transmission);
    if (network->retransmit == PW_RETRANSMIT_NEVER)
        return (uint32_t)pw_burst_is_lost(&burst, transmission->seed, way, transmission->round);
    return pw_burst_losses(&burst, transmission->seed, way, transmission->round);
}

static uint32_t losses_of(const struct pw_network *network, const struct pw_transmission *transmission)
{
    if (!(network->loss > 0.0))
        return 0;
    return network->burst_length > 0.0 ? burst_losses(network, transmission)
                                       : independent_losses(network, *transmission);
}

enum pw_code pw_network_check_bursts(const struct pw_network *network, struct pw_error *err)
{
    struct pw_burst burst = burst_of(network);
    return network->burst_length > 0.0 && network->loss > 0.0 ? pw_burst_check(&burst, err) : PW_OK;
}

struct pw_passage pw_network_pass(const struct pw_network *network, uint32_t link, uint32_t direction,
                                  uint32_t round)
{
    struct pw_transmission transmission = {network->seed, link, direction, round, 0};
    uint32_t losses = transmission.attempt = losses_of(network, &transmission);
    if (losses > 0 && network->retransmit == PW_RETRANSMIT_NEVER)
        return (struct pw_passage){0.0, losses, 1};
    double delay_s =
        pw_network_wait_s(network, losses) + network->model->draw(&network->delay, &transmission);
    return (struct pw_passage){fmin(delay_s, LONGEST_S), losses, 0};
}

double pw_network_wait_s(const struct pw_network *network, uint32_t losses)
{
    if (network->retransmit != PW_RETRANSMIT_DOUBLING)
        return losses * network->retransmit_s;
    double wait_s = 0.0, next_s = network->retransmit_s;
    uint32_t doubled = 0;
    for (; doubled < losses && next_s < network->retransmit_max_s; doubled++, next_s *= 2.0)
        wait_s += next_s;
    return wait_s + (losses - doubled) * network->retransmit_max_s;
}

int pw_network_is_instant(const struct pw_network *network)
{
    return network->model == &pw_delay_none && !(network->loss > 0.0);
}
