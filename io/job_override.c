/* SPDX-License-Identifier: Apache-2.0
 *
 * What a job says over another: options over a job file.
 */
#include <stdlib.h>
#include <strings.h>
#include <string.h>

#include "io/job_places.h"
#include "engine/base/error.h"

static void move_text(char **to, char **from)
{
    if (*from == NULL)
        return;
    free(*to);
    *to = *from;
    *from = NULL;
}

/* Measures of the same name are replaced in their place. Two in `with` itself
 * that bear one name stay two, for the specification to refuse. */
static hanse_status override_measures(hanse_job *job, hanse_job *with,
                                      hanse_error *error)
{
    const size_t n_old = job->n_measures;
    for (size_t i = 0; i < with->n_measures; i++) {
        const hanse_job_measure *new = &with->measures[i];
        hanse_job_forget(job, hanse_place_measure, new->name);
        hanse_job_measure *old = NULL;
        for (size_t j = 0; old == NULL && j < n_old; j++)
            if (strcasecmp(job->measures[j].name, new->name) == 0)
                old = &job->measures[j];
        if (old != NULL)
            HANSE_TRY(hanse_job_set_text(&old->formula, new->formula, error));
        else
            HANSE_TRY(
                hanse_job_put_measure(job, new->name, new->formula, error));
    }
    return HANSE_OK;
}

/* Keys of the same name are replaced in their place. */
static hanse_status override_keys(hanse_job *job, hanse_job *with,
                                  hanse_error *error)
{
    for (size_t i = 0; i < with->n_keys; i++) {
        const hanse_job_key *new = &with->keys[i];
        hanse_job_key *old = NULL;
        hanse_job_forget(job, hanse_place_definition, new->name);
        for (size_t j = 0; old == NULL && j < job->n_keys; j++)
            if (strcmp(job->keys[j].name, new->name) == 0)
                old = &job->keys[j];
        if (old != NULL)
            HANSE_TRY(
                hanse_job_set_text(&old->definition, new->definition, error));
        else
            HANSE_TRY(
                hanse_job_put_key(job, new->name, new->definition, error));
    }
    return HANSE_OK;
}

hanse_status hanse_job_override(hanse_job *job, hanse_job *with,
                                hanse_error *error)
{
    if (with->files.n > 0) {
        hanse_text_list_clear(&job->files);
        job->files = with->files;
        with->files = (hanse_text_list){NULL, 0};
    }
    if (with->n_groupings > 0) {
        hanse_job_clear_groupings(job);
        hanse_job_forget(job, hanse_place_key, NULL);
        job->groupings = with->groupings;
        job->from_sets = with->from_sets;
        with->from_sets = NULL;
        job->n_groupings = with->n_groupings;
        with->groupings = NULL;
        with->n_groupings = 0;
    }
    if (with->where != NULL)
        hanse_job_forget(job, hanse_place_filter, NULL);
    move_text(&job->table, &with->table);
    move_text(&job->where, &with->where);
    move_text(&job->output, &with->output);
    move_text(&job->records_storage, &with->records_storage);
    if (with->records_columns.n > 0) {
        hanse_text_list_clear(&job->records_columns);
        job->records_columns = with->records_columns;
        with->records_columns = (hanse_text_list){NULL, 0};
    }
    if (!hanse_statistic_set_is_empty(&with->statistics))
        job->statistics = with->statistics;
    if (with->weights != NULL)
        hanse_job_forget(job, hanse_place_weights, NULL);
    if (with->id != NULL)
        hanse_job_forget(job, hanse_place_id, NULL);
    move_text(&job->weights, &with->weights);
    move_text(&job->id, &with->id);
    if (with->states_missing_keys) {
        job->states_missing_keys = true;
        job->drop_missing_keys = with->drop_missing_keys;
    }
    for (int m = 0; m < HANSE_MODEL_COUNT; m++) {
        if (with->use_model[m])
            hanse_job_forget(job, hanse_place_measure,
                             hanse_model_name((hanse_model)m));
        move_text(&job->model_formula[m], &with->model_formula[m]);
        move_text(&job->model_json[m], &with->model_json[m]);
        job->use_model[m] = job->use_model[m] || with->use_model[m];
    }
    hanse_models_move(&job->models, &with->models);
    hanse_status status = override_measures(job, with, error);
    if (status == HANSE_OK)
        status = override_keys(job, with, error);
    hanse_job_move_places(job, with);
    if (status == HANSE_OK)
        hanse_job_clear(with);
    return status;
}
