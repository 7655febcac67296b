/* SPDX-License-Identifier: Apache-2.0
 *
 * The weighted mean of a few numbers, the same for any order of them.
 */
#ifndef HANSE_ENGINE_MODELS_WEIGHTED_MEAN_H
#define HANSE_ENGINE_MODELS_WEIGHTED_MEAN_H

#include <math.h>

#include "engine/models/term_sum.h"

/* (sum weights[i] values[i]) / (sum weights[i]): products, either sum and the
 * quotient rounded once each. weights NULL: all 1. NaN when the weights' sum
 * is 0, and for n = 0. */
static inline double hanse_weighted_mean(const double *values,
                                         const double *weights, size_t n)
{
    const double total =
        weights == NULL ? (double)n : hanse_sparse_dot(NULL, weights, NULL, n);
    return total == 0.0 ? (double)NAN
                        : hanse_sparse_dot(weights, values, NULL, n) / total;
}

#endif
