/* SPDX-License-Identifier: Apache-2.0
 *
 * Roots and geometric means with the same bits on every machine.
 */
#ifndef HANSE_ENGINE_MODELS_GEOMETRIC_H
#define HANSE_ENGINE_MODELS_GEOMETRIC_H

#include <stddef.h>

/* (values[0] * ... * values[n - 1])^(1 / degree) of finite values >= 0, n and
 * degree from 1 to 2^20. The product neither overflows nor underflows; 0 when
 * a value is 0. Error of a few ulp for few values; exact for a single value
 * with degree 1, and 1 for values that are all 1. */
double hanse_root_of_product(const double *values, size_t n, size_t degree);

/* The geometric mean, (values[0] * ... * values[n - 1])^(1 / n). */
double hanse_geometric_mean(const double *values, size_t n);

#endif
