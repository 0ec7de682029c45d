#include "coordinator/window.h"

#include <stdlib.h>
#include <string.h>

#include "common/memory.h"

/* The front of the bytes; so many stretches, changes and their solves follow. */
struct head {
    struct pw_ranks standing;
    uint64_t n_stretches, n_changes, n_solves;
};

static size_t size_of(const struct head *head)
{
    return sizeof *head + head->n_stretches * sizeof(struct pw_stretch) +
           head->n_changes * sizeof(struct pw_change) + head->n_solves * sizeof(struct pw_solve);
}

static unsigned char *put(unsigned char *bytes, const void *from, size_t size)
{
    if (size > 0)
        memcpy(bytes, from, size);
    return bytes + size;
}

unsigned char *pw_window_pack(const struct pw_window *window, size_t *size)
{
    static const struct pw_changes none;
    const struct pw_changes *moves = window->moves != NULL ? window->moves : &none;
    struct head head = {window->standing, window->stretches != NULL ? PW_STRETCHES : 0, moves->count,
                        moves->n_solves};
    *size = size_of(&head);
    unsigned char *bytes = pw_alloc(*size, 1), *rest = put(bytes, &head, sizeof head);
    rest = put(rest, window->stretches, head.n_stretches * sizeof *window->stretches);
    rest = put(rest, moves->items, moves->count * sizeof *moves->items);
    put(rest, moves->solves, moves->n_solves * sizeof *moves->solves);
    return bytes;
}

static void merge_standing(struct pw_ranks *all, const struct pw_ranks *one)
{
    all->next_ns = one->next_ns < all->next_ns ? one->next_ns : all->next_ns;
    if (one->first_change_ns < all->first_change_ns)
        all->first_change_ns = one->first_change_ns;
    all->rounds = one->rounds > all->rounds ? one->rounds : all->rounds;
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

/* Counts that fit into the bytes, one by one before all together. */
static int is_possible(const struct head *head, size_t size)
{
    return (head->n_stretches == 0 || head->n_stretches == PW_STRETCHES) && head->n_changes <= size &&
           head->n_solves <= size && size_of(head) == size;
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
    struct head head = {0};
    if (size >= sizeof head)
        memcpy(&head, bytes, sizeof head);
    if (size < sizeof head || !is_possible(&head, size))
        return pw_fail(err, PW_INTERNAL, "a window of %zu bytes", size);
    const unsigned char *rest = bytes + sizeof head;
    struct pw_stretch *stretches = pw_alloc(head.n_stretches, sizeof *stretches);
    struct pw_changes moves = {.items = pw_alloc(head.n_changes, sizeof *moves.items),
                               .solves = pw_alloc(head.n_solves, sizeof *moves.solves),
                               .count = head.n_changes,
                               .n_solves = head.n_solves};
    memcpy(stretches, rest, head.n_stretches * sizeof *stretches);
    rest += head.n_stretches * sizeof *stretches;
    memcpy(moves.items, rest, moves.count * sizeof *moves.items);
    rest += moves.count * sizeof *moves.items;
    memcpy(moves.solves, rest, moves.n_solves * sizeof *moves.solves);
    int is_sound = are_in_order(&moves);
    struct pw_window window = {head.standing, head.n_stretches > 0 ? stretches : NULL, &moves};
    if (is_sound)
        pw_window_take(&window, course, all);
    free(stretches);
    pw_changes_finish(&moves);
    return is_sound ? PW_OK : pw_fail(err, PW_INTERNAL, "a window whose solves are not in order");
}
