#include "coordinator/transport.h"

#include <stdlib.h>

void pw_transport_send(struct pw_transport *transport, int to, enum pw_tag tag, const void *bytes,
                       size_t size)
{
    transport->send(transport, to, tag, bytes, size);
}

int pw_transport_poll(struct pw_transport *transport, pw_receive *receive, void *context)
{
    return transport->poll(transport, receive, context);
}

int pw_transport_busy(struct pw_transport *transport, int to)
{
    return transport->busy(transport, to);
}

void pw_transport_share(struct pw_transport *transport, void *bytes, size_t size)
{
    transport->share(transport, bytes, size);
}

void pw_transport_abort(struct pw_transport *transport, enum pw_code code)
{
    transport->abort(transport, code);
}

void pw_transport_close(struct pw_transport *transport)
{
    if (transport != NULL)
        transport->close(transport);
}

int pw_transport_launched(void)
{
    /* Set for their processes by Open MPI, PMIx launchers, MPICH and its relatives, MVAPICH, and Slurm's
     * srun. */
    static const char *const signs[] = {
        "OMPI_COMM_WORLD_SIZE", "PMIX_RANK",       "PMI_RANK",     "PMI_SIZE",
        "MV2_COMM_WORLD_RANK",  "MPI_LOCALRANKID", "SLURM_PROCID", "FLUX_TASK_RANK"};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (getenv(signs[i]) != NULL)
            return 1;
    }
    return 0;
}
