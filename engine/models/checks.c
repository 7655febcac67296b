/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of the models' steps.
 */
#include "engine/models/checks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/formula.h"
#include "engine/spec.h"

hanse_status hanse_known_columns_init(hanse_known_columns *known,
                                      const hanse_model_run *run,
                                      hanse_error *error)
{
    const hanse_schema *schema =
        hanse_source_schema(hanse_columns_source(run->columns));
    const size_t n = schema->n_fields;
    *known = (hanse_known_columns){.n_run = n};
    known->fields = calloc(n + 1, sizeof *known->fields);
    if (known->fields == NULL)
        return hanse_fail_nomem(error, "columns", n * sizeof *known->fields);
    memcpy(known->fields, schema->fields, n * sizeof *known->fields);
    known->schema = (hanse_schema){known->fields, n};
    return HANSE_OK;
}

hanse_status hanse_known_columns_add(hanse_known_columns *known,
                                     const char *name, hanse_error *error)
{
    const size_t n = known->schema.n_fields;
    char *copy = hanse_text_copy(name);
    hanse_field *larger = realloc(known->fields, (n + 1) * sizeof *larger);
    if (larger != NULL)
        known->schema.fields = known->fields = larger;
    if (copy == NULL || larger == NULL) {
        free(copy);
        return hanse_fail_nomem(error, "columns", (n + 1) * sizeof *larger);
    }
    larger[n] = (hanse_field){.name = copy, .type = HANSE_FLOAT64};
    known->schema.n_fields++;
    return HANSE_OK;
}

void hanse_known_columns_clear(hanse_known_columns *known)
{
    for (size_t i = known->n_run; i < known->schema.n_fields; i++)
        free((char *)(uintptr_t)known->fields[i].name);
    free(known->fields);
    *known = (hanse_known_columns){0};
}

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
    for (size_t k = 1; n_keys != SIZE_MAX && k < n_keys; k++)
        for (size_t i = 0; i < k; i++)
            if (strcmp(keys[i], keys[k]) == 0)
                return hanse_fail(error, HANSE_ERR_SPEC,
                                  "%s: key '%s' is named twice", what, keys[k]);
    return n_keys == SIZE_MAX
               ? HANSE_OK
               : hanse_model_check_groups(run, keys, n_keys, error);
}
