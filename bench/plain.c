/* SPDX-License-Identifier: Apache-2.0
 *
 * Plain sums.
 */
#include "bench/plain.h"

void hanse_plain_add(hanse_plain_state *restrict states,
                     const int32_t *restrict groups,
                     const double *const *measures, size_t first, size_t n)
{
    const double *restrict x = measures[0];
    const double *restrict y = measures[1];
    const double *restrict z = measures[2];
    for (size_t i = first; i < first + n; i++) {
        hanse_plain_state *state = &states[groups[i]];
        state->sums[0] += x[i];
        state->sums[1] += y[i];
        state->sums[2] += z[i];
        state->count++;
    }
}

void hanse_plain_merge(hanse_plain_state *restrict into,
                       const hanse_plain_state *restrict from, size_t n_groups)
{
    for (size_t g = 0; g < n_groups; g++) {
        for (size_t m = 0; m < HANSE_BENCH_MEASURES; m++)
            into[g].sums[m] += from[g].sums[m];
        into[g].count += from[g].count;
    }
}
