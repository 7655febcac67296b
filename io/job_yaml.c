/* SPDX-License-Identifier: Apache-2.0
 *
 * Job files. libyaml parses; what the job language knows stands in tables of
 * keys with a handler each, so that a new key is a line and a function.
 *
 * libyaml and not libcyaml: cyaml's schema gives every value one type and one
 * place, so it can express neither a list whose entries are texts or lists
 * (`group_by: [cluster, [cluster, chain]]`), nor a mapping with names of the
 * user's (`measures`), and its errors name no nearest key.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "io/job_places.h"
#include "io/key_maps.h"
#include "io/key_sets.h"
#include "io/yaml_file.h"

enum {
    /* Of a mapping or of group_by, whose entries are compared in pairs. */
    MAX_ENTRIES = 4096
};

typedef struct reader {
    const char *path;
    yaml_document_t *document;
    hanse_job *job;
    hanse_error *error;
} reader;

typedef hanse_status (*key_handler)(reader *r, const yaml_node_t *value);

typedef struct key_rule {
    const char *name;
    key_handler read;
} key_rule;

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- Messages ----------------------------------------------------------- */

/* Passes on the failure of a setter, with the place. */
static hanse_status place(const reader *r, const yaml_node_t *node,
                          hanse_status status)
{
    if (status != HANSE_OK)
        hanse_error_prefix(r->error, "%s:%zu:%zu", r->path,
                           node->start_mark.line + 1,
                           node->start_mark.column + 1);
    return status;
}

/* Notes the place of what only the engine can check. */
static hanse_status note(reader *r, const yaml_node_t *node, const char *what,
                         const char *name)
{
    return hanse_job_note(r->job, what, name, node->start_mark.line + 1,
                          node->start_mark.column + 1, r->error);
}

/* "'grup_by', did you mean 'group_by'?" or the list of what is known. */
static hanse_status fail_unknown(const reader *r, const yaml_node_t *node,
                                 const char *what, const char *name,
                                 const char *const *known, size_t n_known)
{
    const char *nearest = hanse_suggest(name, known, n_known);
    if (nearest != NULL)
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "unknown %s '%s', did you mean '%s'?", what,
                               name, nearest);
    char list[256] = "";
    size_t used = 0;
    for (size_t i = 0; i < n_known && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s",
                                 i > 0 ? ", " : "", known[i]);
    return hanse_yaml_fail(r->error, r->path, node->start_mark,
                           "unknown %s '%s'; known: %s", what, name, list);
}

static const char *node_kind(const yaml_node_t *node)
{
    switch (node->type) {
    case YAML_MAPPING_NODE:
        return "a mapping";
    case YAML_SEQUENCE_NODE:
        return "a list";
    default:
        return node->data.scalar.length == 0 ? "nothing" : "a text";
    }
}

/* ---- Nodes -------------------------------------------------------------- */

static const yaml_node_t *node_at(const reader *r, yaml_node_item_t index)
{
    return yaml_document_get_node(r->document, index);
}

static bool is_null(const yaml_node_t *node)
{
    if (node->type != YAML_SCALAR_NODE ||
        node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    const char *text = (const char *)node->data.scalar.value;
    return *text == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0;
}

/* The text of a scalar, borrowed from the document. */
static hanse_status get_text(const reader *r, const yaml_node_t *node,
                             const char *what, const char **out)
{
    if (node->type != YAML_SCALAR_NODE || is_null(node))
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "%s: expected a text, found %s", what,
                               is_null(node) ? "nothing" : node_kind(node));
    const char *text = (const char *)node->data.scalar.value;
    if (strlen(text) != node->data.scalar.length)
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "%s: the text holds a NUL byte", what);
    if (*text == '\0')
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "%s: the text is empty", what);
    *out = text;
    return HANSE_OK;
}

static hanse_status set_text(reader *r, const yaml_node_t *node,
                             const char *what, char **slot)
{
    const char *text = NULL;
    HANSE_TRY(get_text(r, node, what, &text));
    return place(r, node, hanse_job_set_text(slot, text, r->error));
}

static size_t n_items(const yaml_node_t *node)
{
    return (size_t)(node->data.sequence.items.top -
                    node->data.sequence.items.start);
}

