/* SPDX-License-Identifier: Apache-2.0
 *
 * The usual fold where there are very many groups: a state without room to
 * spare. The two limbs of a measure are one 128-bit integer in units of the
 * window's lowest bit, and the count of rows is in the top 16 bits of the
 * first one, so that three measures take 48 bytes instead of 64.
 *
 *     lane 2 m      low word of the sum of measure m
 *     lane 2 m + 1  high word; of measure 0: 2^48 count + high word
 *
 * A value of a window of two limbs is below 2^102. A state is guarded while
 * its count is below 2^15 and its sums are within +-2^110; a batch adds less
 * than 2^15 rows and 2^110, so that nothing is lost before the caller, told
 * that a state left its guard, goes over to states of limbs.
 */
#ifndef HANSE_ENGINE_KERNELS_PACKED_ADD_H
#define HANSE_ENGINE_KERNELS_PACKED_ADD_H

#include "engine/kernels/line_add.h"

enum {
    HANSE_PACKED_MEASURES = 16, /* at the most */
    HANSE_PACKED_LANES = 2,     /* of a measure */
    HANSE_PACKED_SUM_BITS = 48
};

#define HANSE_PACKED_BIAS ((uint64_t)1 << 46)

/* Bits that are clear in high word + bias of a guarded state. */
static inline uint64_t hanse_packed_mask(size_t measure)
{
    const uint64_t high = (uint64_t)1 << 47;
    return measure == 0 ? high | (uint64_t)1 << 63 : (uint64_t)0 - high;
}

static inline bool hanse_packed_guarded(int64_t high, size_t measure)
{
    return (((uint64_t)high + HANSE_PACKED_BIAS) &
            hanse_packed_mask(measure)) == 0;
}

/* High word of the sum of measure 0. */
static inline int64_t hanse_packed_high(int64_t lane)
{
    const int spare = 64 - HANSE_PACKED_SUM_BITS;
    return (int64_t)((uint64_t)lane << spare) >> spare;
}

/* A high word is at least -2^47. */
static inline int64_t hanse_packed_count(const int64_t *state)
{
    const uint64_t least = (uint64_t)1 << (HANSE_PACKED_SUM_BITS - 1);
    return (int64_t)(((uint64_t)state[1] + least) >> HANSE_PACKED_SUM_BITS);
}

/* The two limbs of a measure; the upper one is within its guard. */
static inline void hanse_packed_limbs(const int64_t *state, size_t measure,
                                      int64_t limbs[2])
{
    const int64_t *lanes = state + HANSE_PACKED_LANES * measure;
    const uint64_t low = (uint64_t)lanes[0];
    const int64_t high = measure == 0 ? hanse_packed_high(lanes[1]) : lanes[1];
    limbs[0] = (int64_t)(low & (((uint64_t)1 << HANSE_LIMB_BITS) - 1));
    limbs[1] = (int64_t)((uint64_t)high << (64 - HANSE_LIMB_BITS) |
                         low >> HANSE_LIMB_BITS);
}

/* out[i] = sum of `measure` in states[groups[i] * n_lanes], rounded to nearest
 * even, times `unit`, a power of two that scales numbers from 1 to 2^107
 * exactly. Returns false when some sum is beyond 2^106 units; `out` is then of
 * no use. One loop serves all instruction sets: its loads are not consecutive.
 */
bool hanse_packed_round(const int64_t *restrict states, size_t n_lanes,
                        size_t measure, const uint32_t *restrict groups,
                        size_t n, double unit, double *restrict out);

/* As hanse_line_add_function, for 1 to HANSE_PACKED_MEASURES measures and
 * states of HANSE_PACKED_LANES lanes a measure, without alignment. Returns true
 * when a state was outside its guard. */
hanse_line_add_function hanse_packed_add_scalar;
hanse_line_add_function hanse_packed_add_avx2;
hanse_line_add_function hanse_packed_add_avx512;

#endif
