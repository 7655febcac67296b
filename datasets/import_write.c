/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing an imported table. A block is a chunk of every column, or as many
 * rows of contiguous ones as take some megabytes. Chunks are encoded by several
 * threads, a column each, and handed to the library one after the other.
 */
#include "datasets/import_write.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/new_file.h"
#include "engine/base/memory.h"
#include "io/native_type.h"

enum {
    BLOCK_BYTES = 16 << 20, /* of contiguous columns */
    LEAST_BLOCK_ROWS = 256,
    MOST_BLOCK_ROWS = 65536
};

/* A column that is being written. */
typedef struct output {
    const hanse_import_column *column;
    hid_t dataset;
    hid_t memory_type;
    char *values; /* block_rows of size_bytes each */
    void *room;   /* for the encoded chunk; NULL: the library writes */
    hanse_stored_chunk stored;
    hanse_status status; /* of the encoding */
} output;

typedef struct writer {
    const hanse_import_target *target;
    const hanse_import_columns *columns;
    hanse_storage storage;
    size_t block_rows;
    size_t max_chunk_bytes;
    output *outputs; /* one for each column */
    hanse_chunk_encoder **encoders;
    int n_threads;
} writer;

/* ---- Datasets ----------------------------------------------------------- */

/* The stored type, to be closed; negative on failure. */
static hid_t create_type(const hanse_import_column *column)
{
    static const int8_t truths[] = {0, 1};
    hid_t type;
    bool complete = true;
    switch (column->type) {
    case HANSE_TEXT:
        type = H5Tcopy(H5T_C_S1);
        complete =
            type >= 0 &&
            H5Tset_size(type, column->variable ? H5T_VARIABLE
                                               : column->size_bytes) >= 0 &&
            H5Tset_cset(type, H5T_CSET_UTF8) >= 0 &&
            (column->variable || H5Tset_strpad(type, H5T_STR_NULLPAD) >= 0);
        break;
    case HANSE_BOOL: /* as h5py has it */
        type = H5Tenum_create(H5T_NATIVE_INT8);
        complete = type >= 0 &&
                   H5Tenum_insert(type, "FALSE", &truths[0]) >= 0 &&
                   H5Tenum_insert(type, "TRUE", &truths[1]) >= 0;
        break;
    default:
        type = H5Tcopy(hanse_native_type(column->type));
        break;
    }
    if (type >= 0 && !complete) {
        (void)H5Tclose(type);
        return H5I_INVALID_HID;
    }
    return type;
}

/* A text that may be empty, of fixed length. */
static bool put_fill_text(hid_t dataset, const char *text)
{
    const size_t n = strlen(text);
    const hid_t type = H5Tcopy(H5T_C_S1);
    const hid_t space = H5Screate(H5S_SCALAR);
    hid_t attribute = H5I_INVALID_HID;
    if (type >= 0 && space >= 0 && H5Tset_size(type, n + 1) >= 0 &&
        H5Tset_cset(type, H5T_CSET_UTF8) >= 0)
        attribute = H5Acreate2(dataset, "_FillValue", type, space, H5P_DEFAULT,
                               H5P_DEFAULT);
    const bool written = attribute >= 0 && H5Awrite(attribute, type, text) >= 0;
    if (attribute >= 0)
        (void)H5Aclose(attribute);
    if (space >= 0)
        (void)H5Sclose(space);
    if (type >= 0)
        (void)H5Tclose(type);
    return written;
}

static bool put_fill(hid_t dataset, const hanse_import_column *column)
{
    if (hanse_import_n_missing(column) == 0 || column->type == HANSE_FLOAT32 ||
        column->type == HANSE_FLOAT64)
        return true;
    if (column->type == HANSE_TEXT)
        return put_fill_text(dataset, column->fill_text);
    const hid_t stored = hanse_native_type(column->type);
    const hid_t wide =
        column->type == HANSE_UINT64 ? H5T_NATIVE_UINT64 : H5T_NATIVE_INT64;
    const hid_t space = H5Screate(H5S_SCALAR);
    if (space < 0)
        return false;
    const hid_t attribute = H5Acreate2(dataset, "_FillValue", stored, space,
                                       H5P_DEFAULT, H5P_DEFAULT);
    const bool written =
        attribute >= 0 && H5Awrite(attribute, wide, &column->fill) >= 0;
    if (attribute >= 0)
        (void)H5Aclose(attribute);
    (void)H5Sclose(space);
    return written;
}

/* References to texts need a fill value, that is none, to be there. */
static bool create_dataset(output *o, hid_t group, hid_t space, hid_t list)
{
    o->memory_type = create_type(o->column);
    if (o->memory_type < 0 ||
        H5Pset_fill_time(list, o->column->variable ? H5D_FILL_TIME_ALLOC
                                                   : H5D_FILL_TIME_NEVER) < 0)
        return false;
    o->dataset = H5Dcreate2(group, o->column->name, o->memory_type, space,
                            H5P_DEFAULT, list, H5P_DEFAULT);
    return o->dataset >= 0 && put_fill(o->dataset, o->column);
}

