/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of the models' steps.
 */
#include "engine/models/checks.h"

#include <stdio.h>

#include "engine/formula.h"
#include "engine/spec.h"

hanse_status hanse_check_formula(const char *text, const char *what,
                                 const hanse_schema *schema, hanse_error *error)
{
    hanse_formula *formula;
    if (text == NULL)
        return HANSE_OK;
    HANSE_TRY(hanse_formula_compile(text, what, schema, HANSE_WANT_NUMBER,
                                    &formula, error));
    hanse_formula_destroy(formula);
    return HANSE_OK;
}

hanse_status hanse_check_indicators(const hanse_evaluate_spec *spec,
                                    const hanse_schema *schema,
                                    hanse_error *error)
{
    for (size_t j = 0; j < spec->n_indicators; j++) {
        char what[256];
        (void)snprintf(what, sizeof what, "step '%.200s'",
                       spec->indicators[j].name);
        HANSE_TRY(hanse_check_formula(spec->indicators[j].formula, what, schema,
                                      error));
    }
    return HANSE_OK;
}

hanse_status hanse_check_keys(const hanse_model_run *run,
                              const char *const *keys, size_t n_keys,
                              const char *what, hanse_error *error)
{
    const hanse_schema *schema =
        hanse_source_schema(hanse_columns_source(run->columns));
    for (size_t k = 0; n_keys != SIZE_MAX && k < n_keys; k++)
        if (hanse_spec_find_key(run->spec, keys[k]) == NULL &&
            hanse_schema_find(schema, keys[k]) == SIZE_MAX)
            return hanse_fail_column(error, what, keys[k], schema);
    return HANSE_OK;
}
