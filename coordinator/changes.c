#include "coordinator/changes.h"

#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "common/prefetch.h"

/* The place of a change in the order of all. */
struct pw_change_key {
    int64_t time_ns;
    uint64_t tie; /* agents before links, then by number */
    int32_t turn, item;
};

/* Longer stretches than this between two buckets' bounds are sorted by the library. */
enum { FEW = 24, PER_BUCKET = 2 };

/* Changes fetched into the cache so far ahead. */
enum { AHEAD = 8 };

void pw_changes_finish(struct pw_changes *changes)
{
    free(changes->items);
    free(changes->solves);
    free(changes->keys);
    free(changes->starts);
    *changes = (struct pw_changes){0};
}

static void *make_room(void *array, size_t *room, size_t wanted, size_t size)
{
    if (wanted <= *room)
        return array;
    *room = 2 * wanted + 256;
    return pw_realloc(array, *room, size);
}

static void add(struct pw_changes *changes, int64_t time_ns, int32_t number, int32_t solve, double gap2)
{
    changes->items = make_room(changes->items, &changes->room, changes->count + 1, sizeof *changes->items);
    if (changes->count == 0 || time_ns < changes->first_ns)
        changes->first_ns = time_ns;
    struct pw_change *change = &changes->items[changes->count++];
    change->time_ns = time_ns;
    change->number = number;
    change->solve = solve;
    change->gap2 = gap2;
}

void pw_changes_add_gap(struct pw_changes *changes, int64_t time_ns, int32_t link, double gap2)
{
    add(changes, time_ns, link, -1, gap2);
}

struct pw_solve *pw_changes_add_solve(struct pw_changes *changes, int64_t time_ns, int32_t agent, double gap2)
{
    add(changes, time_ns, agent, (int32_t)changes->n_solves, gap2);
    changes->solves =
        make_room(changes->solves, &changes->solve_room, changes->n_solves + 1, sizeof *changes->solves);
    return &changes->solves[changes->n_solves++];
}

void pw_changes_clear(struct pw_changes *changes)
{
    changes->count = changes->n_solves = 0;
}

int64_t pw_changes_first(const struct pw_changes *changes)
{
    return changes->count > 0 ? changes->first_ns : INT64_MAX;
}

void pw_changes_reserve(struct pw_changes *changes, size_t count, size_t n_solves)
{
    changes->items =
        make_room(changes->items, &changes->room, changes->count + count, sizeof *changes->items);
    changes->solves = make_room(changes->solves, &changes->solve_room, changes->n_solves + n_solves,
                                sizeof *changes->solves);
}

void pw_changes_append(struct pw_changes *changes, const struct pw_change *items, size_t count,
                       const struct pw_solve *solves, size_t n_solves)
{
    pw_changes_reserve(changes, count, n_solves);
    for (size_t i = 0; i < count; i++)
        pw_changes_copy(changes, items[i], solves);
}

/* What is kept goes to the front: solves lie in the order of their changes. */
void pw_changes_drop(struct pw_changes *changes, int64_t until_ns)
{
    size_t count = changes->count;
    pw_changes_clear(changes);
    for (size_t i = 0; i < count; i++) {
        if (changes->items[i].time_ns >= until_ns)
            pw_changes_copy(changes, changes->items[i], changes->solves);
    }
}

static struct pw_change_key key_of(const struct pw_changes *changes, size_t i)
{
    const struct pw_change *change = &changes->items[i];
    int is_link = change->solve < 0;
    return (struct pw_change_key){change->time_ns, (uint64_t)is_link << 32 | (uint32_t)change->number,
                                  is_link ? 0 : changes->solves[change->solve].turn, (int32_t)i};
}

static int earlier(const struct pw_change_key *a, const struct pw_change_key *b)
{
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns;
    if (a->tie != b->tie)
        return a->tie < b->tie;
    if (a->turn != b->turn)
        return a->turn < b->turn;
    return a->item < b->item; /* of one agent, in the order in which they came about */
}

