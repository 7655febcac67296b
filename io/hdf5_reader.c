/* SPDX-License-Identifier: Apache-2.0
 *
 * A reader: has the values of a morsel fetched, and turns them into the arrays
 * of a batch.
 */
#include "io/hdf5_reader.h"

#include <stdlib.h>
#include <string.h>

#include "io/hdf5_fetch.h"
#include "io/part_maps.h"
#include "io/raw_fetch.h"

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
    hanse_array *arrays;   /* [field] */
    field_buffers *fields; /* [field] */
    size_t *wanted;        /* [field] of a compound, still to be fetched */
    size_t *mapped;        /* [field] the same, by map */
    void **outs;           /* [field] where those by map go */
    bool *is_mapped;       /* [field] its map in `part` is recorded */
    const hanse_hdf5_part *part; /* of the last morsel; NULL: none */
    size_t morsel;               /* SIZE_MAX: none yet */
    buffer scratch;              /* rows of a compound, pointers to texts */
    hanse_raw_fetcher raw;       /* by map */
    hanse_hdf5_fetcher fetcher;  /* through the library */
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

/* ---- From stored values to arrays, without the lock --------------------- */

/* Copies n values of size_bytes each that lie stride bytes apart. */
static void gather(char *restrict out, const char *restrict rows, size_t n,
                   size_t stride, size_t size_bytes)
{
#define GATHER(size)               \
    for (size_t i = 0; i < n; i++) \
    memcpy(out + i * (size), rows + i * stride, (size))
    switch (size_bytes) {
    case 1:
        GATHER(1);
        break;
    case 2:
        GATHER(2);
        break;
    case 4:
        GATHER(4);
        break;
    default:
        GATHER(8);
    }
#undef GATHER
}

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

static hanse_status fail_text_size(const hanse_row_range *rows,
                                   const hanse_hdf5_column *column,
                                   hanse_error *error)
{
    return hanse_fail(error, HANSE_ERR_LIMIT,
                      "%s: column '%s': texts of more than 2 GiB in %zu rows",
                      rows->part->table.file, column->name, rows->n);
}

/* Texts whose pointers, or whose bytes of fixed length, lie stride bytes
 * apart. */
static hanse_status make_texts(hdf5_reader *r, const hanse_hdf5_column *column,
                               const hanse_row_range *rows, const void *stored,
                               size_t stride, field_buffers *out,
                               hanse_error *error)
{
    const size_t n = rows->n;
    const bool is_fixed = column->type.form == HANSE_FORM_TEXT_FIXED;
    HANSE_TRY(reserve(r, &out->offsets, n + 1, sizeof(int32_t),
                      "offsets of a column", error));
    int32_t *offsets = out->offsets.bytes;
    if (is_fixed) {
        if (stored != out->values.bytes)
            HANSE_TRY(reserve(r, &out->values, n, column->type.size_bytes,
                              "texts of a column", error));
        return hanse_pack_fixed_texts(
                   stored, n, stride, column->type.size_bytes,
                   column->type.padding, out->values.bytes, offsets)
                   ? HANSE_OK
                   : fail_text_size(rows, column, error);
    }
    if (!hanse_measure_texts(stored, n, stride, offsets))
        return fail_text_size(rows, column, error);
    HANSE_TRY(reserve(r, &out->values, (size_t)offsets[n], 1,
                      "texts of a column", error));
    hanse_pack_texts(stored, n, stride, offsets, out->values.bytes);
    return HANSE_OK;
}

/* Makes the arrays of a field from its stored values; adds their size to
 * n_bytes. Values that already lie in the field's buffer stay there. */
static hanse_status make_array(hdf5_reader *r, const hanse_row_range *rows,
                               size_t field, const void *stored, size_t stride,
                               uint64_t *n_bytes, hanse_error *error)
{
    const hanse_hdf5_column *column = hanse_hdf5_range_column(rows, field);
    field_buffers *buffers = &r->fields[field];
    hanse_array *array = &r->arrays[field];
    const size_t size = hanse_hdf5_type_memory_size(&column->type);
    if (column->type.type == HANSE_TEXT) {
        HANSE_TRY(make_texts(r, column, rows, stored, stride, buffers, error));
        array->offsets = buffers->offsets.bytes;
        *n_bytes += (uint64_t)array->offsets[rows->n];
    } else {
        if (stored != buffers->values.bytes) {
            HANSE_TRY(reserve(r, &buffers->values, rows->n, size,
                              "values of a column", error));
            gather(buffers->values.bytes, stored, rows->n, stride, size);
        }
        *n_bytes += rows->n * size;
    }
    array->values = buffers->values.bytes;
    HANSE_TRY(mark_missing(r, column, field, rows->n, error));
    buffers->is_read = true;
    return HANSE_OK;
}

