/* Signals that ask a run to end cleanly. */
#ifndef PW_SIGNALS_H
#define PW_SIGNALS_H

/* To be called first of all, before MPI starts: from now on INT, TERM and USR1 only set a flag; the second
 * INT or TERM ends the process at once, as usual.
 */
void pw_signals_listen(void);

/* True once one of them has come. */
int pw_signals_caught(void);

#endif
