/* SPDX-License-Identifier: Apache-2.0
 *
 * Flat messages between processes of one machine: numbers and byte strings one
 * after another, in the machine's byte order. A reader believes nothing: it
 * never goes beyond the end, and one failure makes all further reads fail, so
 * that callers check once.
 */
#ifndef HANSE_IO_MESSAGE_H
#define HANSE_IO_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A message being written. Zero-initialise; free(bytes) at the end. */
typedef struct hanse_message {
    uint8_t *bytes;
    size_t n;
    size_t capacity;
    bool failed; /* out of memory */
} hanse_message;

void hanse_message_put_u64(hanse_message *message, uint64_t value);
void hanse_message_put_bytes(hanse_message *message, const void *bytes,
                             size_t n);
/* A text with its length; NULL is told from "". */
void hanse_message_put_text(hanse_message *message, const char *text);

/* A message being read. */
typedef struct hanse_cursor {
    const uint8_t *next;
    size_t left;
    bool failed; /* cut off, or something in it is impossible */
} hanse_cursor;

/* 0 after a failure. */
uint64_t hanse_cursor_get_u64(hanse_cursor *cursor);

/* A number that must not exceed `most`. */
uint64_t hanse_cursor_get_below(hanse_cursor *cursor, uint64_t most);

/* Copies n bytes; leaves `out` alone after a failure. */
void hanse_cursor_get_bytes(hanse_cursor *cursor, void *out, size_t n);

/* A text of at most `most` bytes without zero bytes, from malloc; NULL for
 * NULL and after a failure. */
char *hanse_cursor_get_text(hanse_cursor *cursor, size_t most);

#endif
