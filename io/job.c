/* SPDX-License-Identifier: Apache-2.0
 *
 * Jobs: what they hold, and the specification that they describe.
 */
#include "io/job.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/error.h"
#include "engine/base/memory.h"
#include "engine/key_call.h"
#include "io/job_places.h"
#include "io/key_sets.h"
#include "io/storage.h"
#include "io/utf8.h"

static const char *const model_names[HANSE_MODEL_COUNT] = {
    [HANSE_MODEL_RESOURCE] = "resource",
    [HANSE_MODEL_INFORMATION] = "information",
    [HANSE_MODEL_COOPERATION] = "cooperation",
};

const char *hanse_model_name(hanse_model model)
{
    return model_names[model];
}

hanse_model hanse_model_parse(const char *name)
{
    int model = 0;
    while (model < HANSE_MODEL_COUNT && strcmp(model_names[model], name) != 0)
        model++;
    return (hanse_model)model;
}

/* ---- Lists and texts ---------------------------------------------------- */

void hanse_text_list_clear(hanse_text_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->items[i]);
    free(list->items);
    *list = (hanse_text_list){NULL, 0};
}

/* Appends the first `length` bytes of a text. */
static hanse_status list_add(hanse_text_list *list, const char *text,
                             size_t length, hanse_error *error)
{
    char *copy = strndup(text, length);
    char **larger = realloc(list->items, (list->n + 1) * sizeof *larger);
    if (larger != NULL)
        list->items = larger;
    if (larger == NULL || copy == NULL) {
        free(copy);
        return hanse_fail_nomem(error, "job", length + 1);
    }
    list->items[list->n++] = copy;
    return HANSE_OK;
}

hanse_status hanse_text_list_add(hanse_text_list *list, const char *text,
                                 hanse_error *error)
{
    return list_add(list, text, strlen(text), error);
}

/* The pieces of "a, b,c" without the blanks around them. `what` begins the
 * message about an empty piece. */
static hanse_status split(const char *text, const char *what,
                          hanse_text_list *out, hanse_error *error)
{
    hanse_text_list list = {NULL, 0};
    const char *piece = text;
    for (;;) {
        piece += strspn(piece, " \t");
        const size_t n_all = strcspn(piece, ",");
        size_t n = n_all;
        while (n > 0 && isspace((unsigned char)piece[n - 1]))
            n--;
        hanse_status status;
        if (n == 0)
            status = hanse_fail(error, HANSE_ERR_SPEC,
                                "%s '%s': a name is missing around a comma",
                                what, text);
        else
            status = list_add(&list, piece, n, error);
        if (status != HANSE_OK) {
            hanse_text_list_clear(&list);
            return status;
        }
        if (piece[n_all] == '\0')
            break;
        piece += n_all + 1;
    }
    *out = list;
    return HANSE_OK;
}

hanse_status hanse_job_set_text(char **slot, const char *text,
                                hanse_error *error)
{
    char *copy = hanse_text_copy(text);
    if (text != NULL && copy == NULL)
        return hanse_fail_nomem(error, "job", strlen(text) + 1);
    free(*slot);
    *slot = copy;
    return HANSE_OK;
}

/* ---- Life --------------------------------------------------------------- */

void hanse_job_init(hanse_job *job)
{
    memset(job, 0, sizeof *job);
}

void hanse_job_clear_groupings(hanse_job *job)
{
    for (size_t i = 0; i < job->n_groupings; i++)
        hanse_text_list_clear(&job->groupings[i]);
    free(job->groupings);
    free(job->from_sets);
    job->groupings = NULL;
    job->from_sets = NULL;
    job->n_groupings = 0;
}

void hanse_job_clear(hanse_job *job)
{
    hanse_text_list_clear(&job->files);
    hanse_job_clear_groupings(job);
    for (size_t i = 0; i < job->n_keys; i++) {
        free(job->keys[i].name);
        free(job->keys[i].definition);
    }
    free(job->keys);
    free(job->table);
    free(job->where);
    free(job->weights);
    free(job->id);
    free(job->output);
    free(job->records_storage);
    hanse_text_list_clear(&job->records_columns);
    for (int m = 0; m < HANSE_MODEL_COUNT; m++) {
        free(job->model_formula[m]);
        free(job->model_json[m]);
    }
    hanse_models_clear(&job->models);
    for (size_t i = 0; i < job->n_measures; i++) {
        free(job->measures[i].name);
        free(job->measures[i].formula);
    }
    free(job->measures);
    hanse_job_clear_places(job);
    hanse_job_init(job);
}

/* ---- Setters ------------------------------------------------------------ */

hanse_status hanse_job_add_file(hanse_job *job, const char *pattern,
                                hanse_error *error)
{
    if (*pattern == '\0')
        return hanse_fail(error, HANSE_ERR_SPEC,
                          "an input file without a name; give one");
    return hanse_text_list_add(&job->files, pattern, error);
}

