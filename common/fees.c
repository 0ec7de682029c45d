#include "common/fees.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"

struct pw_fees {
    double base, distance, zone, community;
    double *own_a, *own_b;               /* [n_links] these fees; NULL: links have no others */
    double *preference_a, *preference_b; /* [n_links]; NULL: none */
    int exist;
};

/* What both ends of a link pay, by kind. */
struct parts {
    double a[PW_N_FEE_KINDS], b[PW_N_FEE_KINDS];
};

static int has_assets(const struct pw_market *market, int n)
{
    return market->asset_first[n + 1] > market->asset_first[n];
}

static double distance_of(const struct pw_market *market, int a, int b)
{
    if (!has_assets(market, a) || !has_assets(market, b))
        return 0.0;
    return hypot(market->x[a] - market->x[b], market->y[a] - market->y[b]);
}

static int crosses(const struct pw_market *market, enum pw_label label, int a, int b)
{
    const char *from = pw_market_label(market, label, a), *to = pw_market_label(market, label, b);
    return from[0] != '\0' && to[0] != '\0' && strcmp(from, to) != 0;
}

static struct parts parts_of(const struct pw_fees *fees, const struct pw_market *market, int l)
{
    int a = market->link_a[l], b = market->link_b[l];
    double own_a = fees->own_a != NULL ? fees->own_a[l] : market->fee_a[l];
    double own_b = fees->own_b != NULL ? fees->own_b[l] : market->fee_b[l];
    struct parts parts = {{0}, {0}};
    parts.a[own_a == fees->base ? PW_FEE_BASE : PW_FEE_TABLE] = own_a;
    parts.b[own_b == fees->base ? PW_FEE_BASE : PW_FEE_TABLE] = own_b;
    if (fees->distance > 0.0)
        parts.a[PW_FEE_DISTANCE] = parts.b[PW_FEE_DISTANCE] = fees->distance * distance_of(market, a, b);
    if (fees->zone > 0.0 && crosses(market, PW_LABEL_ZONE, a, b))
        parts.a[PW_FEE_ZONE] = parts.b[PW_FEE_ZONE] = fees->zone;
    if (fees->community > 0.0 && crosses(market, PW_LABEL_COMMUNITY, a, b))
        parts.a[PW_FEE_COMMUNITY] = parts.b[PW_FEE_COMMUNITY] = fees->community;
    if (fees->preference_a != NULL) {
        parts.a[PW_FEE_PREFERENCE] = fees->preference_a[l];
        parts.b[PW_FEE_PREFERENCE] = fees->preference_b[l];
    }
    return parts;
}

static double *copy_of(const double *values, int count)
{
    double *copy = pw_alloc((size_t)count, sizeof *copy);
    if (count > 0)
        memcpy(copy, values, (size_t)count * sizeof *copy);
    return copy;
}

static double sum(const double *by_kind)
{
    double total = 0.0;
    for (int kind = 0; kind < PW_N_FEE_KINDS; kind++)
        total += by_kind[kind];
    return total;
}

static enum pw_code find_preferences(struct pw_fees *fees, const struct pw_market *market,
                                     struct pw_preferences *preferences, struct pw_error *err)
{
    if (preferences == NULL)
        return PW_OK;
    fees->preference_a = pw_alloc((size_t)market->n_links, sizeof(double));
    fees->preference_b = pw_alloc((size_t)market->n_links, sizeof(double));
    for (int l = 0; l < market->n_links; l++) {
        int a = market->link_a[l], b = market->link_b[l];
        PW_TRY(pw_preferences_fee(preferences, market, a, b, &fees->preference_a[l], err));
        PW_TRY(pw_preferences_fee(preferences, market, b, a, &fees->preference_b[l], err));
    }
    return PW_OK;
}

/* Gives the links what they pay in all. */
static void add_up(struct pw_fees *fees, struct pw_market *market)
{
    fees->own_a = copy_of(market->fee_a, market->n_links);
    fees->own_b = copy_of(market->fee_b, market->n_links);
    for (int l = 0; l < market->n_links; l++) {
        struct parts parts = parts_of(fees, market, l);
        market->fee_a[l] = sum(parts.a);
        market->fee_b[l] = sum(parts.b);
    }
}

static int any_exist(const struct pw_market *market)
{
    for (int l = 0; l < market->n_links; l++) {
        if (market->fee_a[l] > 0.0 || market->fee_b[l] > 0.0)
            return 1;
    }
    return 0;
}

enum pw_code pw_fees_create(struct pw_market *market, const struct pw_fees_spec *spec, struct pw_fees **out,
                            struct pw_error *err)
{
    struct pw_fees *fees = pw_alloc(1, sizeof *fees);
    fees->distance = spec->distance;
    fees->zone = spec->zone;
    fees->community = spec->community;
    fees->base = spec->base;
    int are_more =
        spec->distance > 0.0 || spec->zone > 0.0 || spec->community > 0.0 || spec->preferences != NULL;
    enum pw_code code = find_preferences(fees, market, spec->preferences, err);
    if (code == PW_OK && are_more)
        add_up(fees, market);
    fees->exist = any_exist(market);
    if (code != PW_OK) {
        pw_fees_destroy(fees);
        fees = NULL;
    }
    *out = fees;
    return code;
}

void pw_fees_destroy(struct pw_fees *fees)
{
    if (fees == NULL)
        return;
    free(fees->own_a);
    free(fees->own_b);
    free(fees->preference_a);
    free(fees->preference_b);
    free(fees);
}

int pw_fees_exist(const struct pw_fees *fees)
{
    return fees->exist;
}

void pw_fees_collect(const struct pw_fees *fees, const struct pw_market *market, const double *trade,
                     double *by_kind)
{
    for (int kind = 0; kind < PW_N_FEE_KINDS; kind++)
        by_kind[kind] = 0.0;
    for (int l = 0; fees->exist && l < market->n_links; l++) {
        struct parts parts = parts_of(fees, market, l);
        for (int kind = 0; kind < PW_N_FEE_KINDS; kind++)
            by_kind[kind] += (parts.a[kind] + parts.b[kind]) * fabs(trade[l]);
    }
}