static const yaml_node_t *item(const reader *r, const yaml_node_t *node,
                               size_t index)
{
    return node_at(r, node->data.sequence.items.start[index]);
}

typedef hanse_status (*item_handler)(reader *r, const yaml_node_t *item);

/* A list, or one entry without the brackets. */
static hanse_status read_list(reader *r, const yaml_node_t *node,
                              const char *what, size_t max_items,
                              item_handler read)
{
    if (node->type != YAML_SEQUENCE_NODE)
        return read(r, node);
    if (n_items(node) == 0)
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "%s: the list is empty", what);
    if (n_items(node) > max_items)
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "%s: more than %zu entries", what, max_items);
    for (size_t i = 0; i < n_items(node); i++)
        HANSE_TRY(read(r, item(r, node, i)));
    return HANSE_OK;
}

typedef hanse_status (*pair_handler)(reader *r, const void *context,
                                     const yaml_node_t *key, const char *name,
                                     const yaml_node_t *value);

/* Every pair of a mapping; keys are texts and none stands twice. */
static hanse_status read_pairs(reader *r, const yaml_node_t *node,
                               const char *what, pair_handler read,
                               const void *context)
{
    if (node->type != YAML_MAPPING_NODE)
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "%s: expected 'key: value' lines, found %s",
                               what,
                               is_null(node) ? "nothing" : node_kind(node));
    const yaml_node_pair_t *start = node->data.mapping.pairs.start;
    const size_t n = (size_t)(node->data.mapping.pairs.top - start);
    if (n > MAX_ENTRIES)
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "%s: more than %d entries", what, MAX_ENTRIES);
    for (size_t i = 0; i < n; i++) {
        const yaml_node_t *key = node_at(r, start[i].key);
        const char *name;
        HANSE_TRY(get_text(r, key, "key", &name));
        for (size_t j = 0; j < i; j++) {
            const yaml_node_t *earlier = node_at(r, start[j].key);
            if (strcmp((const char *)earlier->data.scalar.value, name) == 0)
                return hanse_yaml_fail(
                    r->error, r->path, key->start_mark,
                    "key '%s' stands twice, first in line %zu", name,
                    earlier->start_mark.line + 1);
        }
        HANSE_TRY(read(r, context, key, name, node_at(r, start[i].value)));
    }
    return HANSE_OK;
}

/* A table of keys; ends with a rule without a name. */
static hanse_status read_ruled_pair(reader *r, const void *context,
                                    const yaml_node_t *key, const char *name,
                                    const yaml_node_t *value)
{
    const char *known[16];
    size_t n = 0;
    for (const key_rule *rule = context; rule->name != NULL; rule++) {
        if (strcmp(rule->name, name) == 0)
            return rule->read(r, value);
        known[n++] = rule->name;
    }
    return fail_unknown(r, key, "key", name, known, n);
}

static hanse_status read_mapping(reader *r, const yaml_node_t *node,
                                 const char *what, const key_rule *rules)
{
    return read_pairs(r, node, what, read_ruled_pair, rules);
}

/* ---- input -------------------------------------------------------------- */

static hanse_status read_file(reader *r, const yaml_node_t *node)
{
    const char *text = NULL;
    HANSE_TRY(get_text(r, node, "files", &text));
    return place(r, node, hanse_job_add_file(r->job, text, r->error));
}

static hanse_status read_files(reader *r, const yaml_node_t *node)
{
    return read_list(r, node, "files", SIZE_MAX, read_file);
}

static hanse_status read_table(reader *r, const yaml_node_t *node)
{
    return set_text(r, node, "table", &r->job->table);
}

static hanse_status read_where(reader *r, const yaml_node_t *node)
{
    HANSE_TRY(note(r, node, hanse_place_filter, NULL));
    return set_text(r, node, "where", &r->job->where);
}

static hanse_status read_input(reader *r, const yaml_node_t *node)
{
    static const key_rule rules[] = {
        {"files", read_files},
        {"table", read_table},
        {"where", read_where},
        {NULL, NULL},
    };
    return read_mapping(r, node, "input", rules);
}