hanse_status hanse_job_set_records_storage(hanse_job *job, const char *text,
                                           hanse_error *error)
{
    hanse_storage storage;
    const hanse_status status =
        hanse_storage_parse_chunked(&storage, text, error);
    if (status == HANSE_ERR_ARGUMENT && error != NULL)
        error->status = HANSE_ERR_SPEC;
    if (status != HANSE_OK)
        return status == HANSE_ERR_ARGUMENT ? HANSE_ERR_SPEC : status;
    return hanse_job_set_text(&job->records_storage, text, error);
}

/* Index of a grouping with the same keys that a set made, SIZE_MAX for none. */
static size_t find_from_set(const hanse_job *job, const hanse_text_list *keys)
{
    for (size_t g = 0; g < job->n_groupings; g++) {
        const hanse_text_list *other = &job->groupings[g];
        bool same = job->from_sets[g] && other->n == keys->n;
        for (size_t i = 0; same && i < keys->n; i++)
            same = strcmp(other->items[i], keys->items[i]) == 0;
        if (same)
            return g;
    }
    return SIZE_MAX;
}

hanse_status hanse_job_take_grouping(hanse_job *job, hanse_text_list *keys,
                                     bool from_set, hanse_error *error)
{
    const size_t made = from_set ? SIZE_MAX : find_from_set(job, keys);
    if (made != SIZE_MAX) {
        job->from_sets[made] = false;
        hanse_text_list_clear(keys);
        return HANSE_OK;
    }
    const size_t n = job->n_groupings + 1;
    hanse_text_list *larger = realloc(job->groupings, n * sizeof *larger);
    if (larger != NULL)
        job->groupings = larger;
    bool *from_sets = realloc(job->from_sets, n * sizeof *from_sets);
    if (from_sets != NULL)
        job->from_sets = from_sets;
    if (larger == NULL || from_sets == NULL)
        return hanse_fail_nomem(error, "job", sizeof *larger);
    job->from_sets[job->n_groupings] = from_set;
    job->groupings[job->n_groupings++] = *keys;
    *keys = (hanse_text_list){NULL, 0};
    return HANSE_OK;
}

hanse_status hanse_job_add_grouping(hanse_job *job, const char *keys,
                                    hanse_error *error)
{
    hanse_set_list list = {NULL, 0};
    hanse_status status = HANSE_OK;
    if (*keys != '\0' && strcmp(keys, "total") != 0)
        status = hanse_set_list_parse(job, keys, &list, error);
    if (status == HANSE_OK)
        status = hanse_job_add_sets(job, &list, error);
    hanse_set_list_clear(&list);
    return status;
}

/* "NAME = TEXT" taken apart, from malloc. `form` says what to write. */
static hanse_status split_definition(const char *text, const char *what,
                                     const char *form, char **name,
                                     char **definition, hanse_error *error)
{
    const char *equals = strchr(text, '=');
    const char *begin = text + strspn(text, " \t");
    const char *end = equals != NULL ? equals : begin;
    const char *rest = equals != NULL ? equals + 1 : end;
    rest += strspn(rest, " \t");
    while (end > begin && isspace((unsigned char)end[-1]))
        end--;
    if (end <= begin || *rest == '\0')
        return hanse_fail(error, HANSE_ERR_SPEC, "%s '%s': write %s", what,
                          text, form);
    *name = strndup(begin, (size_t)(end - begin));
    *definition = hanse_text_copy(rest);
    if (*name != NULL && *definition != NULL)
        return HANSE_OK;
    free(*name);
    free(*definition);
    return hanse_fail_nomem(error, "job", strlen(text));
}

hanse_status hanse_job_put_key(hanse_job *job, const char *name,
                               const char *definition, hanse_error *error)
{
    if (!hanse_utf8_is_valid(name))
        return hanse_fail(error, HANSE_ERR_SPEC,
                          "the name of a key is not valid UTF-8");
    for (size_t i = 0; i < job->n_keys; i++) {
        if (strcmp(job->keys[i].name, name) != 0)
            continue;
        if (strcmp(job->keys[i].definition, definition) == 0)
            return HANSE_OK;
        return hanse_fail(error, HANSE_ERR_SPEC,
                          "key '%s' is defined twice, as %.300s and as %.300s; "
                          "give one another name",
                          name, job->keys[i].definition, definition);
    }
    hanse_job_key key = {hanse_text_copy(name), hanse_text_copy(definition)};
    hanse_job_key *larger =
        realloc(job->keys, (job->n_keys + 1) * sizeof *larger);
    if (larger != NULL)
        job->keys = larger;
    if (larger == NULL || key.name == NULL || key.definition == NULL) {
        free(key.name);
        free(key.definition);
        return hanse_fail_nomem(error, "job", sizeof key);
    }
    job->keys[job->n_keys++] = key;
    return HANSE_OK;
}

hanse_status hanse_job_add_key(hanse_job *job, const char *definition,
                               hanse_error *error)
{
    char *name = NULL, *rest = NULL;
    HANSE_TRY(split_definition(definition, "key",
                               "NAME=DEFINITION, as in "
                               "size=bin(employees, 10, 50)",
                               &name, &rest, error));
    const hanse_status status = hanse_job_put_key(job, name, rest, error);
    free(name);
    free(rest);
    return status;
}

