#include "common/nearest.h"

#include <math.h>
#include <stdlib.h>

#include "common/memory.h"

struct point {
    double at[2];
    int number;
};

struct neighbour {
    double distance;
    int number;
};

/* The tree is the order of the points: the middle one of a range parts it, by x and by y in turn. */
struct pw_nearest {
    int count;
    struct point *points; /* [count] */
    int *place;           /* [count] where a point stands among them */
    struct neighbour *best;
    int n_best, room;
};

static void swap(struct point *p, struct point *q)
{
    struct point kept = *p;
    *p = *q;
    *q = kept;
}

/* Moves the points so that that at `middle` is the one which sorting by the axis would put there, none before
 * it is greater and none after it is less. */
static void select_middle(struct point *points, int first, int end, int middle, int axis)
{
    int last = end - 1;
    while (first < last) {
        double pivot = points[first + (last - first) / 2].at[axis];
        int i = first, j = last;
        while (i <= j) {
            while (points[i].at[axis] < pivot)
                i++;
            while (points[j].at[axis] > pivot)
                j--;
            if (i <= j)
                swap(&points[i++], &points[j--]);
        }
        if (middle <= j)
            last = j;
        else if (middle >= i)
            first = i;
        else
            return;
    }
}

static void part(struct point *points, int first, int end, int axis)
{
    int middle = first + (end - first) / 2;
    if (end - first < 2)
        return;
    select_middle(points, first, end, middle, axis);
    part(points, first, middle, !axis);
    part(points, middle + 1, end, !axis);
}

struct pw_nearest *pw_nearest_create(const double *x, const double *y, int count)
{
    struct pw_nearest *nearest = pw_alloc(1, sizeof *nearest);
    nearest->count = count;
    nearest->points = pw_alloc((size_t)count, sizeof *nearest->points);
    nearest->place = pw_alloc((size_t)count, sizeof *nearest->place);
    for (int i = 0; i < count; i++)
        nearest->points[i] = (struct point){{x[i], y[i]}, i};
    part(nearest->points, 0, count, 0);
    for (int i = 0; i < count; i++)
        nearest->place[nearest->points[i].number] = i;
    return nearest;
}

void pw_nearest_destroy(struct pw_nearest *nearest)
{
    if (nearest == NULL)
        return;
    free(nearest->points);
    free(nearest->place);
    free(nearest->best);
    free(nearest);
}

static int is_before(const struct neighbour *a, const struct neighbour *b)
{
    return a->distance < b->distance || (a->distance == b->distance && a->number < b->number);
}

/* Puts a neighbour into its place among the best, if it is one of them. */
static void consider(struct pw_nearest *nearest, int wanted, struct neighbour new)
{
    int i = nearest->n_best;
    if (i == wanted) {
        if (!is_before(&new, &nearest->best[i - 1]))
            return;
        i--;
    } else {
        nearest->n_best++;
    }
    for (; i > 0 && is_before(&new, &nearest->best[i - 1]); i--)
        nearest->best[i] = nearest->best[i - 1];
    nearest->best[i] = new;
}

static void search(struct pw_nearest *nearest, const struct point *from, int wanted, int first, int end,
                   int axis)
{
    if (first >= end)
        return;
    int middle = first + (end - first) / 2;
    const struct point *here = &nearest->points[middle];
    double beyond = from->at[axis] - here->at[axis];
    if (here->number != from->number)
        consider(
            nearest, wanted,
            (struct neighbour){hypot(here->at[0] - from->at[0], here->at[1] - from->at[1]), here->number});
    int is_low = beyond < 0.0;
    search(nearest, from, wanted, is_low ? first : middle + 1, is_low ? middle : end, !axis);
    if (nearest->n_best < wanted || fabs(beyond) <= nearest->best[wanted - 1].distance)
        search(nearest, from, wanted, is_low ? middle + 1 : first, is_low ? end : middle, !axis);
}

int pw_nearest_find(struct pw_nearest *nearest, int point, int wanted, int *found)
{
    struct point from = nearest->points[nearest->place[point]];
    if (wanted > nearest->room) {
        nearest->room = wanted;
        nearest->best = pw_realloc(nearest->best, (size_t)wanted, sizeof *nearest->best);
    }
    nearest->n_best = 0;
    if (wanted > 0)
        search(nearest, &from, wanted, 0, nearest->count, 0);
    for (int i = 0; i < nearest->n_best; i++)
        found[i] = nearest->best[i].number;
    return nearest->n_best;
}
