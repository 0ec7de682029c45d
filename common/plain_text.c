#include "common/plain_text.h"

#include <stdint.h>
#include <string.h>

/* Reads the character at *text and steps behind it; UINT32_MAX, and a step of one byte, if it is none. */
static uint32_t next_character(const char **text)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    const unsigned char *c = (const unsigned char *)*text;
    int more = c[0] < 0x80 ? 0 : c[0] >> 5 == 0x6 ? 1 : c[0] >> 4 == 0xE ? 2 : c[0] >> 3 == 0x1E ? 3 : -1;
    ++*text;
    if (more <= 0)
        return more == 0 ? c[0] : UINT32_MAX;
    uint32_t character = c[0] & (0x3Fu >> more);
    for (int i = 1; i <= more; i++) {
        if (c[i] >> 6 != 0x2) /* the NUL at the end, too */
            return UINT32_MAX;
        character = character << 6 | (c[i] & 0x3F);
    }
    if (character < least[more] || character > 0x10FFFF || (character >= 0xD800 && character <= 0xDFFF))
        return UINT32_MAX;
    *text += more;
    return character;
}

static int is_plain(uint32_t character)
{
    if (character < 0x20 || (character >= 0x7F && character < 0xA0))
        return character == '\t';
    return character != 0x2028 && character != 0x2029 && character != 0xFEFF && character != 0xFFFE &&
           character != 0xFFFF && character != UINT32_MAX;
}

const char *pw_find_unplain(const char *text)
{
    while (*text != '\0') {
        const char *here = text;
        if (!is_plain(next_character(&text)))
            return here;
    }
    return NULL;
}

int pw_nul_line(const char *bytes, size_t size)
{
    const char *nul = memchr(bytes, '\0', size);
    int line = nul != NULL;
    for (const char *c = bytes; nul != NULL && c < nul; c++)
        line += *c == '\n';
    return line;
}

void pw_repair_utf8(char *text)
{
    const char *next = text;
    while (*next != '\0') {
        char *here = text + (next - text);
        if (next_character(&next) == UINT32_MAX)
            *here = '?';
    }
}
