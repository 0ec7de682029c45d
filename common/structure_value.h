/* Link structures with agents of their own, as settings: from YAML and to text. Private to the settings. */
#ifndef PW_STRUCTURE_VALUE_H
#define PW_STRUCTURE_VALUE_H

#include "common/setting_value.h"

/* Reads {communities: manager|mesh, between: mesh|pool|members} into *links; `between` is mesh where it is
 * not given. False, with *why filled, for anything else. */
int pw_structure_parse(const struct pw_yaml *map, struct pw_links_spec *links, struct pw_refusal *why);

/* Writes it as YAML. */
void pw_structure_print(const struct pw_links_spec *links, FILE *out);

#endif
