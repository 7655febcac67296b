/* SPDX-License-Identifier: Apache-2.0
 *
 * One description of every structure serves both directions: a field is
 * written, or read and checked, by the same line. What is written is never
 * changed.
 */
#include "io/table_map.h"

#include <stdlib.h>
#include <string.h>

#include "io/utf8.h"

/* More than the limits under which tables are described. */
enum {
    MAX_TEXT_BYTES = 1 << 20,
    MAX_COLUMNS = 1 << 16,
    MAX_REFUSALS = 1 << 20,
    MAX_LABELS = 1 << 16,
    MAX_TABLES = 1 << 20,
    MAX_FIXED_TEXT_BYTES = 1 << 20,
    MAX_FOREIGN_FILES = 1 << 20,
    MAX_RANK = 2
};

/* As in io/hdf5_layout.c: values to bytes of file. */
static const uint64_t max_expansion = 65536;

/* Least bytes that items take in a message: how many can be announced. */
enum {
    COLUMN_BYTES = 24 * 8,
    LABEL_BYTES = 2 * 8,
    REFUSAL_BYTES = 2 * 8,
    TABLE_BYTES = 4 * 8,
    MAP_BYTES = 8,
    CHUNK_BYTES = 16,
    FILE_BYTES = 2 * 8
};

/* One of the two is set. */
typedef struct wire {
    hanse_message *out;
    hanse_cursor *in;
    bool no_memory;
} wire;

static bool is_reading(const wire *w)
{
    return w->in != NULL;
}

/* What is read does not hold. */
static void refuse(wire *w)
{
    w->in->failed = true;
}

static bool has_failed(const wire *w)
{
    return is_reading(w) && w->in->failed;
}

/* ---- Single fields ------------------------------------------------------ */

static uint64_t wire_number(wire *w, uint64_t value, uint64_t most)
{
    if (is_reading(w))
        return hanse_cursor_get_below(w->in, most);
    hanse_message_put_u64(w->out, value);
    return value;
}

#define WIRE_U64(w, field) ((field) = wire_number((w), (field), UINT64_MAX))
#define WIRE_SIZE(w, field, most) \
    ((field) = (size_t)wire_number((w), (field), (most)))
#define WIRE_U32(w, field, most) \
    ((field) = (uint32_t)wire_number((w), (field), (most)))
#define WIRE_INT(w, field, most) \
    ((field) = (int)wire_number((w), (uint64_t)(field), (most)))
#define WIRE_BOOL(w, field) ((field) = wire_number((w), (field), 1) != 0)
#define WIRE_ENUM(w, type, field, last) \
    ((field) = (type)wire_number((w), (uint64_t)(field), (last)))

static void wire_bytes(wire *w, void *bytes, size_t n)
{
    if (is_reading(w))
        hanse_cursor_get_bytes(w->in, bytes, n);
    else
        hanse_message_put_bytes(w->out, bytes, n);
}

/* Texts are UTF-8, and may be NULL unless they are needed. */
static void wire_text(wire *w, char **text, bool is_needed)
{
    if (!is_reading(w)) {
        hanse_message_put_text(w->out, *text);
        return;
    }
    *text = hanse_cursor_get_text(w->in, MAX_TEXT_BYTES);
    if (*text == NULL ? is_needed : !hanse_utf8_is_valid(*text))
        refuse(w);
}

/* A text for people's terminals. */
static void wire_printable(wire *w, char **text, bool is_needed)
{
    wire_text(w, text, is_needed);
    if (is_reading(w) && *text != NULL && !hanse_utf8_is_printable(*text))
        refuse(w);
}

/* A text of fixed room. */
static void wire_array_text(wire *w, char *text, size_t size)
{
    char *copy = text;
    wire_printable(w, &copy, true);
    if (!is_reading(w) || copy == NULL)
        return;
    if (strlen(copy) >= size)
        refuse(w);
    else
        memcpy(text, copy, strlen(copy) + 1);
    free(copy);
}

