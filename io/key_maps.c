/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys through mapping tables: from the definition to the specification.
 */
#include "io/key_maps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/key_call.h"
#include "engine/spec.h"

/* ---- Definitions -------------------------------------------------------- */

static void put_quoted(FILE *stream, const char *text, char quote)
{
    fputc(quote, stream);
    for (const char *c = text; *c != '\0'; c++) {
        fputc(*c, stream);
        if (*c == quote)
            fputc(quote, stream);
    }
    fputc(quote, stream);
}

static void put_name(FILE *stream, const char *name)
{
    if (hanse_formula_is_plain_name(name))
        fputs(name, stream);
    else
        put_quoted(stream, name, '`');
}

char *hanse_map_definition(const char *column, const char *file,
                           const char *from, const char *to, const char *table)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (stream == NULL)
        return NULL;
    fputs("map(", stream);
    put_name(stream, column);
    fputs(", ", stream);
    put_quoted(stream, file, '\'');
    fputs(", ", stream);
    put_name(stream, from);
    fputs(", ", stream);
    put_name(stream, to);
    if (table != NULL) {
        fputs(", ", stream);
        put_quoted(stream, table, '\'');
    }
    fputs(")", stream);
    const bool failed = ferror(stream) != 0;
    if (fclose(stream) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}

enum {
    COLUMN,
    FILE_NAME,
    FROM,
    TO,
    TABLE,
    N_TEXTS
};

static hanse_status read_texts(const hanse_key_call *call, char **texts)
{
    static const char *const expected[N_TEXTS] = {
        [COLUMN] = "a column of the input",
        [FILE_NAME] = "a file name in quotes",
        [FROM] = "a column of the mapping table",
        [TO] = "a column of the mapping table",
        [TABLE] = "the path of a table in quotes",
    };
    if (call->n_arguments < TABLE || call->n_arguments > N_TEXTS)
        return hanse_formula_fault(
            &call->source, HANSE_ERR_FORMULA, 0, call->source.n,
            "map takes a column, a file, the columns from and to of its table "
            "and perhaps its path, as in map(region, 'regions.csv', code, "
            "cluster)");
    for (size_t i = 0; i < call->n_arguments; i++)
        HANSE_TRY(hanse_key_call_name(call, i, expected[i], &texts[i]));
    return HANSE_OK;
}

/* ---- Mappings ----------------------------------------------------------- */

bool hanse_map_fits(const hanse_map_load *load, __int128 value)
{
    if (load->field->type == HANSE_UINT64)
        return value >= 0 && value <= UINT64_MAX;
    return value >= INT64_MIN && value <= INT64_MAX;
}

static bool is_csv(const char *file)
{
    const char *dot = strrchr(file, '.');
    return dot != NULL && strcasecmp(dot, ".csv") == 0;
}

/* A column with labels is mapped by them: the codes take over what the texts
 * are mapped to. Codes whose label is not mapped stay unmapped. */
static hanse_status map_codes(const hanse_map_load *load,
                              const hanse_mapping *texts, hanse_mapping **out,
                              hanse_error *error)
{
    const hanse_label *targets;
    const bool to_text = hanse_mapping_labels(texts, &targets) > 0;
    hanse_mapping *mapping;
    hanse_status status =
        hanse_mapping_create(false, to_text, load->budget, &mapping, error);
    if (status != HANSE_OK)
        return status;
    for (size_t i = 0; i < load->field->n_labels && status == HANSE_OK; i++) {
        const hanse_label *label = &load->field->labels[i];
        const hanse_mapping_value from = {.integer = label->code};
        hanse_mapping_value to = {0};
        uint64_t conflict;
        const hanse_mapped found = hanse_mapping_text(
            texts, label->text, strlen(label->text), &to.integer);
        if (found == HANSE_UNMAPPED)
            continue;
        to.missing = found == HANSE_MAPPED_TO_MISSING;
        if (to_text && !to.missing) {
            to.text = targets[to.integer].text;
            to.n_text = strlen(to.text);
        }
        status = hanse_mapping_add(mapping, &from, &to, i, &conflict, error);
    }
    if (status == HANSE_OK)
        status = hanse_mapping_finish(mapping, false, error);
    if (status == HANSE_OK)
        *out = mapping;
    else
        hanse_mapping_release(mapping);
    return status;
}

