/* What a setting of a case may choose among, in the order of the words in settings_table.c. */
#ifndef PW_CHOICES_H
#define PW_CHOICES_H

enum pw_exchange_choice {
    PW_EXCHANGE_PAIRED,
    PW_EXCHANGE_LATEST,
    PW_EXCHANGE_STALE,
    PW_EXCHANGE_INNOVATION,
    PW_EXCHANGE_POOL
};

enum pw_solver_choice { PW_SOLVER_EXACT, PW_SOLVER_INNER_ADMM };

enum pw_criterion_choice {
    PW_CRITERION_AUTO, /* trade where the exchange is paired, else global */
    PW_CRITERION_GLOBAL,
    PW_CRITERION_AGENT,
    PW_CRITERION_TRADE
};

enum pw_clock_choice { PW_CLOCK_WALL, PW_CLOCK_VIRTUAL };

enum pw_reference_choice { PW_REFERENCE_AUTO, PW_REFERENCE_YES, PW_REFERENCE_NO };
/* What a trace holds: everything, no single trades, or no single agents either. */
enum pw_record_choice { PW_RECORD_ALL, PW_RECORD_AGENTS, PW_RECORD_TOTALS };

enum pw_placement_choice { PW_PLACE_AUTO, PW_PLACE_BLOCKS, PW_PLACE_GRAPH };
/* What a slot starts from: nothing; the one before, and price calls where they suit; the one before alone. */
enum pw_warm_choice { PW_WARM_NO, PW_WARM_YES, PW_WARM_TRADES };
enum pw_bulk_choice { PW_BULK_AUTO, PW_BULK_YES, PW_BULK_NO };

/* Of market.links; the words are in setting_value.c. */
enum pw_choose_choice {
    PW_CHOOSE_RANDOM,
    PW_CHOOSE_NEAREST,
    PW_CHOOSE_GREEDY,
    PW_CHOOSE_PLANNED,
    PW_CHOOSE_ADAPTIVE /* starts as random */
};

#endif
