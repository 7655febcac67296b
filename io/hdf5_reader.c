/* SPDX-License-Identifier: Apache-2.0
 *
 * A reader: has the values of a morsel fetched, and turns them into the arrays
 * of a batch.
 */
#include "io/hdf5_reader.h"

#include <stdlib.h>
#include <string.h>

#include "io/foreign.h"
#include "io/raw_fetch.h"
#include "io/read_ahead.h"

/* A buffer that only grows. */
typedef struct buffer {
    void *bytes;
    size_t capacity;
} buffer;

/* Arrays of one field. */
typedef struct field_buffers {
    buffer values;
    buffer offsets;
    buffer missing;
    bool is_read; /* for the reader's morsel */
} field_buffers;

typedef struct hdf5_reader {
    hanse_reader base;
    hanse_hdf5_source *source;
    hanse_array *arrays;       /* [field] */
    field_buffers *fields;     /* [field] */
    size_t *mapped;            /* [field] of a compound, to be fetched by map */
    size_t *asked;             /* [field] columns whose maps are asked for */
    hanse_raw_target *targets; /* [field] where those by map go */
    bool *is_mapped;           /* [field] its map in `part` is recorded */
    const hanse_hdf5_part *part; /* of the last morsel; NULL: none */
    size_t morsel;               /* SIZE_MAX: none yet */
    hanse_raw_fetcher raw;
    hanse_foreign_fetcher *foreign; /* [field], of `part` */
} hdf5_reader;

/* ---- Buffers ------------------------------------------------------------ */

static hanse_status reserve(hdf5_reader *r, buffer *b, size_t n,
                            size_t size_bytes, const char *what,
                            hanse_error *error)
{
    hanse_budget *budget = r->source->base.budget;
    size_t wanted;
    if (!hanse_size_multiply(n, size_bytes, &wanted))
        wanted = SIZE_MAX;
    if (wanted <= b->capacity && b->bytes != NULL)
        return HANSE_OK;
    hanse_free(budget, b->bytes, b->capacity, 1);
    b->capacity = 0;
    b->bytes = hanse_allocate(budget, wanted, 1);
    if (b->bytes == NULL)
        return hanse_fail_budget(error, budget, what, n, size_bytes);
    b->capacity = wanted;
    return HANSE_OK;
}

static void release(hdf5_reader *r, buffer *b)
{
    hanse_free(r->source->base.budget, b->bytes, b->capacity, 1);
    *b = (buffer){0};
}

/* ---- From stored values to arrays --------------------------------------- */

static hanse_status mark_missing(hdf5_reader *r,
                                 const hanse_hdf5_column *column, size_t field,
                                 size_t n, hanse_error *error)
{
    field_buffers *buffers = &r->fields[field];
    hanse_array *array = &r->arrays[field];
    const hanse_type type = column->type.type;
    const bool is_text = type == HANSE_TEXT;
    if (is_text ? column->missing.text == NULL : column->missing.n == 0)
        return HANSE_OK;
    if (type == HANSE_FLOAT32 || type == HANSE_FLOAT64) {
        hanse_replace_missing(type, buffers->values.bytes, n, &column->missing);
        return HANSE_OK;
    }
    HANSE_TRY(
        reserve(r, &buffers->missing, n, 1, "marks of missing values", error));
    uint8_t *mask = buffers->missing.bytes;
    const bool any =
        is_text ? hanse_mark_missing_texts(array->values, array->offsets, n,
                                           column->missing.text, mask)
                : hanse_mark_missing(type, array->values, n, &column->missing,
                                     mask);
    array->missing = any ? mask : NULL;
    return HANSE_OK;
}

/* Texts of fixed length, packed where they lie. */
static hanse_status pack_texts(hdf5_reader *r, const hanse_hdf5_column *column,
                               const hanse_row_range *rows, field_buffers *out,
                               hanse_error *error)
{
    const size_t size = column->type.size_bytes;
    HANSE_TRY(reserve(r, &out->offsets, rows->n + 1, sizeof(int32_t),
                      "offsets of a column", error));
    if (hanse_pack_fixed_texts(out->values.bytes, rows->n, size, size,
                               column->type.padding, out->values.bytes,
                               out->offsets.bytes))
        return HANSE_OK;
    return hanse_fail(error, HANSE_ERR_LIMIT,
                      "%s: column '%s': texts of more than 2 GiB in %zu rows",
                      rows->part->table.file, column->name, rows->n);
}

/* Makes the arrays of a field of its values, which lie in its buffer; adds
 * their size to n_bytes. */
