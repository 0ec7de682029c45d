#include "coordinator/provenance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "coordinator/build_info.h"

/* Text that grows as it is printed to. */
struct page {
    char *text;
    size_t size;
    FILE *out;
};

static void open_page(struct page *page)
{
    page->out = open_memstream(&page->text, &page->size);
    if (page->out == NULL) {
        fputs("peerwatt: out of memory\n", stderr);
        abort();
    }
}

static void add_page(struct pw_provenance_list *list, const char *name, struct page *page)
{
    fclose(page->out);
    list->texts[list->count] = page->text;
    list->entries[list->count] = (struct pw_provenance){name, page->text};
    list->count++;
}

static void add_case(struct pw_provenance_list *list, const struct pw_case *loaded)
{
    struct page page;
    open_page(&page);
    pw_settings_dump(&loaded->settings, page.out);
    add_page(list, "case", &page);
}

/* The last part of a path: where a file lies says nothing about what is in it. */
static const char *base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static void add_inputs(struct pw_provenance_list *list, const struct pw_case *loaded)
{
    struct page page;
    open_page(&page);
    for (int i = 0; i < loaded->n_inputs; i++)
        fprintf(page.out, "sha256 %s %s\n", loaded->inputs[i].digest, base(loaded->inputs[i].path));
    add_page(list, "inputs", &page);
}

static void add_versions(struct pw_provenance_list *list, const struct pw_transport *transport,
                         int with_launch)
{
    struct page page;
    struct pw_component components[PW_MOST_COMPONENTS];
    int count = pw_build_components(components);
    open_page(&page);
    fprintf(page.out, "peerwatt %s\n", pw_build_version());
    for (int i = 0; i < count; i++)
        fprintf(page.out, "%s %s\n", components[i].name, components[i].version);
    if (with_launch)
        fprintf(page.out, "messages %s\n", transport->library);
    add_page(list, "versions", &page);
}

static void add_text(struct pw_provenance_list *list, const char *name, const char *text)
{
    struct page page;
    open_page(&page);
    fputs(text, page.out);
    add_page(list, name, &page);
}

static void add_launch(struct pw_provenance_list *list, const struct pw_options *options,
                       const struct pw_transport *transport)
{
    struct page page;
    open_page(&page);
    for (int i = 0; i < options->argc; i++)
        fprintf(page.out, "%s%s", i > 0 ? " " : "", options->argv[i]);
    add_page(list, "argv", &page);
    open_page(&page);
    fprintf(page.out, "%d", transport->size);
    add_page(list, "ranks", &page);
    add_text(list, "hosts", transport->hosts);
}

void pw_provenance_fill(struct pw_provenance_list *list, const struct pw_case *loaded,
                        const struct pw_options *options, const struct pw_transport *transport)
{
    struct page page;
    int on_wall = loaded->settings.clock == PW_CLOCK_WALL;
    list->count = 0;
    add_case(list, loaded);
    add_inputs(list, loaded);
    add_versions(list, transport, on_wall);
    add_text(list, "revision", pw_build_revision());
    open_page(&page);
    fprintf(page.out, "%ld", loaded->settings.seed);
    add_page(list, "seed", &page);
    if (on_wall)
        add_launch(list, options, transport);
}

void pw_provenance_fill_sweep(struct pw_provenance_list *list, const struct pw_case *loaded,
                              const char *study, const struct pw_options *options,
                              const struct pw_transport *transport)
{
    struct page page;
    pw_provenance_fill(list, loaded, options, transport);
    add_text(list, "study", study);
    open_page(&page);
    for (int i = 0; i < options->n_overrides; i++)
        fprintf(page.out, "%s\n", options->overrides[i]);
    add_page(list, "overrides", &page);
}

void pw_provenance_release(struct pw_provenance_list *list)
{
    for (int i = 0; i < list->count; i++)
        free(list->texts[i]);
}
