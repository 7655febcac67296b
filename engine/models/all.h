/* SPDX-License-Identifier: Apache-2.0
 *
 * The models of a job together.
 */
#ifndef HANSE_ENGINE_MODELS_ALL_H
#define HANSE_ENGINE_MODELS_ALL_H

#include "engine/models/models.h"
#include "engine/plan.h"

struct hanse_resource_spec;
struct hanse_information_spec;
struct hanse_cooperation_spec;

/* What a job says of the steps before the last one; NULL: the model is the
 * total of a column or formula, or not there at all. Owned. */
typedef struct hanse_models {
    struct hanse_resource_spec *resource;
    struct hanse_information_spec *information;
    struct hanse_cooperation_spec *cooperation;
} hanse_models;

/* Whether there is any step, so that a run is more than one fold. */
bool hanse_models_any(const hanse_models *models);
void hanse_models_clear(hanse_models *models);

/* Moves the models that `from` has over those of `models`. */
void hanse_models_move(hanse_models *models, hanse_models *from);

/* What can be found out before a row is read: whether the steps can be done,
 * and the last pass, whose plan is *plan (NULL: not wanted; measures that steps
 * make are 0.0 in it). Names the record-level outputs. */
hanse_status hanse_models_check(const hanse_models *models,
                                hanse_model_run *run, hanse_plan **plan,
                                hanse_error *error);

/* The steps of all models, which have been checked, in order: what
 * hanse_model_run_finish completes. */
hanse_status hanse_models_run(const hanse_models *models, hanse_model_run *run,
                              hanse_error *error);

/* The passes that these take over a table of n_rows rows. `open_links` and
 * its context serve to count links; tables are opened, not read. */
hanse_status hanse_models_explain(const hanse_models *models,
                                  const hanse_model_run *run,
                                  hanse_pass_notes *notes, hanse_error *error);

#endif
