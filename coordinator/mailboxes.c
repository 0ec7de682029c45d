#include "coordinator/mailboxes.h"

#include <stdlib.h>

#include "common/memory.h"

/* What an end that lives on another rank sent last. */
struct afar {
    int64_t sent_ns;
    int32_t round;
    double trade[]; /* [n_products] */
};

enum { NOTHING_YET = -1 };

static struct pw_mailbox empty(const struct pw_host *host, int end)
{
    const struct pw_route *route = &host->routes[end];
    return (struct pw_mailbox){.due_ns = {PW_FLIGHT_NEVER, PW_FLIGHT_NEVER},
                               .round = NOTHING_YET,
                               .link = route->link,
                               .afar = -1,
                               .is_first = route->direction == 0};
}

static size_t whole_lines(size_t size)
{
    return (size + PW_CACHE_LINE - 1) / PW_CACHE_LINE * PW_CACHE_LINE;
}

static struct afar *afar_of(const struct pw_mailboxes *boxes, const struct pw_mailbox *box)
{
    return (struct afar *)(boxes->afar + (size_t)box->afar * boxes->afar_size);
}

static void lay_out_afar(struct pw_mailboxes *boxes, const struct pw_host *host, int ends)
{
    int32_t count = 0;
    for (int end = 0; end < ends; end++) {
        if (!pw_host_has(host, host->routes[end].peer))
            pw_mailbox(boxes, end)->afar = count++;
    }
    boxes->afar_size = sizeof(struct afar) + (size_t)boxes->n_products * sizeof(double);
    boxes->afar = pw_alloc((size_t)count, boxes->afar_size);
    for (int end = 0; end < ends; end++) {
        if (pw_mailbox(boxes, end)->afar >= 0)
            afar_of(boxes, pw_mailbox(boxes, end))->round = NOTHING_YET;
    }
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
    lay_out_afar(boxes, host, ends);
    return boxes;
}

void pw_mailboxes_destroy(struct pw_mailboxes *boxes)
{
    if (boxes == NULL)
        return;
    free(boxes->all);
    free(boxes->afar);
    free(boxes);
}

/* Both ends have sent the round: the other these trades, at that time. */
static void note_gap(const struct pw_mailboxes *boxes, const struct pw_mailbox *box, const double *trade,
                     int64_t sent_ns, struct pw_changes *changes)
{
    int64_t both_ns = box->sent_ns > sent_ns ? box->sent_ns : sent_ns;
    double gap2 = 0.0;
    for (int q = 0; q < boxes->n_products; q++) {
        double gap = box->numbers[q] + trade[q];
        gap2 += gap * gap;
    }
    pw_changes_add_gap(changes, both_ns, box->link, gap2);
}

/* Of a link between two ranks only agent_a's end tells; of another, the end that sent first, as the other's
 * offer comes. */
void pw_mailboxes_leave(struct pw_mailboxes *boxes, struct pw_mailbox *box, const struct pw_flight *flight,
                        struct pw_changes *changes)
{
    box->sent_ns = flight->sent_ns;
    box->round = flight->offer.round;
    pw_copy_reals(box->numbers, flight->trade, (size_t)boxes->n_products);
    if (box->afar < 0 || !box->is_first)
        return;
    const struct afar *afar = afar_of(boxes, box);
    if (afar->round == box->round)
        note_gap(boxes, box, afar->trade, afar->sent_ns, changes);
}

void pw_mailboxes_come(struct pw_mailboxes *boxes, struct pw_mailbox *box, const struct pw_flight *flight,
                       struct pw_changes *changes)
{
    if (box->afar >= 0 && box->is_first) {
        struct afar *afar = afar_of(boxes, box);
        afar->sent_ns = flight->sent_ns;
        afar->round = flight->offer.round;
        pw_copy_reals(afar->trade, flight->trade, (size_t)boxes->n_products);
    }
    if (flight->offer.round == box->round && (box->afar < 0 || box->is_first))
        note_gap(boxes, box, flight->trade, flight->sent_ns, changes);
}
