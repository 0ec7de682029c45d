/* The one file that speaks MPI: nonblocking sends from buffers that are used again, one pump, no blocking
 * call on the way, sleeping waits. */
#include <limits.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/memory.h"
#include "coordinator/clock.h"
#include "coordinator/peer_memory.h"
#include "coordinator/transport.h"

/* A message under way. Requests lie in an array of their own for MPI_Testsome. */
struct parcel {
    int to;
    unsigned char *bytes;
    size_t room;
};

struct mpi {
    int n_parcels, room;
    MPI_Request *requests; /* [room] MPI_REQUEST_NULL: the parcel is free */
    struct parcel *parcels;
    int *free_parcels, n_free;
    int *done;            /* [room] of MPI_Testsome */
    MPI_Status *statuses; /* [room] of MPI_Testsome */
    int *under_way;       /* [size] messages to each rank not complete yet */
    int n_under_way;
    unsigned char *inbox;
    size_t inbox_room;
    char library[MPI_MAX_LIBRARY_VERSION_STRING];
    char *hosts; /* rank 0 */
};

static const int64_t LONGEST_NAP_NS = 1000000;

static void add_parcels(struct mpi *mpi)
{
    int room = 2 * mpi->room + 64;
    mpi->requests = pw_realloc(mpi->requests, (size_t)room, sizeof *mpi->requests);
    mpi->parcels = pw_realloc(mpi->parcels, (size_t)room, sizeof *mpi->parcels);
    mpi->free_parcels = pw_realloc(mpi->free_parcels, (size_t)room, sizeof *mpi->free_parcels);
    mpi->done = pw_realloc(mpi->done, (size_t)room, sizeof *mpi->done);
    mpi->statuses = pw_realloc(mpi->statuses, (size_t)room, sizeof *mpi->statuses);
    for (int i = mpi->room; i < room; i++) {
        mpi->requests[i] = MPI_REQUEST_NULL;
        mpi->parcels[i] = (struct parcel){0, NULL, 0};
        mpi->free_parcels[mpi->n_free++] = i;
    }
    mpi->room = room;
}

static void check_size(struct pw_transport *transport, size_t size)
{
    if (size <= INT_MAX)
        return;
    fprintf(stderr, "peerwatt: a message of %zu bytes is too large for MPI: use more ranks\n", size);
    pw_transport_abort(transport, PW_INTERNAL);
}

static void send_parcel(struct pw_transport *transport, int to, enum pw_tag tag, const void *bytes,
                        size_t size)
{
    struct mpi *mpi = transport->state;
    check_size(transport, size);
    if (mpi->n_free == 0)
        add_parcels(mpi);
    int i = mpi->free_parcels[--mpi->n_free];
    struct parcel *parcel = &mpi->parcels[i];
    if (parcel->room < size) {
        parcel->bytes = pw_realloc(parcel->bytes, size, 1);
        parcel->room = size;
    }
    if (size > 0)
        memcpy(parcel->bytes, bytes, size);
    parcel->to = to;
    mpi->under_way[to]++;
    mpi->n_under_way++;
    if (i >= mpi->n_parcels)
        mpi->n_parcels = i + 1;
    MPI_Isend(parcel->bytes, (int)size, MPI_BYTE, to, (int)tag, MPI_COMM_WORLD, &mpi->requests[i]);
}

static void complete_sends(struct mpi *mpi)
{
    int n_done = 0;
    if (mpi->n_under_way == 0)
        return;
    MPI_Testsome(mpi->n_parcels, mpi->requests, &n_done, mpi->done, mpi->statuses);
    for (int k = 0; k < n_done && n_done != MPI_UNDEFINED; k++) {
        int i = mpi->done[k];
        mpi->under_way[mpi->parcels[i].to]--;
        mpi->n_under_way--;
        mpi->free_parcels[mpi->n_free++] = i;
    }
}

/* Receives one message if one has come. */
static int receive_one(struct mpi *mpi, pw_receive *receive, void *context)
{
    int has_come = 0, size = 0;
    MPI_Message message;
    MPI_Status status;
    MPI_Improbe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &has_come, &message, &status);
    if (!has_come)
        return 0;
    MPI_Get_count(&status, MPI_BYTE, &size);
    if (mpi->inbox_room < (size_t)size) {
        mpi->inbox = pw_realloc(mpi->inbox, (size_t)size, 1);
        mpi->inbox_room = (size_t)size;
    }
    MPI_Mrecv(mpi->inbox, size, MPI_BYTE, &message, MPI_STATUS_IGNORE);
    receive(context, status.MPI_SOURCE, (enum pw_tag)status.MPI_TAG, mpi->inbox, (size_t)size);
    return 1;
}

static int poll_mpi(struct pw_transport *transport, pw_receive *receive, void *context)
{
    /* Own letters that keep coming must not hold the pump for ever. */
    enum { MOST_AT_ONCE = 4096 };
    struct mpi *mpi = transport->state;
    int count = 0;
    while (count < MOST_AT_ONCE && receive_one(mpi, receive, context))
        count++;
    complete_sends(mpi);
    return count;
}

static int is_busy(struct pw_transport *transport, int to)
{
    struct mpi *mpi = transport->state;
    return mpi->under_way[to] > 0;
}

static int is_sending(struct pw_transport *transport)
{
    struct mpi *mpi = transport->state;
    return mpi->n_under_way > 0;
}

