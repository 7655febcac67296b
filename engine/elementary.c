/* SPDX-License-Identifier: Apache-2.0
 *
 * exp and log for any machine.
 */
#include "engine/elementary.h"

#include "engine/elementary_step.h"

double hanse_exp(double x)
{
    return hanse_exp_one(x);
}

double hanse_log(double x)
{
    return hanse_log_one(x);
}

void hanse_exp_block(const double *x, double *out, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        out[i] = hanse_exp_one(x[i]);
}

void hanse_log_block(const double *x, double *out, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        out[i] = hanse_log_one(x[i]);
}

double hanse_power(double x, uint64_t n)
{
    double result = 1.0;
    for (; n != 0; n >>= 1) {
        if ((n & 1) != 0)
            result *= x;
        x *= x;
    }
    return result;
}