static hanse_status make_array(hdf5_reader *r, const hanse_row_range *rows,
                               size_t field, uint64_t *n_bytes,
                               hanse_error *error)
{
    const hanse_hdf5_column *column = hanse_hdf5_range_column(rows, field);
    field_buffers *buffers = &r->fields[field];
    hanse_array *array = &r->arrays[field];
    if (column->type.form == HANSE_FORM_TEXT_FIXED)
        HANSE_TRY(pack_texts(r, column, rows, buffers, error));
    if (column->type.type == HANSE_TEXT) {
        array->offsets = buffers->offsets.bytes;
        *n_bytes += (uint64_t)array->offsets[rows->n];
    } else {
        *n_bytes += rows->n * hanse_hdf5_type_memory_size(&column->type);
    }
    array->values = buffers->values.bytes;
    HANSE_TRY(mark_missing(r, column, field, rows->n, error));
    buffers->is_read = true;
    return HANSE_OK;
}

/* ---- Reading ------------------------------------------------------------ */

static bool contains(const size_t *list, size_t n, size_t wanted)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == wanted)
            return true;
    return false;
}

/* Has the maps of the columns in r->asked recorded. */
static hanse_status record_maps(hdf5_reader *r, hanse_hdf5_part *part,
                                size_t n_asked, hanse_error *error)
{
    bool was_asked;
    const hanse_status status = hanse_map_client_record(
        part->client, &part->table, r->asked, n_asked, &was_asked, error);
    if (was_asked)
        hanse_client_pool_note(r->source->pool, part->client);
    return status;
}

static bool is_foreign(const hanse_hdf5_part *part, size_t column)
{
    return hanse_layout_is_foreign(part->table.columns[column].layout.kind);
}

/* Has the files of a column open that lies in others. */
static hanse_status need_foreign(hdf5_reader *r, hanse_hdf5_part *part,
                                 size_t column, hanse_error *error)
{
    hanse_status status = HANSE_OK;
    if (!is_foreign(part, column))
        return HANSE_OK;
    pthread_mutex_lock(&r->source->foreign_mutex);
    if (part->foreign == NULL)
        part->foreign = calloc(part->table.n_columns, sizeof *part->foreign);
    if (part->foreign == NULL)
        status =
            hanse_fail_nomem(error, "files of a column", part->table.n_columns);
    else if (part->foreign[column] == NULL)
        status = hanse_foreign_open(r->source, part, column,
                                    &part->foreign[column], error);
    pthread_mutex_unlock(&r->source->foreign_mutex);
    return status;
}

/* What is known of the last file is of no use for the next one. */
static void forget_part(hdf5_reader *r)
{
    for (size_t i = 0; i < r->source->schema.n_fields; i++) {
        r->is_mapped[i] = false;
        hanse_foreign_fetcher_clear(&r->foreign[i]);
    }
}

/* Has the maps of the fields recorded; asks once per field and file. */
static hanse_status need_maps(hdf5_reader *r, const hanse_row_range *rows,
                              const size_t *fields, size_t n_fields,
                              hanse_error *error)
{
    hanse_hdf5_part *part = &r->source->parts[rows->part - r->source->parts];
    size_t n_asked = 0;
    if (r->part != rows->part)
        forget_part(r);
    r->part = rows->part;
    for (size_t i = 0; i < n_fields; i++) {
        const size_t column = part->columns[fields[i]];
        const bool is_needed =
            !r->source->library_only || is_foreign(part, column);
        if (is_needed && !r->is_mapped[fields[i]] &&
            !contains(r->asked, n_asked, column))
            r->asked[n_asked++] = column;
    }
    if (n_asked == 0)
        return HANSE_OK;
    HANSE_TRY(record_maps(r, part, n_asked, error));
    for (size_t i = 0; i < n_fields; i++) {
        HANSE_TRY(need_foreign(r, part, part->columns[fields[i]], error));
        r->is_mapped[fields[i]] = true;
    }
    return HANSE_OK;
}

static bool can_map(const hdf5_reader *r, const hanse_row_range *rows,
                    size_t field)
{
    if (r->source->library_only)
        return false;
    const hanse_hdf5_table *table = &rows->part->table;
    const size_t column = rows->part->columns[field];
    const char *obstacle = hanse_raw_fetch_obstacle(
        &table->columns[column],
        &table->maps[hanse_hdf5_table_map(table, column)]);
    return obstacle[0] == '\0';
}

