/* SPDX-License-Identifier: Apache-2.0
 *
 * Values as lanes of extremes. A number becomes an unsigned integer of the same
 * order; `high` holds it and `low` its complement, so that both the largest
 * and the smallest value of a group are found by taking the larger lane, and a
 * group without a value has zeros.
 */
#ifndef HANSE_ENGINE_KERNELS_EXTREMES_H
#define HANSE_ENGINE_KERNELS_EXTREMES_H

#include <stddef.h>
#include <stdint.h>

/* high[i], low[i] of x[i], i < n; both 0 where x[i] is NaN. -0.0 is below 0.0.
 * No alignment. */
typedef void hanse_extremes_f64_function(const double *restrict x, size_t n,
                                         int64_t *restrict high,
                                         int64_t *restrict low);
hanse_extremes_f64_function hanse_extremes_f64_scalar;
hanse_extremes_f64_function hanse_extremes_f64_avx2;
hanse_extremes_f64_function hanse_extremes_f64_avx512;

/* The same of integers: int64, or bit patterns of uint64. `absent`: both are 0
 * where it is not; NULL: nowhere. */
void hanse_extremes_i64(const int64_t *restrict x,
                        const uint8_t *restrict absent, int is_unsigned,
                        size_t n, int64_t *restrict high,
                        int64_t *restrict low);

#endif
