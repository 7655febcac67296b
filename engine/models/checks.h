/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of what a job says of the models' steps, before a row is read.
 */
#ifndef HANSE_ENGINE_MODELS_CHECKS_H
#define HANSE_ENGINE_MODELS_CHECKS_H

#include "engine/models/evaluate.h"

/* Whether a formula gives a number over the columns; `text` may be NULL. Errors
 * as hanse_formula_compile, their messages begin with `what`. */
hanse_status hanse_check_formula(const char *text, const char *what,
                                 const hanse_schema *schema,
                                 hanse_error *error);

/* The formulas of all indicators, each as "step 'NAME'". */
hanse_status hanse_check_indicators(const hanse_evaluate_spec *spec,
                                    const hanse_schema *schema,
                                    hanse_error *error);

/* Whether all keys are columns of the run or keys of its job; n_keys SIZE_MAX:
 * none are given. HANSE_ERR_COLUMN names the nearest column. */
hanse_status hanse_check_keys(const hanse_model_run *run,
                              const char *const *keys, size_t n_keys,
                              const char *what, hanse_error *error);

#endif
