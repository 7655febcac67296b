/* SPDX-License-Identifier: Apache-2.0
 *
 * Levels are divided by the largest of them where a product is taken, so that
 * equal levels give exactly 1 and small ones do not underflow.
 */
#include "engine/models/coupling.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "engine/models/geometric.h"
#include "engine/models/status.h"
#include "engine/models/weighted_mean.h"

/* What rounding may do to a weighted sum of values in [0, 1]. */
static const double ROUNDING = 0x1p-40;

static const char *const kind_names[HANSE_COUPLING_COUNT] = {
    "classic", "corrected", "dispersion"};

const char *hanse_coupling_name(hanse_coupling_kind kind)
{
    return kind < HANSE_COUPLING_COUNT ? kind_names[kind] : NULL;
}

hanse_coupling_kind hanse_coupling_parse(const char *name)
{
    int kind = 0;
    while (kind < HANSE_COUPLING_COUNT && strcmp(name, kind_names[kind]) != 0)
        kind++;
    return (hanse_coupling_kind)kind;
}

/* ---- Levels ------------------------------------------------------------- */

static int8_t check_finite(const double *levels, size_t n)
{
    int8_t status = HANSE_MODEL_OK;
    for (size_t k = 0; k < n; k++) {
        if (isinf(levels[k]))
            return HANSE_MODEL_NOT_FINITE;
        if (isnan(levels[k]))
            status = HANSE_MODEL_EMPTY;
    }
    return status;
}

double hanse_cooperation_index(const double *levels, const double *weights,
                               size_t n, int8_t *status)
{
    *status = check_finite(levels, n);
    return *status == HANSE_MODEL_OK ? hanse_weighted_mean(levels, weights, n)
                                     : (double)NAN;
}

/* Copies levels, moved to the limits that rounding left. */
static int8_t take_levels(const double *levels, size_t n, double *out)
{
    const int8_t status = check_finite(levels, n);
    if (status != HANSE_MODEL_OK)
        return status;
    if (n < 2)
        return HANSE_MODEL_FEW;
    for (size_t k = 0; k < n; k++) {
        if (levels[k] < -ROUNDING || levels[k] > 1.0 + ROUNDING)
            return HANSE_MODEL_INFEASIBLE;
        out[k] = fmin(fmax(levels[k], 0.0), 1.0);
    }
    return HANSE_MODEL_OK;
}

static double largest(const double *levels, size_t n)
{
    double max = levels[0];
    for (size_t k = 1; k < n; k++)
        max = fmax(max, levels[k]);
    return max;
}

/* ---- The three degrees -------------------------------------------------- */

static double classic(const double *levels, size_t n)
{
    double scaled[HANSE_SUBSYSTEMS_MAX];
    const double max = largest(levels, n);
    for (size_t k = 0; k < n; k++)
        scaled[k] = levels[k] / max;
    return hanse_geometric_mean(scaled, n) /
           hanse_weighted_mean(scaled, NULL, n);
}

/* Over pairs: sorted ascending, level k is the larger one k times and the
 * smaller one n - 1 - k times. */
static double mean_difference(const double *levels, size_t n)
{
    double sorted[HANSE_SUBSYSTEMS_MAX], terms[HANSE_SUBSYSTEMS_MAX];
    for (size_t k = 0; k < n; k++) {
        size_t at = k;
        for (; at > 0 && sorted[at - 1] > levels[k]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = levels[k];
    }
    for (size_t k = 0; k < n; k++)
        terms[k] = (2.0 * (double)k - (double)(n - 1)) * sorted[k];
    return hanse_sparse_dot(NULL, terms, NULL, n) /
           ((double)n * (double)(n - 1) / 2.0);
}

static double corrected(const double *levels, size_t n)
{
    double scaled[HANSE_SUBSYSTEMS_MAX];
    const double max = largest(levels, n);
    for (size_t k = 0; k < n; k++)
        scaled[k] = levels[k] / max;
    return sqrt(fmax(0.0, 1.0 - mean_difference(levels, n)) *
                hanse_root_of_product(scaled, n, n - 1));
}

/* The mean of the deviations takes out what rounding has left in them. */
static double dispersion(const double *levels, size_t n)
{
    double deviations[HANSE_SUBSYSTEMS_MAX];
    const double mean = hanse_weighted_mean(levels, NULL, n);
    for (size_t k = 0; k < n; k++)
        deviations[k] = levels[k] - mean;
    const double squares =
        hanse_sparse_dot(deviations, deviations, NULL, n) / (double)n;
    const double rest = hanse_weighted_mean(deviations, NULL, n);
    return 1.0 - 2.0 * sqrt(fmax(0.0, squares - rest * rest));
}

static double degree_of(hanse_coupling_kind kind, const double *levels,
                        size_t n)
{
    switch (kind) {
    case HANSE_COUPLING_CLASSIC:
        return classic(levels, n);
    case HANSE_COUPLING_CORRECTED:
        return corrected(levels, n);
    default:
        return dispersion(levels, n);
    }
}

hanse_coupling hanse_coupling_of(hanse_coupling_kind kind, const double *levels,
                                 const double *weights, size_t n)
{
    double inside[HANSE_SUBSYSTEMS_MAX];
    hanse_coupling out = {(double)NAN, (double)NAN, 0, HANSE_MODEL_OK};
    assert(n <= HANSE_SUBSYSTEMS_MAX);
    out.status = take_levels(levels, n, inside);
    if (out.status != HANSE_MODEL_OK)
        return out;
    if (largest(inside, n) == 0.0) {
        out.status = HANSE_MODEL_ZERO;
        out.degree = 0.0;
        out.coordination = 0.0;
    } else {
        const double index = hanse_weighted_mean(inside, weights, n);
        out.degree = fmin(fmax(degree_of(kind, inside, n), 0.0), 1.0);
        out.coordination = fmin(sqrt(out.degree * index), 1.0);
    }
    out.level = hanse_coordination_level(out.coordination);
    return out;
}

/* ---- Levels of coordination --------------------------------------------- */

int8_t hanse_coordination_level(double coordination)
{
    int8_t level = 1;
    if (isnan(coordination))
        return 0;
    while (level < HANSE_COUPLING_LEVELS &&
           coordination >= (double)level / HANSE_COUPLING_LEVELS)
        level++;
    return level;
}

static const char *const level_names[HANSE_COUPLING_LEVELS + 1] = {
    "undefined",          "extreme_imbalance",    "serious_imbalance",
    "moderate_imbalance", "slight_imbalance",     "near_imbalance",
    "barely_coordinated", "primary_coordination", "intermediate_coordination",
    "good_coordination",  "quality_coordination"};

const char *hanse_coordination_level_name(int8_t level)
{
    return level >= 0 && level <= HANSE_COUPLING_LEVELS ? level_names[level]
                                                        : NULL;
}

void hanse_coordination_level_flags(hanse_column *column)
{
    static const int8_t levels[HANSE_COUPLING_LEVELS + 1] = {0, 1, 2, 3, 4, 5,
                                                             6, 7, 8, 9, 10};
    column->flag_values = levels;
    column->flag_meanings = level_names;
    column->n_flags = HANSE_COUPLING_LEVELS + 1;
}
