/* SPDX-License-Identifier: Apache-2.0
 *
 * The models of a job together.
 */
#include "engine/models/all.h"

#include <assert.h>

#include "engine/base/error.h"
#include "engine/models/cooperation.h"
#include "engine/models/information.h"
#include "engine/models/resource.h"
#include "engine/spec.h"

bool hanse_models_any(const hanse_models *models)
{
    return models->resource != NULL || models->information != NULL ||
           models->cooperation != NULL;
}

void hanse_models_clear(hanse_models *models)
{
    hanse_resource_spec_destroy(models->resource);
    hanse_information_spec_destroy(models->information);
    hanse_cooperation_spec_destroy(models->cooperation);
    *models = (hanse_models){0};
}

void hanse_models_move(hanse_models *models, hanse_models *from)
{
    hanse_models replaced = {0};
    if (from->resource != NULL) {
        replaced.resource = models->resource;
        models->resource = from->resource;
    }
    if (from->information != NULL) {
        replaced.information = models->information;
        models->information = from->information;
    }
    if (from->cooperation != NULL) {
        replaced.cooperation = models->cooperation;
        models->cooperation = from->cooperation;
    }
    hanse_models_clear(&replaced);
    *from = (hanse_models){0};
}

static hanse_status check_steps(const hanse_models *models,
                                const hanse_model_run *run,
                                hanse_known_columns *known, hanse_error *error)
{
    if (models->resource != NULL)
        HANSE_TRY(hanse_resource_check(models->resource, run, known, error));
    if (models->information != NULL) {
        HANSE_TRY(hanse_information_check(models->information, run,
                                          &known->schema, error));
        HANSE_TRY(hanse_information_known(models->information, known, error));
    }
    return models->cooperation != NULL
               ? hanse_cooperation_check(models->cooperation, run,
                                         &known->schema, error)
               : HANSE_OK;
}

static hanse_status name_records(const hanse_models *models,
                                 hanse_model_run *run, hanse_error *error)
{
    if (models->resource != NULL)
        HANSE_TRY(hanse_resource_name_records(models->resource, run, error));
    if (models->information != NULL)
        HANSE_TRY(
            hanse_information_name_records(models->information, run, error));
    return models->cooperation != NULL
               ? hanse_cooperation_name_records(models->cooperation, run, error)
               : HANSE_OK;
}

/* It belongs to all passes, so that it knows no computed column. */
static hanse_status check_filter(const hanse_model_run *run, hanse_error *error)
{
    hanse_formula *filter;
    if (run->spec->filter == NULL)
        return HANSE_OK;
    HANSE_TRY(hanse_formula_compile(run->spec->filter, "filter",
                                    hanse_source_schema(run->source),
                                    HANSE_WANT_CONDITION, &filter, error));
    hanse_formula_destroy(filter);
    return HANSE_OK;
}

/* The last pass; measures that the steps make are 0.0. */
static hanse_status plan_last(const hanse_models *models,
                              const hanse_spec *spec,
                              const hanse_schema *schema, hanse_plan **out,
                              hanse_error *error)
{
    const bool has_steps[HANSE_MODEL_COUNT] = {
        [HANSE_MODEL_RESOURCE] = models->resource != NULL,
        [HANSE_MODEL_INFORMATION] = models->information != NULL,
        [HANSE_MODEL_COOPERATION] = models->cooperation != NULL,
    };
    hanse_spec *last;
    HANSE_TRY(hanse_spec_copy(spec, true, &last, error));
    hanse_status status = HANSE_OK;
    for (int m = 0; status == HANSE_OK && m < HANSE_MODEL_COUNT; m++)
        if (has_steps[m])
            status =
                hanse_spec_replace_model(last, (hanse_model)m, "0.0", error);
    if (status == HANSE_OK)
        status = hanse_plan_create(last, schema, out, error);
    hanse_spec_destroy(last);
    return status;
}

/* Formulas may use what the models before will have computed. */
static hanse_status check(const hanse_models *models, hanse_model_run *run,
                          hanse_known_columns *known, hanse_plan **out,
                          hanse_error *error)
{
    hanse_plan *plan;
    HANSE_TRY(hanse_known_columns_init(known, run, error));
    HANSE_TRY(check_filter(run, error));
    HANSE_TRY(check_steps(models, run, known, error));
    HANSE_TRY(name_records(models, run, error));
    HANSE_TRY(plan_last(models, run->spec, &known->schema, &plan, error));
    if (out != NULL)
        *out = plan;
    else
        hanse_plan_destroy(plan);
    return HANSE_OK;
}

hanse_status hanse_models_check(const hanse_models *models,
                                hanse_model_run *run, hanse_plan **out,
                                hanse_error *error)
{
    hanse_known_columns known;
    const hanse_status status = check(models, run, &known, out, error);
    hanse_known_columns_clear(&known);
    return status;
}

hanse_status hanse_models_run(const hanse_models *models, hanse_model_run *run,
                              hanse_error *error)
{
    if (models->resource != NULL)
        HANSE_TRY(hanse_resource_run(models->resource, run, error));
    if (models->information != NULL)
        HANSE_TRY(hanse_information_run(models->information, run, error));
    if (models->cooperation != NULL)
        HANSE_TRY(hanse_cooperation_run(models->cooperation, run, error));
    assert(run->n_records == run->n_record_names);
    return HANSE_OK;
}

hanse_status hanse_models_explain(const hanse_models *models,
                                  const hanse_model_run *run,
                                  hanse_pass_notes *notes, hanse_error *error)
{
    if (models->resource != NULL)
        HANSE_TRY(hanse_resource_explain(models->resource, run, notes, error));
    if (models->information != NULL)
        HANSE_TRY(
            hanse_information_explain(models->information, run, notes, error));
    if (models->cooperation != NULL)
        HANSE_TRY(
            hanse_cooperation_explain(models->cooperation, run, notes, error));
    return HANSE_OK;
}
