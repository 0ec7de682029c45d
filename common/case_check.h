/* What the settings of a case say together. Private to the case. */
#ifndef PW_CASE_CHECK_H
#define PW_CASE_CHECK_H

#include "common/case.h"

/* PW_USAGE with file, line and setting where settings contradict each other. Before any table is read. */
enum pw_code pw_case_check(const struct pw_case *loaded, struct pw_error *err);

/* What the exchange wants of the market. `pool`: that it is a star; each link joins an operator, an agent
 * without power that pays no fee, with an agent that has no other link. `innovation`: that every agent that
 * trades has assets. */
enum pw_code pw_case_check_exchange(const struct pw_case *loaded, struct pw_error *err);

/* The same for the network, once its tables are read. */
enum pw_code pw_case_check_network(const struct pw_case *loaded, struct pw_error *err);

/* Notes a warning for each setting that was given and will not be used. */
void pw_case_warn(struct pw_case *loaded);

#endif
