#include "net_models/network.h"

#include <math.h>

#include "net_models/burst.h"
#include "net_models/models.h"

/* A transmission this often lost is let through, so that the loop ends whatever the loss. */
enum { MOST_LOSSES = 100000 };

/* Times in nanoseconds must fit. */
static const double LONGEST_S = 1e9;

/* A link's own value, or the common one. */
static double value_of(const struct pw_network *network, enum pw_link_value value, uint32_t link,
                       double common)
{
    const struct pw_net_data *data = network->data;
    if (data == NULL || data->of_link[value] == NULL || isnan(data->of_link[value][link]))
        return common;
    return data->of_link[value][link];
}

struct pw_delay pw_network_delay(const struct pw_network *network, uint32_t link)
{
    struct pw_delay delay = network->delay;
    delay.mean_s = value_of(network, PW_LINK_MEAN, link, delay.mean_s);
    delay.std_s = value_of(network, PW_LINK_STD, link, delay.std_s);
    delay.min_s = value_of(network, PW_LINK_MIN, link, delay.min_s);
    delay.distance = value_of(network, PW_LINK_DISTANCE, link, delay.distance);
    return delay;
}

/* The same, in `own` only where links may have values of their own. */
static const struct pw_delay *delay_of(const struct pw_network *network, uint32_t link, struct pw_delay *own)
{
    if (network->data == NULL)
        return &network->delay;
    *own = pw_network_delay(network, link);
    return own;
}

double pw_network_loss(const struct pw_network *network, uint32_t link)
{
    return value_of(network, PW_LINK_LOSS, link, network->loss);
}

/* Losses before the offer of `transmission`, whose first attempt is lost, gets through; 1 if nothing is
 * repeated. */
static uint32_t independent_losses(const struct pw_network *network, double loss,
                                   struct pw_transmission transmission)
{
    uint32_t most = network->retransmit == PW_RETRANSMIT_NEVER ? 1 : MOST_LOSSES;
    for (transmission.attempt = 1; transmission.attempt < most; transmission.attempt++) {
        struct pw_draw key = pw_transmission_draw(&transmission, PW_DRAW_LOSS);
        if (pw_random_uniform(&key, 0) >= loss)
            break;
    }
    return transmission.attempt;
}

static struct pw_burst burst_of(const struct pw_network *network, double loss)
{
    return (struct pw_burst){loss, network->burst_length, network->burst_loss};
}

static uint32_t burst_losses(const struct pw_network *network, double loss,
                             const struct pw_transmission *transmission)
{
    struct pw_burst burst = burst_of(network, loss);
    uint32_t way = pw_transmission_way(transmission);
    if (network->retransmit == PW_RETRANSMIT_NEVER)
        return (uint32_t)pw_burst_is_lost(&burst, transmission->seed, way, transmission->round);
    return pw_burst_losses(&burst, transmission->seed, way, transmission->round);
}

enum pw_code pw_network_check_bursts(const struct pw_network *network, double loss, struct pw_error *err)
{
    struct pw_burst burst = burst_of(network, loss);
    return network->burst_length > 0.0 && loss > 0.0 ? pw_burst_check(&burst, err) : PW_OK;
}

enum pw_code pw_network_check_link(const struct pw_network *network, uint32_t link, struct pw_error *err)
{
    struct pw_delay delay = pw_network_delay(network, link);
    PW_TRY(network->model->check(&delay, err));
    return pw_network_check_bursts(network, pw_network_loss(network, link), err);
}

/* True if links have values of their own for what the model reads. */
static int links_differ(const struct pw_network *network)
{
    static const unsigned uses[PW_LINK_VALUES] = {[PW_LINK_MEAN] = PW_USES_MEAN,
                                                  [PW_LINK_STD] = PW_USES_STD,
                                                  [PW_LINK_MIN] = PW_USES_MIN,
                                                  [PW_LINK_DISTANCE] = PW_USES_DISTANCE};
    for (int v = 0; network->data != NULL && v < PW_LINK_VALUES; v++) {
        if ((network->model->uses & uses[v]) && network->data->of_link[v] != NULL &&
            network->data->n_links > 0)
            return 1;
    }
    return 0;
}

double pw_network_least_s(const struct pw_network *network)
{
    double least_s = INFINITY;
    if (!links_differ(network))
        return network->model->lower_bound(&network->delay);
    for (uint32_t link = 0; link < network->data->n_links; link++) {
        struct pw_delay delay = pw_network_delay(network, link);
        least_s = fmin(least_s, network->model->lower_bound(&delay));
    }
    return least_s;
}

