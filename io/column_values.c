/* SPDX-License-Identifier: Apache-2.0
 *
 * Missing values and texts. One comparison loop per width: signed and unsigned
 * values of a width are equal when their bits are.
 */
#include "io/column_values.h"

#include <endian.h>
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

/* ---- Texts of fixed length ---------------------------------------------- */

/* Texts of a column: `size_bytes` is the same for all of them, so that branches
 * on it are foreseen; those on a text's own length would not be. */

static const uint64_t every_byte = 0x0101010101010101u;

static uint64_t load_8(const char *from)
{
    uint64_t word;
    memcpy(&word, from, sizeof word);
    return le64toh(word);
}

/* The first n < 8 bytes of a text, the first one lowest; up to `end` may be
 * read. */
static uint64_t load_head(const char *text, size_t n, const char *end)
{
    uint64_t word = 0;
    if (end - text >= 8)
        return load_8(text) & (((uint64_t)1 << (8 * n)) - 1);
    for (size_t i = 0; i < n; i++)
        word |= (uint64_t)(uint8_t)text[i] << (8 * i);
    return word;
}

/* Bytes before the last one that is not `pad`, that one included. */
static size_t padded_length(const char *text, size_t size_bytes, char pad,
                            const char *end)
{
    const uint64_t pads = every_byte * (uint8_t)pad;
    size_t n = size_bytes;
    for (; n >= 8; n -= 8) {
        const uint64_t differ = load_8(text + n - 8) ^ pads;
        if (differ != 0)
            return n - (size_t)__builtin_clzll(differ) / 8;
    }
    const uint64_t mask = ((uint64_t)1 << (8 * n)) - 1;
    const uint64_t differ = load_head(text, n, end) ^ (pads & mask);
    return differ == 0 ? 0 : 8 - (size_t)__builtin_clzll(differ) / 8;
}

/* Bytes before the first NUL. */
static size_t terminated_length(const char *text, size_t size_bytes,
                                const char *end)
{
    size_t n = 0;
    for (; n < size_bytes; n += 8) {
        const size_t left = size_bytes - n;
        uint64_t word;
        if (left >= 8)
            word = load_8(text + n);
        else if (size_bytes >= 8) /* the last bytes, then zeros */
            word = load_8(text + size_bytes - 8) >> (8 * (8 - left));
        else
            word = load_head(text, left, end);
        /* The lowest of these bits is that of the first zero byte. */
        const uint64_t zeros = (word - every_byte) & ~word & (every_byte << 7);
        if (zeros != 0)
            return n + (size_t)__builtin_ctzll(zeros) / 8;
    }
    return size_bytes;
}

static size_t stripped_length(const char *text, size_t size_bytes,
                              hanse_text_padding padding, const char *end)
{
    if (padding == HANSE_PADDING_TERMINATED)
        return terminated_length(text, size_bytes, end);
    return padded_length(text, size_bytes,
                         padding == HANSE_PADDING_SPACE ? ' ' : '\0', end);
}

/* Moves a text of `length` bytes down to `to`, and with it what is behind it,
 * up to size_bytes: steps of 16 bytes, each read before it is written. */
static void move_down(char *to, const char *text, size_t length,
                      size_t size_bytes)
{
    size_t done = 0;
    for (; done < length && size_bytes - done >= 16; done += 16) {
        uint64_t words[2];
        memcpy(words, text + done, sizeof words);
        memcpy(to + done, words, sizeof words);
    }
    if (done < length)
        memmove(to + done, text + done, size_bytes - done);
}

bool hanse_pack_fixed_texts(const char *texts, size_t n, size_t stride,
                            size_t size_bytes, hanse_text_padding padding,
                            char *packed, int32_t *offsets)
{
    const char *end = n == 0 ? texts : texts + (n - 1) * stride + size_bytes;
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        const char *text = texts + i * stride;
        const size_t length = stripped_length(text, size_bytes, padding, end);
        if (length > INT32_MAX - used)
            return false;
        offsets[i] = (int32_t)used;
        if (packed + used != text)
            move_down(packed + used, text, length, size_bytes);
        used += length;
    }
    offsets[n] = (int32_t)used;
    return true;
}

/* ---- Texts of any length ------------------------------------------------ */

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
