#include "coordinator/mailboxes.h"

#include <stdlib.h>

#include "common/memory.h"

static struct pw_mailbox empty(const struct pw_host *host, int end)
{
    const struct pw_route *route = &host->routes[end];
    int peer_is_here = route->peer >= host->first && route->peer < host->end;
    int is_first = route->direction == 0; /* agent_a's end tells what is known on two ranks */
    return (struct pw_mailbox){.due_ns = PW_FLIGHT_NEVER,
                               .round = {-1, -2}, /* not the same */
                               .link = route->link,
                               .tells = {!peer_is_here && is_first, peer_is_here || is_first}};
}

static size_t whole_lines(size_t size)
{
    return (size + PW_CACHE_LINE - 1) / PW_CACHE_LINE * PW_CACHE_LINE;
}

struct pw_mailboxes *pw_mailboxes_create(const struct pw_host *host)
{
    struct pw_mailboxes *boxes = pw_alloc(1, sizeof *boxes);
    const struct pw_market *market = host->market;
    int ends = market->end_first[host->end] - market->end_first[host->first];
    boxes->n_products = market->n_products;
    boxes->size = whole_lines(sizeof(struct pw_mailbox) + 3 * (size_t)market->n_products * sizeof(double));
    boxes->all = pw_alloc_lines((size_t)ends * boxes->size);
    for (int end = 0; end < ends; end++)
        *pw_mailbox(boxes, end) = empty(host, end);
    return boxes;
}

void pw_mailboxes_destroy(struct pw_mailboxes *boxes)
{
    if (boxes == NULL)
        return;
    free(boxes->all);
    free(boxes);
}

static void note_gap(const struct pw_mailboxes *boxes, const struct pw_mailbox *box,
                     struct pw_changes *changes)
{
    int64_t both_ns = box->sent_ns[0] > box->sent_ns[1] ? box->sent_ns[0] : box->sent_ns[1];
    double gap2 = 0.0;
    for (int q = 0; q < boxes->n_products; q++) {
        double gap = box->numbers[q] + box->numbers[boxes->n_products + q];
        gap2 += gap * gap;
    }
    pw_changes_add_gap(changes, both_ns, box->link, gap2);
}

/* `who` sent it: 0 this end, 1 the other. */
static void note(struct pw_mailboxes *boxes, int end, int who, const struct pw_flight *flight,
                 struct pw_changes *changes)
{
    struct pw_mailbox *box = pw_mailbox(boxes, end);
    box->sent_ns[who] = flight->sent_ns;
    box->round[who] = flight->offer.round;
    pw_copy_reals(box->numbers + who * boxes->n_products, flight->trade, (size_t)boxes->n_products);
    if (box->round[0] == box->round[1] && box->tells[who])
        note_gap(boxes, box, changes);
}

void pw_mailboxes_leave(struct pw_mailboxes *boxes, int end, const struct pw_flight *flight,
                        struct pw_changes *changes)
{
    note(boxes, end, 0, flight, changes);
}

void pw_mailboxes_come(struct pw_mailboxes *boxes, int end, const struct pw_flight *flight,
                       struct pw_changes *changes)
{
    note(boxes, end, 1, flight, changes);
}

void pw_mailboxes_keep(struct pw_mailboxes *boxes, int end, const struct pw_flight *flight)
{
    struct pw_mailbox *box = pw_mailbox(boxes, end);
    box->due_ns = flight->due_ns;
    pw_copy_reals(box->numbers + 2 * boxes->n_products, flight->offer.r, (size_t)boxes->n_products);
}

const double *pw_mailboxes_kept(const struct pw_mailboxes *boxes, const struct pw_mailbox *box)
{
    return box->numbers + 2 * boxes->n_products;
}