/* Takes ownership of both texts, which may be NULL when memory is out. */
static hanse_status append_measure(hanse_job *job, char *name, char *formula,
                                   hanse_error *error)
{
    hanse_job_measure *larger =
        realloc(job->measures, (job->n_measures + 1) * sizeof *larger);
    if (larger != NULL)
        job->measures = larger;
    if (larger == NULL || name == NULL || formula == NULL) {
        free(name);
        free(formula);
        return hanse_fail_nomem(error, "job", sizeof *larger);
    }
    job->measures[job->n_measures++] = (hanse_job_measure){name, formula};
    return HANSE_OK;
}

hanse_status hanse_job_put_measure(hanse_job *job, const char *name,
                                   const char *formula, hanse_error *error)
{
    return append_measure(job, hanse_text_copy(name), hanse_text_copy(formula),
                          error);
}

hanse_status hanse_job_add_measure(hanse_job *job, const char *definition,
                                   hanse_error *error)
{
    const char *equals = strchr(definition, '=');
    const char *end = equals != NULL ? equals : definition + strlen(definition);
    const char *formula = equals != NULL ? equals + 1 : definition;
    formula += strspn(formula, " \t");
    while (definition < end && isspace((unsigned char)*definition))
        definition++;
    while (end > definition && isspace((unsigned char)end[-1]))
        end--;
    if (end == definition || *formula == '\0')
        return hanse_fail(error, HANSE_ERR_SPEC,
                          "measure '%s': write NAME for a column or "
                          "NAME=FORMULA",
                          definition);
    return append_measure(job, strndup(definition, (size_t)(end - definition)),
                          hanse_text_copy(formula), error);
}

hanse_status hanse_job_set_statistics(hanse_job *job, const char *names,
                                      hanse_error *error)
{
    hanse_text_list list;
    hanse_status status = HANSE_OK;
    hanse_statistic_set set = {0};
    HANSE_TRY(split(names, "statistics", &list, error));
    for (size_t i = 0; status == HANSE_OK && i < list.n; i++)
        status = hanse_statistic_set_add(&set, list.items[i], error);
    hanse_text_list_clear(&list);
    if (status == HANSE_OK)
        job->statistics = set;
    return status;
}

hanse_status hanse_job_set_model(hanse_job *job, hanse_model model,
                                 const char *formula, hanse_error *error)
{
    HANSE_TRY(hanse_job_set_text(&job->model_formula[model], formula, error));
    job->use_model[model] = true;
    return HANSE_OK;
}

/* ---- Specification ------------------------------------------------------ */

static hanse_status fill_spec(const hanse_job *job, hanse_spec *spec,
                              hanse_error *error)
{
    for (size_t i = 0; i < job->n_keys; i++)
        if (!hanse_key_call_is(job->keys[i].definition, "map"))
            HANSE_TRY(hanse_spec_define_key(spec, job->keys[i].name,
                                            job->keys[i].definition, error));
    for (size_t i = 0; i < job->n_groupings; i++)
        HANSE_TRY(hanse_spec_add_grouping(
            spec, (const char *const *)job->groupings[i].items,
            job->groupings[i].n, error));
    for (int m = 0; m < HANSE_MODEL_COUNT; m++)
        if (job->use_model[m])
            HANSE_TRY(hanse_spec_add_model(spec, (hanse_model)m,
                                           job->model_formula[m], error));
    for (size_t i = 0; i < job->n_measures; i++)
        HANSE_TRY(hanse_spec_add_measure(spec, job->measures[i].name,
                                         job->measures[i].formula, error));
    HANSE_TRY(hanse_spec_set_filter(spec, job->where, error));
    HANSE_TRY(hanse_spec_set_weights(spec, job->weights, error));
    HANSE_TRY(hanse_spec_set_id(spec, job->id, error));
    const size_t n_statistics = hanse_statistic_set_count(&job->statistics);
    for (size_t i = 0; i < n_statistics; i++) {
        char name[HANSE_STATISTIC_NAME];
        hanse_statistic_set_name(&job->statistics, i, name);
        HANSE_TRY(hanse_spec_add_statistic(spec, name, error));
    }
    return hanse_spec_set_missing_keys(spec,
                                       job->drop_missing_keys
                                           ? HANSE_MISSING_KEYS_DROP
                                           : HANSE_MISSING_KEYS_GROUP,
                                       error);
}

hanse_status hanse_job_spec(const hanse_job *job, hanse_spec **out,
                            hanse_error *error)
{
    hanse_spec *spec;
    HANSE_TRY(hanse_spec_create(&spec, error));
    const hanse_status status = fill_spec(job, spec, error);
    if (status != HANSE_OK) {
        hanse_spec_destroy(spec);
        return status;
    }
    *out = spec;
    return HANSE_OK;
}
