/* SPDX-License-Identifier: Apache-2.0
 *
 * Describing a table: a group of 1-D datasets, or one compound dataset.
 */
#include "io/hdf5_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "io/dataset_record.h"
#include "io/hdf5_links.h"
#include "io/result_attributes.h"
#include "io/utf8.h"

/* A table that is being described. */
typedef struct builder {
    hanse_hdf5_table *table;
    const hanse_file_facts *facts;
    hanse_error *error;
} builder;

/* ---- Lists -------------------------------------------------------------- */

/* Room for one more item; the lists grow in powers of two. */
static hanse_status reserve(void **items, size_t n, size_t size_bytes,
                            hanse_error *error)
{
    if (n != 0 && (n & (n - 1)) != 0)
        return HANSE_OK;
    const size_t capacity = n == 0 ? 1 : 2 * n;
    void *larger = realloc(*items, capacity * size_bytes);
    if (larger == NULL)
        return hanse_fail_nomem(error, "columns", capacity * size_bytes);
    *items = larger;
    return HANSE_OK;
}

static hanse_status copy_text(const char *text, char **out, hanse_error *error)
{
    *out = strdup(text);
    return *out != NULL ? HANSE_OK
                        : hanse_fail_nomem(error, "text", strlen(text) + 1);
}

static hanse_status add_refusal(builder *b, const char *name,
                                const char *reason)
{
    hanse_hdf5_table *table = b->table;
    HANSE_TRY(reserve((void **)&table->refusals, table->n_refusals,
                      sizeof *table->refusals, b->error));
    hanse_hdf5_refusal *refusal = &table->refusals[table->n_refusals];
    HANSE_TRY(copy_text(name, &refusal->name, b->error));
    const hanse_status status = copy_text(reason, &refusal->reason, b->error);
    if (status != HANSE_OK)
        free(refusal->name);
    else
        table->n_refusals++;
    return status;
}

static void clear_column(hanse_hdf5_column *column)
{
    free(column->name);
    free(column->units);
    free(column->long_name);
    free(column->missing.text);
    free(column->missing_text);
    hanse_hdf5_type_clear(&column->type);
}

/* Takes ownership of what the column holds, also on failure. */
static hanse_status add_column(builder *b, hanse_hdf5_column *column,
                               const char *name)
{
    hanse_hdf5_table *table = b->table;
    hanse_status status = copy_text(name, &column->name, b->error);
    column->missing_text =
        hanse_missing_describe(&column->missing, column->type.type);
    if (status == HANSE_OK && column->missing_text == NULL)
        status = hanse_fail_nomem(b->error, "text", 32);
    if (status == HANSE_OK)
        status = reserve((void **)&table->columns, table->n_columns,
                         sizeof *table->columns, b->error);
    if (status != HANSE_OK) {
        clear_column(column);
        return status;
    }
    table->columns[table->n_columns++] = *column;
    return HANSE_OK;
}

/* ---- A group of datasets ------------------------------------------------ */

/* A netCDF dimension that only has a length. */
static bool is_bare_dimension(hid_t dataset)
{
    char *class = hanse_attribute_get_text(dataset, "CLASS");
    char *name = hanse_attribute_get_text(dataset, "NAME");
    const bool is_bare =
        class != NULL && name != NULL &&
        strcmp(class, "DIMENSION_SCALE") == 0 &&
        strncmp(name, HANSE_DIMENSION_TEXT, strlen(HANSE_DIMENSION_TEXT)) == 0;
    free(class);
    free(name);
    return is_bare;
}

/* Fills in the column as far as `reason` stays empty. */
static hanse_status describe_dataset(builder *b, hid_t dataset, hid_t datatype,
                                     hanse_hdf5_column *column, char *reason)
{
    if (H5Tget_class(datatype) == H5T_COMPOUND)
        return hanse_hdf5_refuse(reason, "a compound dataset, which is a table "
                                         "of its own");
    HANSE_TRY(
        hanse_hdf5_type_describe(datatype, &column->type, reason, b->error));
    if (reason[0] == '\0')
        HANSE_TRY(hanse_hdf5_layout_describe(dataset, column->type.size_bytes,
                                             b->facts, &column->layout, reason,
                                             b->error));
    if (reason[0] == '\0' && hanse_layout_is_foreign(column->layout.kind) &&
        (column->type.form == HANSE_FORM_TEXT_VARIABLE ||
         column->type.irregular))
        return hanse_hdf5_refuse(
            reason, "in other files, as values that only the HDF5 library can "
                    "decode; write one HDF5 file (h5repack does)");
    if (reason[0] == '\0')
        HANSE_TRY(hanse_hdf5_missing_read(dataset, &column->type,
                                          &column->missing, reason, b->error));
    if (reason[0] == '\0') {
        column->units = hanse_hdf5_read_text(dataset, "units");
        column->long_name = hanse_hdf5_read_text(dataset, "long_name");
    }
    return HANSE_OK;
}

