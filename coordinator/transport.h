/* Messages between ranks, whatever carries them: MPI (transport_mpi.c) or, for a lone process, memory
 * (transport_loopback.c). Nothing here blocks; the one pump is pw_transport_poll(). */
#ifndef PW_TRANSPORT_H
#define PW_TRANSPORT_H

#include <stddef.h>

#include "common/error.h"

/* Every kind of message between ranks. */
enum pw_tag {
    PW_TAG_OFFERS = 1,   /* a packet of offers, common/codec.h */
    PW_TAG_REPORT,       /* rank to 0: totals, struct pw_report */
    PW_TAG_SNAPSHOT_ASK, /* 0 to rank: take snapshot number (uint32_t) */
    PW_TAG_SNAPSHOT,     /* rank to 0: its state at that snapshot */
    PW_TAG_STOP,         /* 0 to rank: the market is over */
    PW_TAG_STALL_ASK,    /* 0 to rank: who waits for whom? */
    PW_TAG_STALL,        /* rank to 0: text */
    PW_TAG_TOKEN,        /* rank to the next: struct pw_token, coordinator/quiescence.h */
    PW_TAG_ALIVE,        /* 0 to rank: rank 0 lives */
    PW_TAG_WINDOW_DONE,  /* rank to 0, virtual clock: a window is played, what changed in it */
    PW_TAG_WINDOW,       /* 0 to rank, virtual clock: what to do next */
    PW_TAG_GLANCE,       /* virtual clock: a rank's prices across links, for a neighbour */
    PW_TAG_TIMELINE,     /* rank to 0: events, after the stop */
    PW_TAG_SWEEP_TASK,   /* 0 to rank: do this run (int64_t), -1 to end */
    PW_TAG_SWEEP_ANSWER, /* rank to 0: the record of a run, or why there is none */
    PW_TAG_BULK_PRICES,  /* bulk: a rank's prices of a round, for a neighbour */
    PW_TAG_BULK_WORD,    /* bulk: rank to the one above: what its round has come to */
    PW_TAG_BULK_VERDICT, /* bulk: rank to those below: how to go on */
    PW_TAG_BULK_STATE,   /* bulk: rank to 0: the state of some of its agents */
    PW_TAG_SPEED,        /* rank to 0: how fast it simulates (double) */
    PW_TAG_PART,         /* 0 to rank: of the market, coordinator/parts.h */
    PW_TAG_CALLS,        /* price calls of a rank's agents, coordinator/opening.h */
    PW_TAG_LOG,          /* rank to 0: where its time went */
    PW_TAG_GOODBYE,      /* bulk: rank to its companions: nothing follows this */
};

/* What a poll hands over; the bytes are only valid during the call. */
typedef void pw_receive(void *context, int from, enum pw_tag tag, const unsigned char *bytes, size_t size);

struct pw_transport {
    int rank, size;
    int crowded;         /* more ranks on this machine than processors: idle ranks must sleep at once */
    const char *library; /* what carries the messages, for people */
    const char *hosts;   /* "name x ranks, ...", on rank 0 */
    void *state;
    void (*send)(struct pw_transport *transport, int to, enum pw_tag tag, const void *bytes, size_t size);
    int (*poll)(struct pw_transport *transport, pw_receive *receive, void *context);
    int (*busy)(struct pw_transport *transport, int to);
    int (*sending)(struct pw_transport *transport);
    void (*share)(struct pw_transport *transport, void *bytes, size_t size);
    void (*abort)(struct pw_transport *transport, enum pw_code code);
    void (*close)(struct pw_transport *transport);
};

/* Copies `size` bytes and sends them; returns at once. Messages from one rank to another arrive in order. */
void pw_transport_send(struct pw_transport *transport, int to, enum pw_tag tag, const void *bytes,
                       size_t size);

/* Receives all that has come, calling `receive` for each, and completes what was sent; returns how many came.
 * Messages that `receive` sends to its own rank come with the next poll. */
int pw_transport_poll(struct pw_transport *transport, pw_receive *receive, void *context);

/* True while an earlier message to rank `to` is not on its way yet: better let new ones gather. */
int pw_transport_busy(struct pw_transport *transport, int to);

/* True while any message is not on its way yet. A large one goes piece by piece, a few with each poll: who
 * naps meanwhile keeps its receiver waiting. */
int pw_transport_sending(struct pw_transport *transport);

/* Collective: every rank's `bytes` become those of rank 0. Nobody leaves before all have come, so that no
 * message sent afterwards can reach a rank that is still busy with what was before. Waits, sleeping. */
void pw_transport_share(struct pw_transport *transport, void *bytes, size_t size);

/* Ends all ranks at once with this exit code; does not return. For faults of one rank that the others cannot
 * know. */
void pw_transport_abort(struct pw_transport *transport, enum pw_code code);

/* Collective: ends the transport and frees it. */
void pw_transport_close(struct pw_transport *transport);

/* A lone process. */
struct pw_transport *pw_transport_loopback(void);

/* True if this process was started by an MPI launcher, as its environment tells. */
int pw_transport_launched(void);

/* The rank that the launcher gave this process, as its environment tells; 0 without a launcher. For what may
 * be said before MPI is started. */
int pw_transport_launched_rank(void);

/* Collective: starts MPI. PW_ENVIRONMENT if MPI finds one rank where the launcher meant several. */
enum pw_code pw_transport_mpi(struct pw_transport **out, struct pw_error *err);

/* The MPI library of this build, into text. Needs no MPI start. */
void pw_transport_mpi_library(char *text, int size);

#endif
