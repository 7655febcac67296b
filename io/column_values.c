/* SPDX-License-Identifier: Apache-2.0
 *
 * Missing values and texts. One comparison loop per width: signed and unsigned
 * values of a width are equal when their bits are.
 */
#include "io/column_values.h"

#include <math.h>
#include <string.h>

/* Compares n values with one code; returns whether any is equal. */
#define DEFINE_MARK(name, type_)                                     \
    static unsigned name(const void *values, size_t n, int64_t code, \
                         uint8_t *mask)                              \
    {                                                                \
        const type_ *v = values;                                     \
        const type_ wanted = (type_)code;                            \
        unsigned any = 0;                                            \
        for (size_t i = 0; i < n; i++) {                             \
            const uint8_t is_equal = v[i] == wanted;                 \
            mask[i] |= is_equal;                                     \
            any |= is_equal;                                         \
        }                                                            \
        return any;                                                  \
    }

DEFINE_MARK(mark_8, uint8_t)
DEFINE_MARK(mark_16, uint16_t)
DEFINE_MARK(mark_32, uint32_t)
DEFINE_MARK(mark_64, uint64_t)

bool hanse_mark_missing(hanse_type type, const void *values, size_t n,
                        const hanse_missing_codes *missing, uint8_t *mask)
{
    unsigned any = 0;
    memset(mask, 0, n);
    for (size_t c = 0; c < missing->n; c++) {
        const int64_t code = missing->codes[c];
        switch (hanse_type_size(type)) {
        case 1:
            any |= mark_8(values, n, code, mask);
            break;
        case 2:
            any |= mark_16(values, n, code, mask);
            break;
        case 4:
            any |= mark_32(values, n, code, mask);
            break;
        default:
            any |= mark_64(values, n, code, mask);
        }
    }
    return any != 0;
}

void hanse_replace_missing(hanse_type type, void *values, size_t n,
                           const hanse_missing_codes *missing)
{
    for (size_t c = 0; c < missing->n; c++) {
        if (type == HANSE_FLOAT32) {
            float *v = values;
            const float wanted = (float)missing->values[c];
            for (size_t i = 0; i < n; i++)
                v[i] = v[i] == wanted ? NAN : v[i];
        } else {
            double *v = values;
            const double wanted = missing->values[c];
            for (size_t i = 0; i < n; i++)
                v[i] = v[i] == wanted ? (double)NAN : v[i];
        }
    }
}

bool hanse_mark_missing_texts(const char *bytes, const int32_t *offsets,
                              size_t n, const char *text, uint8_t *mask)
{
    const size_t length = strlen(text);
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        const size_t own = (size_t)(offsets[i + 1] - offsets[i]);
        const bool is_equal =
            own == length && memcmp(bytes + offsets[i], text, length) == 0;
        mask[i] = is_equal;
        any |= is_equal;
    }
    return any;
}

static size_t stripped_length(const char *text, size_t size_bytes,
                              hanse_text_padding padding)
{
    if (padding == HANSE_PADDING_TERMINATED)
        return strnlen(text, size_bytes);
    const char pad = padding == HANSE_PADDING_SPACE ? ' ' : '\0';
    while (size_bytes > 0 && text[size_bytes - 1] == pad)
        size_bytes--;
    return size_bytes;
}

bool hanse_pack_fixed_texts(const char *texts, size_t n, size_t stride,
                            size_t size_bytes, hanse_text_padding padding,
                            char *packed, int32_t *offsets)
{
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        const char *text = texts + i * stride;
        const size_t length = stripped_length(text, size_bytes, padding);
        if (length > INT32_MAX - used)
            return false;
        offsets[i] = (int32_t)used;
        memmove(packed + used, text, length);
        used += length;
    }
    offsets[n] = (int32_t)used;
    return true;
}

static const char *pointer_at(const void *pointers, size_t i, size_t stride)
{
    const char *text;
    memcpy(&text, (const char *)pointers + i * stride, sizeof text);
    return text;
}

bool hanse_measure_texts(const void *pointers, size_t n, size_t stride,
                         int32_t *offsets)
{
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        const char *text = pointer_at(pointers, i, stride);
        const size_t length = text != NULL ? strlen(text) : 0;
        if (length > INT32_MAX - used)
            return false;
        offsets[i] = (int32_t)used;
        used += length;
    }
    offsets[n] = (int32_t)used;
    return true;
}

void hanse_pack_texts(const void *pointers, size_t n, size_t stride,
                      const int32_t *offsets, char *packed)
{
    for (size_t i = 0; i < n; i++) {
        const size_t length = (size_t)(offsets[i + 1] - offsets[i]);
        if (length > 0)
            memcpy(packed + offsets[i], pointer_at(pointers, i, stride),
                   length);
    }
}