/* ---- Reading ------------------------------------------------------------ */

/* Has the maps of the fields recorded; asks once per field and file. */
static hanse_status need_maps(hdf5_reader *r, const hanse_row_range *rows,
                              const size_t *fields, size_t n_fields,
                              hanse_error *error)
{
    const size_t index = (size_t)(rows->part - r->source->parts);
    bool all = r->part == rows->part;
    if (r->source->library_only)
        return HANSE_OK;
    if (!all)
        memset(r->is_mapped, 0,
               r->source->schema.n_fields * sizeof *r->is_mapped);
    r->part = rows->part;
    for (size_t i = 0; i < n_fields; i++)
        all = all && r->is_mapped[fields[i]];
    if (all)
        return HANSE_OK;
    HANSE_TRY(hanse_part_record_maps(&r->source->parts[index], fields, n_fields,
                                     error));
    for (size_t i = 0; i < n_fields; i++)
        r->is_mapped[fields[i]] = true;
    return HANSE_OK;
}

static bool can_map(const hdf5_reader *r, const hanse_row_range *rows,
                    size_t field)
{
    if (r->source->library_only)
        return false;
    const hanse_hdf5_table *table = &rows->part->table;
    const size_t column = rows->part->columns[field];
    return hanse_raw_fetch_possible(
        &table->columns[column],
        &table->maps[hanse_hdf5_table_map(table, column)], NULL);
}

/* Fields of one dataset, straight into their buffers. */
static hanse_status read_by_map(hdf5_reader *r, const hanse_row_range *rows,
                                const size_t *fields, size_t n_fields,
                                uint64_t *n_bytes, hanse_error *error)
{
    for (size_t i = 0; i < n_fields; i++) {
        buffer *values = &r->fields[fields[i]].values;
        const hanse_hdf5_column *column =
            hanse_hdf5_range_column(rows, fields[i]);
        HANSE_TRY(reserve(r, values, rows->n, column->type.size_bytes,
                          "values of a column", error));
        r->outs[i] = values->bytes;
    }
    HANSE_TRY(hanse_raw_fetch(&r->raw, rows, fields, n_fields, r->outs, error));
    for (size_t i = 0; i < n_fields; i++) {
        const hanse_hdf5_column *column =
            hanse_hdf5_range_column(rows, fields[i]);
        HANSE_TRY(make_array(r, rows, fields[i], r->outs[i],
                             column->type.size_bytes, n_bytes, error));
    }
    return HANSE_OK;
}

static hanse_status read_column(hdf5_reader *r, const hanse_row_range *rows,
                                size_t field, uint64_t *n_bytes,
                                hanse_error *error)
{
    const hanse_hdf5_column *column = hanse_hdf5_range_column(rows, field);
    const bool has_pointers = column->type.form == HANSE_FORM_TEXT_VARIABLE;
    buffer *target = has_pointers ? &r->scratch : &r->fields[field].values;
    const size_t size = hanse_hdf5_type_memory_size(&column->type);
    HANSE_TRY(reserve(r, target, rows->n, size, "values of a column", error));
    hanse_status status =
        hanse_hdf5_fetch_column(&r->fetcher, rows, field, target->bytes, error);
    if (status == HANSE_OK)
        status =
            make_array(r, rows, field, target->bytes, size, n_bytes, error);
    hanse_text_arena_reset(&r->fetcher.arena);
    return status;
}

/* The wanted members of a compound, all in one go. */
static hanse_status read_compound(hdf5_reader *r, const hanse_row_range *rows,
                                  size_t n_wanted, uint64_t *n_bytes,
                                  hanse_error *error)
{
    const size_t row_bytes = hanse_hdf5_row_bytes(rows, r->wanted, n_wanted);
    HANSE_TRY(
        reserve(r, &r->scratch, rows->n, row_bytes, "rows of a table", error));
    hanse_status status = hanse_hdf5_fetch_rows(
        &r->fetcher, rows, r->wanted, n_wanted, r->scratch.bytes, error);
    const char *place = r->scratch.bytes;
    for (size_t i = 0; i < n_wanted && status == HANSE_OK; i++) {
        status =
            make_array(r, rows, r->wanted[i], place, row_bytes, n_bytes, error);
        place += hanse_hdf5_place_bytes(rows, r->wanted[i]);
    }
    hanse_text_arena_reset(&r->fetcher.arena);
    return status;
}

/* ---- Operations --------------------------------------------------------- */

