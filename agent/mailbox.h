/* What the exchanges `latest` and `stale` share: a slot's mailbox holds the newest offer and nothing else,
 * and every fire offers on every slot. */
#ifndef PW_MAILBOX_H
#define PW_MAILBOX_H

#include "agent/exchange.h"

/* Keeps the offer if it is newer than what the mailbox has seen. */
enum pw_delivery pw_mailbox_deliver(struct pw_agent *agent, int slot, int round, const double *r);

/* Enough slots have news, and none has been without for too long. */
int pw_mailbox_ready(const struct pw_agent *agent);

/* Every slot goes into the outbox. */
void pw_mailbox_address_all(struct pw_agent *agent);

/* All news is read; every slot's round goes on by one. */
void pw_mailbox_close(struct pw_agent *agent);

#endif
