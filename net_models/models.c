#include "net_models/models.h"

#include <stddef.h>
#include <string.h>

const struct pw_delay_model *const pw_delay_models[] = {
    &pw_delay_none, &pw_delay_constant, &pw_delay_gaussian, &pw_delay_exponential, NULL,
};

const struct pw_delay_model *pw_delay_model_find(const char *name)
{
    for (int i = 0; pw_delay_models[i] != NULL; i++) {
        if (strcmp(pw_delay_models[i]->name, name) == 0)
            return pw_delay_models[i];
    }
    return NULL;
}

struct pw_draw pw_transmission_draw(const struct pw_transmission *transmission, enum pw_purpose purpose)
{
    uint32_t way = transmission->link << 1 | transmission->direction;
    return (struct pw_draw){transmission->seed, purpose, {way, transmission->round, transmission->attempt}};
}
