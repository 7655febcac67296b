/* SPDX-License-Identifier: Apache-2.0
 *
 * How columns are stored, from options.
 */
#include "cli/storage_options.h"

#include <string.h>

#include "cli/command.h"
#include "cli/options.h"

bool hanse_parse_rows(const char *text, uint64_t *out)
{
    char plain[64];
    size_t n = 0;
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '_' && p != text)
            continue;
        if (n + 1 == sizeof plain)
            return false;
        plain[n++] = *p;
    }
    plain[n] = '\0';
    char *exponent = strpbrk(plain, "eE");
    uint64_t zeros = 0;
    if (exponent != NULL) {
        *exponent = '\0';
        if (!hanse_parse_count(exponent + 1, &zeros) || zeros > 19)
            return false;
    }
    uint64_t value;
    if (!hanse_parse_count(plain, &value))
        return false;
    for (; zeros > 0; zeros--)
        if (__builtin_mul_overflow(value, 10u, &value))
            return false;
    *out = value;
    return true;
}

int hanse_storage_from_words(const hanse_storage_words *words,
                             hanse_storage *out)
{
    hanse_error error = {0};
    hanse_storage storage = {.chunk_rows = words->chunk_rows,
                             .shuffle = words->shuffle};
    if (words->compression != NULL &&
        hanse_storage_parse_compression(&storage, words->compression, &error) !=
            HANSE_OK)
        return hanse_usage_error("--compress: %s", error.message);
    if (words->layout != NULL && strcmp(words->layout, "contiguous") != 0 &&
        strcmp(words->layout, "chunked") != 0)
        return hanse_usage_error("--layout: expected contiguous or chunked, "
                                 "found '%s'",
                                 words->layout);
    if (words->layout != NULL)
        storage.chunked = strcmp(words->layout, "chunked") == 0;
    else
        storage.chunked = storage.chunk_rows != 0 || storage.shuffle ||
                          storage.compression != HANSE_COMPRESSION_NONE;
    if (storage.chunked && storage.chunk_rows == 0)
        storage.chunk_rows = HANSE_DEFAULT_CHUNK_ROWS;
    *out = storage;
    return HANSE_EXIT_DONE;
}