/* Creates the datasets; false when the library fails. */
static bool create_datasets(writer *w, hid_t group)
{
    const hid_t space = hanse_new_column_space(&w->storage, w->columns->n_rows);
    const hid_t list = hanse_new_column_list(&w->storage);
    bool created = space >= 0 && list >= 0;
    for (size_t i = 0; i < w->columns->n_columns && created; i++)
        created = create_dataset(&w->outputs[i], group, space, list);
    if (space >= 0)
        (void)H5Sclose(space);
    if (list >= 0)
        (void)H5Pclose(list);
    return created;
}

/* ---- Blocks ------------------------------------------------------------- */

static hanse_status fail_file(const writer *w, hanse_error *error)
{
    return hanse_new_file_fail(w->target->atomic, w->target->descriptor, error);
}

static void free_texts(const output *o, size_t n)
{
    for (size_t r = 0; o->column->variable && r < n; r++) {
        char *text;
        memcpy(&text, o->values + r * sizeof text, sizeof text);
        free(text);
    }
    if (o->column->variable)
        memset(o->values, 0, n * o->column->size_bytes);
}

static hanse_status write_rows(const writer *w, const output *o, uint64_t first,
                               size_t n, hanse_error *error)
{
    const hsize_t start = first, count = n;
    const hid_t file_space = H5Dget_space(o->dataset);
    const hid_t memory_space = H5Screate_simple(1, &count, NULL);
    const bool written = file_space >= 0 && memory_space >= 0 &&
                         H5Sselect_hyperslab(file_space, H5S_SELECT_SET, &start,
                                             NULL, &count, NULL) >= 0 &&
                         H5Dwrite(o->dataset, o->memory_type, memory_space,
                                  file_space, H5P_DEFAULT, o->values) >= 0;
    if (file_space >= 0)
        (void)H5Sclose(file_space);
    if (memory_space >= 0)
        (void)H5Sclose(memory_space);
    return written ? HANSE_OK : fail_file(w, error);
}

static hanse_status write_chunk(const writer *w, const output *o,
                                uint64_t first, hanse_error *error)
{
    const hsize_t offset = first;
    if (o->status != HANSE_OK)
        return hanse_fail(error, o->status, "column '%s': cannot compress rows",
                          o->column->name);
    if (H5Dwrite_chunk(o->dataset, H5P_DEFAULT, o->stored.filter_mask, &offset,
                       o->stored.size_bytes, o->stored.bytes) < 0)
        return fail_file(w, error);
    return HANSE_OK;
}

/* Encodes the chunks of all columns that have room for it. */
static void encode_block(const writer *w, size_t n)
{
    const size_t n_columns = w->columns->n_columns;
#pragma omp parallel for schedule(dynamic) num_threads(w->n_threads)
    for (size_t i = 0; i < n_columns; i++) {
        output *o = &w->outputs[i];
        const size_t size = o->column->size_bytes;
        if (o->room == NULL)
            continue;
        memset(o->values + n * size, 0, (w->block_rows - n) * size);
        o->status = hanse_chunk_encode(w->encoders[omp_get_thread_num()],
                                       o->values, w->block_rows * size, size,
                                       o->room, &o->stored, NULL);
    }
}

/* Writes the n rows of the block, `first` being the first one's number. */
static hanse_status write_block(const writer *w, uint64_t first, size_t n,
                                hanse_error *error)
{
    if (w->storage.chunked)
        encode_block(w, n);
    for (size_t i = 0; i < w->columns->n_columns; i++) {
        const output *o = &w->outputs[i];
        HANSE_TRY(o->room != NULL ? write_chunk(w, o, first, error)
                                  : write_rows(w, o, first, n, error));
        if (w->target->descriptor->cause != 0)
            return fail_file(w, error);
        free_texts(o, n);
    }
    return HANSE_OK;
}

static hanse_status convert_record(const writer *w, const hanse_csv *csv,
                                   const hanse_csv_field *fields, size_t row,
                                   hanse_error *error)
{
    for (size_t i = 0; i < w->columns->n_columns; i++) {
        const output *o = &w->outputs[i];
        HANSE_TRY(hanse_import_convert(w->columns, o->column, csv, &fields[i],
                                       o->values + row * o->column->size_bytes,
                                       error));
    }
    return HANSE_OK;
}

static hanse_status write_records(const writer *w, hanse_csv *csv,
                                  hanse_error *error)
{
    const uint64_t n_rows = w->columns->n_rows;
    const hanse_csv_field *fields;
    uint64_t first = 0;
    size_t n = 0;
    for (;;) {
        HANSE_TRY(hanse_csv_next(csv, &fields, error));
        if ((fields == NULL) != (first + n == n_rows))
            return hanse_fail(error, HANSE_ERR_IO,
                              "the CSV file was changed while it was read; "
                              "import it again");
        if (n == w->block_rows || (fields == NULL && n > 0)) {
            HANSE_TRY(write_block(w, first, n, error));
            first += n;
            n = 0;
        }
        if (fields == NULL)
            return HANSE_OK;
        HANSE_TRY(convert_record(w, csv, fields, n++, error));
    }
}

/* ---- The whole ---------------------------------------------------------- */

