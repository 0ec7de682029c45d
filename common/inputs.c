#include "common/inputs.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"

static struct pw_text copy_text(const char *bytes, size_t size)
{
    struct pw_text text = {pw_alloc(size + 1, 1), size};
    memcpy(text.bytes, bytes, size);
    return text;
}

static void digest_of(const struct pw_text *text, char digest[65])
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const unsigned char *)text->bytes, text->size);
    sodium_bin2hex(digest, 65, hash, sizeof hash);
}

static struct pw_kept_input *add(struct pw_inputs *inputs, const char *path, const char *bytes, size_t size)
{
    inputs->items = pw_realloc(inputs->items, (size_t)inputs->count + 1, sizeof *inputs->items);
    struct pw_kept_input *item = &inputs->items[inputs->count++];
    item->path = pw_strdup(path);
    item->text = copy_text(bytes, size);
    digest_of(&item->text, item->digest);
    return item;
}

enum pw_code pw_inputs_read(struct pw_inputs *inputs, const char *path, struct pw_text *text, char digest[65],
                            struct pw_error *err)
{
    for (int i = 0; inputs != NULL && i < inputs->count; i++) {
        const struct pw_kept_input *item = &inputs->items[i];
        if (strcmp(item->path, path) == 0) {
            *text = copy_text(item->text.bytes, item->text.size);
            memcpy(digest, item->digest, sizeof item->digest);
            return PW_OK;
        }
    }
    PW_TRY(pw_text_read(path, text, err));
    digest_of(text, digest);
    if (inputs != NULL)
        add(inputs, path, text->bytes, text->size);
    return PW_OK;
}

void pw_inputs_release(struct pw_inputs *inputs)
{
    for (int i = 0; i < inputs->count; i++) {
        free(inputs->items[i].path);
        pw_text_free(&inputs->items[i].text);
    }
    free(inputs->items);
    *inputs = (struct pw_inputs){0, NULL};
}

/* The bytes of one: two sizes, path, text. */
static size_t packed_size(const struct pw_kept_input *item)
{
    return 2 * sizeof(size_t) + strlen(item->path) + item->text.size;
}

size_t pw_inputs_pack_size(const struct pw_inputs *inputs)
{
    size_t size = sizeof inputs->count;
    for (int i = 0; i < inputs->count; i++)
        size += packed_size(&inputs->items[i]);
    return size;
}

void pw_inputs_pack(const struct pw_inputs *inputs, unsigned char *bytes)
{
    memcpy(bytes, &inputs->count, sizeof inputs->count);
    bytes += sizeof inputs->count;
    for (int i = 0; i < inputs->count; i++) {
        const struct pw_kept_input *item = &inputs->items[i];
        size_t sizes[2] = {strlen(item->path), item->text.size};
        memcpy(bytes, sizes, sizeof sizes);
        memcpy(bytes + sizeof sizes, item->path, sizes[0]);
        memcpy(bytes + sizeof sizes + sizes[0], item->text.bytes, sizes[1]);
        bytes += packed_size(item);
    }
}

struct pw_inputs pw_inputs_unpack(const unsigned char *bytes)
{
    struct pw_inputs inputs = {0, NULL};
    int count;
    memcpy(&count, bytes, sizeof count);
    bytes += sizeof count;
    for (int i = 0; i < count; i++) {
        size_t sizes[2];
        memcpy(sizes, bytes, sizeof sizes);
        struct pw_text path = copy_text((const char *)bytes + sizeof sizes, sizes[0]);
        bytes +=
            packed_size(add(&inputs, path.bytes, (const char *)bytes + sizeof sizes + sizes[0], sizes[1]));
        pw_text_free(&path);
    }
    return inputs;
}
