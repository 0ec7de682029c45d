#include "coordinator/snapshot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"

/* On the way everything is a double: whole numbers stay exact below 2^53. */
enum { AGENT_FIXED = 6, AGENT_PER_PRODUCT = 2 };

static double *doubles(int count, int per)
{
    return pw_alloc((size_t)count * (size_t)per, sizeof(double));
}

struct pw_snapshot *pw_snapshot_create(const struct pw_market *market, int is_paired)
{
    struct pw_snapshot *snapshot = pw_alloc(1, sizeof *snapshot);
    int agents = market->n_agents, ends = 2 * market->n_links, products = market->n_products;
    snapshot->market = market;
    snapshot->is_paired = is_paired;
    snapshot->power = doubles(agents, products);
    snapshot->price = doubles(agents, products);
    snapshot->wait_s = doubles(agents, 1);
    snapshot->compute_s = doubles(agents, 1);
    snapshot->iterations = pw_alloc((size_t)agents, sizeof(int64_t));
    snapshot->sent = pw_alloc((size_t)agents, sizeof(int64_t));
    snapshot->lost = pw_alloc((size_t)agents, sizeof(int64_t));
    snapshot->duplicates = pw_alloc((size_t)agents, sizeof(int64_t));
    snapshot->ends = pw_alloc((size_t)ends * pw_snapshot_end_size(products), sizeof(double));
    return snapshot;
}

void pw_snapshot_destroy(struct pw_snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    void *arrays[] = {snapshot->power,      snapshot->price, snapshot->wait_s, snapshot->compute_s,
                      snapshot->iterations, snapshot->sent,  snapshot->lost,   snapshot->duplicates,
                      snapshot->ends,       snapshot};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
}

static size_t agent_doubles(int n_links, int n_products)
{
    return (size_t)(AGENT_FIXED + AGENT_PER_PRODUCT * n_products) +
           (size_t)n_links * pw_snapshot_end_size(n_products);
}

static size_t block_size(const struct pw_market *market, int first, int end)
{
    size_t count = 0;
    for (int n = first; n < end; n++)
        count += agent_doubles(pw_market_degree(market, n), market->n_products);
    return count * sizeof(double);
}

size_t pw_snapshot_size(const struct pw_host *host)
{
    return block_size(host->market, host->first, host->end);
}

static void put(unsigned char **to, double value)
{
    memcpy(*to, &value, sizeof value);
    *to += sizeof value;
}

static double get(const unsigned char **from)
{
    double value;
    memcpy(&value, *from, sizeof value);
    *from += sizeof value;
    return value;
}

static void write_slot(const struct pw_agent *agent, int slot, int64_t settled_ns, unsigned char **to)
{
    put(to, pw_agent_inbox(agent, slot)->round);
    put(to, agent->penalty[slot]);
    put(to, settled_ns < 0 ? NAN : (double)settled_ns * 1e-9);
    for (int q = 0; q < agent->n_products; q++) {
        size_t i = (size_t)q * (size_t)agent->n_links + (size_t)slot;
        put(to, agent->mine[i]);
        put(to, agent->before[i]);
        put(to, pw_agent_trade_price(agent, slot, q));
    }
}

void pw_snapshot_write(const struct pw_host *host, unsigned char *out)
{
    for (int n = host->first; n < host->end; n++) {
        int i = n - host->first;
        const struct pw_agent *agent = host->agents[i];
        put(&out, (double)agent->fires);
        put(&out, (double)host->sent[i]);
        put(&out, (double)host->lost[i]);
        put(&out, (double)agent->duplicates);
        put(&out, (double)host->wait_ns[i] * 1e-9);
        put(&out, (double)host->compute_ns[i] * 1e-9);
        for (int q = 0; q < agent->n_products; q++) {
            put(&out, pw_agent_power(agent, q));
            put(&out, agent->price[q]);
        }
        for (int slot = 0; slot < agent->n_links; slot++)
            write_slot(agent, slot, host->settled_ns[pw_host_end(host, n, slot)], &out);
    }
}

enum pw_code pw_snapshot_take_in(struct pw_snapshot *snapshot, int first, int end, const unsigned char *bytes,
                                 size_t size, struct pw_error *err)
{
    const struct pw_market *market = snapshot->market;
    if (size != block_size(market, first, end))
        return pw_fail(err, PW_INTERNAL, "a snapshot of agents %d to %d of %zu bytes, %zu were expected",
                       first, end - 1, size, block_size(market, first, end));
    for (int n = first; n < end; n++) {
        snapshot->iterations[n] = (int64_t)get(&bytes);
        snapshot->sent[n] = (int64_t)get(&bytes);
        snapshot->lost[n] = (int64_t)get(&bytes);
        snapshot->duplicates[n] = (int64_t)get(&bytes);
        snapshot->wait_s[n] = get(&bytes);
        snapshot->compute_s[n] = get(&bytes);
        for (int q = 0; q < market->n_products; q++) {
            snapshot->power[n * market->n_products + q] = get(&bytes);
            snapshot->price[n * market->n_products + q] = get(&bytes);
        }
        size_t of_end = pw_snapshot_end_size(market->n_products),
               size_of_ends = (size_t)pw_market_degree(market, n) * of_end * sizeof(double);
        if (size_of_ends > 0)
            memcpy(snapshot->ends + (size_t)market->end_first[n] * of_end, bytes, size_of_ends);
        bytes += size_of_ends;
    }
    return PW_OK;
}
