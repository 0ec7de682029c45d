#include "common/error.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/plain_text.h"

enum pw_code pw_fail(struct pw_error *err, enum pw_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    err->code = code;
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    pw_repair_utf8(err->text);
    return code;
}

static int warnings_are_silent;

void pw_silence_warnings(void)
{
    warnings_are_silent = 1;
}

void pw_warn(const char *format, ...)
{
    va_list args;
    if (warnings_are_silent)
        return;
    va_start(args, format);
    fputs("peerwatt: warning: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

const char *pw_code_meaning(enum pw_code code)
{
    switch (code) {
#define PW_CODE_TEXT(name, exit_code, meaning)                                                               \
    case name:                                                                                               \
        return meaning;
        PW_CODES(PW_CODE_TEXT)
#undef PW_CODE_TEXT
    }
    return "unknown code";
}
