/* SPDX-License-Identifier: Apache-2.0
 *
 * HDF5 files as a source: describes the table of each file, checks that they
 * go together, and cuts them into morsels.
 */
#include "io/hdf5_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/foreign.h"
#include "io/hdf5_find.h"
#include "io/raw_fetch.h"
#include "io/input_file.h"
#include "io/read_ahead.h"

/* 128 KiB a float64 column: large against the cost of a read call, and a few
 * columns stay in the second cache level until they are folded. */
static const uint64_t default_morsel_rows = 16384;

/* Mapped pages are not copied and need no room in the cache. */
static const uint64_t mapped_morsel_rows = 65536;

/* Of network and parallel file systems each call may be a message; a megabyte
 * a column. */
static const uint64_t remote_morsel_rows = 131072;

/* Processes that open files, as many as live at a time, and as many as are
 * started before they are asked, so that they get ready side by side. */
enum {
    MOST_CHILDREN = 8,
    CHILDREN_AHEAD = 3
};

/* Of many files the maps come at once with the tables, as far as they are
 * small, so that no process must be started twice. */
static const uint64_t most_early_chunks = 4096;

/* A common multiple of all chunk sizes is used up to this many rows. */
static const uint64_t most_common_rows = 1 << 20;

static const hanse_hdf5_source *as_hdf5(const hanse_source *source)
{
    return (const hanse_hdf5_source *)source;
}

/* ---- Fields ------------------------------------------------------------- */

/* What stands for "missing" in published keys: the first declared code, else
 * the value that a key is least likely to have. */
static int64_t missing_code(const hanse_hdf5_column *column)
{
    static const int64_t extremes[HANSE_TYPE_COUNT] = {
        [HANSE_INT8] = INT8_MIN,     [HANSE_INT16] = INT16_MIN,
        [HANSE_INT32] = INT32_MIN,   [HANSE_INT64] = INT64_MIN,
        [HANSE_UINT8] = UINT8_MAX,   [HANSE_UINT16] = UINT16_MAX,
        [HANSE_UINT32] = UINT32_MAX, [HANSE_UINT64] = -1, /* all bits */
        [HANSE_BOOL] = INT8_MIN,
    };
    const hanse_type type = column->type.type;
    const bool is_coded = type != HANSE_FLOAT32 && type != HANSE_FLOAT64;
    return is_coded && column->missing.n > 0 ? column->missing.codes[0]
                                             : extremes[type];
}

static hanse_status make_fields(hanse_hdf5_source *source, hanse_error *error)
{
    const hanse_hdf5_table *table = &source->parts[0].table;
    source->fields = calloc(table->n_columns, sizeof *source->fields);
    if (source->fields == NULL)
        return hanse_fail_nomem(error, "columns",
                                table->n_columns * sizeof *source->fields);
    for (size_t i = 0; i < table->n_columns; i++) {
        const hanse_hdf5_column *column = &table->columns[i];
        source->fields[i] = (hanse_field){.name = column->name,
                                          .type = column->type.type,
                                          .units = column->units,
                                          .long_name = column->long_name,
                                          .labels = column->type.labels,
                                          .n_labels = column->type.n_labels,
                                          .missing_code = missing_code(column)};
    }
    source->schema.fields = source->fields;
    source->schema.n_fields = table->n_columns;
    return HANSE_OK;
}

/* ---- Files that go together --------------------------------------------- */

static hanse_status check_column(const hanse_hdf5_table *first,
                                 const hanse_hdf5_table *other,
                                 const hanse_hdf5_column *column, size_t *index,
                                 hanse_error *error)
{
    const hanse_hdf5_column *found = hanse_hdf5_table_find(other, column->name);
    if (found == NULL) {
        const char *reason = hanse_hdf5_table_reason(other, column->name);
        return hanse_fail(error, HANSE_ERR_COLUMN,
                          "%s: %s '%s', which %s has%s%s; files that form one "
                          "table must have the same columns",
                          other->file,
                          reason != NULL ? "cannot use column" : "no column",
                          column->name, first->file, reason != NULL ? ": " : "",
                          reason != NULL ? reason : "");
    }
    if (!hanse_hdf5_type_same(&found->type, &column->type))
        return hanse_fail(
            error, HANSE_ERR_TYPE, "%s: column '%s' is %s, but %s in %s%s",
            other->file, column->name, found->type.text, column->type.text,
            first->file,
            found->type.type == column->type.type ? " and the labels differ"
                                                  : "; convert one of them");
    if (found->units != NULL && column->units != NULL &&
        strcmp(found->units, column->units) != 0)
        return hanse_fail(error, HANSE_ERR_TYPE,
                          "%s: column '%s' has the units '%.60s', but '%.60s' "
                          "in %s; values of different units cannot be added",
                          other->file, column->name, found->units,
                          column->units, first->file);
    *index = (size_t)(found - other->columns);
    return HANSE_OK;
}

