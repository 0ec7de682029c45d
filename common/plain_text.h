/* Text that can stand in a message, a table or a trace. */
#ifndef PW_PLAIN_TEXT_H
#define PW_PLAIN_TEXT_H

#include <stddef.h>

/* The first place in `text` that is not plain: a control character other than a tab, a line or paragraph
 * separator, a byte order mark, or bytes that are not UTF-8. NULL if there is none. */
const char *pw_find_unplain(const char *text);

/* The line, 1 being the first, of the first NUL among `size` bytes; 0 if there is none. */
int pw_nul_line(const char *bytes, size_t size);

/* Puts a question mark for every byte that is not UTF-8, such as half a letter where a text was cut. */
void pw_repair_utf8(char *text);

#endif