/* Number of items and, when reading, zeroed room for them. */
static size_t wire_list(wire *w, void **items, size_t n, size_t most,
                        size_t wire_size, size_t size)
{
    n = (size_t)wire_number(w, n, most);
    if (!is_reading(w))
        return n;
    *items = NULL;
    if (n > w->in->left / wire_size)
        refuse(w);
    if (has_failed(w) || n == 0)
        return 0;
    *items = calloc(n, size);
    if (*items != NULL)
        return n;
    w->no_memory = true;
    refuse(w);
    return 0;
}

/* ---- Columns ------------------------------------------------------------ */

static void wire_labels(wire *w, hanse_hdf5_type *type)
{
    type->n_labels = wire_list(w, (void **)&type->labels, type->n_labels,
                               MAX_LABELS, LABEL_BYTES, sizeof *type->labels);
    for (size_t i = 0; i < type->n_labels && !has_failed(w); i++) {
        hanse_label *label = &type->labels[i];
        char *text = (char *)label->text;
        label->code =
            (int64_t)wire_number(w, (uint64_t)label->code, UINT64_MAX);
        wire_text(w, &text, true);
        label->text = text;
        /* Sorted by code, as looking them up relies on. */
        if (is_reading(w) && i > 0 && label->code < label[-1].code)
            refuse(w);
    }
}

/* Form, size and type of the values must be possible together. */
static bool is_type_sound(const hanse_hdf5_type *type)
{
    const bool is_text = type->type == HANSE_TEXT;
    switch (type->form) {
    case HANSE_FORM_NUMBER:
        return !is_text && type->size_bytes >= 1 && type->size_bytes <= 8 &&
               (type->irregular ||
                type->size_bytes <= hanse_type_size(type->type));
    case HANSE_FORM_BITS:
        return type->type == HANSE_BOOL && type->size_bytes == 1;
    case HANSE_FORM_TEXT_FIXED:
        return is_text && type->size_bytes >= 1 &&
               type->size_bytes <= MAX_FIXED_TEXT_BYTES;
    case HANSE_FORM_TEXT_VARIABLE:
        return is_text && type->size_bytes <= MAX_FIXED_TEXT_BYTES;
    }
    return false;
}

static void wire_type(wire *w, hanse_hdf5_type *type)
{
    WIRE_ENUM(w, hanse_type, type->type, HANSE_TYPE_COUNT - 1);
    WIRE_ENUM(w, hanse_value_form, type->form, HANSE_FORM_TEXT_VARIABLE);
    WIRE_SIZE(w, type->size_bytes, MAX_FIXED_TEXT_BYTES);
    WIRE_BOOL(w, type->big_endian);
    WIRE_BOOL(w, type->irregular);
    WIRE_BOOL(w, type->utf8);
    WIRE_ENUM(w, hanse_text_padding, type->padding, HANSE_PADDING_SPACE);
    wire_array_text(w, type->text, sizeof type->text);
    wire_labels(w, type);
    if (is_reading(w) && !is_type_sound(type))
        refuse(w);
}

static void wire_missing(wire *w, hanse_missing_codes *missing)
{
    WIRE_SIZE(w, missing->n, HANSE_MAX_MISSING_CODES);
    wire_bytes(w, missing->codes, missing->n * sizeof *missing->codes);
    wire_bytes(w, missing->values, missing->n * sizeof *missing->values);
    wire_text(w, &missing->text, false);
}

static void wire_layout(wire *w, hanse_hdf5_layout *layout)
{
    WIRE_ENUM(w, hanse_layout_kind, layout->kind, HANSE_LAYOUT_VIRTUAL);
    WIRE_U64(w, layout->n_rows);
    WIRE_U64(w, layout->chunk_rows);
    WIRE_U64(w, layout->stored_bytes);
    WIRE_INT(w, layout->rank, MAX_RANK);
    WIRE_INT(w, layout->row_dimension, MAX_RANK - 1);
    WIRE_SIZE(w, layout->n_filters, HANSE_MAX_FILTERS);
    for (size_t i = 0; i < layout->n_filters; i++)
        WIRE_U32(w, layout->filter_ids[i], UINT32_MAX);
    wire_array_text(w, layout->filters, sizeof layout->filters);
    const bool is_chunked = layout->kind == HANSE_LAYOUT_CHUNKED;
    if (is_reading(w) &&
        (layout->rank < 1 || layout->row_dimension >= layout->rank ||
         is_chunked != (layout->chunk_rows != 0)))
        refuse(w);
}

