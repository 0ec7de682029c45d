/* Market organisations with agents of their own (figure 2 of the survey): a pool's operator, the managers of
 * communities. An added agent owns no assets: what it buys it sells. It negotiates like any other. */
#ifndef PW_STRUCTURE_H
#define PW_STRUCTURE_H

#include "common/error.h"
#include "common/market.h"
#include "common/settings.h"

/* Adds the agents of `spec` (kind PW_LINKS_POOL or PW_LINKS_COMMUNITIES) after the last one, gives the market
 * its links, two-way and without bounds, with `fee` at each end, and indexes it:
 *   pool         every agent with the agent `operator`
 *   communities  inside a community, a label of the agents: everybody with its manager (`manager-LABEL`, in
 *                the order in which labels first occur); where `inside` is mesh, every two members too.
 *                Between communities: managers in a mesh; or managers with an `operator`; or every two
 * members of different ones, and then a mesh needs no managers. An agent without a community stands beside
 * the managers as one of them. An added agent is where those that it serves are in the mean, and has the zone
 * that they share, if they do; a manager belongs to its community. PW_USAGE with a text without file where no
 * agent has a community or there are more links than an int counts. */
enum pw_code pw_structure_build(struct pw_market *market, const struct pw_links_spec *spec, double fee,
                                struct pw_error *err);

#endif
