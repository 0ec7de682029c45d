#include "coordinator/bulk_mail.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"

void pw_bulk_mail_create(struct pw_bulk_mail *mail, const struct pw_bulk_rows *bulk, double delta,
                         struct pw_transport *transport)
{
    size_t ranks = (size_t)transport->size, most = 0;
    *mail = (struct pw_bulk_mail){.bulk = bulk, .transport = transport};
    mail->needed = (long)ceil(delta * (double)bulk->n_ends - 1e-9);
    mail->neighbour_of = pw_alloc(ranks, sizeof *mail->neighbour_of);
    for (size_t r = 0; r < ranks; r++)
        mail->neighbour_of[r] = -1;
    mail->inboxes = pw_alloc((size_t)bulk->n_neighbours, sizeof *mail->inboxes);
    for (int i = 0; i < bulk->n_neighbours; i++) {
        const struct pw_bulk_neighbour *neighbour = &bulk->neighbours[i];
        mail->neighbour_of[neighbour->rank] = i;
        for (int half = 0; half < 2; half++)
            mail->inboxes[i].prices[half] = pw_alloc((size_t)neighbour->n_in, sizeof(double));
        most = (size_t)neighbour->n_out > most ? (size_t)neighbour->n_out : most;
    }
    mail->parcel = pw_alloc(most + 1, sizeof(double));
}

void pw_bulk_mail_release(struct pw_bulk_mail *mail)
{
    for (int i = 0; i < mail->bulk->n_neighbours; i++) {
        free(mail->inboxes[i].prices[0]);
        free(mail->inboxes[i].prices[1]);
    }
    free(mail->inboxes);
    free(mail->neighbour_of);
    free(mail->parcel);
}

static void send_to(struct pw_bulk_mail *mail, const struct pw_bulk_neighbour *to, int32_t round)
{
    unsigned char *at = mail->parcel;
    memcpy(at, &round, sizeof round);
    at += sizeof(double);
    for (int k = 0; k < to->n_out; k++, at += sizeof(double)) {
        double price = pw_rows_price(mail->bulk->rows, to->out[k]);
        memcpy(at, &price, sizeof price);
    }
    pw_transport_send(mail->transport, to->rank, PW_TAG_BULK_PRICES, mail->parcel,
                      (size_t)(at - mail->parcel));
}

void pw_bulk_mail_send(struct pw_bulk_mail *mail)
{
    for (int i = 0; i < mail->bulk->n_neighbours; i++) {
        struct pw_bulk_inbox *inbox = &mail->inboxes[i];
        if (inbox->sent > 0 && !inbox->is_heard)
            continue;
        inbox->is_heard = 0;
        send_to(mail, &mail->bulk->neighbours[i], ++inbox->sent);
    }
}

enum pw_code pw_bulk_mail_take(struct pw_bulk_mail *mail, int from, const unsigned char *bytes, size_t size,
                               struct pw_error *err)
{
    int i = mail->neighbour_of[from];
    int32_t round;
    if (i < 0)
        return pw_fail(err, PW_INTERNAL, "prices from rank %d, which has no agents linked with ours", from);
    size_t count = (size_t)mail->bulk->neighbours[i].n_in, expected = (count + 1) * sizeof(double);
    if (size != expected)
        return pw_fail(err, PW_INTERNAL, "a message of %zu bytes from rank %d, %zu were expected", size, from,
                       expected);
    memcpy(&round, bytes, sizeof round);
    struct pw_bulk_inbox *inbox = &mail->inboxes[i];
    if (round < inbox->sent || round > inbox->sent + 1 || round < 1)
        return pw_fail(err, PW_INTERNAL, "prices of round %d from rank %d in round %d", (int)round, from,
                       inbox->sent);
    inbox->round[round % 2] = round;
    memcpy(inbox->prices[round % 2], bytes + sizeof(double), count * sizeof(double));
    return PW_OK;
}

/* The prices of the round last sent are here; and those of the next are too. */
static int is_complete(const struct pw_bulk_inbox *inbox)
{
    return inbox->round[inbox->sent % 2] == inbox->sent;
}

static int has_next(const struct pw_bulk_inbox *inbox)
{
    return inbox->round[(inbox->sent + 1) % 2] == inbox->sent + 1;
}

const struct pw_bulk_neighbour *pw_bulk_mail_lacks(const struct pw_bulk_mail *mail)
{
    for (int i = 0; i < mail->bulk->n_neighbours; i++) {
        if (!is_complete(&mail->inboxes[i]))
            return &mail->bulk->neighbours[i];
    }
    return NULL;
}

int pw_bulk_mail_count(const struct pw_bulk_mail *mail)
{
    int count = 0;
    for (int i = 0; i < mail->bulk->n_neighbours; i++)
        count += is_complete(&mail->inboxes[i]);
    return count;
}

int pw_bulk_mail_is_enough(const struct pw_bulk_mail *mail)
{
    const struct pw_bulk_rows *bulk = mail->bulk;
    long complete = bulk->n_ends, messages = bulk->n_ends;
    for (int i = 0; i < bulk->n_neighbours; i++) {
        const struct pw_bulk_inbox *inbox = &mail->inboxes[i];
        long ends = bulk->neighbours[i].n_ends;
        complete -= is_complete(inbox) ? 0 : ends;
        messages -= is_complete(inbox) ? has_next(inbox) ? -ends : 0 : ends;
    }
    return complete >= mail->needed || (bulk->is_paced && messages >= bulk->n_ends);
}

void pw_bulk_mail_read(struct pw_bulk_mail *mail)
{
    for (int i = 0; i < mail->bulk->n_neighbours; i++) {
        const struct pw_bulk_neighbour *from = &mail->bulk->neighbours[i];
        struct pw_bulk_inbox *inbox = &mail->inboxes[i];
        const double *prices = inbox->prices[inbox->sent % 2];
        if (inbox->sent == 0 || !is_complete(inbox))
            continue;
        for (int k = 0; k < from->n_in; k++)
            pw_rows_visit(mail->bulk->rows, from->first_visitor + k, prices[k]);
        if (mail->bulk->is_paced)
            pw_rows_hear(mail->bulk->rows, from->first_visitor, from->n_in, inbox->sent);
        inbox->is_heard = 1;
    }
}
