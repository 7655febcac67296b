/* SPDX-License-Identifier: Apache-2.0
 *
 * The model of resource integration: evaluate (a score of each record),
 * allocate (a pool in each group by a rule of claims), integrate
 * (R_i = (1-rho) r_i + a_i).
 */
#ifndef HANSE_ENGINE_MODELS_RESOURCE_H
#define HANSE_ENGINE_MODELS_RESOURCE_H

#include "engine/models/allocate.h"
#include "engine/models/checks.h"
#include "engine/models/evaluate.h"

typedef struct hanse_resource_spec {
    char **within;   /* keys of the groups; none: all records are one */
    size_t n_within; /* SIZE_MAX: those of the job's first grouping */
    bool evaluates;
    hanse_evaluate_spec evaluate;
    bool normalised; /* y_ij as record columns, too */
    bool allocates;
    hanse_allocate_spec
        allocate; /* claim "score": the score, "resource": r_i */
} hanse_resource_spec;

/* Groups of the first grouping, no step. NULL when memory is exhausted. */
hanse_resource_spec *hanse_resource_spec_create(void);
void hanse_resource_spec_destroy(hanse_resource_spec *spec);

/* What can be found out before a row is read; the columns that formulas of
 * later steps may use are added to those known. */
hanse_status hanse_resource_check(const hanse_resource_spec *spec,
                                  const hanse_model_run *run,
                                  hanse_known_columns *known,
                                  hanse_error *error);

/* Names the record-level outputs. */
hanse_status hanse_resource_name_records(const hanse_resource_spec *spec,
                                         hanse_model_run *run,
                                         hanse_error *error);

/* The steps, which have been checked. r_i is the formula of the measure
 * "resource", which becomes R_i. Record columns: "score" with "score_status",
 * "score_<indicator>", "allocation" with "allocation_status"; the table
 * "weights/resource". */
hanse_status hanse_resource_run(const hanse_resource_spec *spec,
                                hanse_model_run *run, hanse_error *error);
hanse_status hanse_resource_explain(const hanse_resource_spec *spec,
                                    const hanse_model_run *run,
                                    hanse_pass_notes *notes,
                                    hanse_error *error);

#endif
