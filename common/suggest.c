#include "common/suggest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST = 40 };

static int least(int a, int b, int c)
{
    int ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Number of letters to change, add or drop between two words (Levenshtein), case aside. */
static int distance(const char *x, const char *y)
{
    int row[LONGEST + 1], n_x = (int)strlen(x), n_y = (int)strlen(y);
    if (n_x > LONGEST || n_y > LONGEST)
        return LONGEST;
    for (int j = 0; j <= n_y; j++)
        row[j] = j;
    for (int i = 1; i <= n_x; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= n_y; j++) {
            int same = tolower((unsigned char)x[i - 1]) == tolower((unsigned char)y[j - 1]);
            int best = least(row[j] + 1, row[j - 1] + 1, diagonal + !same);
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[n_y];
}

const char *pw_suggest(const char *word, const char *const *candidates, int count, char *text, int size)
{
    int best = -1, best_distance = 3;
    for (int i = 0; i < count; i++) {
        int d = distance(word, candidates[i]);
        if (d < best_distance && d < (int)strlen(candidates[i])) {
            best = i;
            best_distance = d;
        }
    }
    if (best >= 0)
        snprintf(text, (size_t)size, ", did you mean \"%s\"?", candidates[best]);
    else
        text[0] = '\0';
    return text;
}
