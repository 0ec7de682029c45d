#include <math.h>

#include "common/number.h"
#include "common/settings.h"

static const char *const exchanges[] = {"paired", "latest", "stale", "innovation", "pool", NULL};
static const char *const solvers[] = {"exact", "inner_admm", NULL};
static const char *const criteria[] = {"auto", "global", "agent", "trade", NULL};
static const char *const clocks[] = {"wall", "virtual", NULL};
static const char *const warm_starts[] = {"no", "yes", "trades", NULL};
static const char *const wishes[] = {"auto", "yes", "no", NULL};
static const char *const records[] = {"all", "agents", "totals", NULL};
static const char *const placements[] = {"auto", "blocks", "graph", NULL};
static const char *const retransmissions[] = {"fixed", "doubling", "never", NULL};
static const char *const switches[] = {"no", "yes", NULL};

#define AT(field) offsetof(struct pw_settings, field)
#define ANY -PW_LARGEST_NUMBER, PW_LARGEST_NUMBER, 0, 0
#define NOT_NEGATIVE 0, PW_LARGEST_NUMBER, 0, 0
#define POSITIVE 0, INFINITY, 1, 1
#define AT_LEAST(x) x, INFINITY, 0, 1
#define WITHIN_A_DAY 0, 86400, 0, 0 /* so that times in nanoseconds fit, after any number of losses */
#define NONE 0, 0, 0, 0

