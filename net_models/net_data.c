#include "net_models/net_data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"

struct pw_net_data *pw_net_data_create(size_t n_links)
{
    struct pw_net_data *data = pw_alloc(1, sizeof *data);
    data->n_links = n_links;
    return data;
}

void pw_net_data_destroy(struct pw_net_data *data)
{
    if (data == NULL)
        return;
    for (int v = 0; v < PW_LINK_VALUES; v++)
        free(data->of_link[v]);
    free(data->delays_s);
    free(data);
}

double *pw_net_data_add(struct pw_net_data *data, enum pw_link_value value)
{
    if (data->of_link[value] == NULL) {
        data->of_link[value] = pw_alloc(data->n_links, sizeof(double));
        for (size_t l = 0; l < data->n_links; l++)
            data->of_link[value][l] = NAN;
    }
    return data->of_link[value];
}

struct head {
    size_t n_links, n_delays;
    int has[PW_LINK_VALUES];
};

static struct head head_of(const struct pw_net_data *data)
{
    struct head head;
    memset(&head, 0, sizeof head);
    head.n_links = data->n_links;
    head.n_delays = data->n_delays;
    for (int v = 0; v < PW_LINK_VALUES; v++)
        head.has[v] = data->of_link[v] != NULL;
    return head;
}

size_t pw_net_data_pack_size(const struct pw_net_data *data)
{
    size_t count = data->n_delays;
    for (int v = 0; v < PW_LINK_VALUES; v++)
        count += data->of_link[v] != NULL ? data->n_links : 0;
    return sizeof(struct head) + count * sizeof(double);
}

void pw_net_data_pack(const struct pw_net_data *data, unsigned char *bytes)
{
    struct head head = head_of(data);
    size_t per_value = data->n_links * sizeof(double);
    memcpy(bytes, &head, sizeof head);
    bytes += sizeof head;
    for (int v = 0; v < PW_LINK_VALUES; v++) {
        if (!head.has[v])
            continue;
        memcpy(bytes, data->of_link[v], per_value);
        bytes += per_value;
    }
    if (data->n_delays > 0)
        memcpy(bytes, data->delays_s, data->n_delays * sizeof(double));
}

struct pw_net_data *pw_net_data_unpack(const unsigned char *bytes)
{
    struct head head;
    memcpy(&head, bytes, sizeof head);
    bytes += sizeof head;
    struct pw_net_data *data = pw_net_data_create(head.n_links);
    size_t per_value = head.n_links * sizeof(double);
    for (int v = 0; v < PW_LINK_VALUES; v++) {
        if (!head.has[v])
            continue;
        memcpy(pw_net_data_add(data, (enum pw_link_value)v), bytes, per_value);
        bytes += per_value;
    }
    data->n_delays = head.n_delays;
    data->delays_s = pw_alloc(head.n_delays, sizeof(double));
    if (head.n_delays > 0)
        memcpy(data->delays_s, bytes, head.n_delays * sizeof(double));
    return data;
}
