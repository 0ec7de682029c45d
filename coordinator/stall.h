/* The watchdog: no wait without an end. Where nobody fires for too long although nothing is due, or a rank
 * falls silent, it asks every rank who waits for whom, and ends the run with the answer. */
#ifndef PW_STALL_H
#define PW_STALL_H

#include <stdint.h>

#include "common/error.h"
#include "coordinator/host.h"
#include "coordinator/transport.h"

struct pw_stall {
    struct pw_transport *transport;
    int64_t patience_ns;
    int64_t fires;          /* seen last */
    int64_t quiet_since_ns; /* the last progress, or the last held message's due time */
    int64_t *heard_ns;      /* [ranks] */
    unsigned char *heard;   /* [ranks] since the last watch */
    int64_t asked_ns;       /* 0: not asked */
    int n_answers;
    char *answers[8]; /* the first few, as text */
    int answer_rank[8];
};

void pw_stall_init(struct pw_stall *stall, struct pw_transport *transport, int64_t patience_ns,
                   int64_t now_ns);
void pw_stall_finish(struct pw_stall *stall);

/* Rank 0: a report came from a rank; an answer came. */
void pw_stall_heard(struct pw_stall *stall, int rank);
void pw_stall_answer(struct pw_stall *stall, int rank, const char *text, size_t size);

/* Rank 0, often: `fires` of all agents so far, and how long until the last rank's earliest held message is
 * due (-1: none). PW_OK while there is hope; PW_INTERNAL, or PW_ENVIRONMENT where a rank is silent, with the
 * whole story in the text. */
enum pw_code pw_stall_watch(struct pw_stall *stall, int64_t now_ns, int64_t fires, int64_t next_due_in_ns,
                            struct pw_error *err);

/* Any rank: who waits for whom since when, into text [size]. */
void pw_stall_describe(const struct pw_host *host, int64_t now_ns, char *text, size_t size);

#endif
