#include "coordinator/sweep_pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "coordinator/clock.h"
#include "coordinator/progress.h"
#include "coordinator/sweep_worker.h"

/* A rank has so many runs ahead that it need not wait for an answer. With more ranks than MOST_HELPED, rank 0
 * has no time for runs of its own. */
enum { AHEAD = 3, MOST_HELPED = 32, NO_MORE = -1 };
static const double SYNC_PERIOD_S = 5.0;

/* What a rank answers to a task; the text of the error follows if there is one. */
struct answer {
    int64_t code;
    struct pw_sweep_record record;
};

/* One rank at work. */
struct pool {
    struct pw_sweep *sweep;
    struct pw_transport *transport;
    struct pw_sweep_worker *worker;
    struct pw_idle idle;

    int64_t tasks[AHEAD]; /* not rank 0: what to do next */
    int n_tasks, is_told_to_end;

    int64_t cursor; /* rank 0: the first run that may not be handed out yet */
    int *n_ahead;   /* rank 0: [size] runs that each rank has */
    int n_gone;     /* rank 0: ranks that have said goodbye */
    double next_sync_s;
    struct pw_progress progress;
    enum pw_code code;
    struct pw_error *err;
};

static void end_with(struct pool *pool, enum pw_code code)
{
    if (pool->code == PW_OK)
        pool->code = code;
}

static void take_result(struct pool *pool, const struct pw_sweep_record *record)
{
    struct pw_sweep *sweep = pool->sweep;
    if (sweep->is_done[record->run])
        return;
    struct pw_error why;
    enum pw_code code = pw_journal_add(sweep->journal, record->run, record, sizeof *record, &why);
    sweep->records[record->run] = *record;
    sweep->is_done[record->run] = 1;
    sweep->n_done++;
    if (code != PW_OK && pool->code == PW_OK)
        *pool->err = why;
    if (code != PW_OK)
        end_with(pool, code);
}

static void take_answer(struct pool *pool, int from, const unsigned char *bytes, size_t size)
{
    struct answer answer;
    memcpy(&answer, bytes, sizeof answer);
    pool->n_ahead[from]--;
    if (answer.code == PW_OK) {
        take_result(pool, &answer.record);
    } else if (pool->code == PW_OK) {
        pool->code = (enum pw_code)answer.code;
        pool->err->code = pool->code;
        snprintf(pool->err->text, sizeof pool->err->text, "%.*s", (int)(size - sizeof answer),
                 (const char *)bytes + sizeof answer);
    }
}

static void take_task(struct pool *pool, const unsigned char *bytes)
{
    int64_t number;
    memcpy(&number, bytes, sizeof number);
    if (number == NO_MORE)
        pool->is_told_to_end = 1;
    else
        pool->tasks[pool->n_tasks++] = number;
}

static void receive(void *context, int from, enum pw_tag tag, const unsigned char *bytes, size_t size)
{
    struct pool *pool = context;
    if (tag == PW_TAG_SWEEP_ANSWER)
        take_answer(pool, from, bytes, size);
    else if (tag == PW_TAG_SWEEP_TASK)
        take_task(pool, bytes);
    else if (tag == PW_TAG_GOODBYE)
        pool->n_gone++;
}

/* Receives what has come; without anything else to do, rests a moment if nothing has. */
static void poll(struct pool *pool, int may_rest)
{
    int64_t now_ns = pw_clock_ns();
    if (pw_transport_poll(pool->transport, receive, pool) > 0)
        pw_idle_reset(&pool->idle);
    else if (may_rest)
        pw_idle_turn(&pool->idle, now_ns, INT64_MAX);
}

/* The next run to be done, NO_MORE if all are handed out. */
static int64_t next_run(struct pool *pool)
{
    const struct pw_sweep *sweep = pool->sweep;
    while (pool->cursor < sweep->spec.n_pieces && sweep->is_done[pool->cursor])
        pool->cursor += sweep->spec.n_shards;
    if (pool->cursor >= sweep->spec.n_pieces)
        return NO_MORE;
    int64_t number = pool->cursor;
    pool->cursor += sweep->spec.n_shards;
    return number;
}

/* Keeps every rank supplied. */
static void hand_out(struct pool *pool)
{
    for (int depth = 1; depth <= AHEAD; depth++) {
        for (int r = 1; r < pool->transport->size; r++) {
            int64_t number = pool->n_ahead[r] < depth ? next_run(pool) : NO_MORE;
            if (number == NO_MORE)
                continue;
            pw_transport_send(pool->transport, r, PW_TAG_SWEEP_TASK, &number, sizeof number);
            pool->n_ahead[r]++;
        }
    }
}

