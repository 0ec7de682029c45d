#include "common/bills.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/file_write.h"
#include "common/memory.h"

static struct pw_bills *create(int n_agents)
{
    struct pw_bills *bills = pw_alloc(1, sizeof *bills);
    double **arrays[] = {&bills->energy_bought, &bills->energy_sold,  &bills->energy_remainder,
                         &bills->paid,          &bills->received,     &bills->fees,
                         &bills->balance,       &bills->price_bought, &bills->price_sold};
    bills->n_agents = n_agents;
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        *arrays[i] = pw_alloc((size_t)n_agents, sizeof(double));
    return bills;
}

void pw_bills_destroy(struct pw_bills *bills)
{
    if (bills == NULL)
        return;
    void *arrays[] = {
        bills->energy_bought, bills->energy_sold, bills->energy_remainder, bills->paid,       bills->received,
        bills->fees,          bills->balance,     bills->price_bought,     bills->price_sold, bills};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
}

/* One trade of energy, from seller to buyer; the same amount of money on both bills. */
static void settle(struct pw_bills *bills, int seller, int buyer, double energy, double price)
{
    double money = price * energy;
    bills->energy_sold[seller] += energy;
    bills->energy_bought[buyer] += energy;
    bills->received[seller] += money;
    bills->paid[buyer] += money;
}

static void add_trades(struct pw_bills *bills, const struct pw_market *market,
                       const struct pw_outcome *outcome, double hours)
{
    for (int i = 0; i < market->n_links * market->n_products; i++) {
        int a = market->link_a[i / market->n_products], b = market->link_b[i / market->n_products];
        double energy = outcome->trade[i] * hours, size = fabs(energy);
        double price = (outcome->price_a[i] + outcome->price_b[i]) / 2.0;
        settle(bills, energy > 0.0 ? a : b, energy > 0.0 ? b : a, size, price);
        bills->fees[a] += market->fee_a[i] * size;
        bills->fees[b] += market->fee_b[i] * size;
    }
}

struct pw_bills *pw_bills_create(const struct pw_market *market, struct pw_outcome *const *outcomes,
                                 int count, double hours)
{
    struct pw_bills *bills = create(market->n_agents);
    for (int slot = 0; slot < count; slot++) {
        add_trades(bills, market, outcomes[slot], hours);
        for (int i = 0; i < market->n_agents * market->n_products; i++)
            bills->energy_remainder[i / market->n_products] += outcomes[slot]->remainder[i] * hours;
    }
    for (int n = 0; n < market->n_agents; n++) {
        bills->balance[n] = bills->received[n] - bills->paid[n] - bills->fees[n];
        bills->price_bought[n] =
            bills->energy_bought[n] > 0.0 ? bills->paid[n] / bills->energy_bought[n] : NAN;
        bills->price_sold[n] = bills->energy_sold[n] > 0.0 ? bills->received[n] / bills->energy_sold[n] : NAN;
    }
    return bills;
}

static double sum(const double *values, int count)
{
    double total = 0.0;
    for (int i = 0; i < count; i++)
        total += values[i];
    return total;
}

static void print_price(FILE *out, double price)
{
    if (isnan(price))
        fputc(',', out);
    else
        fprintf(out, ",%.12g", price);
}

/* A name as a cell: in quotes where it must be. */
static void print_name(FILE *out, const char *name)
{
    fputs(",\"", out);
    for (const char *c = name == NULL ? "" : name; *c != '\0'; c++) {
        if (*c == '"')
            fputc('"', out);
        fputc(*c, out);
    }
    fputc('"', out);
}

static void print(const struct pw_bills *bills, const struct pw_market *market, FILE *out)
{
    const double *columns[] = {bills->energy_bought, bills->energy_sold, bills->energy_remainder, bills->paid,
                               bills->received,      bills->fees,        bills->balance};
    enum { COLUMNS = sizeof columns / sizeof *columns };
    fputs("agent,name,energy_bought,energy_sold,energy_remainder,paid,received,fees,balance,price_bought,"
          "price_sold\n",
          out);
    for (int n = 0; n < bills->n_agents; n++) {
        fprintf(out, "%d", n);
        print_name(out, market->agent_name[n]);
        for (int i = 0; i < COLUMNS; i++)
            fprintf(out, ",%.12g", columns[i][n]);
        print_price(out, bills->price_bought[n]);
        print_price(out, bills->price_sold[n]);
        fputc('\n', out);
    }
    fputs("sum,", out);
    for (int i = 0; i < COLUMNS; i++)
        fprintf(out, ",%.12g", sum(columns[i], bills->n_agents));
    fputs(",,\n", out);
}

enum pw_code pw_bills_write(const struct pw_bills *bills, const struct pw_market *market, const char *path,
                            int force, struct pw_error *err)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return pw_fail(err, PW_IO, "%s: cannot be made: is there memory left?", path);
    print(bills, market, out);
    int failed = ferror(out) | fclose(out);
    enum pw_code code = failed ? pw_fail(err, PW_IO, "%s: cannot be made: is there memory left?", path)
                               : pw_file_write(path, text, size, force, err);
    free(text);
    return code;
}
