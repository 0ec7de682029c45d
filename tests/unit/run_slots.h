/* All slots of a market in one process, on either clock. */
#ifndef PW_RUN_SLOTS_H
#define PW_RUN_SLOTS_H

#include "coordinator/horizon.h"

/* Fails the test unless every slot is run; `profiles` may be NULL. For pw_horizon_release(). */
struct pw_horizon test_run_slots(struct pw_market *market, const struct pw_settings *settings,
                                 const struct pw_profiles *profiles);

#endif
