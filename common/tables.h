/* The CSV tables of a case, from text to market. No file is opened here: bytes in, market out. */
#ifndef PW_TABLES_H
#define PW_TABLES_H

#include <stddef.h>

#include "common/error.h"
#include "common/market.h"

/* agent,asset,p_min,p_max,a,b: a market of one product without links, for pw_market_destroy(). `name` is the
 * file's, for messages. PW_USAGE with file and line for anything wrong: ids with gaps, p_min > p_max, a < 0
 * .. */
enum pw_code pw_table_assets(const char *bytes, size_t size, const char *name, struct pw_market **out,
                             struct pw_error *err);

/* agent,name and optionally x,y (both or none), zone,community,class (texts of up to 40 bytes, empty: none)
 * and bus (checked to be a whole number, not used yet): names, coordinates and labels of the market's agents.
 * Every agent exactly once. */
enum pw_code pw_table_agents(const char *bytes, size_t size, const char *name, struct pw_market *market,
                             struct pw_error *err);

/* agent_a,agent_b and optionally t_min,t_max (t from a to b) and fee_a,fee_b (default `fee`): the market's
 * links. An empty cell of an optional column means its default. PW_USAGE for a link to itself or given twice.
 */
enum pw_code pw_table_links(const char *bytes, size_t size, const char *name, double fee,
                            struct pw_market *market, struct pw_error *err);

#endif
