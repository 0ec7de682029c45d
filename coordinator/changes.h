/* What changed in a simulated market, instant by instant: the record from which its course is told. */
#ifndef PW_CHANGES_H
#define PW_CHANGES_H

#include <stddef.h>
#include <stdint.h>

/* A change at an instant: an agent after a local solve, as its offers leave; or the gap of a link, once both
 * ends have sent the same round. */
struct pw_change {
    int64_t time_ns;
    int32_t number; /* agent or link */
    int32_t solve;  /* position of what the agent's solve changed; -1 for a link */
    double gap2;    /* squared reciprocity gap: of the link; of the agent's links where nothing is paired */
};

/* What a local solve changed: the agent's contributions from now on. */
struct pw_solve {
    double dual2, price2, naive2, welfare;
    int32_t turn;              /* its solves so far: the order within an instant */
    int32_t unsolved, settled; /* slots without a solved round; settled slots */
    int32_t sent, lost;        /* offers and losses of this solve, or of an answer since */
};

/* Growing lists of both. Zeroed: empty. */
struct pw_changes {
    struct pw_change *items;
    struct pw_solve *solves;
    size_t count, room, n_solves, solve_room;
    int64_t first_ns;           /* the earliest time, if there are any */
    struct pw_change_key *keys; /* for sorting */
    int32_t *starts;
    size_t key_room, start_room;
};

void pw_changes_finish(struct pw_changes *changes);

void pw_changes_add_gap(struct pw_changes *changes, int64_t time_ns, int32_t link, double gap2);

/* The solve is for the caller to fill, all of it and at once. */
struct pw_solve *pw_changes_add_solve(struct pw_changes *changes, int64_t time_ns, int32_t agent,
                                      double gap2);

/* Adds others' changes, in any order: `items` [count], whose solves are positions in `solves` [n_solves]. */
void pw_changes_append(struct pw_changes *changes, const struct pw_change *items, size_t count,
                       const struct pw_solve *solves, size_t n_solves);

void pw_changes_clear(struct pw_changes *changes);

/* The earliest time among them; INT64_MAX if there are none. */
int64_t pw_changes_first(const struct pw_changes *changes);

/* Makes room for more. */
void pw_changes_reserve(struct pw_changes *changes, size_t count, size_t n_solves);

/* Copies a change, with its solve out of `solves` if it has one, to the end of a list that has room for both.
 */
static inline void pw_changes_copy(struct pw_changes *to, struct pw_change change,
                                   const struct pw_solve *solves)
{
    if (to->count == 0 || change.time_ns < to->first_ns)
        to->first_ns = change.time_ns;
    if (change.solve >= 0) {
        to->solves[to->n_solves] = solves[change.solve];
        change.solve = (int32_t)to->n_solves++;
    }
    to->items[to->count++] = change;
}

/* Drops the changes before `until_ns`. */
void pw_changes_drop(struct pw_changes *changes, int64_t until_ns);

/* Calls `take` for every change before `until_ns` in the order of (time, agents before links, number, turn),
 * `solve` being NULL for a link, and keeps the rest. */
void pw_changes_play(struct pw_changes *changes, int64_t until_ns,
                     void (*take)(void *context, const struct pw_change *change,
                                  const struct pw_solve *solve),
                     void *context);

#endif
