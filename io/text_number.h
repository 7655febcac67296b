/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers in text, as people write them into tables: never anything that only
 * begins like one, and floating point rounded correctly.
 */
#ifndef HANSE_IO_TEXT_NUMBER_H
#define HANSE_IO_TEXT_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum hanse_text_kind {
    HANSE_KIND_WORDS,   /* no number */
    HANSE_KIND_INTEGER, /* sign, digits */
    HANSE_KIND_DECIMAL  /* with a point or an exponent */
} hanse_text_kind;

/* A number as it is written. */
typedef struct hanse_text_number {
    hanse_text_kind kind;
    bool negative;
    bool plus;        /* a + in front */
    bool zero_led;    /* a zero in front of another digit: "007", "00.5" */
    bool cut;         /* more digits than `digits` holds */
    uint64_t digits;  /* all, up to 19 significant ones; the magnitude of an
                       * integer that is not cut */
    int64_t exponent; /* of ten, to the digits; not if cut */
} hanse_text_number;

/* Reads n bytes, without blanks around them. `point`: '.' or ','. */
hanse_text_number hanse_text_number_read(const char *text, size_t n,
                                         char point);

/* The magnitude of an integer; false when it does not fit in 64 bits. */
bool hanse_text_number_magnitude(const hanse_text_number *number,
                                 const char *text, size_t n, uint64_t *out);

/* The nearest double, ties to even, or the nearest float as a double; of the
 * text that `number` was read from. False when it is beyond the type's range,
 * or has over 500 characters. */
bool hanse_text_number_double(const hanse_text_number *number, const char *text,
                              size_t n, char point, double *out);
bool hanse_text_number_float(const char *text, size_t n, char point,
                             float *out);

#endif
