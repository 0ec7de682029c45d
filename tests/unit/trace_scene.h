/* A small run and a folder to write its trace into, for the tests of the trace. */
#ifndef PW_TRACE_SCENE_H
#define PW_TRACE_SCENE_H

#include <check.h>
#include <hdf5.h>

#include "common/trace.h"
#include "tests/unit/scratch.h"

struct test_scene {
    struct scratch scratch;
    char path[512]; /* in the folder, where nothing is yet */
    struct pw_market *market;
    struct pw_outcome *outcome;
    struct pw_outcome *slots[2]; /* the outcome, twice */
    struct pw_bills *bills;      /* NULL until there are slots */
    struct pw_provenance provenance[2];
    struct pw_trace trace;
};

/* Every value is another one, so that none can stand in for its neighbour. No samples and no events yet. */
void test_scene_open(struct test_scene *scene, int agents, int trades, int products);

/* Gives the run, which must have none, samples and events. */
void test_scene_add_course(struct test_scene *scene, int samples, int events);

/* Gives the agents zones, communities and classes. */
void test_scene_add_labels(struct test_scene *scene);

/* Makes it two slots of half an hour, 4 and 5, that went alike, with bills. */
void test_scene_add_slots(struct test_scene *scene);

/* Removes the folder and what is in it. */
void test_scene_close(struct test_scene *scene);

/* Writes the trace; the test fails where that fails. */
void test_scene_write(const struct test_scene *scene, const char *path, int force);

/* Number of entries in the folder, hidden ones too. */
int test_count_files(const char *folder);

/* Opens a trace to read, for H5Fclose(). */
hid_t test_trace_open(const char *path);

/* Opens a trace and checks what every group and every dataset must have, whatever it is. Returns the number
 * of datasets. */
int test_trace_inspect(const char *path);

/* The part of the suite that is about the file on the disk. */
TCase *test_trace_file_cases(void);

#endif