/* Makes room for a field's values and returns it. */
static hanse_status reserve_values(hdf5_reader *r, const hanse_row_range *rows,
                                   size_t field, void **out, hanse_error *error)
{
    buffer *values = &r->fields[field].values;
    const hanse_hdf5_column *column = hanse_hdf5_range_column(rows, field);
    HANSE_TRY(reserve(r, values, rows->n,
                      hanse_hdf5_type_memory_size(&column->type),
                      "values of a column", error));
    *out = values->bytes;
    return HANSE_OK;
}

/* Room for the values of a field, and for marks where numbers may need them. */
static hanse_status make_target(hdf5_reader *r, const hanse_row_range *rows,
                                size_t field, hanse_raw_target *target,
                                hanse_error *error)
{
    const hanse_hdf5_column *column = hanse_hdf5_range_column(rows, field);
    field_buffers *buffers = &r->fields[field];
    HANSE_TRY(reserve(r, &buffers->values, rows->n, column->type.size_bytes,
                      "values of a column", error));
    if (column->type.type != HANSE_TEXT && column->missing.n > 0)
        HANSE_TRY(reserve(r, &buffers->missing, rows->n, 1,
                          "marks of missing values", error));
    *target = (hanse_raw_target){.values = buffers->values.bytes,
                                 .missing = buffers->missing.bytes};
    return HANSE_OK;
}

/* A field whose values lie in the mapped file as they are wanted; *done tells
 * whether it does. */
static hanse_status read_mapped(hdf5_reader *r, const hanse_row_range *rows,
                                size_t field, uint64_t *n_bytes, bool *done,
                                hanse_error *error)
{
    const void *values;
    HANSE_TRY(hanse_raw_fetch_mapped(&r->raw, rows, field, &values, error));
    *done = values != NULL;
    if (values == NULL)
        return HANSE_OK;
    const hanse_hdf5_column *column = hanse_hdf5_range_column(rows, field);
    r->arrays[field].values = values;
    HANSE_TRY(mark_missing(r, column, field, rows->n, error));
    *n_bytes += (uint64_t)rows->n * column->type.size_bytes;
    r->fields[field].is_read = true;
    return HANSE_OK;
}

/* Fields of one dataset, straight into their buffers. */
static hanse_status read_by_map(hdf5_reader *r, const hanse_row_range *rows,
                                const size_t *fields, size_t n_fields,
                                uint64_t *n_bytes, hanse_error *error)
{
    bool done = false;
    if (n_fields == 1)
        HANSE_TRY(read_mapped(r, rows, fields[0], n_bytes, &done, error));
    if (done)
        return HANSE_OK;
    for (size_t i = 0; i < n_fields; i++)
        HANSE_TRY(make_target(r, rows, fields[i], &r->targets[i], error));
    HANSE_TRY(
        hanse_raw_fetch(&r->raw, rows, fields, n_fields, r->targets, error));
    for (size_t i = 0; i < n_fields; i++) {
        const size_t field = fields[i];
        const hanse_hdf5_column *column = hanse_hdf5_range_column(rows, field);
        const hanse_raw_target *target = &r->targets[i];
        if (column->type.type == HANSE_TEXT) {
            HANSE_TRY(make_array(r, rows, field, n_bytes, error));
            continue;
        }
        r->arrays[field].values = target->values;
        r->arrays[field].missing = target->any_missing ? target->missing : NULL;
        r->fields[field].is_read = true;
        *n_bytes += (uint64_t)rows->n * column->type.size_bytes;
    }
    return HANSE_OK;
}

/* Where the bytes of texts go. */
typedef struct text_target {
    hdf5_reader *reader;
    size_t field;
    hanse_error *error;
} text_target;

static void *make_text_room(void *context, size_t size_bytes)
{
    const text_target *target = context;
    buffer *values = &target->reader->fields[target->field].values;
    return reserve(target->reader, values, size_bytes, 1, "texts of a column",
                   target->error) == HANSE_OK
               ? values->bytes
               : NULL;
}

/* Values that only the library can read. */
static hanse_status ask_values(hdf5_reader *r, const hanse_row_range *rows,
                               size_t field, void *out, hanse_error *error)
{
    const hanse_hdf5_part *part = rows->part;
    const hanse_status status = hanse_map_client_values(
        part->client, &part->table, part->columns[field], rows->first, rows->n,
        out, error);
    hanse_client_pool_note(r->source->pool, part->client);
    return status;
}

