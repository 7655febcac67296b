/* SPDX-License-Identifier: Apache-2.0
 *
 * What tests of kernels share: random values, grids, and all kernels that this
 * machine runs. After cmocka.h.
 */
#ifndef HANSE_TESTS_KERNEL_CASES_H
#define HANSE_TESTS_KERNEL_CASES_H

#include <math.h>

#include "engine/exact.h"
#include "engine/kernels/kernels.h"

enum {
    ROWS = HANSE_LIMB_BATCH
};

static uint64_t seed = 20;

static inline uint64_t random_bits(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed ^ (seed >> 29)) * 0xbf58476d1ce4e5b9u;
}

static inline double random_double(int low_exponent, int high_exponent)
{
    const uint64_t span = (uint64_t)(high_exponent - low_exponent + 1);
    const double mantissa = 1.0 + (double)(random_bits() >> 12) * 0x1p-52;
    const double value =
        ldexp(mantissa, low_exponent + (int)(random_bits() % span));
    return random_bits() & 1 ? -value : value;
}

static inline hanse_split_grid grid_of(hanse_window window)
{
    hanse_split_grid grid;
    assert_true(hanse_window_grid(&window, &grid));
    return grid;
}

static inline const hanse_kernels *const *all_kernels(size_t *n)
{
    static const hanse_kernels *tables[HANSE_CPU_COUNT];
    *n = 0;
    for (int cpu = 0; cpu <= (int)hanse_cpu_detect(); cpu++)
        tables[(*n)++] = hanse_kernels_of((hanse_cpu)cpu);
    return tables;
}

#endif
