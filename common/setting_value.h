/* The value of one setting: from YAML, from its default, to text. Private to the settings. */
#ifndef PW_SETTING_VALUE_H
#define PW_SETTING_VALUE_H

#include "common/settings.h"

/* What is wrong with a value and what is expected, and in which line. */
struct pw_refusal {
    int line;
    char text[400];
};

/* Reads the value of a row into *settings. False, with *why filled, if it does not fit. */
int pw_setting_parse(const struct pw_setting *setting, const struct pw_yaml *node,
                     struct pw_settings *settings, struct pw_refusal *why);

void pw_setting_default(const struct pw_setting *setting, struct pw_settings *settings);

/* False for texts and numbers that stand for "not given". */
int pw_setting_has_value(const struct pw_setting *setting, const struct pw_settings *settings);

/* Writes the value as YAML. */
void pw_setting_print(const struct pw_setting *setting, const struct pw_settings *settings, FILE *out);

/* "a number in (0, 1]" into text [size]. */
void pw_setting_expects(const struct pw_setting *setting, char *text, size_t size);

#endif
