/* SPDX-License-Identifier: Apache-2.0
 *
 * Composite indicators (OECD/JRC 2008): indicators of records are brought to
 * one scale and added with weights.
 *
 *     min-max, benefit: y = a + (b-a)(x - min)/(max - min)
 *     min-max, cost:    y = a + (b-a)(max - x)/(max - min)
 *     z-score:          y = (x - mean)/sd, divisor n-1; cost: -y
 *     score:            e_i = sum_j w_j y_ij
 *
 * The scope of min, max, mean, sd and weights is all records that the job's
 * filter keeps, or the record's group. A record with a missing indicator has
 * no score and is left out of all of these.
 */
#ifndef HANSE_ENGINE_MODELS_EVALUATE_H
#define HANSE_ENGINE_MODELS_EVALUATE_H

#include "engine/models/models.h"
#include "engine/models/weights.h"

typedef enum hanse_scale {
    HANSE_SCALE_MINMAX,
    HANSE_SCALE_ZSCORE
} hanse_scale;

typedef struct hanse_indicator {
    char *name;    /* unique among them */
    char *formula; /* over the columns of the run */
    double weight; /* fixed weights, which are rescaled to sum 1 */
    bool is_cost;
    bool has_bounds; /* low < high instead of min and max */
    double low;
    double high;
} hanse_indicator;

typedef struct hanse_evaluate_spec {
    hanse_indicator *indicators; /* 1 to HANSE_INDICATORS_MAX */
    size_t n_indicators;
    hanse_scale scale;
    bool by_group; /* scope */
    double a;      /* range of min-max values, a < b */
    double b;
    hanse_weighting weighting;
} hanse_evaluate_spec;

/* No indicator, min-max from 0 to 1 over all records, fixed weights. */
void hanse_evaluate_spec_init(hanse_evaluate_spec *spec);

/* Takes over an indicator's texts, which are from malloc; HANSE_ERR_SPEC for
 * one too many or a name that is taken (they still belong to the spec). */
hanse_status hanse_evaluate_spec_add(hanse_evaluate_spec *spec,
                                     const hanse_indicator *indicator,
                                     hanse_error *error);
void hanse_evaluate_spec_clear(hanse_evaluate_spec *spec);

typedef struct hanse_evaluation {
    const hanse_evaluate_spec *spec; /* borrowed until the run is cleared */
    const char *prefix; /* of the names of columns that passes need */
    const char *score;  /* column to be added, NaN where there is none */
    const char *status; /* column to be added: code of the record's scope, or
                           HANSE_MODEL_EMPTY where the record lacks an
                           indicator or is left out; NULL: not wanted */
    const char *normalised; /* y_ij as columns "<normalised><name>"; NULL: not
                               wanted */
    const char *table; /* weights and bounds of the scopes as a table of this
                          name; NULL: not wanted */
    const char *const *keys; /* of the group scope */
    size_t n_keys;
} hanse_evaluation;

/* Does the passes and adds the columns. Status of a scope: that of its weights
 * (hanse_weigh); 6 where entropy meets values outside fixed bounds, 8 where an
 * indicator is not finite: no score is defined then. */
hanse_status hanse_evaluate(hanse_model_run *run,
                            const hanse_evaluation *evaluation,
                            hanse_error *error);

/* The passes that it takes, of the step `step` ("resource: evaluate"). */
hanse_status hanse_evaluate_explain(const hanse_evaluation *evaluation,
                                    const char *step, hanse_pass_notes *notes,
                                    hanse_error *error);

#endif
