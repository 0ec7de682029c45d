/* The nearest of many points in the plane, by a k-d tree. */
#ifndef PW_NEAREST_H
#define PW_NEAREST_H

struct pw_nearest;

/* Over `count` points; x and y are not kept. For pw_nearest_destroy(). O(count log count). */
struct pw_nearest *pw_nearest_create(const double *x, const double *y, int count);
void pw_nearest_destroy(struct pw_nearest *nearest);

/* Fills found[] with up to `wanted` points other than `point`, the nearest first, of equal distance the one
 * with the lower number first; returns how many. O(wanted + log count) where points are spread. */
int pw_nearest_find(struct pw_nearest *nearest, int point, int wanted, int *found);

#endif