/* ---- keys --------------------------------------------------------------- */

/* What a mapping of a key says: `{column: region, map: regions.csv, from: code,
 * to: cluster, table: /regions}`. */
enum {
    MAP_COLUMN,
    MAP_FILE,
    MAP_FROM,
    MAP_TO,
    MAP_TABLE,
    N_MAP
};

static const char *const map_words[N_MAP] = {"column", "map", "from", "to",
                                             "table"};

typedef struct map_texts {
    const char *texts[N_MAP];
} map_texts;

static hanse_status read_map_pair(reader *r, const void *context,
                                  const yaml_node_t *key, const char *name,
                                  const yaml_node_t *value)
{
    map_texts *map = (map_texts *)(uintptr_t)context;
    for (size_t i = 0; i < N_MAP; i++)
        if (strcmp(name, map_words[i]) == 0)
            return get_text(r, value, name, &map->texts[i]);
    return fail_unknown(r, key, "key", name, map_words, N_MAP);
}

static hanse_status read_key_map(reader *r, const char *name,
                                 const yaml_node_t *node)
{
    map_texts map = {{NULL}};
    HANSE_TRY(read_pairs(r, node, name, read_map_pair, &map));
    for (size_t i = 0; i < MAP_TABLE; i++)
        if (map.texts[i] == NULL)
            return hanse_yaml_fail(r->error, r->path, node->start_mark,
                                   "key '%s': '%s' is missing; a mapping is "
                                   "{column: NAME, map: FILE, from: COLUMN, "
                                   "to: COLUMN}",
                                   name, map_words[i]);
    char *definition = hanse_map_definition(
        map.texts[MAP_COLUMN], map.texts[MAP_FILE], map.texts[MAP_FROM],
        map.texts[MAP_TO], map.texts[MAP_TABLE]);
    if (definition == NULL)
        return hanse_fail_nomem(r->error, "job", strlen(name));
    const hanse_status status =
        hanse_job_put_key(r->job, name, definition, r->error);
    free(definition);
    return place(r, node, status);
}

static hanse_status read_key(reader *r, const void *context,
                             const yaml_node_t *key, const char *name,
                             const yaml_node_t *value)
{
    const char *definition = NULL;
    (void)context;
    HANSE_TRY(
        note(r, is_null(value) ? key : value, hanse_place_definition, name));
    if (value->type == YAML_MAPPING_NODE)
        return read_key_map(r, name, value);
    HANSE_TRY(get_text(r, value, name, &definition));
    return place(r, key, hanse_job_put_key(r->job, name, definition, r->error));
}

static hanse_status read_keys(reader *r, const yaml_node_t *node)
{
    return read_pairs(r, node, "keys", read_key, NULL);
}

/* ---- group_by, statistics, missing_keys --------------------------------- */

/* One key of a grouping, by its name. */
static hanse_status read_key_name(reader *r, const yaml_node_t *node,
                                  hanse_set_element *element)
{
    const char *name = NULL;
    HANSE_TRY(get_text(r, node, "group_by", &name));
    HANSE_TRY(
        place(r, node, hanse_text_list_add(&element->keys, name, r->error)));
    return note(r, node, hanse_place_key, name);
}

static hanse_status check_keys(const reader *r, const yaml_node_t *node)
{
    if (node->type == YAML_SEQUENCE_NODE && n_items(node) > MAX_ENTRIES)
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "group_by: more than %d keys", MAX_ENTRIES);
    return HANSE_OK;
}

/* `rollup: [chain, cluster]`, `cube: [...]`. */
static hanse_status read_set(reader *r, const void *context,
                             const yaml_node_t *key, const char *name,
                             const yaml_node_t *value)
{
    static const char *const known[] = {"rollup", "cube"};
    hanse_set_list *list = (hanse_set_list *)(uintptr_t)context;
    hanse_set_element *element;
    const bool is_cube = strcmp(name, known[1]) == 0;
    if (!is_cube && strcmp(name, known[0]) != 0)
        return fail_unknown(r, key, "key", name, known, COUNT(known));
    HANSE_TRY(hanse_set_list_add(
        list, is_cube ? HANSE_SET_CUBE : HANSE_SET_ROLLUP, &element, r->error));
    if (value->type != YAML_SEQUENCE_NODE)
        return read_key_name(r, value, element);
    if (n_items(value) == 0)
        return hanse_yaml_fail(r->error, r->path, value->start_mark,
                               "%s: the list is empty", name);
    HANSE_TRY(check_keys(r, value));
    for (size_t i = 0; i < n_items(value); i++)
        HANSE_TRY(read_key_name(r, item(r, value, i), element));
    return HANSE_OK;
}