double pw_network_mean_s(const struct pw_network *network)
{
    double sum_s = 0.0;
    if (!links_differ(network))
        return network->model->mean(&network->delay);
    for (uint32_t link = 0; link < network->data->n_links; link++) {
        struct pw_delay delay = pw_network_delay(network, link);
        sum_s += network->model->mean(&delay);
    }
    return sum_s / (double)network->data->n_links;
}

static int have_own_losses(const struct pw_network *network)
{
    return network->data != NULL && network->data->of_link[PW_LINK_LOSS] != NULL;
}

int pw_network_may_lose(const struct pw_network *network)
{
    int may = network->loss > 0.0;
    if (!have_own_losses(network))
        return may;
    for (uint32_t link = 0; !may && link < network->data->n_links; link++)
        may = pw_network_loss(network, link) > 0.0;
    return may;
}

/* Counts the losses of each as its attempt that gets through, in the keys too. */
static void lose(const struct pw_network *network, struct pw_transmission *transmissions, int count,
                 struct pw_draws *keys)
{
    double first[PW_RANDOM_LANES] = {0};
    int bursts = network->burst_length > 0.0;
    keys->purpose = PW_DRAW_LOSS;
    if (!bursts)
        pw_random_uniforms(keys, first);
    for (int i = 0; i < count; i++) {
        double loss = pw_network_loss(network, transmissions[i].link);
        if (first[i] < loss)
            keys->index[2][i] = transmissions[i].attempt =
                bursts ? burst_losses(network, loss, &transmissions[i])
                       : independent_losses(network, loss, transmissions[i]);
    }
}

static void draw_first(const struct pw_network *network, struct pw_draws *keys, double first[PW_RANDOM_LANES])
{
    keys->purpose = PW_DRAW_DELAY;
    if (network->model->first == PW_FIRST_NORMAL)
        pw_random_normals(keys, first);
    else if (network->model->first == PW_FIRST_UNIFORM)
        pw_random_uniforms(keys, first);
}

static struct pw_passage arrive(const struct pw_network *network, const struct pw_transmission *transmission,
                                double first)
{
    uint32_t losses = transmission->attempt;
    if (losses > 0 && network->retransmit == PW_RETRANSMIT_NEVER)
        return (struct pw_passage){0.0, losses, 1};
    struct pw_delay own;
    const struct pw_delay *delay = delay_of(network, transmission->link, &own);
    double delay_s = network->model->draw(delay, transmission, first);
    if (losses > 0)
        delay_s += pw_network_wait_s(network, losses);
    return (struct pw_passage){delay_s < LONGEST_S ? delay_s : LONGEST_S, losses, 0};
}

static void pass_some(const struct pw_network *network, struct pw_transmission *transmissions, int count,
                      struct pw_passage *passages)
{
    struct pw_draws keys = {.seed = network->seed};
    double first[PW_RANDOM_LANES] = {0};
    for (int i = 0; i < count; i++) {
        transmissions[i].seed = network->seed;
        transmissions[i].attempt = 0;
        keys.index[0][i] = pw_transmission_way(&transmissions[i]);
        keys.index[1][i] = transmissions[i].round;
    }
    if (network->loss > 0.0 || have_own_losses(network))
        lose(network, transmissions, count, &keys);
    draw_first(network, &keys, first);
    for (int i = 0; i < count; i++)
        passages[i] = arrive(network, &transmissions[i], first[i]);
}

void pw_network_pass_many(const struct pw_network *network, struct pw_transmission *transmissions, int count,
                          struct pw_passage *passages)
{
    for (int done = 0; done < count; done += PW_RANDOM_LANES) {
        int some = count - done < PW_RANDOM_LANES ? count - done : PW_RANDOM_LANES;
        pass_some(network, transmissions + done, some, passages + done);
    }
}

struct pw_passage pw_network_pass(const struct pw_network *network, uint32_t link, uint32_t direction,
                                  uint32_t round)
{
    struct pw_transmission transmission = {.link = link, .direction = direction, .round = round};
    struct pw_passage passage;
    pw_network_pass_many(network, &transmission, 1, &passage);
    return passage;
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
    return network->model == &pw_delay_none && !(network->loss > 0.0) && !have_own_losses(network);
}