static hanse_status add_dataset(builder *b, hid_t dataset, const char *name)
{
    char reason[HANSE_REASON_SIZE] = "";
    hanse_hdf5_column column = {0};
    if (is_bare_dimension(dataset))
        return HANSE_OK;
    const hid_t datatype = H5Dget_type(dataset);
    if (datatype < 0)
        return add_refusal(b, name, "damaged: it has no datatype");
    const hanse_status status =
        describe_dataset(b, dataset, datatype, &column, reason);
    (void)H5Tclose(datatype);
    if (status == HANSE_OK && reason[0] == '\0')
        return add_column(b, &column, name);
    clear_column(&column);
    if (status == HANSE_ERR_FORMAT && b->error != NULL)
        return add_refusal(b, name, b->error->message);
    return status != HANSE_OK ? status : add_refusal(b, name, reason);
}

static hanse_status add_link(builder *b, hid_t group,
                             const hanse_hdf5_link *link)
{
    if (link->kind == HANSE_LINK_REFUSED)
        return add_refusal(b, link->name, link->reason);
    if (link->kind != HANSE_LINK_DATASET)
        return HANSE_OK;
    const hid_t dataset = hanse_hdf5_open_object(group, link->name);
    if (dataset < 0)
        return add_refusal(b, link->name, "damaged: it cannot be opened");
    const hanse_status status = add_dataset(b, dataset, link->name);
    (void)H5Oclose(dataset);
    return status;
}

/* Names the columns that differ in length from the first, up to eight. */
static hanse_status fail_lengths(const builder *b)
{
    const hanse_hdf5_table *table = b->table;
    const uint64_t n_rows = table->columns[0].layout.n_rows;
    char list[512] = "";
    size_t n_listed = 0;
    for (size_t c = 1; c < table->n_columns && n_listed < 8; c++) {
        const hanse_hdf5_column *column = &table->columns[c];
        const size_t used = strlen(list);
        if (column->layout.n_rows == n_rows)
            continue;
        snprintf(list + used, sizeof list - used, ", '%.40s' has %llu",
                 column->name, (unsigned long long)column->layout.n_rows);
        n_listed++;
    }
    return hanse_fail(b->error, HANSE_ERR_FORMAT,
                      "columns of unequal length: '%.40s' has %llu rows%s; "
                      "the columns of a table must be equally long",
                      table->columns[0].name, (unsigned long long)n_rows, list);
}

static hanse_status check_columns(const builder *b)
{
    hanse_hdf5_table *table = b->table;
    if (table->n_columns == 0 && table->n_refusals > 0)
        return hanse_fail(b->error, HANSE_ERR_FORMAT,
                          "no column can be used; '%.60s': %s",
                          table->refusals[0].name, table->refusals[0].reason);
    if (table->n_columns == 0)
        return hanse_fail(b->error, HANSE_ERR_SPEC,
                          "is not a table: it holds no datasets");
    if (table->is_compound)
        return HANSE_OK;
    table->n_rows = table->columns[0].layout.n_rows;
    for (size_t c = 0; c < table->n_columns; c++) {
        const hanse_hdf5_column *column = &table->columns[c];
        if (column->layout.n_rows != table->n_rows)
            return fail_lengths(b);
        table->stored_bytes += column->layout.stored_bytes;
        table->raw_bytes += column->layout.n_rows * column->type.size_bytes;
    }
    return HANSE_OK;
}

static hanse_status describe_group(builder *b, hid_t group)
{
    hanse_hdf5_links links;
    HANSE_TRY(hanse_hdf5_links_list(group, &links, b->error));
    hanse_status status = HANSE_OK;
    for (size_t i = 0; i < links.n && status == HANSE_OK; i++)
        status = add_link(b, group, &links.items[i]);
    hanse_hdf5_links_clear(&links);
    return status;
}

/* ---- A compound dataset ------------------------------------------------- */

/* The name is shown as far as it can be. */
static hanse_status refuse_name(builder *b, const char *name)
{
    char *shown = hanse_utf8_show(name);
    if (shown == NULL)
        return hanse_fail_nomem(b->error, "name of a column", strlen(name));
    const hanse_status status =
        add_refusal(b, shown, hanse_hdf5_name_fault(name));
    free(shown);
    return status;
}

