/* SPDX-License-Identifier: Apache-2.0
 *
 * `hanse info --json`. Programs rely on the names; new ones may be added.
 *
 *     table, shape, rows, stored_bytes, raw_bytes
 *     files: [{file, size_bytes, rows, stored_bytes, raw_bytes}]
 *     columns: [{name, type, units, long_name, labels: {text: code}, rows,
 *                stored_bytes, raw_bytes, ratio,
 *                storage: [per file {type, layout, chunk_rows, filters,
 *                          missing, library, stored_bytes, raw_bytes}]}]
 *     unsupported: [{file, name, reason}]
 *     links: null, {table, rows, columns: [{name, type}]} or {fault}
 *
 * library is null, or why only the HDF5 library can decode the column.
 * stored_bytes and ratio of a compound's members are null: they share their
 * chunks. A file without a single table: file, tables: [{table, shape, rows,
 * columns}], `columns` being their number.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/info.h"
#include "io/hdf5_table.h"
#include "io/json_text.h"

/* A new number; null beyond what JSON's integers hold here. */
static json_t *count(uint64_t value)
{
    return value <= INT64_MAX ? json_integer((json_int_t)value) : json_null();
}

static json_t *ratio(uint64_t raw_bytes, uint64_t stored_bytes)
{
    return stored_bytes != 0
               ? json_real((double)raw_bytes / (double)stored_bytes)
               : json_null();
}

/* json_pack steals what "o" is given and returns NULL when any of it is. */
static json_t *pack_storage(const hanse_source *source, size_t file,
                            size_t field, bool is_compound)
{
    const hanse_column_storage *storage =
        hanse_hdf5_source_storage(source, file, field);
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "type",
        hanse_json_text(storage->type_text), "layout",
        hanse_json_text(storage->layout), "chunk_rows",
        storage->chunk_rows != 0 ? count(storage->chunk_rows) : json_null(),
        "filters", hanse_json_text(storage->filters), "missing",
        hanse_json_text(storage->missing), "library",
        storage->library[0] != '\0' ? hanse_json_text(storage->library)
                                    : json_null(),
        "stored_bytes",
        is_compound ? json_null() : count(storage->stored_bytes), "raw_bytes",
        count(storage->raw_bytes));
}

static json_t *pack_labels(const hanse_field *field)
{
    json_t *labels = json_object();
    for (size_t i = 0; i < field->n_labels && labels != NULL; i++) {
        if (json_object_set_new(labels, field->labels[i].text,
                                json_integer(field->labels[i].code)) != 0) {
            json_decref(labels);
            return NULL;
        }
    }
    return labels;
}

static json_t *pack_column(const hanse_source *source, size_t index)
{
    const hanse_info_column column = hanse_info_column_of(source, index);
    const bool is_compound = hanse_hdf5_source_table(source, 0)->is_compound;
    json_t *storage = json_array();
    for (size_t f = 0; f < hanse_hdf5_source_n_files(source); f++) {
        if (json_array_append_new(
                storage, pack_storage(source, f, index, is_compound)) != 0) {
            json_decref(storage);
            return NULL;
        }
    }
    return json_pack(
        "{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
        hanse_json_text(column.field->name), "type",
        hanse_type_name(column.field->type), "units",
        hanse_json_text(column.field->units), "long_name",
        hanse_json_text(column.field->long_name), "labels",
        pack_labels(column.field), "rows", count(source->ops->n_rows(source)),
        "stored_bytes", is_compound ? json_null() : count(column.stored_bytes),
        "raw_bytes", count(column.raw_bytes), "ratio",
        ratio(column.raw_bytes, column.stored_bytes), "storage", storage);
}

static json_t *pack_columns(const hanse_source *source)
{
    json_t *columns = json_array();
    const size_t n = hanse_source_schema(source)->n_fields;
    for (size_t i = 0; i < n && columns != NULL; i++) {
        if (json_array_append_new(columns, pack_column(source, i)) != 0) {
            json_decref(columns);
            return NULL;
        }
    }
    return columns;
}

