/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of evaluate.h share.
 */
#ifndef HANSE_ENGINE_MODELS_EVALUATE_INTERNAL_H
#define HANSE_ENGINE_MODELS_EVALUATE_INTERNAL_H

#include "engine/models/evaluate.h"
#include "engine/models/evaluate_loops.h"

/* Bounds of an indicator in a scope. */
typedef struct hanse_bounds {
    double min;
    double max;
    double mean;
    double sd;
} hanse_bounds;

/* What the columns are computed from: arrays [scope][indicator] with the
 * scope's number as that of its row in the table of the first pass. */
typedef struct hanse_scales {
    size_t n_indicators;
    size_t n_scopes;
    bool has_groups; /* rows have a scope's number; else all have scope 0 */
    hanse_scaling *scaling;
    hanse_bounds *bounds;
    uint64_t *n;    /* [scope] records */
    int8_t *status; /* [scope] */
    const hanse_evaluate_loops *loops;
    hanse_budget *budget;
} hanse_scales;

/* Copies indicators, NaN in all where one is missing. */
void hanse_fill_complete(const void *context, const hanse_rows *rows,
                         double *const *out);

/* y of all indicators, then y log y of all. Context: hanse_scales. */
void hanse_fill_logarithms(const void *context, const hanse_rows *rows,
                           double *const *out);

/* y of all indicators. */
void hanse_fill_normalised(const void *context, const hanse_rows *rows,
                           double *const *out);

/* Score, then status where that is asked for: of one or two columns. */
void hanse_fill_score(const void *context, const hanse_rows *rows,
                      double *const *out);
void hanse_fill_score_status(const void *context, const hanse_rows *rows,
                             double *const *out);

/* The table of weights. `groups` is the table of the first pass. */
hanse_status hanse_evaluate_table(const hanse_evaluation *evaluation,
                                  const hanse_scales *scales,
                                  const hanse_table *groups, hanse_result **out,
                                  hanse_error *error);

#endif
