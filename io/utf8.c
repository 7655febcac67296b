/* SPDX-License-Identifier: Apache-2.0
 *
 * UTF-8 decoding by the table of well-formed byte sequences of the Unicode
 * standard (table 3-7).
 */
#include "io/utf8.h"

#include <stdlib.h>
#include <string.h>

static bool is_continuation(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

size_t hanse_utf8_decode(const char *text, uint32_t *code_point)
{
    const unsigned char *b = (const unsigned char *)text;
    if (b[0] < 0x80) {
        *code_point = b[0];
        return 1;
    }
    if (b[0] >= 0xC2 && b[0] <= 0xDF && is_continuation(b[1])) {
        *code_point = (b[0] & 0x1Fu) << 6 | (b[1] & 0x3Fu);
        return 2;
    }
    if ((b[0] & 0xF0) == 0xE0 && is_continuation(b[1]) &&
        is_continuation(b[2])) {
        *code_point =
            (b[0] & 0x0Fu) << 12 | (b[1] & 0x3Fu) << 6 | (b[2] & 0x3Fu);
        const bool surrogate = *code_point >= 0xD800 && *code_point <= 0xDFFF;
        return *code_point < 0x800 || surrogate ? 0 : 3;
    }
    if (b[0] >= 0xF0 && b[0] <= 0xF4 && is_continuation(b[1]) &&
        is_continuation(b[2]) && is_continuation(b[3])) {
        *code_point = (b[0] & 0x07u) << 18 | (b[1] & 0x3Fu) << 12 |
                      (b[2] & 0x3Fu) << 6 | (b[3] & 0x3Fu);
        return *code_point < 0x10000 || *code_point > 0x10FFFF ? 0 : 4;
    }
    return 0;
}

bool hanse_utf8_is_valid(const char *text)
{
    uint32_t code_point;
    while (*text != '\0') {
        const size_t n = hanse_utf8_decode(text, &code_point);
        if (n == 0)
            return false;
        text += n;
    }
    return true;
}

size_t hanse_utf8_escaped_length(const char *text)
{
    uint32_t code_point;
    size_t length = 0;
    while (*text != '\0') {
        const size_t n = hanse_utf8_decode(text, &code_point);
        length += n == 0 ? strlen("\\xHH") : n;
        text += n == 0 ? 1 : n;
    }
    return length;
}

void hanse_utf8_escape(const char *text, char *out)
{
    static const char digits[] = "0123456789ABCDEF";
    uint32_t code_point;
    while (*text != '\0') {
        const size_t n = hanse_utf8_decode(text, &code_point);
        if (n == 0) {
            const unsigned char byte = (unsigned char)*text++;
            *out++ = '\\';
            *out++ = 'x';
            *out++ = digits[byte >> 4];
            *out++ = digits[byte & 15];
            continue;
        }
        memcpy(out, text, n);
        out += n;
        text += n;
    }
    *out = '\0';
}

/* Bytes of the control character at `p`; 0: there is none. */
static size_t control_bytes(const char *p)
{
    const unsigned char first = (unsigned char)p[0];
    const unsigned char second = (unsigned char)(first != 0 ? p[1] : 0);
    if ((first < 0x20 && first != 0) || first == 0x7F)
        return 1;
    return first == 0xC2 && second >= 0x80 && second <= 0x9F ? 2 : 0;
}

bool hanse_utf8_is_printable(const char *text)
{
    for (const char *p = text; *p != '\0'; p++)
        if (control_bytes(p) != 0)
            return false;
    return hanse_utf8_is_valid(text);
}

char *hanse_utf8_show(const char *text)
{
    char *copy = malloc(hanse_utf8_escaped_length(text) + 1);
    if (copy == NULL)
        return NULL;
    hanse_utf8_escape(text, copy);
    char *out = copy;
    for (const char *p = copy; *p != '\0'; out++) {
        const size_t n = control_bytes(p);
        *out = n != 0 ? '?' : *p;
        p += n != 0 ? n : 1;
    }
    *out = '\0';
    return copy;
}