static hanse_status add_member(builder *b, hid_t row, unsigned index,
                               const hanse_hdf5_layout *layout)
{
    char reason[HANSE_REASON_SIZE] = "";
    hanse_hdf5_column column = {.member = index,
                                .member_offset =
                                    H5Tget_member_offset(row, index),
                                .layout = *layout};
    char *name = H5Tget_member_name(row, index);
    const hid_t datatype = H5Tget_member_type(row, index);
    hanse_status status;
    if (name == NULL || datatype < 0) {
        status = hanse_hdf5_fail(b->error, "compound type");
    } else if (hanse_hdf5_name_fault(name) != NULL) {
        status = refuse_name(b, name);
    } else {
        status =
            hanse_hdf5_type_describe(datatype, &column.type, reason, b->error);
        if (status == HANSE_OK && reason[0] != '\0')
            status = add_refusal(b, name, reason);
        else if (status == HANSE_OK)
            status = add_column(b, &column, name);
    }
    if (datatype >= 0)
        (void)H5Tclose(datatype);
    (void)H5free_memory(name);
    return status;
}

static hanse_status describe_rows(builder *b, hid_t dataset, hid_t row)
{
    hanse_hdf5_table *table = b->table;
    hanse_hdf5_layout layout;
    char reason[HANSE_REASON_SIZE];
    if (H5Tget_class(row) != H5T_COMPOUND)
        return hanse_fail(b->error, HANSE_ERR_SPEC,
                          "is a dataset, not a table; name the group that "
                          "holds the columns, or a compound dataset");
    table->is_compound = true;
    table->row_bytes = H5Tget_size(row);
    const int n_members = H5Tget_nmembers(row);
    if (table->row_bytes == 0 || n_members < 0)
        return hanse_hdf5_fail(b->error, "compound type");
    HANSE_TRY(hanse_hdf5_layout_describe(dataset, table->row_bytes, b->facts,
                                         &layout, reason, b->error));
    if (reason[0] == '\0' && hanse_layout_is_foreign(layout.kind))
        (void)hanse_hdf5_refuse(reason,
                                "rows in other files; write one HDF5 file "
                                "(h5repack does)");
    if (reason[0] != '\0')
        return hanse_fail(b->error, HANSE_ERR_SPEC, "cannot be used: %s",
                          reason);
    table->n_rows = layout.n_rows;
    table->stored_bytes = layout.stored_bytes;
    table->raw_bytes = layout.n_rows * table->row_bytes;
    layout.stored_bytes = 0;
    for (unsigned i = 0; i < (unsigned)n_members; i++)
        HANSE_TRY(add_member(b, row, i, &layout));
    return HANSE_OK;
}

static hanse_status describe_compound(builder *b, hid_t dataset)
{
    const hid_t row = H5Dget_type(dataset);
    if (row < 0)
        return hanse_hdf5_fail(b->error, "datatype");
    const hanse_status status = describe_rows(b, dataset, row);
    (void)H5Tclose(row);
    return status;
}

/* ---- Either ------------------------------------------------------------- */

static hanse_status describe_object(builder *b, hid_t object)
{
    const H5I_type_t kind = H5Iget_type(object);
    if (kind == H5I_GROUP)
        HANSE_TRY(describe_group(b, object));
    else if (kind == H5I_DATASET)
        HANSE_TRY(describe_compound(b, object));
    else
        return hanse_fail(b->error, HANSE_ERR_SPEC,
                          "is neither a group nor a dataset");
    return check_columns(b);
}

/* A dataset by itself, as the only column of its group; table->path becomes
 * that. A compound is its own table. */
static hanse_status describe_single(builder *b, hid_t dataset)
{
    char *path = b->table->path;
    char *slash = strrchr(path, '/');
    if (H5Iget_type(dataset) != H5I_DATASET)
        return hanse_fail(b->error, HANSE_ERR_SPEC, "is no dataset");
    HANSE_TRY(add_dataset(b, dataset, slash + 1));
    slash[slash == path] = '\0';
    return check_columns(b);
}

static hanse_status describe_path(hid_t file, const hanse_file_facts *facts,
                                  bool is_single, hanse_hdf5_table *table,
                                  hanse_error *error)
{
    builder b = {table, facts, error};
    const hid_t object = hanse_hdf5_open_object(file, table->path);
    if (object < 0)
        return hanse_fail(error, HANSE_ERR_SPEC,
                          "there is no such object in the file; 'hanse info' "
                          "lists the tables");
    const hanse_status status =
        is_single ? describe_single(&b, object) : describe_object(&b, object);
    (void)H5Oclose(object);
    return status;
}

