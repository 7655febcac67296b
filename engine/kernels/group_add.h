/* SPDX-License-Identifier: Apache-2.0
 *
 * Adding rows of integer pieces to the states of their groups: one integer
 * add of a cache line per row, whatever the number of measures in it.
 */
#ifndef HANSE_ENGINE_KERNELS_GROUP_ADD_H
#define HANSE_ENGINE_KERNELS_GROUP_ADD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HANSE_LINE_LANES = 8, /* lanes of a cache line */
    /* How many rows ahead the states of groups are asked for: with millions of
     * groups a state comes from memory, some 100 ns, some 20 rows, away. */
    HANSE_PREFETCH_ROWS = 24
};

/* Asks for a state whose lines may be cut by those of the cache. */
static inline void hanse_prefetch_state(const int64_t *state, size_t n_lanes)
{
    for (size_t lane = 0; lane < n_lanes; lane += HANSE_LINE_LANES)
        __builtin_prefetch(state + lane, 1);
    __builtin_prefetch(state + n_lanes - 1, 1);
}

/* A limb is within its guard while it lies in [-2^61, 2^61): then bits 62 and
 * 63 of limb + 2^61 are clear. */
#define HANSE_GUARD_BIAS ((uint64_t)1 << 61)
#define HANSE_GUARD_MASK ((uint64_t)3 << 62)

static inline bool hanse_limb_guarded(int64_t limb)
{
    return (((uint64_t)limb + HANSE_GUARD_BIAS) & HANSE_GUARD_MASK) == 0;
}

/* rows[i * n_lanes + l] = lanes[l * lane_rows + i] for i < n, l < n_lanes;
 * n_lanes is a multiple of 8, rows and lanes are 64-byte aligned, lane_rows is
 * a multiple of 8, at least n rounded up to 8, and rows has room for as many
 * rows. */
typedef void hanse_transpose_function(const int64_t *restrict lanes,
                                      size_t lane_rows, size_t n_lanes,
                                      size_t n, int64_t *restrict rows);
hanse_transpose_function hanse_transpose_scalar;
hanse_transpose_function hanse_transpose_avx512;

/* For all rows i < n, of lanes l of states[groups[i] * stride + l]: lanes
 * l < n_sums add rows[i * n_lanes + l]; lanes from n_sums to n_lanes - 1, as
 * unsigned numbers, become the larger one of the two. `stride` >= n_lanes >=
 * n_sums, all multiples of 8; states and rows are 64-byte aligned and do not
 * overlap. Returns true when a sum was outside its guard after an add: the
 * caller then carries before the next call (exact_split.h says how far a limb
 * can be by then). */
typedef bool hanse_group_add_function(int64_t *restrict states, size_t stride,
                                      const uint32_t *restrict groups,
                                      const int64_t *restrict rows,
                                      size_t n_sums, size_t n_lanes, size_t n);
hanse_group_add_function hanse_group_add_scalar;
hanse_group_add_function hanse_group_add_avx2;
hanse_group_add_function hanse_group_add_avx512;

/* The same from the lanes, as hanse_transpose_function has them: transposed and
 * added in registers. */
typedef bool hanse_lanes_add_function(int64_t *restrict states, size_t stride,
                                      const uint32_t *restrict groups,
                                      const int64_t *restrict lanes,
                                      size_t lane_rows, size_t n_sums,
                                      size_t n_lanes, size_t n);
hanse_lanes_add_function hanse_lanes_add_avx512;

/* The same for one group, from the lanes: row i has lanes[l * lane_rows + i].
 * No alignment. */
typedef bool hanse_total_add_function(int64_t *restrict state,
                                      const int64_t *restrict lanes,
                                      size_t lane_rows, size_t n_sums,
                                      size_t n_lanes, size_t n);
hanse_total_add_function hanse_total_add_scalar;
hanse_total_add_function hanse_total_add_avx2;
hanse_total_add_function hanse_total_add_avx512;

#endif
