/* The CSV tables of a network, from text to data. No file is opened here. */
#ifndef PW_NET_TABLES_H
#define PW_NET_TABLES_H

#include "common/market.h"
#include "net_models/network.h"

/* agent_a,agent_b and any of mean_s,std_s,min_s,loss: values of single links, in either direction, in place
 * of the common ones of `network`; an empty cell leaves the common one. `name` is the file's, for messages.
 * PW_USAGE with file and line for pairs that do not trade, pairs twice, and values that do not fit together.
 */
enum pw_code pw_table_net_links(const char *bytes, size_t size, const char *name,
                                const struct pw_market *market, const struct pw_network *network,
                                struct pw_net_data *data, struct pw_error *err);

/* delay_s: measured delays, at least one. */
enum pw_code pw_table_delays(const char *bytes, size_t size, const char *name, struct pw_net_data *data,
                             struct pw_error *err);

/* The distance of every link, from the coordinates that the market has. */
void pw_net_distances(const struct pw_market *market, struct pw_net_data *data);

#endif
