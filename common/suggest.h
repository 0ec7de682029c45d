/* "Did you mean" for a near miss. */
#ifndef PW_SUGGEST_H
#define PW_SUGGEST_H

/* Writes `, did you mean "NAME"?` into text [size] if one of the candidates is close to `word`, else "".
 * Returns text. */
const char *pw_suggest(const char *word, const char *const *candidates, int count, char *text, int size);

#endif
