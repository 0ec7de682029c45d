/* What becomes of an offer on its way: delays, losses, repetitions. */
#ifndef PW_NETWORK_H
#define PW_NETWORK_H

#include "net_models/net_data.h"
#include "net_models/net_model.h"

/* What follows a lost transmission: another after retransmit_s; after retransmit_s, twice that, four times
 * that .. up to retransmit_max_s; nothing. */
enum pw_retransmit { PW_RETRANSMIT_FIXED, PW_RETRANSMIT_DOUBLING, PW_RETRANSMIT_NEVER };

struct pw_network {
    const struct pw_delay_model *model;
    struct pw_delay delay; /* of the links that have no values of their own */
    double loss;           /* probability that a transmission is lost, [0, 1); likewise */
    double burst_length;   /* mean transmissions of a bad spell; 0: losses are independent */
    double burst_loss;     /* probability of a loss in a bad spell, (0, 1] */
    enum pw_retransmit retransmit;
    double retransmit_s, retransmit_max_s;
    uint64_t seed;
    const struct pw_net_data *data; /* values of single links; borrowed, NULL: none */
};

/* What becomes of one offer. */
struct pw_passage {
    double delay_s;    /* from sending to arrival, repetitions included; at most 1e9 */
    uint32_t losses;   /* transmissions lost */
    int lost_for_good; /* it never arrives (PW_RETRANSMIT_NEVER): delay_s means nothing */
};

/* The parameters of a link's delay, and its probability of a loss. */
struct pw_delay pw_network_delay(const struct pw_network *network, uint32_t link);
double pw_network_loss(const struct pw_network *network, uint32_t link);

/* PW_USAGE with a text if the figures of bursts do not fit together for this loss. */
enum pw_code pw_network_check_bursts(const struct pw_network *network, double loss, struct pw_error *err);

/* PW_USAGE with a text if the figures of one link do not fit together. */
enum pw_code pw_network_check_link(const struct pw_network *network, uint32_t link, struct pw_error *err);

/* Seconds: the least delay on any link, and the mean over all links of their mean delays, without losses. */
double pw_network_least_s(const struct pw_network *network);
double pw_network_mean_s(const struct pw_network *network);

/* True if some link may lose transmissions. */
int pw_network_may_lose(const struct pw_network *network);

/* The passage of the offer of `round` on a link. Pure. O(1 + losses), with bursts O(burst_length). */
struct pw_passage pw_network_pass(const struct pw_network *network, uint32_t link, uint32_t direction,
                                  uint32_t round);

/* The same of `count` offers, at a fraction of the cost of one by one. Of each transmission link, direction
 * and round are given; seed and attempt are filled in. */
void pw_network_pass_many(const struct pw_network *network, struct pw_transmission *transmissions, int count,
                          struct pw_passage *passages);

/* Seconds from an offer's first transmission to the one that follows `losses` lost ones. */
double pw_network_wait_s(const struct pw_network *network, uint32_t losses);

/* True if every offer arrives at once: no delay, no loss. */
int pw_network_is_instant(const struct pw_network *network);

#endif
