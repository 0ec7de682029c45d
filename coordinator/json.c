#include "coordinator/json.h"

#include <math.h>

json_t *pw_json_real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

void pw_json_print(json_t *object, FILE *out)
{
    json_dumpf(object, out, JSON_COMPACT);
    fputc('\n', out);
    fflush(out);
    json_decref(object);
}