/* A column that only the later file has is as wrong as one that it lacks,
 * unless the first file has it too and cannot use it. */
static hanse_status check_surplus(const hanse_hdf5_table *first,
                                  const hanse_hdf5_table *other,
                                  hanse_error *error)
{
    for (size_t i = 0; i < other->n_columns; i++) {
        const char *name = other->columns[i].name;
        if (hanse_hdf5_table_find(first, name) == NULL &&
            hanse_hdf5_table_reason(first, name) == NULL)
            return hanse_fail(error, HANSE_ERR_COLUMN,
                              "%s: has a column '%s', which %s lacks; files "
                              "that form one table must have the same columns",
                              other->file, name, first->file);
    }
    return HANSE_OK;
}

static hanse_status match_columns(hanse_hdf5_source *source,
                                  hanse_hdf5_part *part, hanse_error *error)
{
    const hanse_hdf5_table *first = &source->parts[0].table;
    const size_t n = first->n_columns;
    part->columns = calloc(n, sizeof *part->columns);
    part->storage = calloc(n, sizeof *part->storage);
    if (part->columns == NULL || part->storage == NULL)
        return hanse_fail_nomem(error, "columns", n * sizeof *part->storage);
    for (size_t i = 0; i < n; i++)
        HANSE_TRY(check_column(first, &part->table, &first->columns[i],
                               &part->columns[i], error));
    return check_surplus(first, &part->table, error);
}

static void fill_storage(hanse_hdf5_part *part, size_t n_fields)
{
    for (size_t i = 0; i < n_fields; i++) {
        const hanse_hdf5_column *column =
            &part->table.columns[part->columns[i]];
        const hanse_hdf5_layout *layout = &column->layout;
        part->storage[i] = (hanse_column_storage){
            .type_text = column->type.text,
            .layout = hanse_layout_name(layout->kind),
            .filters = layout->filters,
            .chunk_rows = layout->chunk_rows,
            .stored_bytes = layout->stored_bytes,
            .raw_bytes = layout->n_rows * column->type.size_bytes,
            .missing = column->missing_text};
    }
}

/* ---- Morsels ------------------------------------------------------------ */

static uint64_t greatest_divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        const uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Rows of which a span should be a multiple, so that it cuts no chunk, or as
 * few as can be. Rows of unfiltered chunks are read as they lie. */
static uint64_t alignment_rows(const hanse_hdf5_table *table)
{
    uint64_t largest = 1;
    uint64_t common = 1;
    for (size_t i = 0; i < table->n_columns; i++) {
        const uint64_t rows = table->columns[i].layout.chunk_rows;
        if (rows == 0 || table->columns[i].layout.n_filters == 0)
            continue;
        if (rows > largest)
            largest = rows;
        if (common <= most_common_rows && rows <= most_common_rows)
            common = common / greatest_divisor(common, rows) * rows;
    }
    return common <= most_common_rows && common >= largest ? common : largest;
}

static uint64_t divide_up(uint64_t n, uint64_t by)
{
    return n / by + (n % by != 0 ? 1 : 0);
}

/* A chunk is decoded once and delivered in equal slices near the wished size,
 * which are in the cache when they are folded. */
static uint64_t slice_rows(uint64_t span_rows, uint64_t wished)
{
    const uint64_t n_slices = (span_rows + wished / 2) / wished;
    const uint64_t rows = divide_up(span_rows, n_slices);
    return wished < 64 ? rows : divide_up(rows, 64) * 64;
}

/* Whether the library may be needed: it would decode a large chunk again for
 * each slice. */
