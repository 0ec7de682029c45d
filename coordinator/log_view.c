#include "coordinator/log_view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "common/phases.h"
#include "coordinator/roll.h"

static const double PATIENCE_S = 60.0;

struct rank_sums {
    struct pw_phase_sum phases[PW_N_PHASES];
};

struct gathering {
    struct rank_sums *ranks; /* [size] */
    struct pw_roll roll;
};

static void receive(void *context, int from, enum pw_tag tag, const unsigned char *bytes, size_t size)
{
    struct gathering *gathering = context;
    if (tag != PW_TAG_LOG || size != sizeof *gathering->ranks)
        return; /* what a finished run has left */
    memcpy(&gathering->ranks[from], bytes, size);
    pw_roll_mark(&gathering->roll, from);
}

/* A phase over the ranks. */
struct row {
    double least_s, mean_s, most_s;
    int64_t calls, messages, bytes; /* of all ranks */
};

static struct row sum_row(const struct gathering *gathering, int size, int phase)
{
    struct row row = {.least_s = HUGE_VAL};
    for (int r = 0; r < size; r++) {
        const struct pw_phase_sum *sum = &gathering->ranks[r].phases[phase];
        double seconds = (double)sum->ns * 1e-9;
        row.least_s = fmin(row.least_s, seconds);
        row.most_s = fmax(row.most_s, seconds);
        row.mean_s += seconds / size;
        row.calls += sum->calls;
        row.messages += sum->messages;
        row.bytes += sum->bytes;
    }
    return row;
}

static void print_row(const char *name, const struct row *row, double total_s, FILE *out)
{
    fprintf(out, "%-27s %10.4f %10.4f %10.4f %6.1f %10lld %10lld %13lld\n", name, row->least_s, row->mean_s,
            row->most_s, 100.0 * row->mean_s / total_s, (long long)row->calls, (long long)row->messages,
            (long long)row->bytes);
}

static void print_table(const struct gathering *gathering, int size, double end_solves, FILE *out)
{
    struct row rows[PW_N_PHASES], total = {.least_s = 0.0};
    for (int p = 0; p < PW_N_PHASES; p++) {
        rows[p] = sum_row(gathering, size, p);
        total.mean_s += rows[p].mean_s;
        total.messages += rows[p].messages;
        total.bytes += rows[p].bytes;
    }
    fprintf(out, "\nWhere the time went: seconds a rank, of %d rank%s; calls and what was sent, all ranks\n",
            size, size == 1 ? "" : "s");
    fprintf(out, "%-27s %10s %10s %10s %6s %10s %10s %13s\n", "phase", "least", "mean", "most", "%", "calls",
            "messages", "bytes");
    for (int p = 1; p <= PW_N_PHASES; p++) /* what has no phase of its own comes last */
        if (rows[p % PW_N_PHASES].most_s > 0.0)
            print_row(pw_phase_name((enum pw_phase)(p % PW_N_PHASES)), &rows[p % PW_N_PHASES], total.mean_s,
                      out);
    fprintf(out, "%-27s %10s %10.4f %10s %6.1f %10s %10lld %13lld\n", "total", "", total.mean_s, "", 100.0,
            "", (long long)total.messages, (long long)total.bytes);
    if (end_solves > 0.0)
        fprintf(out, "\"%s\" took %.2f ns for each of %.4g ends of trades solved for\n",
                pw_phase_name(PW_PHASE_SOLVE), rows[PW_PHASE_SOLVE].mean_s * 1e9 * size / end_solves,
                end_solves);
}

void pw_log_view(struct pw_transport *transport, double end_solves, FILE *out)
{
    struct rank_sums mine;
    pw_phases_read(mine.phases);
    pw_transport_send(transport, 0, PW_TAG_LOG, &mine, sizeof mine);
    if (transport->rank != 0)
        return;
    struct gathering gathering = {pw_alloc((size_t)transport->size, sizeof *gathering.ranks),
                                  {pw_alloc((size_t)transport->size, 1), 0}};
    struct pw_error err;
    if (pw_roll_wait(&gathering.roll, transport, receive, &gathering, "the times", PATIENCE_S, &err) != PW_OK)
        pw_warn("--log-view: %s", err.text);
    print_table(&gathering, transport->size, end_solves, out);
    free(gathering.roll.here);
    free(gathering.ranks);
}
