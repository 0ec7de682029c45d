/* Link structures that are a rule and not a table. */
#ifndef PW_LINKS_H
#define PW_LINKS_H

#include "common/choose.h"
#include "common/error.h"
#include "common/market.h"
#include "common/market_part.h"
#include "common/settings.h"

/* Gives the market the links of `spec` (any kind but PW_LINKS_TABLE) with `fee` at each end, and indexes it:
 *   all      every two agents
 *   sides    every agent that can inject on balance (sum of p_max > 0) with every one that can consume
 *            (sum of p_min < 0): t from the first to the second, one way only where neither can do both
 *   random   each pair (of all, or of sides) with probability density
 *   nearest  each agent with the count nearest ones, by the agents' coordinates
 *   peers    each agent with count others drawn at random (of all, or of the other side)
 *   chosen   at most count for each agent, by pw_choose(); if the market cannot balance on these links,
 *            chosen again with those who must trade first, whether it can then or not
 *   pool, communities  see structure.h: agents are added too
 * PW_USAGE with a text without file where the agents have no coordinates, or more links than an int counts.
 */
enum pw_code pw_links_build(struct pw_market *market, const struct pw_links_spec *spec, double fee,
                            struct pw_error *err);

/* True of the kinds whose links can be made in part, in less memory and time: all, sides, random, nearest and
 * peers. And makes those of them that have an end in the block: the links of its agents in the same order as
 * pw_links_build(), other agents without those between them. */
int pw_links_have_parts(enum pw_links_kind kind);
enum pw_code pw_links_build_part(struct pw_market *market, const struct pw_links_spec *spec, double fee,
                                 struct pw_block block, struct pw_error *err);

/* Gives the market these links, once each, oriented and bounded as pw_links_build() does among sides or all,
 * with `fee` at each end, and indexes it. */
void pw_links_install(struct pw_market *market, const struct pw_pair *pairs, int n_pairs, int sides,
                      double fee);

#endif
