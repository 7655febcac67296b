/* SPDX-License-Identifier: Apache-2.0
 *
 * UTF-8, checked: overlong forms, surrogates and values beyond U+10FFFF are
 * not UTF-8.
 */
#ifndef HANSE_IO_UTF8_H
#define HANSE_IO_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes (1 to 4) of the character that starts at `text`, a terminated string
 * that is not at its end, and its code point; 0 when it is not UTF-8. */
size_t hanse_utf8_decode(const char *text, uint32_t *code_point);

/* Whether a terminated string is UTF-8 throughout. */
bool hanse_utf8_is_valid(const char *text);

/* Bytes that hanse_utf8_escape writes, without the terminator. */
size_t hanse_utf8_escaped_length(const char *text);

/* Copies the text, every byte that is not part of a valid character as \xHH.
 * `out` has room for hanse_utf8_escaped_length(text) + 1 bytes. */
void hanse_utf8_escape(const char *text, char *out);

/* Whether a text is UTF-8 without control characters (C0, DEL, C1). */
bool hanse_utf8_is_printable(const char *text);

/* A copy that is printable, from malloc: other bytes escaped, control
 * characters shown as "?". NULL when memory is exhausted. */
char *hanse_utf8_show(const char *text);

#endif
