#include "coordinator/summary.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/case.h"
#include "coordinator/json.h"

static json_t *text_or_null(const char *text)
{
    return text != NULL ? json_string(text) : json_null();
}

static void set_launch(json_t *object, const struct pw_summary *summary)
{
    json_object_set_new(object, "status", json_string(pw_status_text(summary->status)));
    json_object_set_new(object, "clock", json_string(summary->clock));
    json_object_set_new(object, "agents", json_integer(summary->agents));
    json_object_set_new(object, "trades", json_integer(summary->trades));
    json_object_set_new(object, "slots", json_integer(summary->slots));
    json_object_set_new(object, "ranks", json_integer(summary->ranks));
    json_object_set_new(object, "delta", pw_json_real(summary->delta));
    json_object_set_new(object, "loss", pw_json_real(summary->loss));
    json_object_set_new(object, "seed", json_integer(summary->seed));
}

static void set_course(json_t *object, const struct pw_summary *summary)
{
    json_object_set_new(object, "convergence_time_s", pw_json_real(summary->convergence_time_s));
    json_object_set_new(object, "end_time_s", pw_json_real(summary->end_time_s));
    json_object_set_new(object, "naive_time_s", pw_json_real(summary->naive_time_s));
    json_object_set_new(object, "naive_false_stops", json_integer(summary->naive_false_stops));
    json_object_set_new(object, "iterations_mean", pw_json_real(summary->iterations_mean));
    json_object_set_new(object, "messages_sent", json_integer(summary->messages_sent));
    json_object_set_new(object, "messages_retransmitted", json_integer(summary->messages_retransmitted));
    json_object_set_new(object, "messages_duplicate", json_integer(summary->messages_duplicate));
    json_object_set_new(object, "messages_lost", json_integer(summary->messages_lost));
    json_object_set_new(object, "primal_residual", pw_json_real(summary->primal_residual));
    json_object_set_new(object, "dual_residual", pw_json_real(summary->dual_residual));
    json_object_set_new(object, "price_residual", pw_json_real(summary->price_residual));
    json_object_set_new(object, "tolerance_primal", pw_json_real(summary->tolerance_primal));
    json_object_set_new(object, "tolerance_dual", pw_json_real(summary->tolerance_dual));
    json_object_set_new(object, "tolerance_price", pw_json_real(summary->tolerance_price));
}

static const char *const fee_names[PW_N_FEE_KINDS] = {"fees_base", "fees_table",     "fees_distance",
                                                      "fees_zone", "fees_community", "fees_preference"};

static void set_result(json_t *object, const struct pw_summary *summary)
{
    json_object_set_new(object, "social_welfare", pw_json_real(summary->social_welfare));
    json_object_set_new(object, "reference_welfare", pw_json_real(summary->reference_welfare));
    json_object_set_new(object, "welfare_gap", pw_json_real(summary->welfare_gap));
    json_object_set_new(object, "price_mean", pw_json_real(summary->price_mean));
    json_object_set_new(object, "power_injected", pw_json_real(summary->power_injected));
    json_object_set_new(object, "power_traded", pw_json_real(summary->power_traded));
    json_object_set_new(object, "fees_collected", pw_json_real(summary->fees_collected));
    for (int kind = 0; kind < PW_N_FEE_KINDS; kind++)
        json_object_set_new(object, fee_names[kind], pw_json_real(summary->fees_by_kind[kind]));
    json_object_set_new(object, "price_mismatch_max", pw_json_real(summary->price_mismatch_max));
    json_object_set_new(object, "price_spread_max", pw_json_real(summary->price_spread_max));
    json_object_set_new(object, "balance_max", pw_json_real(summary->balance_max));
    json_object_set_new(object, "imbalance", pw_json_real(summary->imbalance));
    json_object_set_new(object, "wall_s", pw_json_real(summary->wall_s));
    json_object_set_new(object, "total_s", pw_json_real(summary->total_s));
}

void pw_summary_json(const struct pw_summary *summary, const char *trace, FILE *out)
{
    json_t *object = json_object();
    set_launch(object, summary);
    set_course(object, summary);
    set_result(object, summary);
    json_object_set_new(object, "trace", text_or_null(trace));
    pw_json_print(object, out);
}

void pw_summary_json_infeasible(const char *reason, FILE *out)
{
    json_t *object = json_object();
    json_object_set_new(object, "status", json_string(pw_status_text(PW_INFEASIBLE_MARKET)));
    json_object_set_new(object, "reason", json_string(reason));
    pw_json_print(object, out);
}

void pw_summary_json_cut(enum pw_status status, int n_done, FILE *out)
{
    json_t *object = json_object();
    json_object_set_new(object, "status", json_string(pw_status_text(status)));
    json_object_set_new(object, "slots", json_integer(n_done));
    pw_json_print(object, out);
}