/* An entry of group_by that is no text: a list of keys, rollups and cubes, or
 * one of the latter. */
static hanse_status read_set_list(reader *r, const yaml_node_t *node,
                                  hanse_set_list *list)
{
    if (node->type == YAML_MAPPING_NODE)
        return read_pairs(r, node, "group_by", read_set, list);
    HANSE_TRY(check_keys(r, node));
    for (size_t i = 0; i < n_items(node); i++) {
        const yaml_node_t *entry = item(r, node, i);
        hanse_set_element *element;
        if (entry->type == YAML_MAPPING_NODE) {
            HANSE_TRY(read_pairs(r, entry, "group_by", read_set, list));
            continue;
        }
        HANSE_TRY(hanse_set_list_add(list, HANSE_SET_KEY, &element, r->error));
        HANSE_TRY(read_key_name(r, entry, element));
    }
    return HANSE_OK;
}

/* A text as `--by` takes it. The keys that it names and defines are found at
 * its place. */
static hanse_status read_grouping_text(reader *r, const yaml_node_t *node)
{
    const char *text = NULL;
    const size_t n_groupings = r->job->n_groupings;
    const size_t n_keys = r->job->n_keys;
    HANSE_TRY(get_text(r, node, "group_by", &text));
    HANSE_TRY(place(r, node, hanse_job_add_grouping(r->job, text, r->error)));
    for (size_t k = n_keys; k < r->job->n_keys; k++)
        HANSE_TRY(note(r, node, hanse_place_definition, r->job->keys[k].name));
    for (size_t g = n_groupings; g < r->job->n_groupings; g++)
        for (size_t i = 0; i < r->job->groupings[g].n; i++)
            HANSE_TRY(
                note(r, node, hanse_place_key, r->job->groupings[g].items[i]));
    return HANSE_OK;
}

static hanse_status read_grouping(reader *r, const yaml_node_t *node)
{
    if (node->type == YAML_SCALAR_NODE)
        return read_grouping_text(r, node);
    hanse_set_list list = {NULL, 0};
    hanse_status status = read_set_list(r, node, &list);
    if (status == HANSE_OK)
        status = place(r, node, hanse_job_add_sets(r->job, &list, r->error));
    hanse_set_list_clear(&list);
    return status;
}

static hanse_status read_group_by(reader *r, const yaml_node_t *node)
{
    return read_list(r, node, "group_by", MAX_ENTRIES, read_grouping);
}

static hanse_status read_statistic(reader *r, const yaml_node_t *node)
{
    static const char *const known[] = {
        "count", "missing", "total", "mean", "min", "max", "var", "std", "all"};
    const char *text = NULL;
    hanse_statistic statistic;
    HANSE_TRY(get_text(r, node, "statistics", &text));
    if (strcmp(text, "all") == 0)
        statistic = HANSE_STAT_ALL;
    else if (!hanse_statistic_parse(text, &statistic))
        return fail_unknown(r, node, "statistic", text, known, COUNT(known));
    r->job->statistics |= (uint32_t)statistic;
    return HANSE_OK;
}

static hanse_status read_statistics(reader *r, const yaml_node_t *node)
{
    return read_list(r, node, "statistics", MAX_ENTRIES, read_statistic);
}

static hanse_status read_missing_keys(reader *r, const yaml_node_t *node)
{
    static const char *const known[] = {"group", "drop"};
    const char *text = NULL;
    HANSE_TRY(get_text(r, node, "missing_keys", &text));
    if (strcmp(text, known[0]) != 0 && strcmp(text, known[1]) != 0)
        return fail_unknown(r, node, "value for missing_keys", text, known,
                            COUNT(known));
    r->job->drop_missing_keys = strcmp(text, "drop") == 0;
    r->job->states_missing_keys = true;
    return HANSE_OK;
}

