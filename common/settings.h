/* Every setting of a case, as one row of one table (settings_table.c). Reading, checking, -s, help and the
 * dump in the trace all come from that table. */
#ifndef PW_SETTINGS_H
#define PW_SETTINGS_H

#include <stddef.h>
#include <stdio.h>

#include "common/choices.h"
#include "common/error.h"
#include "common/links_spec.h"
#include "common/yaml_tree.h"

enum { PW_MOST_SETTINGS = 96 };

/* A law to draw from: one number, or uniform between two. */
struct pw_law {
    double low, high;
};

struct pw_settings {
    long version;
    char name[PW_TEXT_ROOM], power_unit[PW_TEXT_ROOM], money_unit[PW_TEXT_ROOM];

    char assets[PW_TEXT_ROOM], agents[PW_TEXT_ROOM]; /* CSV paths, "" if none */
    struct pw_links_spec links;
    double fee; /* money per unit of energy, each end */
    double fee_distance, fee_zone, fee_community;
    char preferences[PW_TEXT_ROOM]; /* a CSV path, "" if none */
    char profiles[PW_TEXT_ROOM];    /* a CSV path, "" if none */
    long generate_communities;
    long generate_agents, generate_seed;
    double generate_consumers;
    struct pw_law consumer_a, consumer_b, consumer_p_min, consumer_p_max;
    struct pw_law producer_a, producer_b, producer_p_min, producer_p_max;

    int exchange, solver; /* index into its choices, as the other ints below */
    double delta, stiffness;
    double relaxation, penalty; /* 0: auto */
    double timeout_s;           /* NaN: from the network's delays */
    long max_age;
    double consensus, innovation, bounds, decay, concession;

    char delay_model[PW_TEXT_ROOM];
    double delay_mean_s, delay_std_s, delay_min_s;
    double delay_speed, delay_hop_length, delay_hop_s, delay_jitter_s;
    char delay_file[PW_TEXT_ROOM], delay_links[PW_TEXT_ROOM]; /* CSV paths, "" if none */
    double loss, burst_length, burst_loss;
    int retransmit; /* enum pw_retransmit */
    double retransmit_s, retransmit_max_s;
    double compute_s, compute_spread, stragglers, straggler_factor, pause_every_s, pause_s;

    int criterion, ratify;
    double tolerance;
    double trade_power, trade_price; /* NaN: from those below */
    double share;
    double primal, dual, price; /* NaN: from the tolerance and the market's scale */
    double max_time_s, stall_s;
    long max_rounds;

    long slots_count, slots_first, slots_last; /* last < 0: of those there are */
    double slots_length_h;
    int warm_start; /* enum pw_warm_choice */

    int clock, reference;
    int bulk;      /* enum pw_bulk_choice */
    int placement; /* enum pw_placement_choice */
    int record;    /* enum pw_record_choice */
    int timeline;  /* true: record the events of the run */
    long seed;

    unsigned char given[PW_MOST_SETTINGS]; /* by row of the table: the case or -s says it */
    int line[PW_MOST_SETTINGS];            /* of the case file; 0: -s */
};

enum pw_setting_type {
    PW_REAL,
    PW_AUTO_REAL,     /* a number or auto, kept as 0 */
    PW_OPTIONAL_REAL, /* a number, NaN where not given */
    PW_INTEGER,
    PW_CHOICE,
    PW_TEXT,
    PW_DELAY_MODEL, /* the name of a row of net_models */
    PW_LAW,
    PW_LINKS,
};

/* One setting. Bounds count for numbers; an open bound itself is out of range. */
struct pw_setting {
    const char *path; /* section.key */
    enum pw_setting_type type;
    size_t offset;         /* into struct pw_settings */
    const char *otherwise; /* the default, as text; NULL: required or empty */
    double low, high;
    int low_open, high_open;
    const char *const *choices; /* ended by NULL */
    const char *unit, *help;
};

extern const struct pw_setting pw_settings_table[];
extern const int pw_settings_count;

/* The row of a path, or -1. */
int pw_settings_find(const char *path);

/* True if settings stand under `path`, as under `network` and `network.delay`. */
int pw_settings_is_section(const char *path);

/* All defaults. */
void pw_settings_default(struct pw_settings *settings);

/* Takes the settings of a case's tree over; `file` stands in messages. PW_USAGE with `file:line: section.key:
 * what` for unknown keys and bad values. */
enum pw_code pw_settings_read(struct pw_settings *settings, const struct pw_yaml *root, const char *file,
                              struct pw_error *err);

/* Takes one `section.key=value` over, the value written as in YAML. */
enum pw_code pw_settings_override(struct pw_settings *settings, const char *assignment, struct pw_error *err);

/* Fails with PW_USAGE at the place where the setting of `path` was given, `FILE:LINE: path: text`. */
enum pw_code pw_settings_fail(const struct pw_settings *settings, const char *file, const char *path,
                              struct pw_error *err, const char *text);

/* Writes the effective settings as a case file. */
void pw_settings_dump(const struct pw_settings *settings, FILE *out);

/* Writes a line of help per setting. */
void pw_settings_help(FILE *out);

#endif
