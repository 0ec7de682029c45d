/* Has everybody fallen silent for good? Safra's algorithm (E. W. Dijkstra, EWD 998, 1987): a token goes round
 * the ranks, each passes it on once it has nothing to do, and adds how many packets of offers it has sent
 * more than received. If it comes back to rank 0 with a sum of zero, past ranks that have received nothing
 * since the token was there before, the market is over. No rank waits for another meanwhile. Pure: no
 * messages are sent here. */
#ifndef PW_QUIESCENCE_H
#define PW_QUIESCENCE_H

#include <stdint.h>

struct pw_token {
    int64_t balance; /* packets sent and not received by the ranks passed */
    int32_t tainted; /* one of them had received something */
};

struct pw_quiescence {
    int rank, size;
    int64_t balance;    /* packets sent minus packets received here */
    int received;       /* since the token was here last */
    int travels, holds; /* rank 0: the token is out; any: it is here */
    struct pw_token token;
};

void pw_quiescence_init(struct pw_quiescence *quiescence, int rank, int size);

/* Count every packet of offers. */
void pw_quiescence_sent(struct pw_quiescence *quiescence, int count);
void pw_quiescence_received(struct pw_quiescence *quiescence);

/* The token has come. */
void pw_quiescence_take(struct pw_quiescence *quiescence, const struct pw_token *token);

/* To be called when this rank has nothing to do until an offer comes. PW_PASS: send `*token` to the next
 * rank, (rank + 1) modulo size. PW_OVER, on rank 0 alone: nothing will ever happen again. */
enum pw_quiescence_step { PW_KEEP, PW_PASS, PW_OVER };
enum pw_quiescence_step pw_quiescence_idle(struct pw_quiescence *quiescence, struct pw_token *token);

#endif
