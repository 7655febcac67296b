/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys of a job file: those it defines, and what it groups by.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "io/job_nodes.h"
#include "io/job_places.h"
#include "io/key_maps.h"
#include "io/key_sets.h"

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

static hanse_status read_map_pair(hanse_job_reader *r, const void *context,
                                  const yaml_node_t *key, const char *name,
                                  const yaml_node_t *value)
{
    map_texts *map = (map_texts *)(uintptr_t)context;
    for (size_t i = 0; i < N_MAP; i++)
        if (strcmp(name, map_words[i]) == 0)
            return hanse_node_text(r, value, name, &map->texts[i]);
    return hanse_node_fail_unknown(r, key, "key", name, map_words, N_MAP);
}

static hanse_status read_key_map(hanse_job_reader *r, const char *name,
                                 const yaml_node_t *node)
{
    map_texts map = {{NULL}};
    HANSE_TRY(hanse_node_pairs(r, node, name, read_map_pair, &map));
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
    return hanse_node_located(r, node, status);
}

static hanse_status read_key(hanse_job_reader *r, const void *context,
                             const yaml_node_t *key, const char *name,
                             const yaml_node_t *value)
{
    const char *definition = NULL;
    (void)context;
    HANSE_TRY(hanse_node_note(r, hanse_node_is_null(value) ? key : value,
                              hanse_place_definition, name));
    if (value->type == YAML_MAPPING_NODE)
        return read_key_map(r, name, value);
    HANSE_TRY(hanse_node_text(r, value, name, &definition));
    return hanse_node_located(
        r, key, hanse_job_put_key(r->job, name, definition, r->error));
}

hanse_status hanse_job_read_keys(hanse_job_reader *r, const yaml_node_t *node)
{
    return hanse_node_pairs(r, node, "keys", read_key, NULL);
}

/* ---- group_by ----------------------------------------------------------- */

/* One key of a grouping, by its name. */
static hanse_status read_key_name(hanse_job_reader *r, const yaml_node_t *node,
                                  hanse_set_element *element)
{
    const char *name = NULL;
    HANSE_TRY(hanse_node_text(r, node, "group_by", &name));
    HANSE_TRY(hanse_node_located(
        r, node, hanse_text_list_add(&element->keys, name, r->error)));
    return hanse_node_note(r, node, hanse_place_key, name);
}

static hanse_status check_keys(const hanse_job_reader *r,
                               const yaml_node_t *node)
{
    if (node->type == YAML_SEQUENCE_NODE &&
        hanse_node_n_items(node) > HANSE_JOB_MAX_ENTRIES)
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "group_by: more than %d keys",
                               HANSE_JOB_MAX_ENTRIES);
    return HANSE_OK;
}

/* `rollup: [chain, cluster]`, `cube: [...]`. */
static hanse_status read_set(hanse_job_reader *r, const void *context,
                             const yaml_node_t *key, const char *name,
                             const yaml_node_t *value)
{
    static const char *const known[] = {"rollup", "cube"};
    hanse_set_list *list = (hanse_set_list *)(uintptr_t)context;
    hanse_set_element *element;
    const bool is_cube = strcmp(name, known[1]) == 0;
    if (!is_cube && strcmp(name, known[0]) != 0)
        return hanse_node_fail_unknown(r, key, "key", name, known,
                                       HANSE_COUNT(known));
    HANSE_TRY(hanse_set_list_add(
        list, is_cube ? HANSE_SET_CUBE : HANSE_SET_ROLLUP, &element, r->error));
    if (value->type != YAML_SEQUENCE_NODE)
        return read_key_name(r, value, element);
    if (hanse_node_n_items(value) == 0)
        return hanse_yaml_fail(r->error, r->path, value->start_mark,
                               "%s: the list is empty", name);
    HANSE_TRY(check_keys(r, value));
    for (size_t i = 0; i < hanse_node_n_items(value); i++)
        HANSE_TRY(read_key_name(r, hanse_node_item(r, value, i), element));
    return HANSE_OK;
}

/* An entry of group_by that is no text: a list of keys, rollups and cubes, or
 * one of the latter. */
static hanse_status read_set_list(hanse_job_reader *r, const yaml_node_t *node,
                                  hanse_set_list *list)
{
    if (node->type == YAML_MAPPING_NODE)
        return hanse_node_pairs(r, node, "group_by", read_set, list);
    HANSE_TRY(check_keys(r, node));
    for (size_t i = 0; i < hanse_node_n_items(node); i++) {
        const yaml_node_t *entry = hanse_node_item(r, node, i);
        hanse_set_element *element;
        if (entry->type == YAML_MAPPING_NODE) {
            HANSE_TRY(hanse_node_pairs(r, entry, "group_by", read_set, list));
            continue;
        }
        HANSE_TRY(hanse_set_list_add(list, HANSE_SET_KEY, &element, r->error));
        HANSE_TRY(read_key_name(r, entry, element));
    }
    return HANSE_OK;
}

/* A text as `--by` takes it. The keys that it names and defines are found at
 * its place. */
static hanse_status read_grouping_text(hanse_job_reader *r,
                                       const yaml_node_t *node)
{
    const char *text = NULL;
    const size_t n_groupings = r->job->n_groupings;
    const size_t n_keys = r->job->n_keys;
    HANSE_TRY(hanse_node_text(r, node, "group_by", &text));
    HANSE_TRY(hanse_node_located(
        r, node, hanse_job_add_grouping(r->job, text, r->error)));
    for (size_t k = n_keys; k < r->job->n_keys; k++)
        HANSE_TRY(hanse_node_note(r, node, hanse_place_definition,
                                  r->job->keys[k].name));
    for (size_t g = n_groupings; g < r->job->n_groupings; g++)
        for (size_t i = 0; i < r->job->groupings[g].n; i++)
            HANSE_TRY(hanse_node_note(r, node, hanse_place_key,
                                      r->job->groupings[g].items[i]));
    return HANSE_OK;
}

static hanse_status read_grouping(hanse_job_reader *r, const yaml_node_t *node)
{
    if (node->type == YAML_SCALAR_NODE)
        return read_grouping_text(r, node);
    hanse_set_list list = {NULL, 0};
    hanse_status status = read_set_list(r, node, &list);
    if (status == HANSE_OK)
        status = hanse_node_located(
            r, node, hanse_job_add_sets(r->job, &list, r->error));
    hanse_set_list_clear(&list);
    return status;
}

hanse_status hanse_job_read_group_by(hanse_job_reader *r,
                                     const yaml_node_t *node)
{
    return hanse_node_list(r, node, "group_by", HANSE_JOB_MAX_ENTRIES,
                           read_grouping);
}
