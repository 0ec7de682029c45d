#include "coordinator/transport.h"

#include <stdlib.h>

#include "common/phases.h"

void pw_transport_send(struct pw_transport *transport, int to, enum pw_tag tag, const void *bytes,
                       size_t size)
{
    if (to != transport->rank)
        pw_phase_sent(size);
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

int pw_transport_sending(struct pw_transport *transport)
{
    return transport->sending(transport);
}

void pw_transport_share(struct pw_transport *transport, void *bytes, size_t size)
{
    enum pw_phase before = pw_phase_enter(PW_PHASE_WAIT);
    transport->share(transport, bytes, size);
    pw_phase_leave(before);
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

/* Set for their processes by Open MPI, PMIx launchers, MPICH and its relatives, MVAPICH, Slurm's srun, Flux.
 */
static const char *const signs[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK",       "PMI_RANK",
                                    "MV2_COMM_WORLD_RANK",  "MPI_LOCALRANKID", "SLURM_PROCID",
                                    "FLUX_TASK_RANK"};

static const char *rank_text(void)
{
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        const char *text = getenv(signs[i]);
        if (text != NULL)
            return text;
    }
    return NULL;
}

int pw_transport_launched(void)
{
    return rank_text() != NULL;
}

int pw_transport_launched_rank(void)
{
    const char *text = rank_text();
    return text != NULL ? atoi(text) : 0;
}
