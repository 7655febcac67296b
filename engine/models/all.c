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

/* Before a row is read; the other models' steps do so themselves. */
static hanse_status check_information(const hanse_models *models,
                                      const hanse_model_run *run,
                                      hanse_error *error)
{
    const bool has_score =
        models->resource != NULL && models->resource->evaluates;
    return models->information != NULL
               ? hanse_information_check(models->information, run, has_score,
                                         error)
               : HANSE_OK;
}

hanse_status hanse_models_run(const hanse_models *models, hanse_model_run *run,
                              hanse_error *error)
{
    HANSE_TRY(check_information(models, run, error));
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
    HANSE_TRY(check_information(models, run, error));
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
