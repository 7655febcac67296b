/* SPDX-License-Identifier: Apache-2.0
 *
 * Scalar kernels of group_add.h; they define the result. Integer adds are
 * associative, so every order gives the same states.
 */
#include "engine/kernels/group_add.h"

enum {
    LINE = 8
}; /* lanes in a cache line */

/* Bits 62 and 63 of limb + 2^61 are clear as long as the limb is guarded. */
static const uint64_t guard_bias = (uint64_t)1 << 61;
static const uint64_t guard_mask = (uint64_t)3 << 62;

bool hanse_group_add_i64(int64_t *restrict states, size_t stride,
                         const uint32_t *restrict groups,
                         const int64_t *restrict rows, size_t n_lanes, size_t n)
{
    uint64_t seen[LINE] = {0};
    for (size_t i = 0; i < n; i++) {
        int64_t *state = states + (size_t)groups[i] * stride;
        const int64_t *row = rows + i * n_lanes;
        for (size_t line = 0; line < n_lanes; line += LINE) {
            for (size_t l = 0; l < LINE; l++) {
                const int64_t sum = state[line + l] + row[line + l];
                state[line + l] = sum;
                seen[l] |= (uint64_t)sum + guard_bias;
            }
        }
    }
    uint64_t any = 0;
    for (size_t l = 0; l < LINE; l++)
        any |= seen[l];
    return (any & guard_mask) != 0;
}

bool hanse_total_add_i64(int64_t *restrict state, const int64_t *restrict rows,
                         size_t n_lanes, size_t n)
{
    uint64_t any = 0;
    for (size_t line = 0; line < n_lanes; line += LINE) {
        int64_t sum[LINE];
        for (size_t l = 0; l < LINE; l++)
            sum[l] = state[line + l];
        for (size_t i = 0; i < n; i++)
            for (size_t l = 0; l < LINE; l++)
                sum[l] += rows[i * n_lanes + line + l];
        for (size_t l = 0; l < LINE; l++) {
            state[line + l] = sum[l];
            any |= (uint64_t)sum[l] + guard_bias;
        }
    }
    return (any & guard_mask) != 0;
}
