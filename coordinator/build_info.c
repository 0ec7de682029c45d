#include "coordinator/build_info.h"

#include <cholmod.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <yaml.h>

#include "common/trace.h"
#include "build_flags.h"

#define PW_VERSION "0.1.0"

enum { MOST_REVISION = 128 };

/* Written into the linked program by the Makefile, so that another revision needs no other link; volatile,
 * for the compiler must not go by what stands here. */
static const volatile char stamp[MOST_REVISION] __attribute__((section(".peerwatt_revision"), used)) =
    "unknown";

const char *pw_build_version(void)
{
    return PW_VERSION;
}

const char *pw_build_revision(void)
{
    static char revision[MOST_REVISION];
    for (int i = 0; i + 1 < MOST_REVISION; i++)
        revision[i] = stamp[i];
    return revision;
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