static bool needs_library(const hanse_hdf5_table *table)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        const hanse_hdf5_column *column = &table->columns[i];
        if (column->layout.chunk_rows == 0)
            continue;
        if (column->type.form == HANSE_FORM_TEXT_VARIABLE ||
            column->type.irregular)
            return true;
        for (size_t k = 0; k < column->layout.n_filters; k++)
            if (!hanse_filter_decodable(column->layout.filter_ids[k]))
                return true;
    }
    return false;
}

/* The rule: what lies on this machine is copied, from the page cache to the
 * processor's, in pieces; the pages of a mapping cost more than that
 * (bench/README.md has both). From elsewhere the pieces are larger. */
static uint64_t choose_way(hanse_hdf5_part *part,
                           const hanse_hdf5_options *options)
{
    const bool is_local = hanse_file_is_local(part->table.file);
    part->is_mapped = options->read == HANSE_READ_MAP;
    if (options->morsel_rows != 0)
        return options->morsel_rows;
    if (part->is_mapped)
        return mapped_morsel_rows;
    return is_local ? default_morsel_rows : remote_morsel_rows;
}

static hanse_status cut_morsels(hanse_hdf5_source *source,
                                hanse_hdf5_part *part, uint64_t wished,
                                hanse_error *error)
{
    const uint64_t unit = alignment_rows(&part->table);
    const uint64_t n_rows = part->table.n_rows;
    part->span_rows = wished < unit ? unit : wished - wished % unit;
    part->morsel_rows = part->span_rows;
    if (wished < unit && !needs_library(&part->table))
        part->morsel_rows = slice_rows(unit, wished);
    part->span_morsels = (size_t)divide_up(part->span_rows, part->morsel_rows);
    part->first_row = source->n_rows;
    part->first_morsel = source->n_morsels;
    part->n_morsels =
        (size_t)(n_rows / part->span_rows) * part->span_morsels +
        (size_t)divide_up(n_rows % part->span_rows, part->morsel_rows);
    if (__builtin_add_overflow(source->n_rows, n_rows, &source->n_rows))
        return hanse_fail(error, HANSE_ERR_LIMIT, "%s: too many rows",
                          part->table.file);
    source->n_morsels += part->n_morsels;
    return HANSE_OK;
}

/* ---- Operations --------------------------------------------------------- */

static const hanse_schema *get_schema(const hanse_source *source)
{
    return &as_hdf5(source)->schema;
}

static uint64_t get_n_rows(const hanse_source *source)
{
    return as_hdf5(source)->n_rows;
}

static size_t get_n_morsels(const hanse_source *source)
{
    return as_hdf5(source)->n_morsels;
}

static size_t get_span_end(const hanse_source *base, size_t morsel)
{
    const hanse_hdf5_part *part = hanse_hdf5_find_part(as_hdf5(base), morsel);
    const size_t end = part->first_morsel + part->n_morsels;
    const size_t index = morsel - part->first_morsel;
    const size_t left = part->span_morsels - index % part->span_morsels;
    return left < end - morsel ? morsel + left : end;
}

static void close_source(hanse_source *base)
{
    hanse_hdf5_source *source = (hanse_hdf5_source *)base;
    for (size_t i = 0; i < source->n_parts; i++) {
        hanse_hdf5_part *part = &source->parts[i];
        for (size_t k = 0; part->foreign != NULL && k < part->table.n_columns;
             k++)
            hanse_foreign_close(part->foreign[k]);
        free(part->foreign);
        hanse_client_pool_forget(source->pool, part->client);
        hanse_map_client_close(part->client);
        hanse_hdf5_table_clear(&part->table);
        free(source->parts[i].columns);
        free(source->parts[i].storage);
    }
    if (source->pool == &source->own_pool)
        hanse_client_pool_destroy(&source->own_pool);
    (void)pthread_mutex_destroy(&source->foreign_mutex);
    free(source->parts);
    free(source->fields);
    free(source->ahead);
    free(source);
}

static const hanse_source_ops operations = {
    .schema = get_schema,
    .n_rows = get_n_rows,
    .n_morsels = get_n_morsels,
    .span_end = get_span_end,
    .open_reader = hanse_hdf5_reader_open,
    .read = hanse_hdf5_reader_read,
    .finish_reader = hanse_hdf5_reader_finish,
    .close_reader = hanse_hdf5_reader_close,
    .close = close_source,
};

/* ---- Opening ------------------------------------------------------------ */

