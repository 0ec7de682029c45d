/* May a process read the memory of another one of its own? MPI libraries copy large messages so, at once, and
 * some containers forbid it. */
#ifndef PW_PEER_MEMORY_H
#define PW_PEER_MEMORY_H

/* Tries it with a child that does nothing; to be called before threads are started. Where no child can be
 * made it tries whether the call is allowed at all, so that processes of one machine answer alike, as MPI has
 * it. Where systems know no such call the answer is no. */
int pw_peer_memory_is_readable(void);

#endif
