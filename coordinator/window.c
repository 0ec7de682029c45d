#include "coordinator/window.h"

#include <stdlib.h>
#include <string.h>

#include "common/larger.h"
#include "common/memory.h"

/* The front of the bytes; so many stretches, changes and their solves follow. */
struct head {
    struct pw_ranks standing;
    uint64_t n_stretches, n_changes, n_solves;
};

/* The front of a stretch, of those in which something changed; its sums follow. */
struct stretch_head {
    int64_t place; /* among the stretches of the interval */
    double moved[PW_QUANTITIES];
    int64_t n_changes, unsolved, settled, sent, lost, last_ns;
};

static unsigned char *put(unsigned char *bytes, const void *from, size_t size)
{
    if (size > 0)
        memcpy(bytes, from, size);
    return bytes + size;
}

static unsigned char *put_stretch(unsigned char *bytes, const struct pw_stretch *stretch, int place)
{
    struct stretch_head head = {
        place,         {0},           stretch->n_changes, stretch->unsolved, stretch->settled,
        stretch->sent, stretch->lost, stretch->last_ns};
    memcpy(head.moved, stretch->moved, sizeof head.moved);
    bytes = put(bytes, &head, sizeof head);
    for (int q = 0; q < PW_QUANTITIES; q++)
        bytes += pw_exact_pack(&stretch->change[q], bytes);
    return bytes;
}

static int is_told(const struct pw_window *window, int place)
{
    return window->stretches != NULL && window->stretches[place].n_changes > 0;
}

unsigned char *pw_window_pack(const struct pw_window *window, size_t *size)
{
    static const struct pw_changes none;
    const struct pw_changes *moves = window->moves != NULL ? window->moves : &none;
    struct head head = {.standing = window->standing, .n_changes = moves->count, .n_solves = moves->n_solves};
    for (int k = 0; k < PW_STRETCHES; k++)
        head.n_stretches += is_told(window, k) ? 1 : 0;
    size_t most_of_stretch = sizeof(struct stretch_head) + PW_QUANTITIES * sizeof(struct pw_exact_sum);
    size_t of_items = moves->count * sizeof *moves->items,
           of_solves = moves->n_solves * sizeof *moves->solves;
    unsigned char *bytes =
        pw_alloc(sizeof head + head.n_stretches * most_of_stretch + of_items + of_solves, 1);
    unsigned char *end = put(bytes, &head, sizeof head);
    for (int k = 0; k < PW_STRETCHES; k++)
        end = is_told(window, k) ? put_stretch(end, &window->stretches[k], k) : end;
    end = put(end, moves->items, of_items);
    end = put(end, moves->solves, of_solves);
    *size = (size_t)(end - bytes);
    return bytes;
}

static void merge_standing(struct pw_ranks *all, const struct pw_ranks *one)
{
    all->next_ns = one->next_ns < all->next_ns ? one->next_ns : all->next_ns;
    if (one->first_change_ns < all->first_change_ns)
        all->first_change_ns = one->first_change_ns;
    all->rounds = one->rounds > all->rounds ? one->rounds : all->rounds;
    all->prices_excess = pw_larger(all->prices_excess, one->prices_excess);
    all->interrupted |= one->interrupted;
}

void pw_window_take(const struct pw_window *window, struct pw_course *course, struct pw_ranks *all)
{
    const struct pw_changes *moves = window->moves;
    merge_standing(all, &window->standing);
    if (window->stretches != NULL)
        pw_course_hear(course, window->stretches);
    if (moves != NULL)
        pw_changes_append(&course->moves, moves->items, moves->count, moves->solves, moves->n_solves);
}

/* Bytes that are read from the front. */
struct reader {
    const unsigned char *next;
    size_t left;
    int is_broken;
};

static void get(struct reader *reader, void *to, size_t size)
{
    if (reader->left < size)
        reader->is_broken = 1;
    if (reader->is_broken || size == 0)
        return;
    memcpy(to, reader->next, size);
    reader->next += size;
    reader->left -= size;
}

static void get_sum(struct reader *reader, struct pw_exact_sum *sum)
{
    size_t size = reader->is_broken ? 0 : pw_exact_unpack(sum, reader->next, reader->left);
    reader->is_broken |= size == 0;
    reader->next += size;
    reader->left -= size;
}

/* None comes twice. */
static void get_stretch(struct reader *reader, struct pw_stretch *stretches)
{
    struct stretch_head head = {.place = -1};
    get(reader, &head, sizeof head);
    if (head.place < 0 || head.place >= PW_STRETCHES || head.n_changes <= 0 ||
        stretches[head.place].n_changes > 0)
        reader->is_broken = 1;
    if (reader->is_broken)
        return;
    struct pw_stretch *stretch = &stretches[head.place];
    memcpy(stretch->moved, head.moved, sizeof head.moved);
    stretch->n_changes = head.n_changes;
    stretch->unsolved = head.unsolved;
    stretch->settled = head.settled;
    stretch->sent = head.sent;
    stretch->lost = head.lost;
    stretch->last_ns = head.last_ns;
    for (int q = 0; q < PW_QUANTITIES; q++)
        get_sum(reader, &stretch->change[q]);
}

/* Room for them only where the bytes are there. */
static void get_moves(struct reader *reader, const struct head *head, struct pw_changes *moves)
{
    reader->is_broken |=
        head->n_changes > reader->left || head->n_solves > reader->left ||
        head->n_changes * sizeof *moves->items + head->n_solves * sizeof *moves->solves != reader->left;
    if (reader->is_broken)
        return;
    pw_changes_reserve(moves, head->n_changes, head->n_solves);
    moves->count = head->n_changes;
    moves->n_solves = head->n_solves;
    get(reader, moves->items, moves->count * sizeof *moves->items);
    get(reader, moves->solves, moves->n_solves * sizeof *moves->solves);
}

/* Changes refer to solves one after the other, and to all of them. */
static int are_in_order(const struct pw_changes *moves)
{
    size_t n_solves = 0;
    for (size_t i = 0; i < moves->count; i++) {
        if (moves->items[i].solve >= 0 && (size_t)moves->items[i].solve != n_solves++)
            return 0;
    }
    return n_solves == moves->n_solves;
}

enum pw_code pw_window_unpack(const unsigned char *bytes, size_t size, struct pw_course *course,
                              struct pw_ranks *all, struct pw_error *err)
{
    struct reader reader = {bytes, size, 0};
    struct head head = {0};
    struct pw_changes moves = {0};
    struct pw_stretch *stretches = pw_alloc(PW_STRETCHES, sizeof *stretches);
    get(&reader, &head, sizeof head);
    for (uint64_t k = 0; k < head.n_stretches && !reader.is_broken; k++)
        get_stretch(&reader, stretches);
    get_moves(&reader, &head, &moves);
    struct pw_window window = {head.standing, stretches, &moves};
    int is_sound = !reader.is_broken && are_in_order(&moves);
    if (is_sound)
        pw_window_take(&window, course, all);
    free(stretches);
    pw_changes_finish(&moves);
    return is_sound ? PW_OK : pw_fail(err, PW_INTERNAL, "%zu bytes that are no window", size);
}
