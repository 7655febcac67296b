/* SPDX-License-Identifier: Apache-2.0
 *
 * Adding rows of integer pieces to the states of their groups.
 */
#ifndef HANSE_ENGINE_KERNELS_GROUP_ADD_H
#define HANSE_ENGINE_KERNELS_GROUP_ADD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A limb is within its guard while it lies in [-2^61, 2^61). */
static inline bool hanse_limb_guarded(int64_t limb)
{
    return (((uint64_t)limb + ((uint64_t)1 << 61)) >> 62) == 0;
}

/* states[groups[i] * stride + l] += rows[i * n_lanes + l] for all lanes
 * l < n_lanes and rows i < n. `stride` >= n_lanes, both multiples of 8; states
 * and rows are 64-byte aligned and do not overlap. Returns true when a lane
 * was outside its guard after an add: the caller then carries before the next
 * call (see exact_split.h for how far a limb can be by then). */
bool hanse_group_add_i64(int64_t *restrict states, size_t stride,
                         const uint32_t *restrict groups,
                         const int64_t *restrict rows, size_t n_lanes,
                         size_t n);

/* The same for one group: state[l] += sum of rows[i * n_lanes + l]. */
bool hanse_total_add_i64(int64_t *restrict state, const int64_t *restrict rows,
                         size_t n_lanes, size_t n);

#endif
