/* SPDX-License-Identifier: Apache-2.0
 *
 * Status texts, error messages and suggestions.
 */
#include "engine/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *hanse_version(void)
{
    return HANSE_VERSION_STRING;
}

const char *hanse_status_name(hanse_status status)
{
    switch (status) {
#define STATUS_NAME(name, text) \
    case HANSE_##name:          \
        return "HANSE_" #name;
        HANSE_STATUS_MAP(STATUS_NAME)
#undef STATUS_NAME
    case HANSE_STATUS_COUNT:
        break;
    }
    return "HANSE_ERR_UNKNOWN";
}

const char *hanse_status_text(hanse_status status)
{
    switch (status) {
#define STATUS_TEXT(name, text) \
    case HANSE_##name:          \
        return text;
        HANSE_STATUS_MAP(STATUS_TEXT)
#undef STATUS_TEXT
    case HANSE_STATUS_COUNT:
        break;
    }
    return "unknown status";
}

hanse_status hanse_fail(hanse_error *error, hanse_status status,
                        const char *format, ...)
{
    if (error != NULL) {
        va_list arguments;
        va_start(arguments, format);
        error->status = status;
        vsnprintf(error->message, sizeof error->message, format, arguments);
        va_end(arguments);
    }
    return status;
}

hanse_status hanse_fail_nomem(hanse_error *error, const char *what,
                              size_t size_bytes)
{
    return hanse_fail(error, HANSE_ERR_NOMEM, "out of memory: %s, %zu bytes",
                      what, size_bytes);
}

void hanse_error_prefix(hanse_error *error, const char *format, ...)
{
    if (error == NULL)
        return;
    char old[HANSE_ERROR_SIZE];
    memcpy(old, error->message, sizeof old);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    const size_t used = strlen(error->message);
    snprintf(error->message + used, sizeof error->message - used, ": %s", old);
}

/* Levenshtein distance of two names of at most 63 bytes, one row at a time. */
static size_t edit_distance(const char *a, size_t n_a, const char *b,
                            size_t n_b)
{
    size_t row[64];
    for (size_t j = 0; j <= n_b; j++)
        row[j] = j;
    for (size_t i = 1; i <= n_a; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n_b; j++) {
            const size_t substitute = diagonal + (a[i - 1] != b[j - 1]);
            const size_t shift = (row[j] < row[j - 1] ? row[j] : row[j - 1]);
            diagonal = row[j];
            row[j] = shift + 1 < substitute ? shift + 1 : substitute;
        }
    }
    return row[n_b];
}

const char *hanse_suggest(const char *name, const char *const *names,
                          size_t n_names)
{
    const size_t n = strlen(name);
    const char *best = NULL;
    size_t best_distance = n / 3 + 1;
    if (n >= 64)
        return NULL;
    for (size_t i = 0; i < n_names; i++) {
        const size_t n_i = strlen(names[i]);
        if (n_i >= 64)
            continue;
        const size_t distance = edit_distance(name, n, names[i], n_i);
        if (distance <= best_distance &&
            (best == NULL || distance < best_distance)) {
            best = names[i];
            best_distance = distance;
        }
    }
    return best;
}
