#define _GNU_SOURCE /* process_vm_readv() */
#include "coordinator/peer_memory.h"

#ifdef __linux__
#include <errno.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* The child waits for the end of a pipe: nobody's memory can be read that has ended. */
static pid_t start_child(int *pipe_end)
{
    int ends[2];
    if (pipe(ends) != 0)
        return -1;
    pid_t child = fork();
    if (child == 0) {
        char byte;
        close(ends[1]);
        _exit(read(ends[0], &byte, 1) != 0);
    }
    close(ends[0]);
    if (child < 0)
        close(ends[1]);
    *pipe_end = ends[1];
    return child;
}

static int read_from(pid_t process)
{
    static const int sample = 12345; /* at the same address in the child */
    int copy = 0;
    struct iovec to = {&copy, sizeof copy}, from = {(void *)&sample, sizeof sample};
    ssize_t size = process_vm_readv(process, &to, 1, &from, 1, 0);
    return size == (ssize_t)sizeof copy && copy == sample;
}

int pw_peer_memory_is_readable(void)
{
    int pipe_end;
    pid_t child = start_child(&pipe_end);
    if (child < 0)
        return read_from(getpid());
    int is_readable = read_from(child);
    close(pipe_end);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
    return is_readable;
}

#else

int pw_peer_memory_is_readable(void)
{
    return 0;
}

#endif