/* A field that only the library can read. */
static hanse_status read_by_library(hdf5_reader *r, const hanse_row_range *rows,
                                    size_t field, uint64_t *n_bytes,
                                    hanse_error *error)
{
    const hanse_hdf5_part *part = rows->part;
    const size_t column = part->columns[field];
    const bool is_variable =
        part->table.columns[column].type.form == HANSE_FORM_TEXT_VARIABLE;
    if (is_variable) {
        buffer *offsets = &r->fields[field].offsets;
        text_target target = {r, field, error};
        HANSE_TRY(reserve(r, offsets, rows->n + 1, sizeof(int32_t),
                          "offsets of a column", error));
        HANSE_TRY(hanse_map_client_texts(part->client, &part->table, column,
                                         rows->first, rows->n, offsets->bytes,
                                         make_text_room, &target, error));
        hanse_client_pool_note(r->source->pool, part->client);
    } else {
        void *values;
        HANSE_TRY(reserve_values(r, rows, field, &values, error));
        HANSE_TRY(ask_values(r, rows, field, values, error));
    }
    return make_array(r, rows, field, n_bytes, error);
}

/* A field that lies in other files. */
static hanse_status read_foreign(hdf5_reader *r, const hanse_row_range *rows,
                                 size_t field, uint64_t *n_bytes,
                                 hanse_error *error)
{
    const hanse_hdf5_part *part = rows->part;
    void *values;
    HANSE_TRY(reserve_values(r, rows, field, &values, error));
    HANSE_TRY(hanse_foreign_fetch(part->foreign[part->columns[field]],
                                  &r->foreign[field], rows->first, rows->n,
                                  values, error));
    return make_array(r, rows, field, n_bytes, error);
}

/* ---- Operations --------------------------------------------------------- */

const hanse_hdf5_part *hanse_hdf5_find_part(const hanse_hdf5_source *source,
                                            size_t morsel)
{
    size_t low = 0;
    size_t high = source->n_parts;
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (source->parts[middle].first_morsel <= morsel)
            low = middle;
        else
            high = middle;
    }
    return &source->parts[low];
}

static void start_morsel(hdf5_reader *r, size_t morsel)
{
    if (r->morsel == morsel)
        return;
    for (size_t i = 0; i < r->source->schema.n_fields; i++) {
        r->arrays[i] = (hanse_array){0};
        r->fields[i].is_read = false;
    }
    r->morsel = morsel;
}

static hanse_status read_columns(hdf5_reader *r, const hanse_row_range *rows,
                                 const size_t *fields, size_t n_fields,
                                 uint64_t *n_bytes, hanse_error *error)
{
    for (size_t i = 0; i < n_fields; i++) {
        if (r->fields[fields[i]].is_read)
            continue;
        if (is_foreign(rows->part, rows->part->columns[fields[i]]))
            HANSE_TRY(read_foreign(r, rows, fields[i], n_bytes, error));
        else if (can_map(r, rows, fields[i]))
            HANSE_TRY(read_by_map(r, rows, &fields[i], 1, n_bytes, error));
        else
            HANSE_TRY(read_by_library(r, rows, fields[i], n_bytes, error));
    }
    return HANSE_OK;
}

/* Members of a compound come in one go by map. */
static hanse_status read_members(hdf5_reader *r, const hanse_row_range *rows,
                                 const size_t *fields, size_t n_fields,
                                 uint64_t *n_bytes, hanse_error *error)
{
    size_t n_mapped = 0;
    for (size_t i = 0; i < n_fields; i++)
        if (!r->fields[fields[i]].is_read && can_map(r, rows, fields[i]) &&
            !contains(r->mapped, n_mapped, fields[i]))
            r->mapped[n_mapped++] = fields[i];
    if (n_mapped > 0)
        HANSE_TRY(read_by_map(r, rows, r->mapped, n_mapped, n_bytes, error));
    for (size_t i = 0; i < n_fields; i++)
        if (!r->fields[fields[i]].is_read)
            HANSE_TRY(read_by_library(r, rows, fields[i], n_bytes, error));
    return HANSE_OK;
}

