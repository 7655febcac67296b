/* SPDX-License-Identifier: Apache-2.0
 *
 * Models in job files.
 */
#include "io/job_models.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "engine/base/error.h"
#include "io/job_places.h"

/* ---- Values ------------------------------------------------------------- */

hanse_status hanse_node_number(hanse_job_reader *r, const yaml_node_t *node,
                               const char *what, double lowest, double highest,
                               double *out)
{
    const char *text = NULL;
    char *end;
    HANSE_TRY(hanse_node_text(r, node, what, &text));
    const double number = strtod(text, &end);
    if (*end != '\0' || end == text || !isfinite(number))
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "%s: '%s' is not a number", what, text);
    if (!(number >= lowest && number <= highest))
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "%s: %s is not from %g to %g", what, text,
                               lowest, highest);
    *out = number;
    return HANSE_OK;
}

hanse_status hanse_node_count(hanse_job_reader *r, const yaml_node_t *node,
                              const char *what, size_t lowest, size_t highest,
                              size_t *out)
{
    double number = 0;
    HANSE_TRY(hanse_node_number(r, node, what, (double)lowest, (double)highest,
                                &number));
    if (number != floor(number))
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "%s: %g is not a whole number", what, number);
    *out = (size_t)number;
    return HANSE_OK;
}

hanse_status hanse_node_choice(hanse_job_reader *r, const yaml_node_t *node,
                               const char *what, const char *const *words,
                               size_t n, size_t *out)
{
    const char *text = NULL;
    HANSE_TRY(hanse_node_text(r, node, what, &text));
    for (size_t i = 0; i < n; i++)
        if (strcmp(words[i], text) == 0) {
            *out = i;
            return HANSE_OK;
        }
    return hanse_node_fail_unknown(r, node, what, text, words, n);
}

hanse_status hanse_node_flag(hanse_job_reader *r, const yaml_node_t *node,
                             const char *what, bool *out)
{
    static const char *const words[] = {"false", "true"};
    size_t index = 0;
    HANSE_TRY(hanse_node_choice(r, node, what, words, 2, &index));
    *out = index == 1;
    return HANSE_OK;
}

hanse_status hanse_node_formula(hanse_job_reader *r, const yaml_node_t *node,
                                const char *name, char **out)
{
    HANSE_TRY(hanse_node_note(r, node, hanse_place_step, name));
    return hanse_node_set_text(r, node, name, out);
}

hanse_status hanse_node_texts(hanse_job_reader *r, const yaml_node_t *node,
                              const char *what, hanse_text_list *out)
{
    const bool is_list = node->type == YAML_SEQUENCE_NODE;
    const size_t n = is_list ? hanse_node_n_items(node) : 1;
    hanse_text_list_clear(out);
    for (size_t i = 0; i < n; i++) {
        const yaml_node_t *item = is_list ? hanse_node_item(r, node, i) : node;
        const char *text = NULL;
        HANSE_TRY(hanse_node_text(r, item, what, &text));
        HANSE_TRY(hanse_node_located(r, item,
                                     hanse_text_list_add(out, text, r->error)));
    }
    return HANSE_OK;
}

/* ---- The models --------------------------------------------------------- */

hanse_status hanse_job_read_model_formula(hanse_job_reader *r,
                                          const yaml_node_t *node,
                                          hanse_model model)
{
    const char *name = hanse_model_name(model);
    if (r->job->model_formula[model] != NULL)
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "%s: give either 'column' or 'formula'", name);
    HANSE_TRY(hanse_node_note(r, node, hanse_place_measure, name));
    return hanse_node_set_text(r, node, name, &r->job->model_formula[model]);
}

static hanse_status read_keys(hanse_job_reader *r, const yaml_node_t *node,
                              hanse_text_list *keys)
{
    HANSE_TRY(hanse_node_texts(r, node, "within", keys));
    if (keys->n == 1 && strcmp(keys->items[0], "total") == 0)
        hanse_text_list_clear(keys);
    for (size_t k = 0; k < keys->n; k++)
        HANSE_TRY(hanse_node_note(r, node, hanse_place_key, keys->items[k]));
    return HANSE_OK;
}

