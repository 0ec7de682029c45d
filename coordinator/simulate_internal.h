/* The inside of a simulation: simulate.c obeys rank 0's orders, simulate_mail.c takes in and waits for what
 * other ranks send. */
#ifndef PW_SIMULATE_INTERNAL_H
#define PW_SIMULATE_INTERNAL_H

#include "coordinator/director.h"
#include "coordinator/glance.h"
#include "coordinator/neighbours.h"
#include "coordinator/parcels.h"
#include "coordinator/recorder.h"
#include "coordinator/roll.h"
#include "coordinator/simulate.h"
#include "coordinator/virtual.h"
#include "coordinator/window.h"

/* Who has sent what a rank waits for. */
enum {
    GLANCES,
    ORDERS,  /* of rank 0 */
    WINDOWS, /* to rank 0: the end of one */
    PARTS,   /* to rank 0: of the state, or of the timeline */
    N_ROLLS
};

/* One rank of a simulation. */
struct pw_simulation {
    const struct pw_negotiation *negotiation;
    struct pw_transport *transport;
    struct pw_host *host;
    struct pw_virtual *clock;
    struct pw_tally *tally;
    const struct pw_stretch *told; /* what rank 0 is to hear of an interval; else NULL */
    struct pw_parcels *parcels;
    struct pw_recorder recorder;
    struct pw_director *director; /* rank 0, else NULL */
    struct pw_snapshot *snapshot; /* rank 0, else NULL */
    struct pw_glance *glance;     /* NULL before the first */
    double prices_excess;         /* what the last one found */
    struct pw_tolerances tolerances;
    unsigned char *piece; /* room for one of this rank's part of a snapshot */
    size_t piece_room;

    struct pw_neighbours *neighbours;
    int64_t lookahead_ns;
    int64_t told_ns;  /* how far this rank had come when all its neighbours were told last */
    int64_t until_ns; /* up to where the last order to play led, or leads */
    struct pw_order order;

    struct pw_roll rolls[N_ROLLS];
    struct pw_ranks all; /* rank 0: how those stand that have ended the window */
};

/* A piece of the state of a rank's agents first .. end - 1; pw_snapshot_write() has written what follows. */
struct pw_piece {
    int32_t first, end;
};

/* What is waited for. */
enum pw_awaited_kind {
    PW_AWAIT_ROLL,       /* a word from each of some ranks */
    PW_AWAIT_NEIGHBOURS, /* that all neighbours have come to some time */
    PW_AWAIT_SENT        /* that all that was sent to rank 0 is on its way */
};
struct pw_awaited {
    enum pw_awaited_kind kind;
    struct pw_roll *roll;
    const int *ranks; /* [count]; NULL: all below */
    int count;
    int64_t reached_ns;
    const char *what;
};

/* One from every rank, this one too. */
struct pw_awaited pw_simulation_from_all(struct pw_simulation *simulation, int roll, const char *what);

/* Waits, sleeping, and clears the roll; not for ever: ends all ranks, naming who is missing. */
void pw_simulation_wait(struct pw_simulation *simulation, struct pw_awaited awaited);

/* Takes in what has come; returns how many messages. */
int pw_simulation_poll(struct pw_simulation *simulation);

/* An offer that leaves for another rank; `context` is the simulation. */
void pw_simulation_send(void *context, int rank, const struct pw_flight *flight);

/* Rank 0: a piece of a rank's part of a snapshot. */
void pw_simulation_take_piece(struct pw_simulation *simulation, int from, const unsigned char *bytes,
                              size_t size);

struct pw_glance *pw_simulation_glance(struct pw_simulation *simulation);

/* A fault of this rank alone ends all. */
void pw_simulation_fail(struct pw_simulation *simulation, const struct pw_error *err);

#endif
