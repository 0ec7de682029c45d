/* What the program prints as JSON: one object on one line. */
#ifndef PW_JSON_H
#define PW_JSON_H

#include <jansson.h>
#include <stdio.h>

/* A number, null where it is not finite. */
json_t *pw_json_real(double value);

/* Prints the object and a newline, flushes, and lets the object go. */
void pw_json_print(json_t *object, FILE *out);

#endif
