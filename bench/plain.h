/* SPDX-License-Identifier: Apache-2.0
 *
 * What exact sums compete with: binary64 sums by group as one writes them by
 * hand, rounding at each add. The state of a group is one run of 32 bytes, so
 * that a row touches one cache line; group numbers come ready-made; a missing
 * value would spoil its group. Only the benchmarks have this.
 */
#ifndef HANSE_BENCH_PLAIN_H
#define HANSE_BENCH_PLAIN_H

#include <stddef.h>
#include <stdint.h>

#include "bench/cases.h"

typedef struct hanse_plain_state {
    double sums[HANSE_BENCH_MEASURES];
    int64_t count;
} hanse_plain_state;

/* Rows first .. first + n - 1 of the measures and groups. */
void hanse_plain_add(hanse_plain_state *restrict states,
                     const int32_t *restrict groups,
                     const double *const *measures, size_t first, size_t n);

/* into[g] += from[g] */
void hanse_plain_merge(hanse_plain_state *restrict into,
                       const hanse_plain_state *restrict from, size_t n_groups);

#endif
