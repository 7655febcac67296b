/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of the resource model.
 */
#include "engine/models/resource.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/models/checks.h"
#include "engine/spec.h"

static const char score_column[] = "score";
static const char score_status_column[] = "score_status";
static const char score_prefix[] = "score_";

hanse_resource_spec *hanse_resource_spec_create(void)
{
    hanse_resource_spec *spec = calloc(1, sizeof *spec);
    if (spec == NULL)
        return NULL;
    spec->n_within = SIZE_MAX;
    hanse_evaluate_spec_init(&spec->evaluate);
    spec->allocate.rho = 1.0;
    return spec;
}

void hanse_resource_spec_destroy(hanse_resource_spec *spec)
{
    if (spec == NULL)
        return;
    for (size_t k = 0; spec->within != NULL && k < spec->n_within; k++)
        free(spec->within[k]);
    free(spec->within);
    hanse_evaluate_spec_clear(&spec->evaluate);
    hanse_allocate_spec_clear(&spec->allocate);
    free(spec);
}

/* ---- What the steps are about ------------------------------------------- */

static hanse_evaluation describe_evaluation(const hanse_resource_spec *spec,
                                            const hanse_model_run *run)
{
    hanse_evaluation evaluation = {.spec = &spec->evaluate,
                                   .prefix = "resource",
                                   .score = score_column,
                                   .status = score_status_column,
                                   .normalised =
                                       spec->normalised ? score_prefix : NULL,
                                   .table = "weights/resource",
                                   .keys = (const char *const *)spec->within,
                                   .n_keys = spec->n_within};
    hanse_model_within(run, &evaluation.keys, &evaluation.n_keys);
    return evaluation;
}

enum {
    LONGEST_NAME = 255,
    NAME_SIZE = 320 /* with a prefix */
};

/* Of the column of an indicator on the common scale. */
static void name_normalised(const hanse_resource_spec *spec, size_t j,
                            char name[NAME_SIZE])
{
    (void)snprintf(name, NAME_SIZE, "%s%s", score_prefix,
                   spec->evaluate.indicators[j].name);
}

/* The formula of r_i. */
static const char *resource_formula(const hanse_model_run *run)
{
    const char *const name = "resource";
    for (size_t m = 0; m < run->spec->n_measures; m++)
        if (strcmp(run->spec->measures[m].name, name) == 0)
            return run->spec->measures[m].formula;
    return name;
}

static hanse_allocation_request
describe_allocation(const hanse_resource_spec *spec, const hanse_model_run *run)
{
    const char *claim = spec->allocate.claim;
    hanse_allocation_request request = {.spec = &spec->allocate,
                                        .resource = resource_formula(run),
                                        .keys =
                                            (const char *const *)spec->within,
                                        .n_keys = spec->n_within};
    hanse_model_within(run, &request.keys, &request.n_keys);
    request.claim = claim == NULL || strcmp(claim, "resource") == 0
                        ? request.resource
                        : claim;
    return request;
}

/* ---- Checks ------------------------------------------------------------- */

/* The smaller id decides ties, so that there must be an order of ids. */
static hanse_status check_id_type(const hanse_resource_spec *spec,
                                  const hanse_model_run *run,
                                  const hanse_schema *schema,
                                  hanse_error *error)
{
    const char *name = run->spec->id != NULL ? run->spec->id : "enterprise_id";
    const size_t field = hanse_schema_find(schema, name);
    if (spec->allocate.rule != HANSE_RULE_LARGEST_REMAINDER ||
        field == SIZE_MAX)
        return HANSE_OK;
    const hanse_type type = schema->fields[field].type;
    if (type != HANSE_FLOAT32 && type != HANSE_FLOAT64)
        return HANSE_OK;
    return hanse_fail(error, HANSE_ERR_SPEC,
                      "id: column '%s' is %s; rule largest_remainder decides "
                      "ties by the id, which must be an integer or a text; "
                      "name another column with 'id'",
                      name, hanse_type_name(type));
}

/* Claims and pools may use the score. */
static hanse_status check_allocation(const hanse_resource_spec *spec,
                                     const hanse_model_run *run,
                                     const hanse_schema *schema,
                                     hanse_error *error)
{
    const hanse_allocation_request request = describe_allocation(spec, run);
    if (spec->evaluates && spec->evaluate.scale == HANSE_SCALE_ZSCORE &&
        strcmp(request.claim, score_column) == 0)
        return hanse_fail(error, HANSE_ERR_SPEC,
                          "step 'claim': scores of scale zscore are negative "
                          "for some records and can not be claims; use scale "
                          "minmax");
    const char *id = run->spec->id;
    if (id != NULL && hanse_schema_find(schema, id) == SIZE_MAX)
        return hanse_fail_column(error, "id", id, schema);
    HANSE_TRY(check_id_type(spec, run, schema, error));
    HANSE_TRY(
        hanse_check_formula(request.claim, "step 'claim'", schema, error));
    return hanse_check_formula(spec->allocate.pool, "step 'pool'", schema,
                               error);
}

/* That the run's columns have names of their own. */
static hanse_status check_name(const char *step, const hanse_schema *schema,
                               const char *name, hanse_error *error)
{
    return hanse_schema_find(schema, name) == SIZE_MAX
               ? HANSE_OK
               : hanse_fail(error, HANSE_ERR_SPEC,
                            "step '%s': the table has a column '%s' already, "
                            "which the job is to compute; rename that one",
                            step, name);
}