static hanse_map_options how_to_open(const hanse_hdf5_options *options)
{
    return (hanse_map_options){.is_trusted = options->is_trusted,
                               .allow_foreign = options->allow_foreign,
                               .budget = options->budget};
}

/* Opens the files of the next parts, and starts who reads them. */
static hanse_status start_clients(hanse_hdf5_source *source, size_t first,
                                  const char *const *files,
                                  const hanse_hdf5_options *options,
                                  hanse_error *error)
{
    const hanse_map_options how = how_to_open(options);
    for (size_t i = first; i < source->n_parts && i < first + CHILDREN_AHEAD;
         i++) {
        hanse_hdf5_part *part = &source->parts[i];
        if (part->client != NULL)
            continue;
        HANSE_TRY(hanse_map_client_open(files[i], &how, &part->client, error));
        HANSE_TRY(hanse_map_client_start(part->client, error));
    }
    return HANSE_OK;
}

/* Finds the table of a file; the first one says which. */
static hanse_status open_part(hanse_hdf5_source *source, size_t index,
                              const hanse_hdf5_options *options,
                              bool is_dataset, hanse_error *error)
{
    hanse_hdf5_part *part = &source->parts[index];
    HANSE_TRY(hanse_map_client_table(
        part->client, index == 0 ? options->table : source->parts[0].table.path,
        is_dataset,
        is_dataset || source->n_parts > MOST_CHILDREN ? most_early_chunks : 0,
        &part->table, error));
    if (index == 0) {
        /* All run on this machine. */
        hanse_map_client_level(part->client, source->confinement,
                               sizeof source->confinement);
        HANSE_TRY(make_fields(source, error));
    }
    hanse_client_pool_note(source->pool, part->client);
    HANSE_TRY(match_columns(source, part, error));
    fill_storage(part, source->schema.n_fields);
    if (part->table.is_compound)
        source->base.rows_together = true;
    return cut_morsels(source, part, choose_way(part, options), error);
}

static hanse_status open_parts(hanse_hdf5_source *source,
                               const char *const *files,
                               const hanse_hdf5_options *options,
                               bool is_dataset, hanse_error *error)
{
    HANSE_TRY(start_clients(source, 0, files, options, error));
    if (options->meanwhile != NULL)
        options->meanwhile(options->meanwhile_context);
    for (size_t i = 0; i < source->n_parts; i++) {
        HANSE_TRY(start_clients(source, i, files, options, error));
        HANSE_TRY(open_part(source, i, options, is_dataset, error));
    }
    return HANSE_OK;
}

/* With a pool of its own, or that of another source. */
static hanse_hdf5_source *create(size_t n_files,
                                 const hanse_hdf5_options *options,
                                 hanse_client_pool *pool, hanse_error *error)
{
    hanse_hdf5_source *source = calloc(1, sizeof *source);
    hanse_hdf5_part *parts = calloc(n_files, sizeof *parts);
    if (source == NULL || parts == NULL) {
        (void)hanse_fail_nomem(error, "input files", n_files * sizeof *parts);
    } else if (pool != NULL ||
               hanse_client_pool_init(&source->own_pool, MOST_CHILDREN,
                                      error) == HANSE_OK) {
        (void)pthread_mutex_init(&source->foreign_mutex, NULL);
        source->pool = pool != NULL ? pool : &source->own_pool;
        source->is_trusted = options->is_trusted;
        source->base.ops = &operations;
        source->base.budget = options->budget;
        source->parts = parts;
        source->n_parts = n_files;
        source->library_only = options->library_only;
        if (options->no_read_ahead)
            return source;
        /* Without memory for it reading ahead is left to the system. */
        source->ahead = calloc(1, sizeof *source->ahead);
        return source;
    }
    free(source);
    free(parts);
    return NULL;
}

static hanse_status open_source(const char *const *files, size_t n_files,
                                const hanse_hdf5_options *options,
                                bool is_dataset, hanse_client_pool *pool,
                                hanse_source **out, hanse_error *error)
{
    hanse_hdf5_source *source = create(n_files, options, pool, error);
    if (source == NULL)
        return HANSE_ERR_NOMEM;
    const hanse_status status =
        open_parts(source, files, options, is_dataset, error);
    if (status != HANSE_OK) {
        close_source(&source->base);
        return status;
    }
    *out = &source->base;
    return HANSE_OK;
}