static void wire_column(wire *w, hanse_hdf5_column *column)
{
    wire_printable(w, &column->name, true);
    wire_text(w, &column->units, false);
    wire_text(w, &column->long_name, false);
    wire_type(w, &column->type);
    wire_missing(w, &column->missing);
    wire_text(w, &column->missing_text, true);
    WIRE_SIZE(w, column->member, UINT32_MAX);
    WIRE_SIZE(w, column->member_offset, UINT32_MAX);
    wire_layout(w, &column->layout);
}

/* ---- Maps --------------------------------------------------------------- */

static void wire_pipeline(wire *w, hanse_pipeline *pipeline)
{
    WIRE_U32(w, pipeline->n_filters, HANSE_PIPELINE_MAX);
    for (size_t i = 0; i < pipeline->n_filters; i++) {
        hanse_filter *filter = &pipeline->filters[i];
        WIRE_U32(w, filter->id, UINT32_MAX);
        WIRE_U32(w, filter->n_values, HANSE_FILTER_VALUES_MAX);
        wire_bytes(w, filter->values,
                   filter->n_values * sizeof *filter->values);
    }
}

/* n bytes that may be missing; when they are there, as many as wanted. */
static void wire_buffer(wire *w, uint8_t **bytes, uint64_t wanted)
{
    bool is_there = *bytes != NULL;
    WIRE_BOOL(w, is_there);
    if (!is_there)
        return;
    if (is_reading(w)) {
        if (wanted > w->in->left)
            refuse(w);
        if (has_failed(w))
            return;
        *bytes = malloc((size_t)wanted + 1);
        if (*bytes == NULL) {
            w->no_memory = true;
            refuse(w);
            return;
        }
    }
    wire_bytes(w, *bytes, (size_t)wanted);
}

static void wire_chunks(wire *w, hanse_dataset_map *map)
{
    map->n_chunks = wire_list(w, (void **)&map->chunks, map->n_chunks,
                              SIZE_MAX / 64, CHUNK_BYTES, sizeof *map->chunks);
    for (size_t i = 0; i < map->n_chunks; i++) {
        hanse_chunk *chunk = &map->chunks[i];
        WIRE_U64(w, chunk->address);
        wire_bytes(w, &chunk->stored_bytes, sizeof chunk->stored_bytes);
        wire_bytes(w, &chunk->filter_mask, sizeof chunk->filter_mask);
    }
}

static void wire_foreign(wire *w, hanse_dataset_map *map)
{
    map->n_files = wire_list(w, (void **)&map->files, map->n_files,
                             MAX_FOREIGN_FILES, FILE_BYTES, sizeof *map->files);
    for (size_t i = 0; i < map->n_files && !has_failed(w); i++) {
        wire_text(w, &map->files[i].name, true);
        wire_text(w, &map->files[i].dataset, false);
    }
    map->n_pieces =
        wire_list(w, (void **)&map->pieces, map->n_pieces, SIZE_MAX / 64,
                  sizeof *map->pieces, sizeof *map->pieces);
    for (size_t i = 0; i < map->n_pieces; i++)
        wire_bytes(w, &map->pieces[i], sizeof map->pieces[i]);
}

static void wire_map(wire *w, hanse_dataset_map *map)
{
    uint64_t compact_bytes;
    WIRE_BOOL(w, map->is_recorded);
    if (!map->is_recorded)
        return;
    wire_array_text(w, map->reason, sizeof map->reason);
    WIRE_ENUM(w, hanse_layout_kind, map->kind, HANSE_LAYOUT_VIRTUAL);
    WIRE_U32(w, map->element_bytes, UINT32_MAX);
    WIRE_U64(w, map->n_rows);
    WIRE_U64(w, map->chunk_rows);
    WIRE_U64(w, map->address);
    wire_pipeline(w, &map->pipeline);
    wire_buffer(w, &map->fill, map->element_bytes);
    if (__builtin_mul_overflow(map->n_rows, (uint64_t)map->element_bytes,
                               &compact_bytes))
        compact_bytes = UINT64_MAX;
    wire_buffer(w, &map->compact, compact_bytes);
    wire_chunks(w, map);
    wire_foreign(w, map);
}

