#include "coordinator/signals.h"

#include <signal.h>
#include <stddef.h>

/* A signal handler can reach nothing but a global. */
static volatile sig_atomic_t caught;

static void note(int number)
{
    (void)number;
    caught = 1;
}

void pw_signals_listen(void)
{
    struct sigaction action = {.sa_handler = note};
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART; /* no write of a trace is cut short */
    sigaction(SIGUSR1, &action, NULL);
    action.sa_flags = (int)(SA_RESTART | SA_RESETHAND);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_handler = SIG_IGN; /* a file beyond the limit of its size is an error of the write */
    sigaction(SIGXFSZ, &action, NULL);
}

int pw_signals_caught(void)
{
    return caught != 0;
}