static json_t *pack_files(const hanse_source *source)
{
    json_t *files = json_array();
    const size_t n = hanse_hdf5_source_n_files(source);
    for (size_t f = 0; f < n && files != NULL; f++) {
        const hanse_hdf5_table *table = hanse_hdf5_source_table(source, f);
        json_t *file = json_pack(
            "{s:o, s:o, s:o, s:o, s:o}", "file", hanse_json_text(table->file),
            "size_bytes", count(table->stamp.size_bytes), "rows",
            count(table->n_rows), "stored_bytes", count(table->stored_bytes),
            "raw_bytes", count(table->raw_bytes));
        if (json_array_append_new(files, file) != 0) {
            json_decref(files);
            return NULL;
        }
    }
    return files;
}

static bool add_refusals(json_t *list, const hanse_hdf5_table *table)
{
    for (size_t i = 0; i < table->n_refusals; i++) {
        json_t *refusal =
            json_pack("{s:o, s:o, s:o}", "file", hanse_json_text(table->file),
                      "name", hanse_json_text(table->refusals[i].name),
                      "reason", hanse_json_text(table->refusals[i].reason));
        if (json_array_append_new(list, refusal) != 0)
            return false;
    }
    return true;
}

static json_t *pack_refusals(const hanse_source *source)
{
    json_t *list = json_array();
    const size_t n = hanse_hdf5_source_n_files(source);
    for (size_t f = 0; f < n && list != NULL; f++) {
        if (!add_refusals(list, hanse_hdf5_source_table(source, f))) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *pack_links(const hanse_info *info)
{
    if (info->links_fault != NULL)
        return json_pack("{s:o}", "fault", hanse_json_text(info->links_fault));
    if (info->links == NULL)
        return json_null();
    const hanse_schema *schema = hanse_source_schema(info->links);
    json_t *columns = json_array();
    for (size_t i = 0; i < schema->n_fields; i++) {
        json_t *column = json_pack(
            "{s:o, s:s}", "name", hanse_json_text(schema->fields[i].name),
            "type", hanse_type_name(schema->fields[i].type));
        if (json_array_append_new(columns, column) != 0) {
            json_decref(columns);
            return NULL;
        }
    }
    return json_pack("{s:o, s:o, s:o}", "table",
                     hanse_json_text(hanse_hdf5_source_path(info->links)),
                     "rows", count(info->links->ops->n_rows(info->links)),
                     "columns", columns);
}

/* Prints and frees; `all` may be NULL. */
static bool print(json_t *all)
{
    char *text = all != NULL ? json_dumps(all, JSON_INDENT(2)) : NULL;
    json_decref(all);
    if (text == NULL)
        return false;
    puts(text);
    free(text);
    return true;
}

bool hanse_info_print_json(const hanse_info *info)
{
    const hanse_source *source = info->source;
    uint64_t stored_bytes = 0;
    uint64_t raw_bytes = 0;
    for (size_t f = 0; f < hanse_hdf5_source_n_files(source); f++) {
        stored_bytes += hanse_hdf5_source_table(source, f)->stored_bytes;
        raw_bytes += hanse_hdf5_source_table(source, f)->raw_bytes;
    }
    return print(json_pack(
        "{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "table",
        hanse_json_text(hanse_hdf5_source_path(source)), "shape",
        hanse_hdf5_source_shape(source), "rows",
        count(source->ops->n_rows(source)), "stored_bytes", count(stored_bytes),
        "raw_bytes", count(raw_bytes), "files", pack_files(source), "columns",
        pack_columns(source), "unsupported", pack_refusals(source), "links",
        pack_links(info)));
}

bool hanse_info_print_tables_json(const char *file,
                                  const hanse_found_tables *tables)
{
    json_t *list = json_array();
    for (size_t i = 0; i < tables->n; i++) {
        const hanse_found_table *table = &tables->items[i];
        json_t *item = json_pack(
            "{s:o, s:s, s:o, s:o}", "table", hanse_json_text(table->path),
            "shape", table->is_compound ? "compound" : "columns", "rows",
            count(table->n_rows), "columns", count(table->n_columns));
        if (json_array_append_new(list, item) != 0) {
            json_decref(list);
            return false;
        }
    }
    return print(
        json_pack("{s:o, s:o}", "file", hanse_json_text(file), "tables", list));
}
