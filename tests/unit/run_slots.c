#include "tests/unit/run_slots.h"

#include <check.h>

struct pw_horizon test_run_slots(struct pw_market *market, const struct pw_settings *settings,
                                 const struct pw_profiles *profiles)
{
    struct pw_horizon horizon;
    struct pw_error err;
    struct pw_transport *alone = pw_transport_loopback();
    struct pw_horizon_spec spec = {.market = market,
                                   .settings = settings,
                                   .progress = PW_PROGRESS_NONE,
                                   .deadline_ns = INT64_MAX,
                                   .profiles = profiles,
                                   .transport = alone,
                                   .optimum = pw_horizon_optimum};
    pw_horizon_init(&horizon, settings);
    ck_assert_int_eq(pw_horizon_run(&spec, &horizon, &err), PW_OK);
    ck_assert_int_eq(horizon.n_done, horizon.count);
    pw_transport_close(alone);
    return horizon;
}
