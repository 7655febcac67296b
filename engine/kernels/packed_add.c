/* SPDX-License-Identifier: Apache-2.0
 *
 * The add to packed states for any machine; it defines the result.
 */
#define KERNEL(name) name##_scalar
#define TARGET
#include "engine/kernels/packed_add_body.h"

TARGET bool hanse_packed_add_scalar(int64_t *restrict states,
                                    const uint32_t *restrict groups,
                                    hanse_line_measure *measures,
                                    size_t n_measures, size_t n)
{
    return add_by_measure(states, groups, measures, n_measures, n);
}

enum {
    LOWER_BITS = 53
};

/* A sum is upper * 2^53 + lower with 0 <= lower < 2^53. While upper is within
 * 2^53 as well, conversions and product are exact, and the addition is the only
 * step that rounds. */
bool hanse_packed_round(const int64_t *restrict states, size_t n_lanes,
                        size_t measure, const uint32_t *restrict groups,
                        size_t n, double unit, double *restrict out)
{
    const int64_t *first = states + HANSE_PACKED_LANES * measure;
    const int count_bits = measure == 0 ? 64 - HANSE_PACKED_SUM_BITS : 0;
    const uint64_t limit = (uint64_t)1 << LOWER_BITS;
    uint64_t seen = 0;
    for (size_t i = 0; i < n; i++) {
        const int64_t *lanes = first + groups[i] * n_lanes;
        const uint64_t low = (uint64_t)lanes[0];
        const int64_t high =
            (int64_t)((uint64_t)lanes[1] << count_bits) >> count_bits;
        const int64_t upper =
            (int64_t)((uint64_t)high << (64 - LOWER_BITS) | low >> LOWER_BITS);
        const int64_t lower = (int64_t)(low & (limit - 1));
        seen |= (uint64_t)upper + limit;
        out[i] = ((double)upper * 0x1p53 + (double)lower) * unit;
    }
    return seen < 2 * limit;
}
