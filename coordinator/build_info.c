#include "coordinator/build_info.h"

#include <cholmod.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <yaml.h>

#include "common/trace.h"
#include "revision.h"

#define PW_VERSION "0.1.0"

const char *pw_build_version(void)
{
    return PW_VERSION;
}

const char *pw_build_revision(void)
{
    return PW_REVISION;
}

const char *pw_build_flags(void)
{
    return PW_BUILD_FLAGS;
}

static void add(struct pw_component *components, int *count, const char *name, const char *version)
{
    struct pw_component *component = &components[(*count)++];
    component->name = name;
    snprintf(component->version, sizeof component->version, "%s", version);
}

int pw_build_components(struct pw_component components[PW_MOST_COMPONENTS])
{
    int count = 0, cholmod[3];
    char text[64];
    cholmod_version(cholmod);
    snprintf(text, sizeof text, "%d.%d.%d", cholmod[0], cholmod[1], cholmod[2]);
    add(components, &count, "compiler", __VERSION__);
    add(components, &count, "HDF5", pw_trace_library());
    add(components, &count, "libyaml", yaml_get_version_string());
    add(components, &count, "jansson", JANSSON_VERSION);
    add(components, &count, "CHOLMOD", text);
    add(components, &count, "libsodium", sodium_version_string());
    return count;
}
