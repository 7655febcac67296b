/* SPDX-License-Identifier: Apache-2.0
 *
 * Multiples of rows in twice the precision. The error of a product comes from a
 * fused multiply-add where the processor has one, else from Dekker's splitting
 * (1971); it is the same number, as the product is far from the ends of the
 * range.
 */
#include <math.h>

#include "engine/base/cpu.h"
#include "engine/models/dense.h"

typedef struct term {
    double product;
    double error;
} term;

static inline term product_split(double a, double b)
{
    const double factor = 0x1p27 + 1.0;
    const double p = a * b;
    const double a_big = factor * a - (factor * a - a), a_rest = a - a_big;
    const double b_big = factor * b - (factor * b - b), b_rest = b - b_big;
    const double e = ((a_big * b_big - p) + a_big * b_rest + a_rest * b_big) +
                     a_rest * b_rest;
    return (term){p, e};
}

static inline term product_fused(double a, double b)
{
    const double p = a * b;
    return (term){p, __builtin_fma(a, b, -p)};
}

/* (high, low) += a product and what belongs to it (Knuth's two-sum). */
#define LOOP(multiply)                                                       \
    for (size_t j = 0; j < n; j++) {                                         \
        const term t = multiply(-multiplier, x[j]);                          \
        const double rest = t.error - (y != NULL ? multiplier * y[j] : 0.0); \
        const double sum = high[j] + t.product;                              \
        const double part = sum - high[j];                                   \
        const double lost = (high[j] - (sum - part)) + (t.product - part);   \
        high[j] = sum;                                                       \
        low[j] += lost + rest;                                               \
    }

#if defined(__x86_64__)
__attribute__((target("avx512f,avx512vl,fma"))) static void
subtract_avx512(double *restrict high, double *restrict low,
                const double *restrict x, const double *restrict y,
                double multiplier, size_t n)
{
    LOOP(product_fused)
}

__attribute__((target("avx2,fma"))) static void
subtract_avx2(double *restrict high, double *restrict low,
              const double *restrict x, const double *restrict y,
              double multiplier, size_t n)
{
    LOOP(product_fused)
}
#endif

static void subtract_scalar(double *restrict high, double *restrict low,
                            const double *restrict x, const double *restrict y,
                            double multiplier, size_t n){LOOP(product_split)}

hanse_subtract_multiple *hanse_choose_subtract_multiple(void)
{
    hanse_cpu cpu;
    if (hanse_cpu_choose(&cpu, NULL) != HANSE_OK)
        return subtract_scalar;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("fma") && cpu == HANSE_CPU_AVX512)
        return subtract_avx512;
    if (__builtin_cpu_supports("fma") && cpu == HANSE_CPU_AVX2)
        return subtract_avx2;
#endif
    return subtract_scalar;
}
