#include "net_models/models.h"

/* A transmission this often lost is let through, so that the loop ends whatever the loss. */
enum { MOST_LOSSES = 100000 };

static int is_lost(const struct pw_network *network, const struct pw_transmission *transmission)
{
    struct pw_draw key = pw_transmission_draw(transmission, PW_DRAW_LOSS);
    return pw_random_uniform(&key, 0) < network->loss;
}

struct pw_passage pw_network_pass(const struct pw_network *network, uint32_t link, uint32_t direction,
                                  uint32_t round)
{
    struct pw_transmission transmission = {network->seed, link, direction, round, 0};
    if (network->loss > 0.0) {
        while (transmission.attempt < MOST_LOSSES && is_lost(network, &transmission))
            transmission.attempt++;
    }
    double delay_s = network->model->draw(&network->delay, &transmission);
    return (struct pw_passage){transmission.attempt * network->retransmit_s + delay_s, transmission.attempt};
}

int pw_network_is_instant(const struct pw_network *network)
{
    return network->model == &pw_delay_none && !(network->loss > 0.0);
}