/* ---- Tables ------------------------------------------------------------- */

static void wire_refusals(wire *w, hanse_hdf5_table *table)
{
    table->n_refusals =
        wire_list(w, (void **)&table->refusals, table->n_refusals, MAX_REFUSALS,
                  REFUSAL_BYTES, sizeof *table->refusals);
    for (size_t i = 0; i < table->n_refusals && !has_failed(w); i++) {
        wire_printable(w, &table->refusals[i].name, true);
        wire_printable(w, &table->refusals[i].reason, true);
    }
}

static void wire_table(wire *w, hanse_hdf5_table *table)
{
    wire_printable(w, &table->path, true);
    WIRE_BOOL(w, table->is_compound);
    WIRE_U64(w, table->n_rows);
    WIRE_SIZE(w, table->row_bytes, UINT32_MAX);
    WIRE_U64(w, table->stored_bytes);
    WIRE_U64(w, table->raw_bytes);
    table->n_columns =
        wire_list(w, (void **)&table->columns, table->n_columns, MAX_COLUMNS,
                  COLUMN_BYTES, sizeof *table->columns);
    for (size_t i = 0; i < table->n_columns && !has_failed(w); i++)
        wire_column(w, &table->columns[i]);
    wire_refusals(w, table);
    table->n_maps = wire_list(w, (void **)&table->maps, table->n_maps,
                              MAX_COLUMNS, MAP_BYTES, sizeof *table->maps);
    for (size_t i = 0; i < table->n_maps && !has_failed(w); i++)
        wire_map(w, &table->maps[i]);
}

/* ---- What a table must be ----------------------------------------------- */

static hanse_status fail_message(const wire *w, const char *what,
                                 hanse_error *error)
{
    if (w->no_memory)
        return hanse_fail_nomem(error, what, 0);
    return hanse_fail(error, HANSE_ERR_FORMAT,
                      "damaged or hostile: %s is described wrongly", what);
}

static hanse_status fail_column(const hanse_hdf5_column *column,
                                const char *what, hanse_error *error)
{
    return hanse_fail(error, HANSE_ERR_FORMAT,
                      "damaged or hostile: column '%.60s' %s", column->name,
                      what);
}

static hanse_status check_column(const hanse_hdf5_table *table, size_t index,
                                 uint64_t file_bytes, hanse_error *error)
{
    const hanse_hdf5_column *column = &table->columns[index];
    const size_t row_bytes =
        table->is_compound ? table->row_bytes : column->type.size_bytes;
    uint64_t raw_bytes;
    if (column->layout.n_rows != table->n_rows)
        return fail_column(column, "has another number of rows", error);
    if (table->is_compound &&
        (column->type.size_bytes > table->row_bytes ||
         column->member_offset > table->row_bytes - column->type.size_bytes))
        return fail_column(column, "lies outside its row", error);
    const bool is_foreign = hanse_layout_is_foreign(column->layout.kind);
    if (is_foreign && (table->is_compound || column->type.irregular ||
                       column->type.form == HANSE_FORM_TEXT_VARIABLE))
        return fail_column(column, "cannot lie in other files", error);
    if (__builtin_mul_overflow(table->n_rows, (uint64_t)row_bytes,
                               &raw_bytes) ||
        (!is_foreign && raw_bytes / max_expansion > file_bytes))
        return fail_column(column, "has more rows than the file can hold",
                           error);
    return HANSE_OK;
}

/* A map is for the dataset of a column. */
static hanse_status check_map(const hanse_hdf5_table *table, size_t index,
                              const hanse_dataset_map *map, uint64_t file_bytes,
                              hanse_error *error)
{
    const hanse_hdf5_column *column = &table->columns[index];
    const size_t element_bytes =
        table->is_compound ? table->row_bytes : column->type.size_bytes;
    char reason[HANSE_REASON_SIZE];
    if (!map->is_recorded || map->reason[0] != '\0')
        return HANSE_OK;
    if (map->n_rows != table->n_rows || map->element_bytes != element_bytes ||
        map->kind != column->layout.kind)
        return fail_column(column, "has a map of something else", error);
    if (!hanse_pipeline_decodable(&map->pipeline, reason, sizeof reason))
        return fail_column(column, "has filters that it claims not to have",
                           error);
    return hanse_dataset_map_check(map, file_bytes, column->name, error);
}

