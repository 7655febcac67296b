/* SPDX-License-Identifier: Apache-2.0
 *
 * Outliers of the ratio of two periods (Hidiroglou, Berthelot 1986, Survey
 * Methodology 12, 73-83; MODELS.md, I1).
 *
 *     r_i = now_i / before_i, of rows where both are positive and finite
 *     s_i = 1 - r_M / r_i where r_i < r_M, else r_i / r_M - 1   (r_M the
 * median) E_i = s_i max(now_i, before_i)^u i is an outlier when E_i < E_M - c
 * max(E_M - E_Q1, |a E_M|) or E_i > E_M + c max(E_Q3 - E_M, |a E_M|)
 *
 * Quartiles are interpolated between the two values next to 1/4, 1/2, 3/4 of
 * n - 1 (as numpy, R's type 7), exactly, and rounded once.
 */
#ifndef HANSE_ENGINE_MODELS_OUTLIERS_H
#define HANSE_ENGINE_MODELS_OUTLIERS_H

#include "engine/base/memory.h"

typedef struct hanse_outlier_test {
    double u; /* 0 to 1: how much the size of the enterprise counts */
    double a; /* 0 or more: keeps the interval open where quartiles are close */
    double c; /* more than 0: width of the interval */
} hanse_outlier_test;

/* u = 0.5, a = 0.05 as in the paper; c = 4. */
#define HANSE_OUTLIER_TEST_DEFAULT ((hanse_outlier_test){0.5, 0.05, 4.0})

typedef struct hanse_outlier_bounds {
    uint64_t n_tested;
    uint64_t n_outliers;
    double median_ratio; /* NaN when nothing was tested */
    double low, high;    /* of E */
} hanse_outlier_bounds;

/* is_outlier[i] = 1 or 0 of n rows; a row that cannot be tested (a value is
 * missing, not positive or not finite) is no outlier. Needs 8 bytes a row while
 * it works. Parameters out of range are HANSE_ERR_ARGUMENT. */
hanse_status hanse_outliers_find(const double *now, const double *before,
                                 size_t n, const hanse_outlier_test *test,
                                 size_t n_threads, hanse_budget *budget,
                                 uint8_t *is_outlier,
                                 hanse_outlier_bounds *bounds,
                                 hanse_error *error);

#endif
