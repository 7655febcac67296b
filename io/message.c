/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing and reading flat messages.
 */
#include "io/message.h"

#include <stdlib.h>
#include <string.h>

static bool reserve(hanse_message *message, size_t n)
{
    if (message->failed || n > SIZE_MAX / 2 - message->n) {
        message->failed = true;
        return false;
    }
    if (message->n + n <= message->capacity)
        return true;
    size_t wanted = message->capacity == 0 ? 4096 : 2 * message->capacity;
    if (wanted < message->n + n)
        wanted = message->n + n;
    uint8_t *larger = realloc(message->bytes, wanted);
    if (larger == NULL) {
        message->failed = true;
        return false;
    }
    message->bytes = larger;
    message->capacity = wanted;
    return true;
}

void hanse_message_put_bytes(hanse_message *message, const void *bytes,
                             size_t n)
{
    if (n == 0 || !reserve(message, n))
        return;
    memcpy(message->bytes + message->n, bytes, n);
    message->n += n;
}

void hanse_message_put_u64(hanse_message *message, uint64_t value)
{
    hanse_message_put_bytes(message, &value, sizeof value);
}

void hanse_message_put_text(hanse_message *message, const char *text)
{
    if (text == NULL) {
        hanse_message_put_u64(message, UINT64_MAX);
        return;
    }
    const size_t n = strlen(text);
    hanse_message_put_u64(message, n);
    hanse_message_put_bytes(message, text, n);
}

void hanse_cursor_get_bytes(hanse_cursor *cursor, void *out, size_t n)
{
    if (cursor->failed || n > cursor->left) {
        cursor->failed = true;
        return;
    }
    if (n != 0)
        memcpy(out, cursor->next, n);
    cursor->next += n;
    cursor->left -= n;
}

uint64_t hanse_cursor_get_u64(hanse_cursor *cursor)
{
    uint64_t value = 0;
    hanse_cursor_get_bytes(cursor, &value, sizeof value);
    return value;
}

uint64_t hanse_cursor_get_below(hanse_cursor *cursor, uint64_t most)
{
    const uint64_t value = hanse_cursor_get_u64(cursor);
    if (value <= most)
        return value;
    cursor->failed = true;
    return 0;
}

char *hanse_cursor_get_text(hanse_cursor *cursor, size_t most)
{
    const uint64_t n = hanse_cursor_get_u64(cursor);
    if (n == UINT64_MAX && !cursor->failed)
        return NULL;
    if (n > most || n > cursor->left)
        cursor->failed = true;
    if (cursor->failed)
        return NULL;
    char *text = malloc((size_t)n + 1);
    if (text == NULL) {
        cursor->failed = true;
        return NULL;
    }
    hanse_cursor_get_bytes(cursor, text, (size_t)n);
    text[n] = '\0';
    if (strlen(text) != n) {
        cursor->failed = true;
        free(text);
        return NULL;
    }
    return text;
}
