#include "coordinator/journal_key.h"

#include <sodium.h>
#include <string.h>

#include "coordinator/build_info.h"

_Static_assert(PW_JOURNAL_KEY == crypto_hash_sha256_BYTES, "a key is a digest");

static void hash_text(crypto_hash_sha256_state *state, const char *text)
{
    crypto_hash_sha256_update(state, (const unsigned char *)text, strlen(text) + 1);
}

void pw_journal_key(const char *const *inputs, int n_inputs, const struct pw_options *options,
                    unsigned char key[PW_JOURNAL_KEY])
{
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    hash_text(&state, pw_build_version());
    hash_text(&state, pw_build_revision());
    for (int i = 0; i < n_inputs; i++)
        hash_text(&state, inputs[i]);
    for (int i = 0; i < options->n_overrides; i++)
        hash_text(&state, options->overrides[i]);
    crypto_hash_sha256_final(&state, key);
}