static hanse_status check_normalised(const hanse_resource_spec *spec, size_t j,
                                     const hanse_schema *schema,
                                     hanse_error *error)
{
    char name[NAME_SIZE];
    const char *own = spec->evaluate.indicators[j].name;
    if (strlen(own) > LONGEST_NAME)
        return hanse_fail(
            error, HANSE_ERR_SPEC,
            "step 'resource: evaluate': the name of an indicator is longer "
            "than %d bytes: '%.64s...'",
            (int)LONGEST_NAME, own);
    name_normalised(spec, j, name);
    if (strcmp(name, score_status_column) == 0)
        return hanse_fail(error, HANSE_ERR_SPEC,
                          "step '%s': with 'normalised' the indicator would be "
                          "named as the status of the score; give it another "
                          "name",
                          own);
    return check_name("resource: evaluate", schema, name, error);
}

static hanse_status check_score_names(const hanse_resource_spec *spec,
                                      const hanse_model_run *run,
                                      const hanse_schema *schema,
                                      hanse_error *error)
{
    const hanse_evaluation evaluation = describe_evaluation(spec, run);
    HANSE_TRY(check_name("resource: evaluate", schema, score_column, error));
    HANSE_TRY(
        check_name("resource: evaluate", schema, score_status_column, error));
    for (size_t j = 0; j < spec->evaluate.n_indicators; j++) {
        char name[NAME_SIZE];
        for (const char *kind = "xyl"; *kind != '\0'; kind++) {
            (void)snprintf(name, sizeof name, "%s_%c%zu", evaluation.prefix,
                           *kind, j + 1);
            HANSE_TRY(check_name("resource: evaluate", schema, name, error));
        }
        if (spec->normalised)
            HANSE_TRY(check_normalised(spec, j, schema, error));
    }
    return HANSE_OK;
}

hanse_status hanse_resource_check(const hanse_resource_spec *spec,
                                  const hanse_model_run *run,
                                  hanse_known_columns *known,
                                  hanse_error *error)
{
    HANSE_TRY(hanse_check_keys(run, (const char *const *)spec->within,
                               spec->n_within, "group by", error));
    if (spec->evaluates) {
        HANSE_TRY(
            hanse_check_indicators(&spec->evaluate, &known->schema, error));
        HANSE_TRY(check_score_names(spec, run, &known->schema, error));
    }
    const char *const *names = hanse_allocation_columns();
    for (size_t i = 0; spec->allocates && names[i] != NULL; i++)
        HANSE_TRY(
            check_name("resource: allocate", &known->schema, names[i], error));
    /* Resources are what there is before any score. */
    if (spec->allocates)
        HANSE_TRY(hanse_check_formula(resource_formula(run),
                                      "measure 'resource'", &known->schema,
                                      error));
    if (spec->evaluates)
        HANSE_TRY(hanse_known_columns_add(known, score_column, error));
    return spec->allocates ? check_allocation(spec, run, &known->schema, error)
                           : HANSE_OK;
}

/* ---- Steps -------------------------------------------------------------- */

static hanse_status add_record(hanse_model_run *run, const char *column,
                               const char *long_name, bool is_status,
                               hanse_error *error)
{
    const hanse_record_column record = {.name = (char *)(uintptr_t)column,
                                        .column = (char *)(uintptr_t)column,
                                        .long_name =
                                            (char *)(uintptr_t)long_name,
                                        .is_status = is_status};
    return hanse_model_add_record(run, &record, error);
}

hanse_status hanse_resource_name_records(const hanse_resource_spec *spec,
                                         hanse_model_run *run,
                                         hanse_error *error)
{
    if (spec->evaluates) {
        HANSE_TRY(hanse_model_name_record(run, score_column, error));
        HANSE_TRY(hanse_model_name_record(run, score_status_column, error));
    }
    for (size_t j = 0; spec->normalised && j < spec->evaluate.n_indicators;
         j++) {
        char name[NAME_SIZE];
        name_normalised(spec, j, name);
        HANSE_TRY(hanse_model_name_record(run, name, error));
    }
    if (!spec->allocates)
        return HANSE_OK;
    HANSE_TRY(hanse_model_name_record(run, HANSE_ALLOCATION_RECORD, error));
    return hanse_model_name_record(run, HANSE_ALLOCATION_STATUS_RECORD, error);
}

static hanse_status add_score_records(const hanse_resource_spec *spec,
                                      hanse_model_run *run, hanse_error *error)
{
    HANSE_TRY(add_record(run, score_column, "composite score", false, error));
    HANSE_TRY(add_record(run, score_status_column,
                         "what is known of the scope of the score", true,
                         error));
    for (size_t j = 0; spec->normalised && j < spec->evaluate.n_indicators;
         j++) {
        char column[NAME_SIZE];
        name_normalised(spec, j, column);
        HANSE_TRY(add_record(run, column, "indicator on the common scale",
                             false, error));
    }
    return HANSE_OK;
}

hanse_status hanse_resource_run(const hanse_resource_spec *spec,
                                hanse_model_run *run, hanse_error *error)
{
    if (spec->evaluates) {
        const hanse_evaluation evaluation = describe_evaluation(spec, run);
        HANSE_TRY(hanse_evaluate(run, &evaluation, error));
        HANSE_TRY(add_score_records(spec, run, error));
    }
    if (!spec->allocates)
        return HANSE_OK;
    const hanse_allocation_request request = describe_allocation(spec, run);
    return hanse_allocation_run(run, &request, error);
}

hanse_status hanse_resource_explain(const hanse_resource_spec *spec,
                                    const hanse_model_run *run,
                                    hanse_pass_notes *notes, hanse_error *error)
{
    if (spec->evaluates) {
        const hanse_evaluation evaluation = describe_evaluation(spec, run);
        HANSE_TRY(hanse_evaluate_explain(&evaluation, "resource: evaluate",
                                         notes, error));
    }
    if (!spec->allocates)
        return HANSE_OK;
    const hanse_allocation_request request = describe_allocation(spec, run);
    return hanse_allocation_explain(run, &request, notes, error);
}