static hanse_status check_table(const hanse_hdf5_table *table,
                                uint64_t file_bytes, hanse_error *error)
{
    const size_t n_maps = table->is_compound ? 1 : table->n_columns;
    if (table->n_columns == 0 || table->n_maps != n_maps)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "damaged or hostile: a table of %zu columns and %zu "
                          "maps",
                          table->n_columns, table->n_maps);
    for (size_t i = 0; i < table->n_columns; i++)
        HANSE_TRY(check_column(table, i, file_bytes, error));
    for (size_t i = 0; i < table->n_maps; i++)
        HANSE_TRY(check_map(table, i, &table->maps[i], file_bytes, error));
    return HANSE_OK;
}

/* ---- In and out --------------------------------------------------------- */

void hanse_table_map_put(hanse_message *message, const hanse_hdf5_table *table)
{
    wire w = {.out = message};
    wire_table(&w, (hanse_hdf5_table *)table);
}

hanse_status hanse_table_map_get(hanse_cursor *cursor, uint64_t file_bytes,
                                 hanse_hdf5_table *out, hanse_error *error)
{
    wire w = {.in = cursor};
    hanse_hdf5_table table = {0};
    wire_table(&w, &table);
    const hanse_status status = cursor->failed
                                    ? fail_message(&w, "the table", error)
                                    : check_table(&table, file_bytes, error);
    if (status == HANSE_OK)
        *out = table;
    else
        hanse_hdf5_table_clear(&table);
    return status;
}

void hanse_dataset_map_put(hanse_message *message, const hanse_dataset_map *map)
{
    wire w = {.out = message};
    wire_map(&w, (hanse_dataset_map *)map);
}

hanse_status hanse_dataset_map_get(hanse_cursor *cursor, uint64_t file_bytes,
                                   const hanse_hdf5_table *table, size_t column,
                                   hanse_dataset_map *out, hanse_error *error)
{
    wire w = {.in = cursor};
    hanse_dataset_map map = {0};
    wire_map(&w, &map);
    hanse_status status = HANSE_OK;
    if (cursor->failed)
        status = fail_message(&w, "a map", error);
    else if (!map.is_recorded)
        status = fail_column(&table->columns[column], "has no map", error);
    else
        status = check_map(table, column, &map, file_bytes, error);
    if (status == HANSE_OK)
        *out = map;
    else
        hanse_dataset_map_clear(&map);
    return status;
}

static void wire_found(wire *w, hanse_found_tables *tables)
{
    tables->n = wire_list(w, (void **)&tables->items, tables->n, MAX_TABLES,
                          TABLE_BYTES, sizeof *tables->items);
    for (size_t i = 0; i < tables->n && !has_failed(w); i++) {
        hanse_found_table *found = &tables->items[i];
        wire_printable(w, &found->path, true);
        WIRE_BOOL(w, found->is_compound);
        WIRE_U64(w, found->n_rows);
        WIRE_SIZE(w, found->n_columns, MAX_COLUMNS);
    }
    wire_printable(w, &tables->complaint, false);
}

void hanse_found_tables_put(hanse_message *message,
                            const hanse_found_tables *tables)
{
    wire w = {.out = message};
    wire_found(&w, (hanse_found_tables *)tables);
}

hanse_status hanse_found_tables_get(hanse_cursor *cursor,
                                    hanse_found_tables *out, hanse_error *error)
{
    wire w = {.in = cursor};
    hanse_found_tables tables = {0};
    wire_found(&w, &tables);
    if (!cursor->failed) {
        *out = tables;
        return HANSE_OK;
    }
    hanse_found_tables_clear(&tables);
    return fail_message(&w, "the list of tables", error);
}
