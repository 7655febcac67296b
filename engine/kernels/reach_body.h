/* SPDX-License-Identifier: Apache-2.0
 *
 * The counts of reach.h. Each instruction set includes this with KERNEL(name)
 * and TARGET. A few rows at a time stay in registers while all edges pass.
 */
#include "engine/kernels/reach.h"

enum {
    REACH_ROWS = 16
};

#define REACH(name, type)                                                \
    TARGET void KERNEL(name)(const type *restrict x, size_t n,           \
                             const type *restrict edges, size_t n_edges, \
                             int64_t *restrict out)                      \
    {                                                                    \
        size_t first = 0;                                                \
        for (; first + REACH_ROWS <= n; first += REACH_ROWS) {           \
            int64_t counts[REACH_ROWS] = {0};                            \
            for (size_t e = 0; e < n_edges; e++)                         \
                for (size_t i = 0; i < REACH_ROWS; i++)                  \
                    counts[i] += x[first + i] >= edges[e];               \
            for (size_t i = 0; i < REACH_ROWS; i++)                      \
                out[first + i] = counts[i];                              \
        }                                                                \
        for (; first < n; first++) {                                     \
            out[first] = 0;                                              \
            for (size_t e = 0; e < n_edges; e++)                         \
                out[first] += x[first] >= edges[e];                      \
        }                                                                \
    }

REACH(hanse_reach_f64, double)
REACH(hanse_reach_i64, int64_t)