/* Naps after so many turns, for others may come late. */
static void wait_sleeping(MPI_Request *request, int spins_first)
{
    struct pw_idle idle = {.longest_ns = LONGEST_NAP_NS, .spins_first = spins_first};
    for (int done = 0;;) {
        MPI_Test(request, &done, MPI_STATUS_IGNORE);
        if (done)
            return;
        pw_idle_turn(&idle, 0, LONGEST_NAP_NS);
    }
}

static void share_bytes(struct pw_transport *transport, void *bytes, size_t size)
{
    MPI_Request request;
    (void)transport;
    MPI_Ibarrier(MPI_COMM_WORLD, &request);
    wait_sleeping(&request, 100);
    for (size_t start = 0; start < size;) {
        size_t part = size - start < INT_MAX ? size - start : INT_MAX;
        MPI_Ibcast((char *)bytes + start, (int)part, MPI_BYTE, 0, MPI_COMM_WORLD, &request);
        wait_sleeping(&request, INT_MAX);
        start += part;
    }
}

static void abort_all(struct pw_transport *transport, enum pw_code code)
{
    (void)transport;
    MPI_Abort(MPI_COMM_WORLD, (int)code);
    _exit((int)code);
}

static void close_mpi(struct pw_transport *transport)
{
    struct mpi *mpi = transport->state;
    MPI_Finalize();
    for (int i = 0; i < mpi->room; i++)
        free(mpi->parcels[i].bytes);
    free(mpi->requests);
    free(mpi->parcels);
    free(mpi->free_parcels);
    free(mpi->done);
    free(mpi->statuses);
    free(mpi->under_way);
    free(mpi->inbox);
    free(mpi->hosts);
    free(mpi);
    free(transport);
}

static int ranks_on_this_machine(void)
{
    MPI_Comm machine;
    int count = 1;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
    MPI_Comm_size(machine, &count);
    MPI_Comm_free(&machine);
    return count;
}

/* "name x ranks, ...": ranks that follow one another on a machine are counted together. On rank 0. */
static char *list_hosts(int rank, int size)
{
    enum { ROOM = MPI_MAX_PROCESSOR_NAME };
    char own[ROOM] = "", *all = rank == 0 ? pw_alloc((size_t)size, ROOM) : NULL;
    int length;
    MPI_Get_processor_name(own, &length);
    MPI_Gather(own, ROOM, MPI_CHAR, all, ROOM, MPI_CHAR, 0, MPI_COMM_WORLD);
    if (rank != 0)
        return NULL;
    char *text = pw_alloc((size_t)size, ROOM + 16), *end = text;
    for (int first = 0, r = 0; r < size; r++) {
        const char *name = all + (size_t)first * ROOM;
        if (r + 1 < size && strncmp(name, all + (size_t)(r + 1) * ROOM, ROOM) == 0)
            continue;
        end += sprintf(end, "%s%s x %d", first > 0 ? ", " : "", name, r + 1 - first);
        first = r + 1;
    }
    free(all);
    return text;
}

/* A launcher that this MPI does not understand starts many lone processes, each taking itself for rank 0. */
static enum pw_code refuse_singletons(int size, struct pw_error *err)
{
    const char *tasks = getenv("SLURM_STEP_NUM_TASKS");
    const char *world = getenv("OMPI_COMM_WORLD_SIZE");
    const char *meant = world != NULL ? world : tasks;
    if (size > 1 || meant == NULL || atoi(meant) <= 1)
        return PW_OK;
    return pw_fail(
        err, PW_ENVIRONMENT,
        "the launcher started %s processes, but MPI sees one: start with the mpirun of the MPI that "
        "peerwatt was built with, or with srun --mpi=pmix",
        meant);
}

static struct mpi *make_state(int size)
{
    struct mpi *mpi = pw_alloc(1, sizeof *mpi);
    mpi->under_way = pw_alloc((size_t)size, sizeof(int));
    add_parcels(mpi);
    return mpi;
}

/* Open MPI 4 takes large messages straight from their sender's memory, and complains at each of them where
 * that is forbidden, before it goes another way. Later ones try it themselves. */
static void choose_copying(void)
{
    if (!pw_peer_memory_is_readable())
        setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "none", 0);
}

enum pw_code pw_transport_mpi(struct pw_transport **out, struct pw_error *err)
{
    int provided, rank, size;
    choose_copying();
    MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    struct mpi *mpi = make_state(size);
    pw_transport_mpi_library(mpi->library, sizeof mpi->library);
    mpi->hosts = list_hosts(rank, size);
    struct pw_transport *transport = pw_alloc(1, sizeof *transport);
    *transport = (struct pw_transport){.rank = rank,
                                       .size = size,
                                       .library = mpi->library,
                                       .hosts = mpi->hosts,
                                       .state = mpi,
                                       .send = send_parcel,
                                       .poll = poll_mpi,
                                       .busy = is_busy,
                                       .sending = is_sending,
                                       .share = share_bytes,
                                       .abort = abort_all,
                                       .close = close_mpi};
    transport->crowded = ranks_on_this_machine() > sysconf(_SC_NPROCESSORS_ONLN);
    *out = transport;
    if (refuse_singletons(size, err) == PW_OK)
        return PW_OK;
    close_mpi(transport);
    *out = NULL;
    return err->code;
}

void pw_transport_mpi_library(char *text, int size)
{
    char version[MPI_MAX_LIBRARY_VERSION_STRING];
    int length;
    MPI_Get_library_version(version, &length);
    snprintf(text, (size_t)size, "%.*s", (int)strcspn(version, ",\n"), version);
    for (char *tab; (tab = strchr(text, '\t')) != NULL;)
        *tab = ' ';
}