/* Empty maps, one per dataset. */
static hanse_status make_maps(hanse_hdf5_table *table, hanse_error *error)
{
    const size_t n = table->is_compound ? 1 : table->n_columns;
    table->maps = calloc(n, sizeof *table->maps);
    if (table->maps == NULL)
        return hanse_fail_nomem(error, "maps", n * sizeof *table->maps);
    table->n_maps = n;
    return HANSE_OK;
}

static hanse_status describe_any(hid_t file, const hanse_file_facts *facts,
                                 const char *path, bool is_single,
                                 hanse_hdf5_table *out, hanse_error *error)
{
    hanse_hdf5_table table = {0};
    /* Without a caller's error a message is still needed, for refusals. */
    hanse_error own = {0};
    const size_t size = strlen(path) + 2;
    table.path = malloc(size);
    if (table.path == NULL)
        return hanse_fail_nomem(error, "path", size);
    snprintf(table.path, size, "%s%s", path[0] == '/' ? "" : "/", path);
    hanse_status status = describe_path(file, facts, is_single, &table, &own);
    if (status == HANSE_OK)
        status = make_maps(&table, &own);
    if (status != HANSE_OK) {
        if (error != NULL)
            *error = own;
        hanse_error_prefix(error, "table %.200s", table.path);
        hanse_hdf5_table_clear(&table);
        return status;
    }
    *out = table;
    return HANSE_OK;
}

hanse_status hanse_hdf5_table_describe(hid_t file,
                                       const hanse_file_facts *facts,
                                       const char *path, hanse_hdf5_table *out,
                                       hanse_error *error)
{
    return describe_any(file, facts, path, false, out, error);
}

hanse_status hanse_hdf5_table_describe_dataset(hid_t file,
                                               const hanse_file_facts *facts,
                                               const char *path,
                                               hanse_hdf5_table *out,
                                               hanse_error *error)
{
    return describe_any(file, facts, path, true, out, error);
}

void hanse_hdf5_table_clear(hanse_hdf5_table *table)
{
    for (size_t i = 0; i < table->n_columns; i++)
        clear_column(&table->columns[i]);
    for (size_t i = 0; i < table->n_refusals; i++) {
        free(table->refusals[i].name);
        free(table->refusals[i].reason);
    }
    for (size_t i = 0; i < table->n_maps; i++)
        hanse_dataset_map_clear(&table->maps[i]);
    free(table->maps);
    free(table->columns);
    free(table->refusals);
    free(table->path);
    free(table->file);
    *table = (hanse_hdf5_table){0};
}

/* Opens the dataset that holds a column. */
static hid_t open_dataset(hid_t file, const hanse_hdf5_table *table,
                          size_t column)
{
    const hid_t object = hanse_hdf5_open_object(file, table->path);
    if (object < 0 || table->is_compound)
        return object;
    const hid_t dataset =
        hanse_hdf5_open_object(object, table->columns[column].name);
    (void)H5Oclose(object);
    return dataset;
}

hanse_status hanse_hdf5_table_record(hid_t file, hanse_recording *recording,
                                     hanse_hdf5_table *table, size_t column,
                                     hanse_error *error)
{
    hanse_dataset_map *map = &table->maps[hanse_hdf5_table_map(table, column)];
    if (map->is_recorded)
        return HANSE_OK;
    const hid_t dataset = open_dataset(file, table, column);
    if (dataset < 0)
        return hanse_hdf5_fail(error, "dataset");
    hanse_dataset_map found;
    const hanse_status status = hanse_dataset_record(
        dataset, &table->columns[column].layout, recording, &found, error);
    (void)H5Oclose(dataset);
    if (status != HANSE_OK)
        hanse_dataset_map_clear(&found);
    else
        *map = found;
    return status;
}

const hanse_hdf5_column *hanse_hdf5_table_find(const hanse_hdf5_table *table,
                                               const char *name)
{
    for (size_t i = 0; i < table->n_columns; i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return &table->columns[i];
    return NULL;
}

const char *hanse_hdf5_table_reason(const hanse_hdf5_table *table,
                                    const char *name)
{
    for (size_t i = 0; i < table->n_refusals; i++)
        if (strcmp(table->refusals[i].name, name) == 0)
            return table->refusals[i].reason;
    return NULL;
}