hanse_status hanse_hdf5_source_open_column(const hanse_hdf5_source *parent,
                                           const char *file,
                                           const char *dataset,
                                           hanse_source **out,
                                           hanse_error *error)
{
    const hanse_hdf5_options options = {.table = dataset,
                                        .budget = parent->base.budget,
                                        .is_trusted = parent->is_trusted,
                                        .library_only = parent->library_only};
    return open_source(&file, 1, &options, true, parent->pool, out, error);
}

hanse_status hanse_hdf5_source_open(const char *const *files, size_t n_files,
                                    const hanse_hdf5_options *options,
                                    hanse_source **out, hanse_error *error)
{
    static const hanse_hdf5_options defaults = {0};
    if (n_files == 0)
        return hanse_fail(error, HANSE_ERR_ARGUMENT, "no input file");
    if (options == NULL)
        options = &defaults;
    return open_source(files, n_files, options, false, NULL, out, error);
}

hanse_status hanse_hdf5_source_tables(const char *file,
                                      const hanse_hdf5_options *options,
                                      hanse_found_tables *out,
                                      hanse_error *error)
{
    const hanse_map_options how = how_to_open(options);
    hanse_map_client *client;
    HANSE_TRY(hanse_map_client_open(file, &how, &client, error));
    const hanse_status status = hanse_map_client_list(client, out, error);
    hanse_map_client_close(client);
    return status;
}

/* ---- Facts -------------------------------------------------------------- */

const char *hanse_hdf5_source_path(const hanse_source *source)
{
    return as_hdf5(source)->parts[0].table.path;
}

const char *hanse_hdf5_source_shape(const hanse_source *source)
{
    return as_hdf5(source)->parts[0].table.is_compound ? "compound" : "columns";
}

size_t hanse_hdf5_source_n_files(const hanse_source *source)
{
    return as_hdf5(source)->n_parts;
}

const char *hanse_hdf5_source_file(const hanse_source *source, size_t file,
                                   uint64_t *n_rows)
{
    const hanse_hdf5_table *table = &as_hdf5(source)->parts[file].table;
    if (n_rows != NULL)
        *n_rows = table->n_rows;
    return table->file;
}

const hanse_column_storage *
hanse_hdf5_source_storage(const hanse_source *source, size_t file, size_t field)
{
    return &as_hdf5(source)->parts[file].storage[field];
}

/* A damaged column has no map; its fault takes the place of a reason. */
static hanse_status find_decoder(hanse_hdf5_part *part, size_t field,
                                 hanse_error *error)
{
    hanse_hdf5_table *table = &part->table;
    const size_t column = part->columns[field];
    hanse_dataset_map *map = &table->maps[hanse_hdf5_table_map(table, column)];
    hanse_error fault = {0};
    const hanse_status status =
        hanse_map_client_record(part->client, table, &column, 1, NULL, &fault);
    if (status == HANSE_ERR_FORMAT || status == HANSE_ERR_LIMIT ||
        status == HANSE_ERR_TYPE)
        snprintf(map->reason, sizeof map->reason, "%.*s", HANSE_REASON_SIZE - 1,
                 fault.message);
    else if (status != HANSE_OK)
        return hanse_fail(error, status, "%s", fault.message);
    part->storage[field].library =
        hanse_raw_fetch_obstacle(&table->columns[column], map);
    return HANSE_OK;
}

hanse_status hanse_hdf5_source_find_decoders(hanse_source *base,
                                             hanse_error *error)
{
    hanse_hdf5_source *source = (hanse_hdf5_source *)base;
    for (size_t f = 0; f < source->n_parts; f++) {
        for (size_t i = 0; i < source->schema.n_fields; i++)
            HANSE_TRY(find_decoder(&source->parts[f], i, error));
        hanse_client_pool_note(source->pool, source->parts[f].client);
    }
    return HANSE_OK;
}

const hanse_hdf5_table *hanse_hdf5_source_table(const hanse_source *source,
                                                size_t file)
{
    return &as_hdf5(source)->parts[file].table;
}

const char *hanse_hdf5_source_confinement(const hanse_source *source)
{
    return as_hdf5(source)->confinement;
}

const char *hanse_hdf5_source_unsupported(const hanse_source *source,
                                          const char *name)
{
    return hanse_hdf5_table_reason(hanse_hdf5_source_table(source, 0), name);
}
