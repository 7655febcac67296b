/* SPDX-License-Identifier: Apache-2.0
 *
 * Jobs as JSON: the keys of the job file, sorted, those that were not given
 * left out. Two jobs have the same text exactly when they say the same.
 */
#include <jansson.h>

#include "engine/base/error.h"
#include "io/job.h"
#include "io/job_json.h"
#include "io/json_text.h"

/* Puts `value`, whose reference is taken, under `key` unless it is empty.
 * Every function here gives NULL when memory is out, and passes NULL on. */
static json_t *put(json_t *object, const char *key, json_t *value)
{
    const bool is_empty = (json_is_object(value) || json_is_array(value)) &&
                          json_object_size(value) == 0 &&
                          json_array_size(value) == 0;
    if (is_empty) {
        json_decref(value);
        return object;
    }
    if (object != NULL && value != NULL &&
        json_object_set_new(object, key, value) == 0)
        return object;
    if (object == NULL)
        json_decref(value);
    json_decref(object);
    return NULL;
}

static json_t *put_text(json_t *object, const char *key, const char *text)
{
    return text == NULL ? object : put(object, key, hanse_json_text(text));
}

static json_t *list_json(const hanse_text_list *list)
{
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < list->n; i++)
        if (json_array_append_new(array, hanse_json_text(list->items[i])) !=
            0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static json_t *groupings_json(const hanse_job *job)
{
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < job->n_groupings; i++) {
        const hanse_text_list *keys = &job->groupings[i];
        json_t *entry = keys->n == 0   ? json_string("total")
                        : keys->n == 1 ? hanse_json_text(keys->items[0])
                                       : list_json(keys);
        if (json_array_append_new(array, entry) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *statistics_json(const hanse_statistic_set *set)
{
    json_t *array = json_array();
    const size_t n = hanse_statistic_set_count(set);
    for (size_t i = 0; array != NULL && i < n; i++) {
        char name[HANSE_STATISTIC_NAME];
        hanse_statistic_set_name(set, i, name);
        if (json_array_append_new(array, json_string(name)) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *keys_json(const hanse_job *job)
{
    json_t *object = json_object();
    for (size_t i = 0; i < job->n_keys; i++)
        object = put(object, job->keys[i].name,
                     hanse_json_text(job->keys[i].definition));
    return object;
}

/* The formula, or all that the job file says, with the formula as it is now. */
static json_t *model_json(const hanse_job *job, int m)
{
    if (job->model_json[m] == NULL)
        return hanse_json_text(job->model_formula[m]);
    json_t *object = json_loads(job->model_json[m], 0, NULL);
    if (object == NULL || job->model_formula[m] == NULL)
        return object;
    (void)json_object_del(object, "column");
    return put(object, "formula", hanse_json_text(job->model_formula[m]));
}

static json_t *models_json(const hanse_job *job)
{
    json_t *object = json_object();
    for (int m = 0; m < HANSE_MODEL_COUNT; m++)
        if (job->use_model[m])
            object = put(object, hanse_model_name((hanse_model)m),
                         model_json(job, m));
    return object;
}

static json_t *measures_json(const hanse_job *job)
{
    json_t *object = json_object();
    for (size_t i = 0; i < job->n_measures; i++)
        object = put(object, job->measures[i].name,
                     hanse_json_text(job->measures[i].formula));
    return object;
}

static json_t *output_json(const hanse_job *job)
{
    json_t *records = put_text(json_object(), "storage", job->records_storage);
    if (job->records_columns.n > 0)
        records = put(records, "columns", list_json(&job->records_columns));
    return put(put_text(json_object(), "file", job->output), "records",
               records);
}

json_t *hanse_job_json(const hanse_job *job)
{
    json_t *input = put(json_object(), "files", list_json(&job->files));
    input = put_text(input, "table", job->table);
    input = put_text(input, "where", job->where);
    json_t *root = put(json_object(), "input", input);
    root = put(root, "keys", keys_json(job));
    root = put(root, "group_by", groupings_json(job));
    root = put(root, "statistics", statistics_json(&job->statistics));
    root = put(root, "models", models_json(job));
    root = put(root, "measures", measures_json(job));
    if (job->weights != NULL)
        root = put(root, "weights", hanse_json_text(job->weights));
    if (job->id != NULL)
        root = put(root, "id", hanse_json_text(job->id));
    if (job->states_missing_keys)
        root = put_text(root, "missing_keys",
                        job->drop_missing_keys ? "drop" : "group");
    return put(root, "output", output_json(job));
}

hanse_status hanse_job_to_json(const hanse_job *job, char **out,
                               hanse_error *error)
{
    json_t *root = hanse_job_json(job);
    char *text =
        root != NULL ? json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(root);
    if (text == NULL)
        return hanse_fail_nomem(error, "job as JSON", sizeof *job);
    *out = text;
    return HANSE_OK;
}
