#include "coordinator/speed.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/case.h"
#include "common/generate.h"
#include "common/links.h"
#include "common/memory.h"
#include "coordinator/clock.h"
#include "coordinator/roll.h"
#include "coordinator/setup.h"
#include "coordinator/virtual.h"

/* The small market, and how often a few rounds of it are timed. The first samples are slow: nothing is in the
 * cache. */
enum { AGENTS = 200, PEERS = 10, FIRES = 600, WARM_UP = 2, SAMPLES = 9 };

/* Speeds that differ by less are alike; by more than FURTHEST it was more likely a bad moment. */
static const double ALIKE = 1.05, FURTHEST = 2.0;

/* A rank's block has so many agents at least, if blocks are to differ. */
enum { LEAST_AGENTS = 100 };

static void fail_hard(struct pw_transport *transport, const struct pw_error *err)
{
    fprintf(stderr, "peerwatt: rank %d: %s\n", transport->rank, err->text);
    pw_transport_abort(transport, err->code);
}

/* ---- The small market ---- */

struct trial {
    struct pw_settings settings;
    struct pw_market *market;
    struct pw_host *host;
    struct pw_virtual *clock;
};

static void set(struct pw_settings *settings)
{
    pw_settings_default(settings);
    settings->generate_agents = AGENTS;
    settings->clock = PW_CLOCK_VIRTUAL;
    settings->criterion = PW_CRITERION_GLOBAL; /* nobody falls silent */
    snprintf(settings->delay_model, sizeof settings->delay_model, "gaussian");
    settings->delay_mean_s = 1.0;
    settings->delay_std_s = 0.2;
    settings->delay_min_s = 0.1;
}

static enum pw_code open_trial(struct trial *trial, struct pw_error *err)
{
    struct pw_links_spec links = {.kind = PW_LINKS_PEERS, .among_sides = 1, .count = PEERS};
    struct pw_transport alone = {.rank = 0, .size = 1};
    *trial = (struct trial){0};
    set(&trial->settings);
    if (pw_generate(&trial->settings, &trial->market, err) != PW_OK ||
        pw_links_build(trial->market, &links, 0, err) != PW_OK)
        return err->code;
    struct pw_negotiation negotiation = {.market = trial->market, .settings = &trial->settings};
    struct pw_scales scales = pw_market_scales(trial->market);
    trial->host = pw_setup_host(&negotiation, &alone, &scales);
    struct pw_virtual_spec spec = {.host = trial->host,
                                   .network = pw_setup_network(&negotiation),
                                   .pace = pw_case_pace(&trial->settings),
                                   .timeout_ns = pw_setup_timeout_ns(&negotiation)};
    trial->clock = pw_virtual_create(&spec);
    pw_virtual_start(trial->clock);
    return PW_OK;
}

static void close_trial(struct trial *trial)
{
    pw_virtual_destroy(trial->clock);
    pw_host_destroy(trial->host);
    pw_market_destroy(trial->market);
}

static int ascending(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return a < b ? -1 : a > b;
}

enum pw_code pw_speed_measure(double *fires_per_s, struct pw_error *err)
{
    struct trial trial;
    double seconds[SAMPLES];
    enum pw_code code = open_trial(&trial, err);
    for (int i = -WARM_UP; i < SAMPLES && code == PW_OK; i++) {
        int64_t start_ns = pw_clock_ns();
        code = pw_virtual_run(trial.clock, INT64_MAX, FIRES, err);
        pw_changes_clear(pw_virtual_changes(trial.clock));
        if (i >= 0)
            seconds[i] = (double)(pw_clock_ns() - start_ns) * 1e-9;
    }
    close_trial(&trial);
    if (code != PW_OK)
        return code;
    qsort(seconds, SAMPLES, sizeof *seconds, ascending);
    *fires_per_s = FIRES / seconds[SAMPLES / 2];
    return PW_OK;
}

/* ---- All ranks' ---- */

struct gathering {
    struct pw_transport *transport;
    double *speeds; /* [ranks] */
    struct pw_roll roll;
};

static void hear(void *context, int from, enum pw_tag tag, const unsigned char *bytes, size_t size)
{
    struct gathering *gathering = context;
    struct pw_error err;
    if (tag != PW_TAG_SPEED || size != sizeof *gathering->speeds) {
        pw_fail(&err, PW_INTERNAL, "a message of kind %d and %zu bytes from rank %d in place of its speed",
                (int)tag, size, from);
        fail_hard(gathering->transport, &err);
    }
    memcpy(&gathering->speeds[from], bytes, size);
    pw_roll_mark(&gathering->roll, from);
}

double *pw_speed_gather(struct pw_transport *transport, double stall_s)
{
    struct pw_error err;
    double speed;
    int together = 1;
    pw_transport_share(transport, &together, sizeof together);
    if (pw_speed_measure(&speed, &err) != PW_OK)
        fail_hard(transport, &err);
    pw_transport_send(transport, 0, PW_TAG_SPEED, &speed, sizeof speed);
    if (transport->rank != 0)
        return NULL;
    struct gathering gathering = {transport,
                                  pw_alloc((size_t)transport->size, sizeof(double)),
                                  {pw_alloc((size_t)transport->size, 1), 0}};
    if (pw_roll_wait(&gathering.roll, transport, hear, &gathering, "the speed", stall_s, &err) != PW_OK)
        fail_hard(transport, &err);
    free(gathering.roll.here);
    return gathering.speeds;
}

/* How large the block of a rank is beside the others'. Half of a difference in speed, as a power: speeds
 * change within seconds, and those of markets that fill the cache differ less. */
static double weight_of(double speed, double fastest)
{
    return sqrt(fmax(speed, fastest / FURTHEST));
}

int *pw_speed_blocks(const double *speeds, int n_ranks, int n_agents)
{
    double fastest = 0.0, slowest = INFINITY, sum = 0.0, before = 0.0;
    for (int r = 0; r < n_ranks; r++) {
        fastest = fmax(fastest, speeds[r]);
        slowest = fmin(slowest, speeds[r]);
    }
    if (!(slowest > 0.0) || fastest < ALIKE * slowest || n_agents / n_ranks < LEAST_AGENTS)
        return NULL;
    int *first = pw_alloc((size_t)n_ranks + 1, sizeof *first);
    for (int r = 0; r < n_ranks; r++)
        sum += weight_of(speeds[r], fastest);
    for (int r = 0; r < n_ranks; r++) {
        first[r] = (int)(n_agents * before / sum);
        before += weight_of(speeds[r], fastest);
    }
    first[n_ranks] = n_agents;
    return first;
}
