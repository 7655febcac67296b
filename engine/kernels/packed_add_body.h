/* SPDX-License-Identifier: Apache-2.0
 *
 * The add of packed_add.h. Each instruction set includes this with KERNEL(name)
 * and TARGET and makes its kernel of add_by_measure: the split and the making
 * of 128-bit values are vector code, the adds with carry are not.
 */
#include "engine/kernels/packed_add.h"

/* 128-bit values of a measure's rows. */
typedef struct words {
    uint64_t low[HANSE_LIMB_BATCH];
    uint64_t high[HANSE_LIMB_BATCH];
} words;

/* piece_0 + 2^51 piece_1 */
static inline TARGET void join_pieces(const int64_t *restrict lanes, size_t n,
                                      words *restrict out)
{
    const int64_t *upper = lanes + HANSE_LIMB_BATCH;
    for (size_t i = 0; i < n; i++) {
        const uint64_t shifted = (uint64_t)upper[i] << HANSE_LIMB_BITS;
        const uint64_t low = shifted + (uint64_t)lanes[i];
        out->low[i] = low;
        out->high[i] = (uint64_t)(upper[i] >> (64 - HANSE_LIMB_BITS)) +
                       (uint64_t)(lanes[i] >> 63) + (low < shifted);
    }
}

/* Adds the values, and `one` to the high words, to lanes 0 and 1 of the
 * states; returns what shows those outside their guard. */
static inline TARGET __attribute__((always_inline)) uint64_t
add_words(int64_t *restrict states, const uint32_t *restrict groups,
          size_t n_lanes, const words *restrict values, uint64_t one, size_t n)
{
    uint64_t seen = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t *state = states + groups[i] * n_lanes;
        if (one != 0 && i + HANSE_PREFETCH_ROWS < n)
            hanse_prefetch_state(
                states + groups[i + HANSE_PREFETCH_ROWS] * n_lanes, n_lanes);
        const uint64_t low = (uint64_t)state[0] + values->low[i];
        const uint64_t high =
            (uint64_t)state[1] + values->high[i] + one + (low < values->low[i]);
        state[0] = (int64_t)low;
        state[1] = (int64_t)high;
        seen |= high + HANSE_PACKED_BIAS;
    }
    return seen;
}

static TARGET bool add_by_measure(int64_t *restrict states,
                                  const uint32_t *restrict groups,
                                  hanse_line_measure *measures,
                                  size_t n_measures, size_t n)
{
    _Alignas(64) int64_t lanes[2 * HANSE_LIMB_BATCH];
    _Alignas(64) words values;
    uint64_t outside = 0;
    for (size_t m = 0; m < n_measures; m++) {
        hanse_line_measure *measure = &measures[m];
        const uint64_t one = m == 0 ? (uint64_t)1 << HANSE_PACKED_SUM_BITS : 0;
        measure->n_bad = KERNEL(hanse_split_f64)(measure->x, n, measure->grid,
                                                 lanes, measure->bad);
        join_pieces(lanes, n, &values);
        outside |= add_words(states + HANSE_PACKED_LANES * m, groups,
                             HANSE_PACKED_LANES * n_measures, &values, one, n) &
                   hanse_packed_mask(m);
    }
    return outside != 0;
}
