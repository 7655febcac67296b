/* SPDX-License-Identifier: Apache-2.0
 *
 * Allocation that fails when a test wants it to, in programs that are linked
 * with -Wl,--wrap= of these functions.
 */
#ifndef HANSE_TESTS_REFUSED_MEMORY_H
#define HANSE_TESTS_REFUSED_MEMORY_H

#include <stdbool.h>
#include <stdlib.h>

static bool armed;
static bool once;       /* only one allocation fails */
static long calls_left; /* before that */

static bool refused(void)
{
    if (!armed || calls_left-- > 0)
        return false;
    return calls_left == -1 || !once;
}

#define WRAP(result, name, parameters, arguments) \
    result __real_##name parameters;              \
    result __wrap_##name parameters;              \
    result __wrap_##name parameters               \
    {                                             \
        if (refused())                            \
            return NULL;                          \
        return __real_##name arguments;           \
    }

WRAP(void *, malloc, (size_t n), (n))
WRAP(void *, calloc, (size_t n, size_t size), (n, size))
WRAP(void *, realloc, (void *old, size_t n), (old, n))
WRAP(void *, aligned_alloc, (size_t alignment, size_t n), (alignment, n))

#undef WRAP

#endif
