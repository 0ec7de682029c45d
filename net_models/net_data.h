/* What a network knows from files: values of single links, distances, measured delays. Plain arrays, the same
 * on every rank, read-only once built. */
#ifndef PW_NET_DATA_H
#define PW_NET_DATA_H

#include <stddef.h>

/* The values that a link may have for its own. Seconds; a probability; the unit of the agents' x and y. */
enum pw_link_value { PW_LINK_MEAN, PW_LINK_STD, PW_LINK_MIN, PW_LINK_LOSS, PW_LINK_DISTANCE, PW_LINK_VALUES };

struct pw_net_data {
    size_t n_links;
    double *of_link[PW_LINK_VALUES]; /* [n_links], NaN where the common value holds; NULL: it holds for all */
    size_t n_delays;
    double *delays_s; /* [n_delays] measured, ascending */
};

/* Data without values. */
struct pw_net_data *pw_net_data_create(size_t n_links);

/* Frees the data and all they own; takes NULL. */
void pw_net_data_destroy(struct pw_net_data *data);

/* Makes room for a value of each link, all NaN, unless there is. Returns it. */
double *pw_net_data_add(struct pw_net_data *data, enum pw_link_value value);

/* The data as bytes, to hand them from rank 0 to the others: their number, writing them, and reading them
 * back for pw_net_data_destroy(). They mean the same only on machines of one kind. */
size_t pw_net_data_pack_size(const struct pw_net_data *data);
void pw_net_data_pack(const struct pw_net_data *data, unsigned char *bytes);
struct pw_net_data *pw_net_data_unpack(const unsigned char *bytes);

#endif