hanse_status hanse_job_read_within(hanse_job_reader *r, const yaml_node_t *node,
                                   char ***keys, size_t *n_keys)
{
    hanse_text_list list = {0};
    const hanse_status status = read_keys(r, node, &list);
    *keys = list.items;
    *n_keys = list.n;
    return status;
}

static const hanse_node_rule *const model_rules[HANSE_MODEL_COUNT] = {
    [HANSE_MODEL_RESOURCE] = hanse_job_resource_rules,
    [HANSE_MODEL_INFORMATION] = hanse_job_information_rules,
    [HANSE_MODEL_COOPERATION] = hanse_job_cooperation_rules,
};

/* A node as JSON, for the record of the job; NULL when memory is out. */
static json_t *node_json(const hanse_job_reader *r, const yaml_node_t *node)
{
    json_t *json = NULL;
    if (node->type == YAML_SCALAR_NODE)
        return hanse_node_is_null(node)
                   ? json_null()
                   : json_string((const char *)node->data.scalar.value);
    if (node->type == YAML_SEQUENCE_NODE) {
        json = json_array();
        for (size_t i = 0; i < hanse_node_n_items(node); i++)
            (void)json_array_append_new(
                json, node_json(r, hanse_node_item(r, node, i)));
        return json;
    }
    json = json_object();
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(r->document, pair->key);
        (void)json_object_set_new(
            json, (const char *)key->data.scalar.value,
            node_json(r, yaml_document_get_node(r->document, pair->value)));
    }
    return json;
}

/* After its keys have been read, so that they are texts. */
static hanse_status note_steps(hanse_job_reader *r, const yaml_node_t *node,
                               hanse_model model)
{
    const yaml_node_pair_t *start = node->data.mapping.pairs.start;
    const bool is_formula = r->job->model_formula[model] != NULL;
    if (node->data.mapping.pairs.top - start <= (is_formula ? 1 : 0))
        return HANSE_OK; /* no steps */
    json_t *json = node_json(r, node);
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(json);
    if (text == NULL)
        return hanse_fail_nomem(r->error, "job as JSON", sizeof *node);
    free(r->job->model_json[model]);
    r->job->model_json[model] = text;
    return HANSE_OK;
}

static hanse_status read_model(hanse_job_reader *r, const void *context,
                               const yaml_node_t *key, const char *name,
                               const yaml_node_t *value)
{
    (void)context;
    const hanse_model model = hanse_model_parse(name);
    if (model == HANSE_MODEL_COUNT) {
        const char *known[HANSE_MODEL_COUNT];
        for (int m = 0; m < HANSE_MODEL_COUNT; m++)
            known[m] = hanse_model_name((hanse_model)m);
        return hanse_node_fail_unknown(r, key, "model", name, known,
                                       HANSE_MODEL_COUNT);
    }
    r->job->use_model[model] = true;
    if (value->type == YAML_MAPPING_NODE) {
        HANSE_TRY(hanse_node_mapping(r, value, name, model_rules[model]));
        HANSE_TRY(note_steps(r, value, model));
        return r->job->model_formula[model] != NULL
                   ? HANSE_OK
                   : hanse_node_note(r, key, hanse_place_measure, name);
    }
    HANSE_TRY(hanse_node_note(r, hanse_node_is_null(value) ? key : value,
                              hanse_place_measure, name));
    if (hanse_node_is_null(value))
        return HANSE_OK;
    return hanse_node_set_text(r, value, name, &r->job->model_formula[model]);
}

hanse_status hanse_job_read_models(hanse_job_reader *r, const yaml_node_t *node)
{
    return hanse_node_pairs(r, node, "models", read_model, NULL);
}