const struct pw_setting pw_settings_table[] = {
    {"peerwatt", PW_INTEGER, AT(version), NULL, 1, 1, 0, 0, NULL, "", "format version, 1; required"},
    {"name", PW_TEXT, AT(name), "market", NONE, NULL, "", "title of the case"},
    {"units.power", PW_TEXT, AT(power_unit), "kW", NONE, NULL, "", "label of the power unit"},
    {"units.money", PW_TEXT, AT(money_unit), "EUR", NONE, NULL, "", "label of the money unit"},

    {"market.assets", PW_TEXT, AT(assets), "", NONE, NULL, "", "CSV table: agent,asset,p_min,p_max,a,b"},
    {"market.agents", PW_TEXT, AT(agents), "", NONE, NULL, "",
     "CSV table: agent,name and optionally x,y,bus,zone,community,class"},
    {"market.links", PW_LINKS, AT(links), "all", NONE, NULL, "",
     "who may trade with whom: {random: 0.3, among: sides}, {communities: mesh, between: pool} ..; see docs"},
    {"market.fee", PW_REAL, AT(fee), "0", NOT_NEGATIVE, NULL, "money/energy", "fee on |t|, paid by each end"},
    {"market.fees.distance", PW_REAL, AT(fee_distance), "0", NOT_NEGATIVE, NULL, "money/energy/distance",
     "fee on |t| by the distance of x,y, at each end"},
    {"market.fees.zone", PW_REAL, AT(fee_zone), "0", NOT_NEGATIVE, NULL, "money/energy",
     "fee on |t| between two zones, at each end"},
    {"market.fees.community", PW_REAL, AT(fee_community), "0", NOT_NEGATIVE, NULL, "money/energy",
     "fee on |t| between two communities, at each end"},
    {"market.preferences", PW_TEXT, AT(preferences), "", NONE, NULL, "",
     "CSV table: agent,peer,fee: what trades with some cost some more than with others"},
    {"market.profiles", PW_TEXT, AT(profiles), "", NONE, NULL, "",
     "CSV table: time,agent,asset and any of p_min,p_max,a,b: what assets are from that time slot on"},
    {"market.generate.agents", PW_INTEGER, AT(generate_agents), "0", 2, 1e7, 0, 0, NULL, "",
     "size of a random market"},
    {"market.generate.communities", PW_INTEGER, AT(generate_communities), "0", AT_LEAST(0), NULL, "",
     "agents are dealt into so many communities, in turn; 0: none"},
    {"market.generate.consumers", PW_REAL, AT(generate_consumers), "0.5", 0, 1, 0, 0, NULL, "",
     "share of consumers, the first agents"},
    {"market.generate.seed", PW_INTEGER, AT(generate_seed), "1", AT_LEAST(0), NULL, "",
     "seed of the market's draws"},
    {"market.generate.consumer.a", PW_LAW, AT(consumer_a), "[0.05, 0.15]", NOT_NEGATIVE, NULL, "",
     "curvature: a number, or [low, high] uniform"},
    {"market.generate.consumer.b", PW_LAW, AT(consumer_b), "[8, 12]", ANY, NULL, "",
     "marginal value at zero power"},
    {"market.generate.consumer.p_min", PW_LAW, AT(consumer_p_min), "[-15, -5]", ANY, NULL, "power",
     "largest consumption (negative)"},
    {"market.generate.consumer.p_max", PW_LAW, AT(consumer_p_max), "[-3, -1]", ANY, NULL, "power",
     "least consumption (negative)"},
    {"market.generate.producer.a", PW_LAW, AT(producer_a), "[0.05, 0.15]", NOT_NEGATIVE, NULL, "",
     "curvature of the cost"},
    {"market.generate.producer.b", PW_LAW, AT(producer_b), "[1, 5]", ANY, NULL, "",
     "marginal cost at zero power"},
    {"market.generate.producer.p_min", PW_LAW, AT(producer_p_min), "0", ANY, NULL, "power",
     "least production"},
    {"market.generate.producer.p_max", PW_LAW, AT(producer_p_max), "[5, 20]", ANY, NULL, "power",
     "largest production"},

    {"negotiation.exchange", PW_CHOICE, AT(exchange), "paired", NONE, exchanges, "",
     "paired: exact; latest: newest offer wins, for lost messages; stale: drifts; innovation, pool: "
     "docs/algorithms.md"},
    {"negotiation.solver", PW_CHOICE, AT(solver), "exact", NONE, solvers, "",
     "local problem: exact, or the survey's inner ADMM (11), for comparison"},
    {"negotiation.delta", PW_REAL, AT(delta), "1", 0, 1, 1, 0, NULL, "",
     "asynchronous rate: share of answers waited for"},
    {"negotiation.relaxation", PW_AUTO_REAL, AT(relaxation), "auto", 0, 1, 1, 1, NULL, "",
     "alpha, 0.5 is ADMM; or auto: 0.6 for paired, 0.5 for latest and stale"},
    {"negotiation.penalty", PW_AUTO_REAL, AT(penalty), "auto", POSITIVE, NULL, "price/power",
     "rho, or auto: set and balanced by itself"},
    {"negotiation.stiffness", PW_AUTO_REAL, AT(stiffness), "4", AT_LEAST(1), NULL, "",
     "kappa, or auto: how reluctantly a trade moves that waits for an answer"},

    {"negotiation.timeout_s", PW_OPTIONAL_REAL, AT(timeout_s), NULL, POSITIVE, NULL, "s",
     "latest, stale: fire after so long without enough news; by default 3 mean delays, or 1 ms"},
    {"negotiation.max_age", PW_INTEGER, AT(max_age), "0", AT_LEAST(0), NULL, "",
     "latest, stale: fires for which an agent goes on without news of a peer; 0: for ever"},
    {"negotiation.consensus", PW_REAL, AT(consensus), "0.3", 0, 0.5, 0, 0, NULL, "",
     "innovation: beta, share of the difference of both ends' prices that each gives up a round"},
    {"negotiation.innovation", PW_REAL, AT(innovation), "0.1", POSITIVE, NULL, "",
     "innovation: alpha, by how much the gap of a trade moves its price, in penalties"},
    {"negotiation.bounds", PW_REAL, AT(bounds), "0.3", POSITIVE, NULL, "",
     "innovation: eta, by how much an excess of power moves the price of its limit, in curvatures"},
    {"negotiation.decay", PW_REAL, AT(decay), "0.05", 0, 1, 0, 0, NULL, "",
     "innovation: beta, alpha and eta fall with the round to this power"},
    {"negotiation.concession", PW_REAL, AT(concession), "0.25", 0, 1, 0, 0, NULL, "",
     "innovation: zeta, share of the gap that both ends give up at once; 0: plain"},

    {"network.delay.model", PW_DELAY_MODEL, AT(delay_model), "none", NONE, NULL, "",
     "law of the delay of a message"},
    {"network.delay.mean_s", PW_REAL, AT(delay_mean_s), "0", WITHIN_A_DAY, NULL, "s", "mean delay"},
    {"network.delay.std_s", PW_REAL, AT(delay_std_s), "0", WITHIN_A_DAY, NULL, "s",
     "standard deviation of the delay"},
    {"network.delay.min_s", PW_REAL, AT(delay_min_s), "0", WITHIN_A_DAY, NULL, "s", "least delay"},
    {"network.delay.speed", PW_REAL, AT(delay_speed), "200000", 0, PW_LARGEST_NUMBER, 1, 0, NULL, "",
     "distance: speed of propagation, in the unit of x and y per second; light in fibre where that is km"},
    {"network.delay.hop_length", PW_REAL, AT(delay_hop_length), "0", NOT_NEGATIVE, NULL, "",
     "distance: length of a hop, in the unit of x and y; 0: no hops"},
    {"network.delay.hop_s", PW_REAL, AT(delay_hop_s), "0", WITHIN_A_DAY, NULL, "s", "distance: time per hop"},
    {"network.delay.jitter_s", PW_REAL, AT(delay_jitter_s), "0", WITHIN_A_DAY, NULL, "s",
     "distance: mean of the exponential jitter"},
    {"network.delay.file", PW_TEXT, AT(delay_file), "", NONE, NULL, "",
     "empirical: CSV table of measured delays: delay_s"},
    {"network.delay.links", PW_TEXT, AT(delay_links), "", NONE, NULL, "",
     "CSV table of single links' own values: agent_a,agent_b and any of mean_s,std_s,min_s,loss"},
    {"network.loss", PW_REAL, AT(loss), "0", 0, 1, 0, 1, NULL, "", "probability that a transmission is lost"},
    {"network.burst_length", PW_REAL, AT(burst_length), "0", 0, 1000, 0, 0, NULL, "",
     "mean length of a bad spell of a link, in transmissions; 0: losses are independent"},
    {"network.burst_loss", PW_REAL, AT(burst_loss), "1", 0, 1, 1, 0, NULL, "",
     "probability that a transmission is lost in a bad spell"},
    {"network.retransmit", PW_CHOICE, AT(retransmit), "fixed", NONE, retransmissions, "",
     "after a loss: again after retransmit_s; after retransmit_s, twice, four times that ..; or never"},
    {"network.retransmit_s", PW_REAL, AT(retransmit_s), "0.2", WITHIN_A_DAY, NULL, "s",
     "time after which a lost transmission is repeated"},
    {"network.retransmit_max_s", PW_REAL, AT(retransmit_max_s), "60", WITHIN_A_DAY, NULL, "s",
     "doubling: the longest time before a repetition"},
    {"network.compute_s", PW_REAL, AT(compute_s), "0", WITHIN_A_DAY, NULL, "s",
     "modelled duration of a local solve (virtual clock)"},
    {"network.compute_spread", PW_REAL, AT(compute_spread), "1", 1, 1000, 0, 0, NULL, "",
     "agents differ: the duration is multiplied by a number log-uniform in [1/spread, spread]"},
    {"network.stragglers", PW_REAL, AT(stragglers), "0", 0, 1, 0, 0, NULL, "",
     "share of agents that are slower by straggler_factor (virtual clock)"},
    {"network.straggler_factor", PW_REAL, AT(straggler_factor), "10", 1, 1000, 0, 0, NULL, "",
     "how many times longer a straggler's local solves take"},
    {"network.pause_every_s", PW_REAL, AT(pause_every_s), "0", WITHIN_A_DAY, NULL, "s",
     "mean time between an agent's pauses; 0: never (virtual clock)"},
    {"network.pause_s", PW_REAL, AT(pause_s), "0", WITHIN_A_DAY, NULL, "s", "mean length of a pause"},

    {"stop.criterion", PW_CHOICE, AT(criterion), "auto", NONE, criteria, "",
     "global: residuals of all; agent, trade: what rests falls silent; auto: trade if paired"},
    {"stop.ratify", PW_CHOICE, AT(ratify), "no", NONE, switches, "",
     "a trade at rest, not nothing and within its bounds, is agreed for good: cheaper, with a bias"},
    {"stop.tolerance", PW_REAL, AT(tolerance), "1e-4", 0, 1, 1, 1, NULL, "",
     "relative; sets those of the next three that are not given"},
    {"stop.primal", PW_OPTIONAL_REAL, AT(primal), NULL, POSITIVE, NULL, "power",
     "sqrt(sum over links (t + t')^2)"},
    {"stop.dual", PW_OPTIONAL_REAL, AT(dual), NULL, POSITIVE, NULL, "power",
     "sqrt(sum over link ends (change of t)^2)"},
    {"stop.price", PW_OPTIONAL_REAL, AT(price), NULL, POSITIVE, NULL, "money/energy",
     "sqrt(mean over link ends (rho change of t)^2); also the certificate's"},
    {"stop.trade_power", PW_OPTIONAL_REAL, AT(trade_power), NULL, POSITIVE, NULL, "power",
     "a trade that moves by no more rests; by default so little that primal and dual hold"},
    {"stop.trade_price", PW_OPTIONAL_REAL, AT(trade_price), NULL, POSITIVE, NULL, "money/energy",
     "the same for its move in price; by default a quarter of stop.price"},
    {"stop.share", PW_REAL, AT(share), "0", 0, 1, 0, 1, NULL, "",
     "or moves by no more than this share of its own power and price"},
    {"stop.max_time_s", PW_REAL, AT(max_time_s), "3600", POSITIVE, NULL, "s", "limit on the run's own clock"},
    {"stop.max_rounds", PW_INTEGER, AT(max_rounds), "100000", 1, 2e9, 0, 0, NULL, "",
     "limit on the local solves of the busiest agent, looked at now and then"},
    {"stop.stall_s", PW_REAL, AT(stall_s), "30", POSITIVE, NULL, "s",
     "without any progress for so long, the run ends and says who waits for whom"},

    {"slots.count", PW_INTEGER, AT(slots_count), "1", 1, 1e6, 0, 0, NULL, "",
     "time slots from 00:00 on, one market after the other"},
    {"slots.length_h", PW_REAL, AT(slots_length_h), "1", POSITIVE, NULL, "h",
     "length of a slot; energy is power times this"},
    {"slots.first", PW_INTEGER, AT(slots_first), "0", AT_LEAST(0), NULL, "", "the first slot to run"},
    {"slots.last", PW_INTEGER, AT(slots_last), "-1", AT_LEAST(-1), NULL, "",
     "the last slot to run; -1: the last there is"},
    {"slots.warm_start", PW_CHOICE, AT(warm_start), "yes", NONE, warm_starts, "",
     "each slot starts from the end of the one before (docs/slots.md); trades: without price calls; no: from "
     "nothing"},

    {"run.clock", PW_CHOICE, AT(clock), "wall", NONE, clocks, "",
     "wall: real messages in real time; virtual: a simulation, the same on any number of ranks"},
    {"run.seed", PW_INTEGER, AT(seed), "1", AT_LEAST(0), NULL, "", "seed of delays and losses"},
    {"run.reference", PW_CHOICE, AT(reference), "auto", NONE, wishes, "",
     "compute the centralised optimum beside (auto: where it is quick)"},
    {"run.bulk", PW_CHOICE, AT(bulk), "auto", NONE, wishes, "",
     "agents in rows, no message a trade (docs/bulk.md): where messages are never late; auto: where it can "
     "be"},
    {"run.placement", PW_CHOICE, AT(placement), "auto", NONE, placements, "",
     "of agents on ranks: blocks by number; graph: so that few links lie between ranks"},
    {"run.record", PW_CHOICE, AT(record), "all", NONE, records, "",
     "what the trace holds: all; agents: no single trades; totals: no single agents and bills either"},
    {"run.timeline", PW_CHOICE, AT(timeline), "no", NONE, switches, "",
     "record every fire, send, delivery and loss in the trace"},
};

const int pw_settings_count = sizeof pw_settings_table / sizeof *pw_settings_table;

_Static_assert(sizeof pw_settings_table / sizeof *pw_settings_table <= PW_MOST_SETTINGS,
               "raise PW_MOST_SETTINGS");
