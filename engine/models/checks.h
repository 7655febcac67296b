/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of what a job says of the models' steps, before a row is read.
 */
#ifndef HANSE_ENGINE_MODELS_CHECKS_H
#define HANSE_ENGINE_MODELS_CHECKS_H

#include "engine/models/evaluate.h"

/* The columns that formulas of a step may use: those of the run so far, and
 * those that the steps before it will have added. */
typedef struct hanse_known_columns {
    hanse_schema schema;
    hanse_field *fields;
    size_t n_run; /* of the run; the names of the others are owned */
} hanse_known_columns;

/* Those of the run. Clear them after a failure, too. */
hanse_status hanse_known_columns_init(hanse_known_columns *known,
                                      const hanse_model_run *run,
                                      hanse_error *error);
hanse_status hanse_known_columns_add(hanse_known_columns *known,
                                     const char *name, hanse_error *error);
void hanse_known_columns_clear(hanse_known_columns *known);

/* Whether a formula gives a number over the columns; `text` may be NULL. Errors
 * as hanse_formula_compile, their messages begin with `what`. */
hanse_status hanse_check_formula(const char *text, const char *what,
                                 const hanse_schema *schema,
                                 hanse_error *error);

/* The formulas of all indicators, each as "step 'NAME'". */
hanse_status hanse_check_indicators(const hanse_evaluate_spec *spec,
                                    const hanse_schema *schema,
                                    hanse_error *error);

/* Whether all keys are columns of the run or keys of its job, by which groups
 * can be made, each once; n_keys SIZE_MAX: none are given. HANSE_ERR_COLUMN
 * names the nearest column. */
hanse_status hanse_check_keys(const hanse_model_run *run,
                              const char *const *keys, size_t n_keys,
                              const char *what, hanse_error *error);

#endif
