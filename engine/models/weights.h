/* SPDX-License-Identifier: Apache-2.0
 *
 * Weights of the indicators of a composite score, from their sums over the
 * records of one scope (all records or a group).
 *
 *     fixed    as given, rescaled to sum 1
 *     equal    1/m
 *     entropy  p_ij = y_ij / sum_i y_ij, E_j = -(1/log n) sum_i p_ij log p_ij,
 *              d_j = 1 - E_j, w_j = d_j / sum d  (Hwang, Yoon 1981)
 *     critic   C_j = sd(y_j) sum_k (1 - corr(y_j, y_k)), w_j = C_j / sum C
 *              (Diakoulaki, Mavrotas, Papayannakis 1995)
 *
 * y are min-max values. Entropy needs of them the sums of y and of y log y:
 * sum p log p = (sum y log y)/S - log S. CRITIC needs the raw values' standard
 * deviations over their ranges, and correlations, which min-max leaves as they
 * are, with the opposite sign between a benefit and a cost.
 */
#ifndef HANSE_ENGINE_MODELS_WEIGHTS_H
#define HANSE_ENGINE_MODELS_WEIGHTS_H

#include "engine/models/status.h"

/* X(name, code): names as jobs write them. */
#define HANSE_WEIGHTING_MAP(X) \
    X(FIXED, fixed)            \
    X(EQUAL, equal)            \
    X(ENTROPY, entropy)        \
    X(CRITIC, critic)

typedef enum hanse_weighting {
#define HANSE_WEIGHTING_ENUM(name, text) HANSE_WEIGHTS_##name,
    HANSE_WEIGHTING_MAP(HANSE_WEIGHTING_ENUM)
#undef HANSE_WEIGHTING_ENUM
    HANSE_WEIGHTS_COUNT
} hanse_weighting;

/* All names, HANSE_WEIGHTS_COUNT of them, in the order of the codes. */
const char *const *hanse_weighting_names(void);

enum {
    HANSE_INDICATORS_MAX = 64
};

/* An indicator over the n records of a scope. */
typedef struct hanse_indicator_sums {
    double given;       /* weight; fixed */
    bool is_constant;   /* max = min, by which y is 0 everywhere */
    bool is_cost;       /* critic */
    double sum_y;       /* entropy */
    double sum_y_log_y; /* entropy; 0 log 0 = 0 */
    double sd;          /* critic: of y */
} hanse_indicator_sums;

/* weights[0 .. m - 1] and a status of m <= HANSE_INDICATORS_MAX indicators over
 * n records. `correlations`: for critic, m x m, of the raw values; NaN counts
 * as 0 (a constant column); otherwise NULL.
 *
 * The weights are always defined, except of fixed ones that are negative, not
 * finite or all 0 (status 6, NaN), and of sums that are not finite (status 8,
 * NaN). Status 1: no record, status 4: one record, or critic with one
 * indicator: equal weights. Status 5: all indicators are constant, equal
 * weights, or some are, which have weight 0 unless weights are fixed or
 * equal. Indicators whose y are all 0 have weight 0; where nothing is left to
 * weigh by, weights are equal, with status 2. */
hanse_model_status hanse_weigh(hanse_weighting weighting,
                               const hanse_indicator_sums *indicators, size_t m,
                               uint64_t n, const double *correlations,
                               double *weights);

#endif