hanse_status hanse_hdf5_reader_read(hanse_reader *base, size_t morsel,
                                    const size_t *fields, size_t n_fields,
                                    hanse_morsel *out, hanse_error *error)
{
    hdf5_reader *r = (hdf5_reader *)base;
    const hanse_row_range rows =
        hanse_hdf5_morsel_rows(hanse_hdf5_find_part(r->source, morsel), morsel);
    uint64_t n_bytes = 0;
    start_morsel(r, morsel);
    HANSE_TRY(need_maps(r, &rows, fields, n_fields, error));
    if (r->source->ahead != NULL && !r->source->library_only && n_fields > 0)
        HANSE_TRY(hanse_read_ahead_of(r->source->ahead, &r->raw, rows.part,
                                      morsel, fields, n_fields, error));
    if (rows.part->table.is_compound)
        HANSE_TRY(read_members(r, &rows, fields, n_fields, &n_bytes, error));
    else
        HANSE_TRY(read_columns(r, &rows, fields, n_fields, &n_bytes, error));
    *out = (hanse_morsel){.batch = {.n_rows = rows.n, .arrays = r->arrays},
                          .first_row = rows.part->first_row + rows.first,
                          .n_bytes = n_bytes,
                          .is_volatile = rows.part->is_mapped};
    return HANSE_OK;
}

hanse_status hanse_hdf5_reader_values(hanse_reader *base, uint64_t first,
                                      size_t n, void *out, hanse_error *error)
{
    hdf5_reader *r = (hdf5_reader *)base;
    const hanse_row_range rows = {&r->source->parts[0], first, n};
    const size_t field = 0;
    HANSE_TRY(need_maps(r, &rows, &field, 1, error));
    if (!can_map(r, &rows, field))
        return ask_values(r, &rows, field, out, error);
    const size_t size_bytes =
        n * hanse_hdf5_range_column(&rows, field)->type.size_bytes;
    hanse_raw_target target = {.values = out, .as_stored = true};
    HANSE_TRY(hanse_raw_fetch(&r->raw, &rows, &field, 1, &target, error));
    if (target.values != out)
        memcpy(out, target.values, size_bytes);
    return HANSE_OK;
}

hanse_status hanse_hdf5_reader_finish(hanse_reader *base, hanse_error *error)
{
    return hanse_raw_fetch_check(&((hdf5_reader *)base)->raw, error);
}

hanse_status hanse_hdf5_reader_open(hanse_source *base, hanse_reader **out,
                                    hanse_error *error)
{
    hanse_hdf5_source *source = (hanse_hdf5_source *)base;
    const size_t n = source->schema.n_fields;
    hdf5_reader *r = calloc(1, sizeof *r);
    if (r == NULL)
        return hanse_fail_nomem(error, "reader", sizeof *r);
    r->base.source = base;
    r->source = source;
    __atomic_add_fetch(&source->n_readers, 1, __ATOMIC_ACQ_REL);
    r->morsel = SIZE_MAX;
    r->arrays = calloc(n, sizeof *r->arrays);
    r->fields = calloc(n, sizeof *r->fields);
    r->mapped = calloc(n, sizeof *r->mapped);
    r->asked = calloc(n, sizeof *r->asked);
    r->targets = calloc(n, sizeof *r->targets);
    r->is_mapped = calloc(n, sizeof *r->is_mapped);
    r->foreign = calloc(n, sizeof *r->foreign);
    hanse_status status = HANSE_OK;
    if (r->arrays == NULL || r->fields == NULL || r->mapped == NULL ||
        r->asked == NULL || r->targets == NULL || r->is_mapped == NULL ||
        r->foreign == NULL)
        status = hanse_fail_nomem(error, "reader", n * sizeof *r->fields);
    if (status == HANSE_OK)
        status = hanse_raw_fetcher_init(&r->raw, source, error);
    if (status != HANSE_OK) {
        hanse_hdf5_reader_close(&r->base);
        return status;
    }
    *out = &r->base;
    return HANSE_OK;
}

void hanse_hdf5_reader_close(hanse_reader *base)
{
    hdf5_reader *r = (hdf5_reader *)base;
    if (r == NULL)
        return;
    /* Whoever opened the files may end while we go on with what was read. */
    if (r->is_mapped != NULL && r->foreign != NULL)
        forget_part(r);
    if (__atomic_sub_fetch(&r->source->n_readers, 1, __ATOMIC_ACQ_REL) == 0 &&
        r->source->pool == &r->source->own_pool)
        hanse_client_pool_rest(r->source->pool);
    hanse_raw_fetcher_clear(&r->raw);
    for (size_t i = 0; r->fields != NULL && i < r->source->schema.n_fields;
         i++) {
        release(r, &r->fields[i].values);
        release(r, &r->fields[i].offsets);
        release(r, &r->fields[i].missing);
    }
    free(r->arrays);
    free(r->fields);
    free(r->mapped);
    free(r->asked);
    free(r->targets);
    free(r->is_mapped);
    free(r->foreign);
    free(r);
}
