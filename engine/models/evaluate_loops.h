/* SPDX-License-Identifier: Apache-2.0
 *
 * Loops over the rows of one scope on the way to a score, one table of them per
 * instruction set. All give the same bits. n <= HANSE_BLOCK_ROWS; arrays do not
 * overlap unless said.
 */
#ifndef HANSE_ENGINE_MODELS_EVALUATE_LOOPS_H
#define HANSE_ENGINE_MODELS_EVALUATE_LOOPS_H

#include <stddef.h>

#include "engine/base/cpu.h"

/* y = base + span (x - low)/range; of a constant indicator 0. */
typedef struct hanse_scaling {
    double low;
    double range;
    double base;
    double span;
    double weight;
} hanse_scaling;

static inline double hanse_scale_value(const hanse_scaling *s, double x)
{
    return s->base + s->span * ((x - s->low) / s->range);
}

typedef struct hanse_evaluate_loops {
    /* mask[i] += 0 where x[i] is a number, else NaN. */
    void (*mark_missing)(const double *x, size_t n, double *mask);
    /* out[i] = x[i] + mask[i] */
    void (*copy)(const double *x, const double *mask, size_t n, double *out);
    /* y[i] = y of x[i], plus mask[i] */
    void (*normalise)(const hanse_scaling *s, const double *x,
                      const double *mask, size_t n, double *y);
    /* score[i] += weight y of x[i] */
    void (*add)(const hanse_scaling *s, const double *x, size_t n,
                double *score);
    /* out[i] = y[i] log y[i], 0 where y[i] is 0 */
    void (*multiply_log)(const double *y, size_t n, double *out);
} hanse_evaluate_loops;

/* Static storage; `cpu` must be one that the machine has. */
const hanse_evaluate_loops *hanse_evaluate_loops_of(hanse_cpu cpu);

extern const hanse_evaluate_loops hanse_evaluate_loops_scalar;
extern const hanse_evaluate_loops hanse_evaluate_loops_avx2;
extern const hanse_evaluate_loops hanse_evaluate_loops_avx512;

#endif
