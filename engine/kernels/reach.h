/* SPDX-License-Identifier: Apache-2.0
 *
 * Bins: how many edges a value reaches.
 */
#ifndef HANSE_ENGINE_KERNELS_REACH_H
#define HANSE_ENGINE_KERNELS_REACH_H

#include <stddef.h>
#include <stdint.h>

/* out[i] = number of e < n_edges with edges[e] <= x[i], for i < n; a NaN
 * reaches none. No alignment; arrays do not overlap. */
typedef void hanse_reach_f64_function(const double *restrict x, size_t n,
                                      const double *restrict edges,
                                      size_t n_edges, int64_t *restrict out);
typedef void hanse_reach_i64_function(const int64_t *restrict x, size_t n,
                                      const int64_t *restrict edges,
                                      size_t n_edges, int64_t *restrict out);
hanse_reach_f64_function hanse_reach_f64_scalar;
hanse_reach_f64_function hanse_reach_f64_avx2;
hanse_reach_f64_function hanse_reach_f64_avx512;
hanse_reach_i64_function hanse_reach_i64_scalar;
hanse_reach_i64_function hanse_reach_i64_avx2;
hanse_reach_i64_function hanse_reach_i64_avx512;

#endif
