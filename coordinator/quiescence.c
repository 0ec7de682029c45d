#include "coordinator/quiescence.h"

void pw_quiescence_init(struct pw_quiescence *quiescence, int rank, int size)
{
    *quiescence = (struct pw_quiescence){.rank = rank, .size = size};
}

void pw_quiescence_sent(struct pw_quiescence *quiescence, int count)
{
    quiescence->balance += count;
}

void pw_quiescence_received(struct pw_quiescence *quiescence)
{
    quiescence->balance--;
    quiescence->received = 1;
}

void pw_quiescence_take(struct pw_quiescence *quiescence, const struct pw_token *token)
{
    quiescence->token = *token;
    quiescence->holds = 1;
}

static enum pw_quiescence_step pass(struct pw_quiescence *quiescence, struct pw_token *token)
{
    *token = quiescence->token;
    quiescence->holds = quiescence->received = 0;
    return PW_PASS;
}

/* Rank 0 judges the token that has come round, or sends out a new one. */
static enum pw_quiescence_step idle_first(struct pw_quiescence *quiescence, struct pw_token *token)
{
    if (quiescence->travels && !quiescence->holds)
        return PW_KEEP;
    int clean = quiescence->holds && !quiescence->token.tainted && !quiescence->received;
    if (quiescence->size == 1 || (clean && quiescence->token.balance + quiescence->balance == 0))
        return PW_OVER;
    quiescence->travels = 1;
    quiescence->token = (struct pw_token){0, 0};
    return pass(quiescence, token);
}

enum pw_quiescence_step pw_quiescence_idle(struct pw_quiescence *quiescence, struct pw_token *token)
{
    if (quiescence->rank == 0)
        return idle_first(quiescence, token);
    if (!quiescence->holds)
        return PW_KEEP;
    quiescence->token.balance += quiescence->balance;
    quiescence->token.tainted |= quiescence->received;
    return pass(quiescence, token);
}
