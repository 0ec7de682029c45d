#include "common/number.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *skip_digits(const char *c)
{
    while (is_digit(*c))
        c++;
    return c;
}

/* Past a minus and an integer part without leading zeros; NULL for 010. */
static const char *skip_integer(const char *c)
{
    if (*c == '-')
        c++;
    if (c[0] == '0' && is_digit(c[1]))
        return NULL;
    return skip_digits(c);
}

static const char *skip_exponent(const char *c)
{
    if (*c != 'e' && *c != 'E')
        return c;
    c++;
    if (*c == '-' || *c == '+')
        c++;
    return is_digit(*c) ? skip_digits(c) : NULL;
}

static int is_decimal(const char *text)
{
    const char *c = skip_integer(text);
    if (c == NULL)
        return 0;
    int digits = c > text && is_digit(c[-1]);
    if (*c == '.') {
        const char *fraction = ++c;
        c = skip_digits(c);
        digits |= c > fraction;
    }
    c = digits ? skip_exponent(c) : NULL;
    return c != NULL && *c == '\0';
}

int pw_parse_real(const char *text, double *value)
{
    if (!is_decimal(text))
        return 0;
    errno = 0;
    double parsed = strtod(text, NULL);
    int lost = errno == ERANGE && !(fabs(parsed) > 0.0); /* 1e-999 */
    if (!isfinite(parsed) || lost)
        return 0;
    *value = parsed;
    return 1;
}

int pw_parse_integer(const char *text, long *value)
{
    const char *c = skip_integer(text);
    if (c == NULL || *c != '\0' || c == text || !is_digit(c[-1]))
        return 0;
    errno = 0;
    long parsed = strtol(text, NULL, 10);
    if (errno != 0)
        return 0;
    *value = parsed;
    return 1;
}
