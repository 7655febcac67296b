/* SPDX-License-Identifier: Apache-2.0
 *
 * The models of a job together.
 */
#include "engine/models/all.h"

#include "engine/base/error.h"
#include "engine/models/cooperation.h"
#include "engine/models/information.h"
#include "engine/models/resource.h"

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

static hanse_status check_with(const hanse_models *models,
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

/* All models before a row is read; their formulas may use what the models
 * before will have computed. */
static hanse_status check(const hanse_models *models,
                          const hanse_model_run *run, hanse_error *error)
{
    hanse_known_columns known;
    hanse_status status = hanse_known_columns_init(&known, run, error);
    if (status == HANSE_OK)
        status = check_with(models, run, &known, error);
    hanse_known_columns_clear(&known);
    return status;
}

hanse_status hanse_models_run(const hanse_models *models, hanse_model_run *run,
                              hanse_error *error)
{
    HANSE_TRY(check(models, run, error));
    if (models->resource != NULL)
        HANSE_TRY(hanse_resource_run(models->resource, run, error));
    if (models->information != NULL)
        HANSE_TRY(hanse_information_run(models->information, run, error));
    if (models->cooperation != NULL)
        HANSE_TRY(hanse_cooperation_run(models->cooperation, run, error));
    return HANSE_OK;
}

hanse_status hanse_models_explain(const hanse_models *models,
                                  const hanse_model_run *run,
                                  hanse_pass_notes *notes, hanse_error *error)
{
    HANSE_TRY(check(models, run, error));
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
