/* SPDX-License-Identifier: Apache-2.0
 *
 * Weights from importances that are rescaled to sum 1. With a few indicators
 * in a given order plain sums have the same bits everywhere.
 */
#include "engine/models/weights.h"

#include <assert.h>
#include <math.h>

#include "engine/elementary.h"

static const char *const weighting_names[HANSE_WEIGHTS_COUNT] = {
#define WEIGHTING_NAME(name, text) #text,
    HANSE_WEIGHTING_MAP(WEIGHTING_NAME)
#undef WEIGHTING_NAME
};

const char *const *hanse_weighting_names(void)
{
    return weighting_names;
}

static void set_all(double *weights, size_t m, double value)
{
    for (size_t j = 0; j < m; j++)
        weights[j] = value;
}

static hanse_model_status fail(double *weights, size_t m,
                               hanse_model_status status)
{
    set_all(weights, m, (double)NAN);
    return status;
}

/* Importances to weights; `status` unless there is nothing to weigh by. */
static hanse_model_status rescale(double *weights, size_t m,
                                  hanse_model_status status)
{
    double sum = 0.0;
    for (size_t j = 0; j < m; j++)
        sum += weights[j];
    if (!isfinite(sum))
        return fail(weights, m, HANSE_MODEL_NOT_FINITE);
    if (sum <= 0.0) {
        set_all(weights, m, 1.0 / (double)m);
        return HANSE_MODEL_ZERO;
    }
    for (size_t j = 0; j < m; j++)
        weights[j] /= sum;
    return status;
}

static hanse_model_status weigh_fixed(const hanse_indicator_sums *indicators,
                                      size_t m, double *weights,
                                      hanse_model_status status)
{
    double sum = 0.0;
    for (size_t j = 0; j < m; j++) {
        weights[j] = indicators[j].given;
        if (!(weights[j] >= 0.0))
            return fail(weights, m, HANSE_MODEL_INFEASIBLE);
        sum += weights[j];
    }
    if (!(sum > 0.0) || !isfinite(sum))
        return fail(weights, m, HANSE_MODEL_INFEASIBLE);
    return rescale(weights, m, status);
}

/* 1 - E_j. Rounding can take it a little below 0, which it never is. */
static double diversity(const hanse_indicator_sums *indicator, uint64_t n)
{
    const double sum = indicator->sum_y;
    if (indicator->is_constant || sum == 0.0)
        return 0.0;
    if (!isfinite(sum))
        return (double)NAN;
    const double information =
        indicator->sum_y_log_y / sum - hanse_log(sum); /* sum p log p */
    const double d = 1.0 + information / hanse_log((double)n);
    return d < 0.0 ? 0.0 : d;
}

static double contrast(const hanse_indicator_sums *indicators, size_t m,
                       size_t j, const double *correlations)
{
    double conflict = 0.0;
    if (indicators[j].is_constant)
        return 0.0;
    for (size_t k = 0; k < m; k++) {
        double r = k == j ? 1.0 : correlations[j * m + k];
        if (r != r)
            r = 0.0;
        if (indicators[j].is_cost != indicators[k].is_cost)
            r = -r;
        conflict += 1.0 - r;
    }
    return indicators[j].sd * conflict;
}

hanse_model_status hanse_weigh(hanse_weighting weighting,
                               const hanse_indicator_sums *indicators, size_t m,
                               uint64_t n, const double *correlations,
                               double *weights)
{
    assert(m > 0 && m <= (size_t)HANSE_INDICATORS_MAX);
    size_t n_constant = 0;
    for (size_t j = 0; j < m; j++)
        n_constant += indicators[j].is_constant;
    const bool of_data =
        weighting == HANSE_WEIGHTS_ENTROPY || weighting == HANSE_WEIGHTS_CRITIC;
    hanse_model_status status = n == 0           ? HANSE_MODEL_EMPTY
                                : n_constant > 0 ? HANSE_MODEL_CONSTANT
                                                 : HANSE_MODEL_OK;
    if (of_data && n == 1)
        status = HANSE_MODEL_FEW;
    if (weighting == HANSE_WEIGHTS_FIXED)
        return weigh_fixed(indicators, m, weights, status);
    if (weighting == HANSE_WEIGHTS_CRITIC && m < 2 && status == HANSE_MODEL_OK)
        status = HANSE_MODEL_FEW;
    if (!of_data || n < 2 || n_constant == m || m < 2) {
        set_all(weights, m, 1.0 / (double)m);
        return status;
    }
    for (size_t j = 0; j < m; j++)
        weights[j] = weighting == HANSE_WEIGHTS_ENTROPY
                         ? diversity(&indicators[j], n)
                         : contrast(indicators, m, j, correlations);
    return rescale(weights, m, status);
}