/* ---- models, measures, output ------------------------------------------- */

/* `model: {column: NAME}` or `{formula: FORMULA}`; both are formulas. */
static hanse_status read_model_pair(reader *r, const void *context,
                                    const yaml_node_t *key, const char *name,
                                    const yaml_node_t *value)
{
    static const char *const known[] = {"column", "formula"};
    const hanse_model model = *(const hanse_model *)context;
    if (strcmp(name, known[0]) != 0 && strcmp(name, known[1]) != 0)
        return fail_unknown(r, key, "key", name, known, COUNT(known));
    if (r->job->model_formula[model] != NULL)
        return hanse_yaml_fail(r->error, r->path, key->start_mark,
                               "%s: give either 'column' or 'formula'",
                               hanse_model_name(model));
    return set_text(r, value, name, &r->job->model_formula[model]);
}

static hanse_status read_model(reader *r, const void *context,
                               const yaml_node_t *key, const char *name,
                               const yaml_node_t *value)
{
    (void)context;
    const hanse_model model = hanse_model_parse(name);
    if (model == HANSE_MODEL_COUNT) {
        const char *known[HANSE_MODEL_COUNT];
        for (int m = 0; m < HANSE_MODEL_COUNT; m++)
            known[m] = hanse_model_name((hanse_model)m);
        return fail_unknown(r, key, "model", name, known, HANSE_MODEL_COUNT);
    }
    r->job->use_model[model] = true;
    HANSE_TRY(note(r, is_null(value) ? key : value, hanse_place_measure, name));
    if (is_null(value))
        return HANSE_OK;
    if (value->type == YAML_MAPPING_NODE)
        return read_pairs(r, value, name, read_model_pair, &model);
    return set_text(r, value, name, &r->job->model_formula[model]);
}

static hanse_status read_models(reader *r, const yaml_node_t *node)
{
    return read_pairs(r, node, "models", read_model, NULL);
}

static hanse_status read_measure(reader *r, const void *context,
                                 const yaml_node_t *key, const char *name,
                                 const yaml_node_t *value)
{
    (void)context;
    const char *formula = name;
    if (!is_null(value))
        HANSE_TRY(get_text(r, value, name, &formula));
    HANSE_TRY(note(r, is_null(value) ? key : value, hanse_place_measure, name));
    return place(r, key,
                 hanse_job_put_measure(r->job, name, formula, r->error));
}

static hanse_status read_measures(reader *r, const yaml_node_t *node)
{
    return read_pairs(r, node, "measures", read_measure, NULL);
}

static hanse_status read_output_file(reader *r, const yaml_node_t *node)
{
    return set_text(r, node, "output", &r->job->output);
}

static hanse_status read_output(reader *r, const yaml_node_t *node)
{
    static const key_rule rules[] = {
        {"file", read_output_file},
        {NULL, NULL},
    };
    if (node->type == YAML_SCALAR_NODE)
        return read_output_file(r, node);
    return read_mapping(r, node, "output", rules);
}

static const key_rule job_rules[] = {
    {"input", read_input},
    {"keys", read_keys},
    {"group_by", read_group_by},
    {"statistics", read_statistics},
    {"models", read_models},
    {"measures", read_measures},
    {"missing_keys", read_missing_keys},
    {"output", read_output},
    {NULL, NULL},
};

hanse_status hanse_job_load(hanse_job *job, const char *path,
                            hanse_error *error)
{
    yaml_document_t document;
    hanse_job loaded;
    HANSE_TRY(hanse_yaml_load(path, &document, error));
    hanse_job_init(&loaded);
    reader r = {path, &document, &loaded, error};
    hanse_status status = hanse_job_set_text(&loaded.path, path, error);
    if (status == HANSE_OK)
        status = read_mapping(&r, yaml_document_get_root_node(&document), "job",
                              job_rules);
    yaml_document_delete(&document);
    if (status == HANSE_OK)
        status = hanse_job_override(job, &loaded, error);
    hanse_job_clear(&loaded);
    return status;
}
