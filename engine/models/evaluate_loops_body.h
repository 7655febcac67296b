/* SPDX-License-Identifier: Apache-2.0
 *
 * All loops of one instruction set, which includes this with KERNEL(name), the
 * name with its suffix, and TARGET, the attribute that allows the
 * instructions.
 */
#include "engine/elementary_step.h"
#include "engine/models/evaluate_loops.h"

static TARGET void mark_missing(const double *restrict x, size_t n,
                                double *restrict mask)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        mask[i] = x[i] == x[i] ? mask[i] : (double)NAN;
}

static TARGET void copy(const double *restrict x, const double *restrict mask,
                        size_t n, double *restrict out)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        out[i] = x[i] + mask[i];
}

static TARGET void normalise(const hanse_scaling *s, const double *restrict x,
                             const double *restrict mask, size_t n,
                             double *restrict y)
{
    const hanse_scaling c = *s;
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        y[i] = hanse_scale_value(&c, x[i]) + mask[i];
}

static TARGET void add(const hanse_scaling *s, const double *restrict x,
                       size_t n, double *restrict score)
{
    const hanse_scaling c = *s;
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        score[i] += c.weight * hanse_scale_value(&c, x[i]);
}

static TARGET void multiply_log(const double *restrict y, size_t n,
                                double *restrict out)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        const double product = y[i] * hanse_log_one(y[i]);
        out[i] = y[i] == 0.0 ? 0.0 : product;
    }
}

const hanse_evaluate_loops KERNEL(hanse_evaluate_loops) = {
    .mark_missing = mark_missing,
    .copy = copy,
    .normalise = normalise,
    .add = add,
    .multiply_log = multiply_log,
};
