/* SPDX-License-Identifier: Apache-2.0
 *
 * Job files.
 *
 * libyaml and not libcyaml: cyaml's schema gives every value one type and one
 * place, so it can express neither a list whose entries are texts or lists
 * (`group_by: [cluster, [cluster, chain]]`), nor a mapping with names of the
 * user's (`measures`), and its errors name no nearest key.
 */
#include <string.h>

#include "engine/base/error.h"
#include "io/job_models.h"
#include "io/job_places.h"

/* ---- input -------------------------------------------------------------- */

static hanse_status read_file(hanse_job_reader *r, const yaml_node_t *node)
{
    const char *text = NULL;
    HANSE_TRY(hanse_node_text(r, node, "files", &text));
    return hanse_node_located(r, node,
                              hanse_job_add_file(r->job, text, r->error));
}

static hanse_status read_files(hanse_job_reader *r, const yaml_node_t *node)
{
    return hanse_node_list(r, node, "files", SIZE_MAX, read_file);
}

static hanse_status read_table(hanse_job_reader *r, const yaml_node_t *node)
{
    return hanse_node_set_text(r, node, "table", &r->job->table);
}

static hanse_status read_where(hanse_job_reader *r, const yaml_node_t *node)
{
    HANSE_TRY(hanse_node_note(r, node, hanse_place_filter, NULL));
    return hanse_node_set_text(r, node, "where", &r->job->where);
}

static hanse_status read_input(hanse_job_reader *r, const yaml_node_t *node)
{
    static const hanse_node_rule rules[] = {
        {"files", read_files},
        {"table", read_table},
        {"where", read_where},
        {NULL, NULL},
    };
    return hanse_node_mapping(r, node, "input", rules);
}

/* ---- statistics, missing_keys ------------------------------------------- */

static hanse_status read_statistic(hanse_job_reader *r, const yaml_node_t *node)
{
    const char *text = NULL;
    HANSE_TRY(hanse_node_text(r, node, "statistics", &text));
    return hanse_node_located(
        r, node, hanse_statistic_set_add(&r->job->statistics, text, r->error));
}

static hanse_status read_statistics(hanse_job_reader *r,
                                    const yaml_node_t *node)
{
    return hanse_node_list(r, node, "statistics", HANSE_JOB_MAX_ENTRIES,
                           read_statistic);
}

static hanse_status read_weights(hanse_job_reader *r, const yaml_node_t *node)
{
    HANSE_TRY(hanse_node_note(r, node, hanse_place_weights, NULL));
    return hanse_node_set_text(r, node, "weights", &r->job->weights);
}

static hanse_status read_id(hanse_job_reader *r, const yaml_node_t *node)
{
    HANSE_TRY(hanse_node_note(r, node, hanse_place_id, NULL));
    return hanse_node_set_text(r, node, "id", &r->job->id);
}

static hanse_status read_missing_keys(hanse_job_reader *r,
                                      const yaml_node_t *node)
{
    static const char *const known[] = {"group", "drop"};
    const char *text = NULL;
    HANSE_TRY(hanse_node_text(r, node, "missing_keys", &text));
    if (strcmp(text, known[0]) != 0 && strcmp(text, known[1]) != 0)
        return hanse_node_fail_unknown(r, node, "value for missing_keys", text,
                                       known, HANSE_COUNT(known));
    r->job->drop_missing_keys = strcmp(text, "drop") == 0;
    r->job->states_missing_keys = true;
    return HANSE_OK;
}

/* ---- measures, output ------------------------------------------- */

static hanse_status read_measure(hanse_job_reader *r, const void *context,
                                 const yaml_node_t *key, const char *name,
                                 const yaml_node_t *value)
{
    (void)context;
    const char *formula = name;
    if (!hanse_node_is_null(value))
        HANSE_TRY(hanse_node_text(r, value, name, &formula));
    HANSE_TRY(hanse_node_note(r, hanse_node_is_null(value) ? key : value,
                              hanse_place_measure, name));
    return hanse_node_located(
        r, key, hanse_job_put_measure(r->job, name, formula, r->error));
}

static hanse_status read_measures(hanse_job_reader *r, const yaml_node_t *node)
{
    return hanse_node_pairs(r, node, "measures", read_measure, NULL);
}

static hanse_status read_output_file(hanse_job_reader *r,
                                     const yaml_node_t *node)
{
    return hanse_node_set_text(r, node, "output", &r->job->output);
}

static hanse_status read_records_storage(hanse_job_reader *r,
                                         const yaml_node_t *node)
{
    const char *text = NULL;
    HANSE_TRY(hanse_node_text(r, node, "storage", &text));
    return hanse_node_located(
        r, node, hanse_job_set_records_storage(r->job, text, r->error));
}

static hanse_status read_records_columns(hanse_job_reader *r,
                                         const yaml_node_t *node)
{
    const hanse_text_list *columns = &r->job->records_columns;
    const bool is_list = node->type == YAML_SEQUENCE_NODE;
    HANSE_TRY(hanse_node_texts(r, node, "columns", &r->job->records_columns));
    for (size_t i = 0; i < columns->n; i++)
        HANSE_TRY(hanse_node_note(r,
                                  is_list ? hanse_node_item(r, node, i) : node,
                                  hanse_place_records, columns->items[i]));
    return HANSE_OK;
}

static hanse_status read_records(hanse_job_reader *r, const yaml_node_t *node)
{
    static const hanse_node_rule rules[] = {
        {"columns", read_records_columns},
        {"storage", read_records_storage},
        {NULL, NULL},
    };
    return hanse_node_mapping(r, node, "records", rules);
}

static hanse_status read_output(hanse_job_reader *r, const yaml_node_t *node)
{
    static const hanse_node_rule rules[] = {
        {"file", read_output_file},
        {"records", read_records},
        {NULL, NULL},
    };
    if (node->type == YAML_SCALAR_NODE)
        return read_output_file(r, node);
    return hanse_node_mapping(r, node, "output", rules);
}

static const hanse_node_rule job_rules[] = {
    {"input", read_input},
    {"keys", hanse_job_read_keys},
    {"group_by", hanse_job_read_group_by},
    {"statistics", read_statistics},
    {"models", hanse_job_read_models},
    {"measures", read_measures},
    {"missing_keys", read_missing_keys},
    {"weights", read_weights},
    {"id", read_id},
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
    hanse_job_reader r = {path, &document, &loaded, error};
    hanse_status status = hanse_job_set_text(&loaded.path, path, error);
    if (status == HANSE_OK)
        status = hanse_node_mapping(&r, yaml_document_get_root_node(&document),
                                    "job", job_rules);
    yaml_document_delete(&document);
    if (status == HANSE_OK)
        status = hanse_job_override(job, &loaded, error);
    hanse_job_clear(&loaded);
    return status;
}