static hanse_status check_sizes(writer *w, hanse_error *error)
{
    size_t row_bytes = 0;
    for (size_t i = 0; i < w->columns->n_columns; i++) {
        const hanse_import_column *column = &w->columns->columns[i];
        row_bytes += column->size_bytes;
        const size_t chunk_bytes = w->storage.chunk_rows * column->size_bytes;
        if (w->storage.chunked && chunk_bytes > UINT32_MAX)
            return hanse_fail(error, HANSE_ERR_ARGUMENT,
                              "column '%s': chunks of %u rows with %zu bytes "
                              "exceed the 4 GiB of HDF5; choose fewer rows "
                              "with --chunk",
                              column->name, (unsigned)w->storage.chunk_rows,
                              column->size_bytes);
        if (chunk_bytes > w->max_chunk_bytes)
            w->max_chunk_bytes = chunk_bytes;
    }
    w->block_rows = BLOCK_BYTES / (row_bytes > 0 ? row_bytes : 1);
    if (w->block_rows < LEAST_BLOCK_ROWS)
        w->block_rows = LEAST_BLOCK_ROWS;
    if (w->block_rows > MOST_BLOCK_ROWS)
        w->block_rows = MOST_BLOCK_ROWS;
    if (w->storage.chunked)
        w->block_rows = w->storage.chunk_rows;
    return HANSE_OK;
}

static hanse_status prepare_encoders(writer *w, hanse_error *error)
{
    if (!w->storage.chunked)
        return HANSE_OK;
    w->encoders = calloc((size_t)w->n_threads, sizeof(hanse_chunk_encoder *));
    if (w->encoders == NULL)
        return hanse_fail_nomem(error, "chunk encoders", 0);
    for (int t = 0; t < w->n_threads; t++)
        HANSE_TRY(hanse_chunk_encoder_create(&w->storage, w->max_chunk_bytes,
                                             &w->encoders[t], error));
    for (size_t i = 0; i < w->columns->n_columns; i++) {
        output *o = &w->outputs[i];
        if (o->column->variable)
            continue;
        const size_t room_bytes = hanse_chunk_encoder_bound(
            w->encoders[0], w->block_rows * o->column->size_bytes);
        o->room = malloc(room_bytes > 0 ? room_bytes : 1);
        if (o->room == NULL)
            return hanse_fail_nomem(error, "encoded chunk", room_bytes);
    }
    return HANSE_OK;
}

static hanse_status prepare(writer *w, hanse_error *error)
{
    const size_t n = w->columns->n_columns;
    HANSE_TRY(check_sizes(w, error));
    w->outputs = calloc(n, sizeof *w->outputs);
    if (w->outputs == NULL)
        return hanse_fail_nomem(error, "columns", n * sizeof *w->outputs);
    for (size_t i = 0; i < n; i++) {
        output *o = &w->outputs[i];
        o->column = &w->columns->columns[i];
        o->dataset = o->memory_type = H5I_INVALID_HID;
    }
    for (size_t i = 0; i < n; i++) {
        output *o = &w->outputs[i];
        o->values = calloc(w->block_rows, o->column->size_bytes);
        if (o->values == NULL)
            return hanse_fail_nomem(error, "rows; choose fewer with --chunk",
                                    w->block_rows * o->column->size_bytes);
    }
    return prepare_encoders(w, error);
}

static bool writer_clear(writer *w)
{
    bool closed = true;
    for (size_t i = 0; w->outputs != NULL && i < w->columns->n_columns; i++) {
        output *o = &w->outputs[i];
        if (o->dataset >= 0)
            closed = H5Dclose(o->dataset) >= 0 && closed;
        if (o->memory_type >= 0)
            (void)H5Tclose(o->memory_type);
        if (o->values != NULL)
            free_texts(o, w->block_rows);
        free(o->values);
        free(o->room);
    }
    for (int t = 0; w->encoders != NULL && t < w->n_threads; t++)
        hanse_chunk_encoder_destroy(w->encoders[t]);
    free(w->encoders);
    free(w->outputs);
    return closed;
}

hanse_status hanse_import_write(const hanse_import_target *target,
                                const hanse_import_columns *columns,
                                hanse_csv *csv, hanse_error *error)
{
    const hanse_import_options *options = columns->options;
    writer w = {.target = target,
                .columns = columns,
                .storage =
                    hanse_storage_of_table(&options->storage, columns->n_rows),
                .n_threads = options->n_threads > 0 ? (int)options->n_threads
                                                    : omp_get_max_threads()};
    hid_t group = H5I_INVALID_HID;
    hanse_status status = prepare(&w, error);
    if (status == HANSE_OK) {
        group = hanse_new_group(target->file, options->table);
        if (group < 0 || !create_datasets(&w, group))
            status = fail_file(&w, error);
    }
    if (status == HANSE_OK)
        status = write_records(&w, csv, error);
    const bool closed = writer_clear(&w);
    if (group >= 0)
        (void)H5Gclose(group);
    if (status == HANSE_OK && !closed)
        status = hanse_new_file_fail(target->atomic, target->descriptor, error);
    return status;
}
