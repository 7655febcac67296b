/* SPDX-License-Identifier: Apache-2.0
 *
 * Filling in a hanse_error, and passing failures on.
 */
#ifndef HANSE_ENGINE_BASE_ERROR_H
#define HANSE_ENGINE_BASE_ERROR_H

#include "engine/hanse.h"

/* Returns from the calling function when the call fails. Only where nothing
 * is owned; elsewhere use labels. */
#define HANSE_TRY(call)                                \
    do {                                               \
        const hanse_status hanse_try_status_ = (call); \
        if (hanse_try_status_ != HANSE_OK)             \
            return hanse_try_status_;                  \
    } while (0)

/* Writes status and message ("what, expected, found, what to do") to `error`
 * unless that is NULL, cutting what does not fit. Returns `status`, so that
 * `return hanse_fail(error, ...)` reads well. */
__attribute__((format(printf, 3, 4))) hanse_status
hanse_fail(hanse_error *error, hanse_status status, const char *format, ...);

/* Returns HANSE_ERR_ARGUMENT from a function of the public interface when a
 * pointer that it needs is NULL. */
#define HANSE_REQUIRE(pointer, error)                                      \
    do {                                                                   \
        if ((pointer) == NULL)                                             \
            return hanse_fail(error, HANSE_ERR_ARGUMENT, "%s: %s is NULL", \
                              __func__, #pointer);                         \
    } while (0)

/* "out of memory: <what>, <size> bytes"; `error` may be NULL. */
hanse_status hanse_fail_nomem(hanse_error *error, const char *what,
                              size_t size_bytes);

/* Puts "<context>: " before the message of an error that is already set. */
__attribute__((format(printf, 2, 3))) void
hanse_error_prefix(hanse_error *error, const char *format, ...);

/* The entry of `names` that is nearest to `name` by edit distance, for "did
 * you mean"; NULL when none is near (distance over a third of the length). */
const char *hanse_suggest(const char *name, const char *const *names,
                          size_t n_names);

#endif
