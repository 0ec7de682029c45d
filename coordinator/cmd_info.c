/* peerwatt info: what this program is made of. */
#include <stdio.h>

#include "common/error.h"
#include "coordinator/build_info.h"
#include "coordinator/commands.h"
#include "coordinator/json.h"
#include "net_models/net_model.h"

static void print_json(const struct pw_component *components, int count, const char *mpi)
{
    json_t *object = json_object(), *libraries = json_object();
    json_object_set_new(object, "version", json_string(pw_build_version()));
    json_object_set_new(object, "revision", json_string(pw_build_revision()));
    json_object_set_new(object, "flags", json_string(pw_build_flags()));
    for (int i = 0; i < count; i++)
        json_object_set_new(libraries, components[i].name, json_string(components[i].version));
    json_object_set_new(libraries, "MPI", json_string(mpi));
    json_object_set_new(object, "libraries", libraries);
    pw_json_print(object, stdout);
}

static void print_text(const struct pw_component *components, int count, const char *mpi)
{
    printf("peerwatt %s\n", pw_build_version());
    printf("  %-10s %s\n  %-10s %s\n", "revision", pw_build_revision(), "flags", pw_build_flags());
    for (int i = 0; i < count; i++)
        printf("  %-10s %s\n", components[i].name, components[i].version);
    printf("  %-10s %s\n", "MPI", mpi);
    printf("\nNetwork models (network.delay.model):\n");
    for (int i = 0; pw_delay_models[i] != NULL; i++)
        printf("  %-12s %s\n", pw_delay_models[i]->name, pw_delay_models[i]->help);
}

static enum pw_code run_info(const struct pw_options *options, struct pw_transport *transport,
                             struct pw_error *err)
{
    struct pw_component components[PW_MOST_COMPONENTS];
    char mpi[200];
    int count = pw_build_components(components);
    (void)transport;
    (void)err;
    pw_transport_mpi_library(mpi, sizeof mpi);
    if (options->json)
        print_json(components, count, mpi);
    else if (!options->quiet)
        print_text(components, count, mpi);
    return PW_OK;
}

const struct pw_command pw_cmd_info = {
    .name = "info",
    .usage = "[--json]",
    .help = "print versions, libraries, build flags and network models",
    .story = "",
    .options = PW_OPTIONS_RESULT,
    .run = run_info,
};