/* Does a run of rank 0's own, if one is left; returns false if not. */
static int help(struct pool *pool)
{
    struct pw_sweep_record record;
    struct pw_error why = {PW_OK, ""};
    int64_t number = pool->transport->size <= MOST_HELPED ? next_run(pool) : NO_MORE;
    if (number == NO_MORE)
        return 0;
    enum pw_code code = pw_sweep_worker_run(pool->worker, number, &record, &why);
    if (code == PW_OK) {
        take_result(pool, &record);
    } else if (pool->code == PW_OK) {
        *pool->err = why;
        pool->code = code;
    }
    return 1;
}

static void look_after(struct pool *pool)
{
    struct pw_sweep *sweep = pool->sweep;
    double elapsed_s = pw_sweep_elapsed_s(sweep);
    pw_progress_count(&pool->progress, elapsed_s, sweep->n_done, sweep->n_wanted, sweep->n_before, "runs");
    if (pw_sweep_must_end(sweep))
        end_with(pool, PW_INTERRUPTED);
    if (elapsed_s < pool->next_sync_s)
        return;
    pool->next_sync_s = elapsed_s + SYNC_PERIOD_S;
    struct pw_error why;
    enum pw_code code = pw_journal_sync(sweep->journal, &why);
    if (code != PW_OK && pool->code == PW_OK)
        *pool->err = why;
    end_with(pool, code);
}

/* Sends all home and waits for what they still bring. */
static void dismiss(struct pool *pool)
{
    int64_t no_more = NO_MORE;
    for (int r = 1; r < pool->transport->size; r++)
        pw_transport_send(pool->transport, r, PW_TAG_SWEEP_TASK, &no_more, sizeof no_more);
    while (pool->n_gone < pool->transport->size - 1)
        poll(pool, 1);
}

static void direct(struct pool *pool)
{
    const struct pw_sweep *sweep = pool->sweep;
    while (pool->code == PW_OK && sweep->n_done < sweep->n_wanted) {
        hand_out(pool);
        int is_busy = help(pool);
        poll(pool, !is_busy);
        look_after(pool);
    }
    dismiss(pool);
    pw_progress_finish(&pool->progress);
}

static void send_answer(struct pool *pool, const struct answer *answer, const struct pw_error *why)
{
    unsigned char bytes[sizeof *answer + sizeof why->text];
    size_t length = answer->code == PW_OK ? 0 : strlen(why->text);
    memcpy(bytes, answer, sizeof *answer);
    memcpy(bytes + sizeof *answer, why->text, length);
    pw_transport_send(pool->transport, 0, PW_TAG_SWEEP_ANSWER, bytes, sizeof *answer + length);
}

/* Not rank 0: does what it is told until told to end. */
static void serve(struct pool *pool)
{
    while (!pool->is_told_to_end) {
        poll(pool, pool->n_tasks == 0);
        if (pool->n_tasks == 0 || pool->is_told_to_end)
            continue;
        struct answer answer = {0};
        struct pw_error why = {PW_OK, ""};
        int64_t number = pool->tasks[0];
        memmove(pool->tasks, pool->tasks + 1, (size_t)--pool->n_tasks * sizeof *pool->tasks);
        answer.code = pw_sweep_worker_run(pool->worker, number, &answer.record, &why);
        send_answer(pool, &answer, &why);
    }
    pw_transport_send(pool->transport, 0, PW_TAG_GOODBYE, NULL, 0);
}

enum pw_code pw_sweep_work(struct pw_sweep *sweep, struct pw_error *err)
{
    struct pw_transport *transport = sweep->transport;
    struct pool pool = {.sweep = sweep,
                        .transport = transport,
                        .worker = pw_sweep_worker_create(sweep),
                        .idle = {.longest_ns = 1000000},
                        .cursor = sweep->spec.shard,
                        .n_ahead = pw_alloc((size_t)transport->size, sizeof(int)),
                        .next_sync_s = SYNC_PERIOD_S,
                        .err = err};
    pw_progress_init(&pool.progress, sweep->options->quiet ? PW_PROGRESS_NONE : sweep->options->progress);
    if (transport->rank == 0)
        direct(&pool);
    else
        serve(&pool);
    free(pool.n_ahead);
    pw_sweep_worker_destroy(pool.worker);
    return pool.code;
}