/* The part that holds a morsel: the last that starts at or before it and is
 * not empty. */
static const hanse_hdf5_part *find_part(const hanse_hdf5_source *source,
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

static hanse_row_range locate(const hanse_hdf5_source *source, size_t morsel)
{
    const hanse_hdf5_part *part = find_part(source, morsel);
    hanse_row_range rows = {.part = part};
    rows.first = (morsel - part->first_morsel) * part->morsel_rows;
    const uint64_t left = part->table.n_rows - rows.first;
    rows.n = (size_t)(left < part->morsel_rows ? left : part->morsel_rows);
    return rows;
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

static bool contains(const size_t *list, size_t n, size_t wanted)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == wanted)
            return true;
    return false;
}

static hanse_status read_columns(hdf5_reader *r, const hanse_row_range *rows,
                                 const size_t *fields, size_t n_fields,
                                 uint64_t *n_bytes, hanse_error *error)
{
    for (size_t i = 0; i < n_fields; i++) {
        if (r->fields[fields[i]].is_read)
            continue;
        if (can_map(r, rows, fields[i]))
            HANSE_TRY(read_by_map(r, rows, &fields[i], 1, n_bytes, error));
        else
            HANSE_TRY(read_column(r, rows, fields[i], n_bytes, error));
    }
    return HANSE_OK;
}

/* Members of a compound come in one go, by map and through the library. */
static hanse_status read_members(hdf5_reader *r, const hanse_row_range *rows,
                                 const size_t *fields, size_t n_fields,
                                 uint64_t *n_bytes, hanse_error *error)
{
    size_t n_mapped = 0, n_wanted = 0;
    for (size_t i = 0; i < n_fields; i++) {
        const size_t field = fields[i];
        if (r->fields[field].is_read || contains(r->mapped, n_mapped, field) ||
            contains(r->wanted, n_wanted, field))
            continue;
        if (can_map(r, rows, field))
            r->mapped[n_mapped++] = field;
        else
            r->wanted[n_wanted++] = field;
    }
    if (n_mapped > 0)
        HANSE_TRY(read_by_map(r, rows, r->mapped, n_mapped, n_bytes, error));
    if (n_wanted > 0)
        HANSE_TRY(read_compound(r, rows, n_wanted, n_bytes, error));
    return HANSE_OK;
}

hanse_status hanse_hdf5_reader_read(hanse_reader *base, size_t morsel,
                                    const size_t *fields, size_t n_fields,
                                    hanse_morsel *out, hanse_error *error)
{
    hdf5_reader *r = (hdf5_reader *)base;
    const hanse_row_range rows = locate(r->source, morsel);
    uint64_t n_bytes = 0;
    start_morsel(r, morsel);
    HANSE_TRY(need_maps(r, &rows, fields, n_fields, error));
    if (rows.part->table.is_compound)
        HANSE_TRY(read_members(r, &rows, fields, n_fields, &n_bytes, error));
    else
        HANSE_TRY(read_columns(r, &rows, fields, n_fields, &n_bytes, error));
    *out = (hanse_morsel){.batch = {.n_rows = rows.n, .arrays = r->arrays},
                          .first_row = rows.part->first_row + rows.first,
                          .n_bytes = n_bytes};
    return HANSE_OK;
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
    r->morsel = SIZE_MAX;
    r->arrays = calloc(n, sizeof *r->arrays);
    r->fields = calloc(n, sizeof *r->fields);
    r->wanted = calloc(n, sizeof *r->wanted);
    r->mapped = calloc(n, sizeof *r->mapped);
    r->outs = calloc(n, sizeof *r->outs);
    r->is_mapped = calloc(n, sizeof *r->is_mapped);
    hanse_status status = HANSE_OK;
    if (r->arrays == NULL || r->fields == NULL || r->wanted == NULL ||
        r->mapped == NULL || r->outs == NULL || r->is_mapped == NULL)
        status = hanse_fail_nomem(error, "reader", n * sizeof *r->fields);
    if (status == HANSE_OK)
        status = hanse_hdf5_fetcher_init(&r->fetcher, source, error);
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
    hanse_hdf5_fetcher_clear(&r->fetcher);
    hanse_raw_fetcher_clear(&r->raw);
    for (size_t i = 0; r->fields != NULL && i < r->source->schema.n_fields;
         i++) {
        release(r, &r->fields[i].values);
        release(r, &r->fields[i].offsets);
        release(r, &r->fields[i].missing);
    }
    release(r, &r->scratch);
    free(r->arrays);
    free(r->fields);
    free(r->wanted);
    free(r->mapped);
    free(r->outs);
    free(r->is_mapped);
    free(r);
}
