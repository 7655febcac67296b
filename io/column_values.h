/* SPDX-License-Identifier: Apache-2.0
 *
 * From decoded values to the arrays of a batch: texts without their padding,
 * missing values marked. Knows nothing of HDF5, needs no lock, and serves
 * whoever decodes.
 */
#ifndef HANSE_IO_COLUMN_VALUES_H
#define HANSE_IO_COLUMN_VALUES_H

#include "engine/hanse.h"

typedef enum hanse_text_padding {
    HANSE_PADDING_TERMINATED, /* up to the first zero byte or the end */
    HANSE_PADDING_ZERO,       /* without the zero bytes at the end */
    HANSE_PADDING_SPACE       /* without the spaces at the end */
} hanse_text_padding;

enum {
    HANSE_MAX_MISSING_CODES = 16
};

/* Values that a column declares to mean "missing". Integers, booleans: codes,
 * as the bits of an int64_t or uint64_t; floats: values, already rounded to
 * the column's type; texts: text. Zero-initialised: none. */
typedef struct hanse_missing_codes {
    size_t n;
    int64_t codes[HANSE_MAX_MISSING_CODES];
    double values[HANSE_MAX_MISSING_CODES];
    char *text; /* from malloc, NULL: none */
} hanse_missing_codes;

/* Sets mask[i] to 1 where values[i] is a missing code, else 0; false when none
 * is, and the mask is then not worth having. Integer types and HANSE_BOOL. */
bool hanse_mark_missing(hanse_type type, const void *values, size_t n,
                        const hanse_missing_codes *missing, uint8_t *mask);

/* Puts NaN in the place of missing values; HANSE_FLOAT32 and HANSE_FLOAT64. */
void hanse_replace_missing(hanse_type type, void *values, size_t n,
                           const hanse_missing_codes *missing);

/* As hanse_mark_missing, for texts. */
bool hanse_mark_missing_texts(const char *bytes, const int32_t *offsets,
                              size_t n, const char *text, uint8_t *mask);

/* Strips n texts of size_bytes each, which start stride bytes apart, and packs
 * them: text i becomes bytes offsets[i] to offsets[i + 1] - 1 of `packed`
 * (room for n * size_bytes), offsets has n + 1 entries. `packed` may be `texts`
 * itself. False when they exceed INT32_MAX bytes; offsets are then unset. */
bool hanse_pack_fixed_texts(const char *texts, size_t n, size_t stride,
                            size_t size_bytes, hanse_text_padding padding,
                            char *packed, int32_t *offsets);

/* The offsets of n terminated texts, the pointers to which lie stride bytes
 * apart; NULL is the empty text. False as above. */
bool hanse_measure_texts(const void *pointers, size_t n, size_t stride,
                         int32_t *offsets);

/* Copies those texts to where the offsets say. */
void hanse_pack_texts(const void *pointers, size_t n, size_t stride,
                      const int32_t *offsets, char *packed);

#endif