/* A label of the left column. */
static void label(FILE *out, const char *text)
{
    fprintf(out, "  %-11s ", text);
}

/* 12345678 as 12 345 678. */
static void count(FILE *out, long number)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%ld", number);
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            fputc(' ', out);
        fputc(digits[i], out);
    }
}

static void print_ending(const struct pw_summary *summary, FILE *out)
{
    static const char *const endings[] = {"the market cleared", "NOT CONVERGED at a limit", "infeasible",
                                          "INTERRUPTED before it cleared"};
    fprintf(out, "%s: %d agents, %d links, delta %g\n", endings[summary->status], summary->agents,
            summary->trades, summary->delta);
}

/* Of several slots the numbers below are means and sums. */
static void print_slots(const struct pw_summary *summary, const struct pw_settings *settings, FILE *out)
{
    struct pw_day day = {(int)settings->slots_count, settings->slots_length_h};
    char from[32], to[32];
    int first = pw_case_first_slot(settings);
    if (summary->slots == 1)
        return;
    label(out, "slots");
    fprintf(out, "%d, from %s to %s; prices, powers and rates are means over them\n", summary->slots,
            pw_day_time(&day, first, from, sizeof from),
            pw_day_time(&day, first + summary->slots, to, sizeof to));
}

static void print_gap(const struct pw_summary *summary, FILE *out)
{
    if (isnan(summary->welfare_gap)) {
        fputs("  (no optimum computed beside)\n", out);
        return;
    }
    fprintf(out, ", optimum %.8g ", summary->reference_welfare);
    if (fabs(summary->welfare_gap) <= 1.0)
        fprintf(out, "(gap %.1e of it)\n", summary->welfare_gap);
    else /* where hardly anything is worth a trade a share of it says nothing */
        fprintf(out, "(%.1e short of it)\n", summary->reference_welfare - summary->social_welfare);
}

static void print_messages(const struct pw_summary *summary, FILE *out)
{
    label(out, "messages");
    count(out, summary->messages_sent);
    fputs(" offers", out);
    if (summary->messages_lost > 0) {
        fputs(", ", out);
        count(out, summary->messages_lost);
        fputs(summary->messages_retransmitted > 0 ? " transmissions lost and repeated" : " lost for good",
              out);
    }
    fprintf(out, ", %.1f local solves per agent\n", summary->iterations_mean);
}

/* What the fees are for, where there is more to say than that. */
static void print_fees(const struct pw_summary *summary, FILE *out)
{
    const char *separator = " (";
    for (int kind = PW_FEE_BASE; kind < PW_N_FEE_KINDS; kind++) {
        if (!(summary->fees_by_kind[kind] > 0.0) ||
            summary->fees_by_kind[PW_FEE_BASE] >= summary->fees_collected)
            continue;
        fprintf(out, "%s%s %.6g", separator, fee_names[kind] + strlen("fees_"), summary->fees_by_kind[kind]);
        separator = ", ";
    }
    fputs(separator[0] == ',' ? ")\n" : "\n", out);
}

void pw_summary_text(const struct pw_summary *summary, const struct pw_settings *settings, const char *trace,
                     FILE *out)
{
    const char *power = settings->power_unit, *money = settings->money_unit;
    fprintf(out, "%s: ", settings->name);
    print_ending(summary, out);
    print_slots(summary, settings, out);
    label(out, "price");
    if (isnan(summary->price_mean))
        fputs("none, nothing is traded", out);
    else
        fprintf(out, "%.6g %s/%sh", summary->price_mean, money, power);
    fprintf(out, " (ends of a trade differ by at most %.1e)\n", summary->price_mismatch_max);
    label(out, "power");
    fprintf(out, "%.7g %s injected, %.7g %s traded\n", summary->power_injected, power, summary->power_traded,
            power);
    label(out, "welfare");
    fprintf(out, "%.8g %s/h", summary->social_welfare, money);
    print_gap(summary, out);
    if (summary->fees_collected > 0.0) {
        label(out, "fees");
        fprintf(out, "%.6g %s/h", summary->fees_collected, money);
        print_fees(summary, out);
    }
    print_messages(summary, out);
    label(out, "time");
    if (settings->clock == PW_CLOCK_VIRTUAL && summary->slots == 1 && isfinite(summary->convergence_time_s))
        fprintf(out, "cleared after %.6g s on the virtual clock\n%-14s", summary->convergence_time_s, "");
    fprintf(out, "%.3g s of negotiation, %.3g s in all, on %d rank%s\n", summary->wall_s, summary->total_s,
            summary->ranks, summary->ranks == 1 ? "" : "s");
    if (trace != NULL) {
        label(out, "trace");
        fprintf(out, "%s\n", trace);
    }
}
