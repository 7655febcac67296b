/* SPDX-License-Identifier: Apache-2.0
 *
 * Splits for any machine: the scalar version of the float kernels, and those
 * of integers, which every compiler vectorises as they stand.
 */
#define KERNEL(name) name##_scalar
#define TARGET
#include "engine/kernels/exact_split_body.h"

static const int64_t limb_mask = ((int64_t)1 << HANSE_LIMB_BITS) - 1;

void hanse_split_i64(const int64_t *restrict x, size_t n,
                     int64_t *restrict lanes)
{
    for (size_t i = 0; i < n; i++) {
        lanes[i] = x[i] & limb_mask;
        lanes[HANSE_LIMB_BATCH + i] = x[i] >> HANSE_LIMB_BITS;
    }
}

void hanse_split_u64(const uint64_t *restrict x, size_t n,
                     int64_t *restrict lanes)
{
    for (size_t i = 0; i < n; i++) {
        lanes[i] = (int64_t)x[i] & limb_mask;
        lanes[HANSE_LIMB_BATCH + i] = (int64_t)(x[i] >> HANSE_LIMB_BITS);
    }
}

void hanse_split_square_i64(const int64_t *restrict x, size_t n,
                            int is_unsigned, int64_t *restrict lanes)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t pattern = (uint64_t)x[i];
        const uint64_t size =
            is_unsigned || x[i] >= 0 ? pattern : (uint64_t)0 - pattern;
        const unsigned __int128 square = (unsigned __int128)size * size;
        lanes[i] = (int64_t)square & limb_mask;
        lanes[HANSE_LIMB_BATCH + i] =
            (int64_t)(square >> HANSE_LIMB_BITS) & limb_mask;
        lanes[2 * HANSE_LIMB_BATCH + i] =
            (int64_t)(square >> (2 * HANSE_LIMB_BITS));
    }
}