static int compare(const void *x, const void *y)
{
    return earlier(y, x) - earlier(x, y);
}

static void sort_few(struct pw_change_key *keys, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct pw_change_key key = keys[i];
        size_t j = i;
        for (; j > 0 && earlier(&key, &keys[j - 1]); j--)
            keys[j] = keys[j - 1];
        keys[j] = key;
    }
}

static void sort_bucket(struct pw_change_key *keys, size_t count)
{
    if (count <= FEW)
        sort_few(keys, count);
    else
        qsort(keys, count, sizeof *keys, compare);
}

/* Which of the changes come before `until_ns`, and the span of their times. */
struct due {
    size_t count;
    int64_t first_ns, last_ns;
    size_t n_buckets; /* of equal time, for sorting */
    double buckets_per_ns;
};

static size_t bucket_of(const struct due *due, int64_t time_ns)
{
    size_t bucket = (size_t)((double)(time_ns - due->first_ns) * due->buckets_per_ns);
    return bucket < due->n_buckets ? bucket : due->n_buckets - 1;
}

static struct due find_due(const struct pw_changes *changes, int64_t until_ns)
{
    struct due due = {.first_ns = INT64_MAX, .last_ns = INT64_MIN};
    for (size_t i = 0; i < changes->count; i++) {
        int64_t time_ns = changes->items[i].time_ns;
        if (time_ns >= until_ns)
            continue;
        due.count++;
        due.first_ns = time_ns < due.first_ns ? time_ns : due.first_ns;
        due.last_ns = time_ns > due.last_ns ? time_ns : due.last_ns;
    }
    if (due.count == 0)
        return due;
    due.n_buckets = due.count / PER_BUCKET + 1;
    due.buckets_per_ns = (double)due.n_buckets / ((double)(due.last_ns - due.first_ns) + 1.0);
    return due;
}

/* Sorts the keys of what is due: spread over buckets of equal time by counting, then each bucket. */
static void sort_due(struct pw_changes *changes, const struct due *due, int64_t until_ns)
{
    size_t buckets = due->n_buckets;
    changes->keys = make_room(changes->keys, &changes->key_room, due->count, sizeof *changes->keys);
    changes->starts = make_room(changes->starts, &changes->start_room, buckets + 2, sizeof *changes->starts);
    int32_t *starts = changes->starts;
    memset(starts, 0, (buckets + 2) * sizeof *starts);
    for (size_t i = 0; i < changes->count; i++) {
        if (changes->items[i].time_ns < until_ns)
            starts[bucket_of(due, changes->items[i].time_ns) + 2]++;
    }
    for (size_t b = 2; b < buckets + 2; b++)
        starts[b] += starts[b - 1];
    for (size_t i = 0; i < changes->count; i++) {
        if (changes->items[i].time_ns < until_ns)
            changes->keys[starts[bucket_of(due, changes->items[i].time_ns) + 1]++] = key_of(changes, i);
    }
    for (size_t b = 0; b < buckets; b++)
        sort_bucket(changes->keys + starts[b], (size_t)(starts[b + 1] - starts[b]));
}

void pw_changes_play(struct pw_changes *changes, int64_t until_ns,
                     void (*take)(void *context, const struct pw_change *change,
                                  const struct pw_solve *solve),
                     void *context)
{
    struct due due = find_due(changes, until_ns);
    if (due.count == 0)
        return;
    sort_due(changes, &due, until_ns);
    for (size_t i = 0; i < due.count; i++) {
        const struct pw_change *change = &changes->items[changes->keys[i].item];
        if (i + AHEAD < due.count)
            pw_prefetch(&changes->items[changes->keys[i + AHEAD].item]);
        take(context, change, change->solve < 0 ? NULL : &changes->solves[change->solve]);
    }
    pw_changes_drop(changes, until_ns);
}