static hanse_status load_mapping(const hanse_map_load *load,
                                 hanse_mapping **out, hanse_error *error)
{
    hanse_mapping *mapping;
    if (is_csv(load->file))
        HANSE_TRY(hanse_map_load_csv(load, &mapping, error));
    else
        HANSE_TRY(hanse_map_load_hdf5(load, &mapping, error));
    if (load->field->type == HANSE_TEXT || !hanse_mapping_from_text(mapping)) {
        *out = mapping;
        return HANSE_OK;
    }
    const hanse_status status = map_codes(load, mapping, out, error);
    hanse_mapping_release(mapping);
    return status;
}

/* ---- Keys --------------------------------------------------------------- */

/* Without groupings in the job there will be those by the usual keys. */
static bool is_used(const hanse_job *job, const char *key)
{
    if (job->n_groupings == 0)
        return strcmp(key, "cluster") == 0 || strcmp(key, "chain") == 0 ||
               strcmp(key, "platform") == 0;
    for (size_t g = 0; g < job->n_groupings; g++)
        for (size_t i = 0; i < job->groupings[g].n; i++)
            if (strcmp(job->groupings[g].items[i], key) == 0)
                return true;
    return false;
}

static hanse_status check_column(const char *what, const char *column,
                                 const hanse_schema *schema,
                                 const hanse_field **field, hanse_error *error)
{
    const size_t index = hanse_schema_find(schema, column);
    if (index == SIZE_MAX)
        return hanse_fail_column(error, what, column, schema);
    *field = &schema->fields[index];
    if ((*field)->type != HANSE_FLOAT32 && (*field)->type != HANSE_FLOAT64)
        return HANSE_OK;
    return hanse_fail(error, HANSE_ERR_TYPE,
                      "%s: column '%s' is %s; a mapping takes integers and "
                      "texts",
                      what, column, hanse_type_name((*field)->type));
}

static hanse_status define_from(const hanse_job_key *key, char **texts,
                                const char *what, const hanse_schema *schema,
                                bool is_trusted, hanse_budget *budget,
                                hanse_spec *spec, hanse_error *error)
{
    hanse_map_load load = {.key = what,
                           .file = texts[FILE_NAME],
                           .from = texts[FROM],
                           .to = texts[TO],
                           .table = texts[TABLE],
                           .budget = budget,
                           .is_trusted = is_trusted};
    hanse_mapping *mapping;
    HANSE_TRY(check_column(what, texts[COLUMN], schema, &load.field, error));
    HANSE_TRY(load_mapping(&load, &mapping, error));
    const hanse_status status = hanse_spec_define_mapped_key(
        spec, key->name, key->definition, texts[COLUMN], mapping, error);
    hanse_mapping_release(mapping);
    return status;
}

static bool is_listed(const hanse_text_list *list, const char *text)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->items[i], text) == 0)
            return true;
    return false;
}

static hanse_status define_map(const hanse_job_key *key,
                               const hanse_schema *schema, bool is_trusted,
                               hanse_budget *budget, hanse_spec *spec,
                               hanse_text_list *files, hanse_error *error)
{
    char what[256];
    char *texts[N_TEXTS] = {NULL};
    hanse_key_call call;
    snprintf(what, sizeof what, "key '%s'", key->name);
    HANSE_TRY(hanse_key_call_parse(key->definition, what, &call, error));
    hanse_status status = read_texts(&call, texts);
    if (status == HANSE_OK && !is_listed(files, texts[FILE_NAME]))
        status = hanse_text_list_add(files, texts[FILE_NAME], error);
    if (status == HANSE_OK)
        status = define_from(key, texts, what, schema, is_trusted, budget, spec,
                             error);
    for (size_t i = 0; i < N_TEXTS; i++)
        free(texts[i]);
    hanse_key_call_clear(&call);
    return status;
}

hanse_status hanse_job_define_maps(const hanse_job *job,
                                   const hanse_schema *schema, bool is_trusted,
                                   hanse_budget *budget, hanse_spec *spec,
                                   hanse_text_list *files, hanse_error *error)
{
    for (size_t i = 0; i < job->n_keys; i++)
        if (hanse_key_call_is(job->keys[i].definition, "map") &&
            is_used(job, job->keys[i].name))
            HANSE_TRY(define_map(&job->keys[i], schema, is_trusted, budget,
                                 spec, files, error));
    return HANSE_OK;
}
