/* SPDX-License-Identifier: Apache-2.0
 *
 * Exponential and natural logarithm with the same bits on every machine.
 *
 * The C library chooses between several implementations by CPU, which differ
 * in the last bit; these use additions, multiplications, divisions and
 * comparisons of IEEE 754 binary64 in a fixed order and nothing else. Error
 * below 1 ulp over the whole range, subnormal arguments and results included
 * (measured maxima: tests/test_elementary.c). Needs round to nearest and
 * a compiler that does not contract or reassociate (-ffp-contract=off).
 */
#ifndef HANSE_ENGINE_ELEMENTARY_H
#define HANSE_ENGINE_ELEMENTARY_H

#include <stddef.h>
#include <stdint.h>

/* e to the power x. NaN gives the quiet NaN of the `NAN` macro whatever its
 * payload, -infinity gives 0, x above 709.78 gives infinity. */
double hanse_exp(double x);

/* Natural logarithm. log(0) is -infinity for both zeros; NaN and negative
 * numbers give the quiet NaN of the `NAN` macro; log(1) is +0. */
double hanse_log(double x);

/* The same for n values, vectorised, bit for bit equal to the functions for
 * one value. `out` may be `x` itself but must not overlap it otherwise. */
void hanse_exp_block(const double *x, double *out, size_t n);
void hanse_log_block(const double *x, double *out, size_t n);

/* x^n by repeated squaring; 0^0 = 1. */
double hanse_power(double x, uint64_t n);

#endif
