/* SPDX-License-Identifier: Apache-2.0
 *
 * The HDF5 source as the engine uses it: readers of several threads, morsels
 * in any order, fields read bit by bit. What is stored how is test_source.py's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <hdf5.h>

#include "io/hdf5_source.h"
#include "io/hdf5_table.h"

enum {
    N_ROWS = 20000,
    CHUNK = 1000,
    N_THREADS = 4
};

/* Names of the files that a test made. */
typedef struct files {
    char folder[64];
    char columns[96];
    char compound[96];
} files;

/* Row of the compound table; its second member is never read. */
typedef struct row {
    int64_t id;
    double unused[3];
    float size;
} row;

static void put_column(hid_t group, const char *name, hid_t type, hsize_t n,
                       hsize_t chunk, const void *values)
{
    const hid_t space = H5Screate_simple(1, &n, NULL);
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    if (chunk != 0) {
        assert_true(H5Pset_chunk(creation, 1, &chunk) >= 0);
        assert_true(H5Pset_deflate(creation, 1) >= 0);
    }
    const hid_t dataset = H5Dcreate2(group, name, type, space, H5P_DEFAULT,
                                     creation, H5P_DEFAULT);
    assert_true(
        H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    assert_true(H5Dclose(dataset) >= 0 && H5Pclose(creation) >= 0 &&
                H5Sclose(space) >= 0);
}

static hid_t create(const char *path)
{
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(file >= 0);
    return file;
}

static void write_columns(const char *path)
{
    static int64_t ids[N_ROWS];
    static float sizes[N_ROWS];
    static char names[N_ROWS][6];
    for (int i = 0; i < N_ROWS; i++) {
        ids[i] = i;
        sizes[i] = (float)i / 4;
        snprintf(names[i], sizeof names[i], "%d", i % 1000);
    }
    const hid_t file = create(path);
    const hid_t group =
        H5Gcreate2(file, "enterprises", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t text = H5Tcopy(H5T_C_S1);
    assert_true(H5Tset_size(text, sizeof names[0]) >= 0);
    put_column(group, "id", H5T_NATIVE_INT64, N_ROWS, CHUNK, ids);
    put_column(group, "name", text, N_ROWS, 3 * CHUNK, names);
    put_column(group, "size", H5T_NATIVE_FLOAT, N_ROWS, 0, sizes);
    put_column(group, "time", H5T_UNIX_D32LE, N_ROWS, 0, ids);
    assert_true(H5Tclose(text) >= 0 && H5Gclose(group) >= 0 &&
                H5Fclose(file) >= 0);
}

static void write_compound(const char *path)
{
    static row rows[N_ROWS];
    for (int i = 0; i < N_ROWS; i++)
        rows[i] = (row){.id = i, .size = (float)i / 4};
    const hsize_t three = 3;
    const hid_t array = H5Tarray_create2(H5T_NATIVE_DOUBLE, 1, &three);
    const hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(row));
    assert_true(H5Tinsert(type, "id", HOFFSET(row, id), H5T_NATIVE_INT64) >= 0);
    assert_true(H5Tinsert(type, "unused", HOFFSET(row, unused), array) >= 0);
    assert_true(H5Tinsert(type, "size", HOFFSET(row, size), H5T_NATIVE_FLOAT) >=
                0);
    const hid_t file = create(path);
    put_column(file, "enterprises", type, N_ROWS, CHUNK, rows);
    assert_true(H5Tclose(array) >= 0 && H5Tclose(type) >= 0 &&
                H5Fclose(file) >= 0);
}

static int make_files(void **state)
{
    files *f = calloc(1, sizeof *f);
    assert_non_null(f);
    snprintf(f->folder, sizeof f->folder, "/tmp/hanse-test-hdf5-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->columns, sizeof f->columns, "%s/columns.h5", f->folder);
    snprintf(f->compound, sizeof f->compound, "%s/compound.h5", f->folder);
    write_columns(f->columns);
    write_compound(f->compound);
    *state = f;
    return 0;
}

static int remove_files(void **state)
{
    files *f = *state;
    unlink(f->columns);
    unlink(f->compound);
    rmdir(f->folder);
    free(f);
    return 0;
}

static hanse_source *open_source(const char *const *paths, size_t n,
                                 hanse_budget *budget)
{
    const hanse_hdf5_options options = {.morsel_rows = 3000, .budget = budget};
    hanse_source *source = NULL;
    hanse_error error = {0};
    if (hanse_hdf5_source_open(paths, n, &options, &source, &error) != HANSE_OK)
        fail_msg("%s", error.message);
    return source;
}

static hanse_source *open_one(const char *path, hanse_budget *budget)
{
    return open_source(&path, 1, budget);
}

static size_t field_of(const hanse_source *source, const char *name)
{
    const hanse_schema *schema = hanse_source_schema(source);
    for (size_t i = 0; i < schema->n_fields; i++)
        if (strcmp(schema->fields[i].name, name) == 0)
            return i;
    fail_msg("no field %s", name);
    return 0;
}

static hanse_reader *open_reader(hanse_source *source)
{
    hanse_reader *reader = NULL;
    assert_int_equal(source->ops->open_reader(source, &reader, NULL), HANSE_OK);
    return reader;
}

static void read_fields(hanse_reader *reader, size_t morsel,
                        const size_t *fields, size_t n, hanse_morsel *out)
{
    hanse_error error = {0};
    if (reader->source->ops->read(reader, morsel, fields, n, out, &error) !=
        HANSE_OK)
        fail_msg("%s", error.message);
}

/* ---- Morsels ------------------------------------------------------------ */

static void morsels_of_two_files_cross_neither_chunk_nor_file(void **state)
{
    const files *f = *state;
    const char *const paths[] = {f->columns, f->columns};
    hanse_source *source = open_source(paths, 2, NULL);
    hanse_reader *reader = open_reader(source);
    const size_t id = field_of(source, "id");
    uint64_t next_row = 0;
    assert_int_equal(source->ops->n_rows(source), 2 * N_ROWS);
    for (size_t m = 0; m < source->ops->n_morsels(source); m++) {
        hanse_morsel rows;
        read_fields(reader, m, &id, 1, &rows);
        const int64_t *ids = rows.batch.arrays[id].values;
        assert_int_equal(rows.first_row, next_row);
        assert_int_equal(ids[0] % 3000, 0); /* chunks of 1000 and of 3000 */
        for (size_t i = 0; i < rows.batch.n_rows; i++)
            assert_int_equal(ids[i], (next_row + i) % N_ROWS);
        next_row += rows.batch.n_rows;
    }
    assert_int_equal(next_row, 2 * N_ROWS);
    source->ops->close_reader(reader);
    hanse_source_close(source);
}

static void check_further_fields(const char *path)
{
    hanse_budget budget = {0};
    hanse_source *source = open_one(path, &budget);
    hanse_reader *reader = open_reader(source);
    const size_t id = field_of(source, "id");
    const size_t size = field_of(source, "size");
    const size_t both[] = {size, id, size};
    hanse_morsel rows;
    read_fields(reader, 2, &id, 1, &rows);
    const void *ids = rows.batch.arrays[id].values;
    assert_int_equal(rows.n_bytes, rows.batch.n_rows * sizeof(int64_t));
    assert_null(rows.batch.arrays[size].values);

    read_fields(reader, 2, both, 3, &rows);
    assert_ptr_equal(rows.batch.arrays[id].values, ids);
    assert_int_equal(*(const int64_t *)ids, rows.first_row);
    assert_int_equal(rows.n_bytes, rows.batch.n_rows * sizeof(float));
    const float *sizes = rows.batch.arrays[size].values;
    for (size_t i = 0; i < rows.batch.n_rows; i++)
        assert_true(sizes[i] == (float)(rows.first_row + i) / 4);

    /* Another morsel forgets what was read before; none is read for no
     * field. */
    read_fields(reader, 1, NULL, 0, &rows);
    assert_null(rows.batch.arrays[id].values);
    assert_int_equal(rows.n_bytes, 0);
    assert_true(rows.batch.n_rows > 0);
    source->ops->close_reader(reader);
    hanse_source_close(source);
    assert_int_equal(budget.used_bytes, 0);
    assert_true(budget.peak_bytes > 0);
}

static void further_fields_of_a_morsel_keep_the_arrays(void **state)
{
    const files *f = *state;
    check_further_fields(f->columns);
    check_further_fields(f->compound);
}

/* ---- Threads ------------------------------------------------------------ */

typedef struct worker {
    hanse_source *source;
    size_t number;
    size_t n_wrong;
    hanse_status status;
} worker;

static size_t count_wrong(const hanse_source *source, const hanse_morsel *rows)
{
    const hanse_array *ids = &rows->batch.arrays[field_of(source, "id")];
    const hanse_array *sizes = &rows->batch.arrays[field_of(source, "size")];
    size_t n_wrong = 0;
    for (size_t i = 0; i < rows->batch.n_rows; i++) {
        const uint64_t expected = (rows->first_row + i) % N_ROWS;
        n_wrong += ((const int64_t *)ids->values)[i] != (int64_t)expected ||
                   ((const float *)sizes->values)[i] != (float)expected / 4;
    }
    return n_wrong;
}

/* Every thread reads every morsel, each beginning at another one. */
static void *work(void *context)
{
    worker *w = context;
    const hanse_source_ops *ops = w->source->ops;
    const size_t n = ops->n_morsels(w->source);
    const size_t fields[] = {field_of(w->source, "id"),
                             field_of(w->source, "size")};
    hanse_reader *reader;
    w->status = ops->open_reader(w->source, &reader, NULL);
    for (size_t i = 0; i < n && w->status == HANSE_OK; i++) {
        hanse_morsel rows;
        w->status = ops->read(reader, (i * 5 + w->number * 3) % n, fields, 2,
                              &rows, NULL);
        if (w->status == HANSE_OK)
            w->n_wrong += count_wrong(w->source, &rows);
    }
    if (w->status == HANSE_OK)
        ops->close_reader(reader);
    return NULL;
}

static void check_threads(const char *path)
{
    const char *const paths[] = {path, path, path};
    hanse_source *source = open_source(paths, 3, NULL);
    pthread_t threads[N_THREADS];
    worker workers[N_THREADS];
    for (size_t t = 0; t < N_THREADS; t++) {
        workers[t] = (worker){.source = source, .number = t};
        assert_int_equal(pthread_create(&threads[t], NULL, work, &workers[t]),
                         0);
    }
    for (size_t t = 0; t < N_THREADS; t++) {
        assert_int_equal(pthread_join(threads[t], NULL), 0);
        assert_int_equal(workers[t].status, HANSE_OK);
        assert_int_equal(workers[t].n_wrong, 0);
    }
    hanse_source_close(source);
}

static void readers_on_several_threads_agree(void **state)
{
    const files *f = *state;
    check_threads(f->columns);
    check_threads(f->compound);
}

/* ---- Faults ------------------------------------------------------------- */

/* Each failure below a sufficient budget is HANSE_ERR_LIMIT, and the reader
 * works once there is more. */
static void reader_within_a_growing_budget_fails_until_it_fits(void **state)
{
    const files *f = *state;
    hanse_budget budget = {.limit_bytes = 1000};
    hanse_source *source = open_one(f->columns, &budget);
    hanse_reader *reader = open_reader(source);
    const size_t fields[] = {0, 1, 2};
    hanse_status status = HANSE_ERR_LIMIT;
    hanse_morsel rows;
    size_t n_failures = 0;
    while (status == HANSE_ERR_LIMIT) {
        hanse_error error = {0};
        status = source->ops->read(reader, 0, fields, 3, &rows, &error);
        if (status == HANSE_ERR_LIMIT) {
            assert_non_null(strstr(error.message, "memory limit"));
            budget.limit_bytes += 7000;
            n_failures++;
        }
    }
    assert_int_equal(status, HANSE_OK);
    assert_in_range(n_failures, 3, 100);
    assert_true(budget.peak_bytes <= budget.limit_bytes);
    const hanse_array *ids = &rows.batch.arrays[field_of(source, "id")];
    assert_int_equal(((const int64_t *)ids->values)[2999], 2999);
    source->ops->close_reader(reader);
    hanse_source_close(source);
    assert_int_equal(budget.used_bytes, 0);
}

static void file_replaced_while_reading_is_noticed(void **state)
{
    const files *f = *state;
    hanse_source *source = open_one(f->columns, NULL);
    hanse_reader *reader = open_reader(source);
    const size_t field = 0;
    hanse_error error = {0};
    hanse_morsel rows;
    unlink(f->columns);
    assert_int_equal(source->ops->read(reader, 0, &field, 1, &rows, &error),
                     HANSE_ERR_IO);
    assert_non_null(strstr(error.message, "No such file"));
    write_columns(f->columns);
    assert_int_equal(source->ops->read(reader, 0, &field, 1, &rows, &error),
                     HANSE_ERR_IO);
    assert_non_null(strstr(error.message, "changed while it was being read"));
    assert_int_equal(source->ops->read(reader, 0, &field, 1, &rows, NULL),
                     HANSE_ERR_IO);
    source->ops->close_reader(reader);
    hanse_source_close(source);
}

static void open_without_files_or_error_is_refused(void **state)
{
    (void)state;
    hanse_source *source = NULL;
    const char *const missing = "/nonexistent/t.h5";
    assert_int_equal(hanse_hdf5_source_open(NULL, 0, NULL, &source, NULL),
                     HANSE_ERR_ARGUMENT);
    assert_int_equal(hanse_hdf5_source_open(&missing, 1, NULL, &source, NULL),
                     HANSE_ERR_IO);
    assert_null(source);
}

/* ---- Facts -------------------------------------------------------------- */

static void facts_of_columns_describe_their_storage(void **state)
{
    const files *f = *state;
    hanse_source *source = open_one(f->columns, NULL);
    uint64_t n_rows = 0;
    assert_string_equal(hanse_hdf5_source_path(source), "/enterprises");
    assert_string_equal(hanse_hdf5_source_shape(source), "columns");
    assert_int_equal(hanse_hdf5_source_n_files(source), 1);
    assert_string_equal(hanse_hdf5_source_file(source, 0, &n_rows), f->columns);
    assert_int_equal(n_rows, N_ROWS);
    const hanse_column_storage *id =
        hanse_hdf5_source_storage(source, 0, field_of(source, "id"));
    assert_string_equal(id->type_text, "int64");
    assert_string_equal(id->layout, "chunked");
    assert_string_equal(id->filters, "deflate 1");
    assert_string_equal(id->missing, "");
    assert_int_equal(id->chunk_rows, CHUNK);
    assert_int_equal(id->raw_bytes, N_ROWS * 8);
    assert_in_range(id->stored_bytes, 1, N_ROWS * 8 - 1);
    const hanse_column_storage *size =
        hanse_hdf5_source_storage(source, 0, field_of(source, "size"));
    assert_string_equal(size->layout, "contiguous");
    assert_string_equal(size->missing, "NaN");
    assert_int_equal(size->chunk_rows, 0);
    assert_int_equal(size->stored_bytes, N_ROWS * 4);
    assert_non_null(
        strstr(hanse_hdf5_source_unsupported(source, "time"), "time values"));
    assert_null(hanse_hdf5_source_unsupported(source, "id"));
    assert_null(hanse_hdf5_source_unsupported(source, "nothing"));
    hanse_source_close(source);
}

static void facts_of_a_compound_count_whole_rows(void **state)
{
    const files *f = *state;
    hanse_source *source = open_one(f->compound, NULL);
    const hanse_hdf5_table *table = hanse_hdf5_source_table(source, 0);
    assert_string_equal(hanse_hdf5_source_shape(source), "compound");
    assert_int_equal(table->raw_bytes, N_ROWS * sizeof(row));
    assert_in_range(table->stored_bytes, 1, table->raw_bytes - 1);
    assert_int_equal(hanse_hdf5_source_storage(source, 0, 0)->stored_bytes, 0);
    assert_non_null(
        strstr(hanse_hdf5_source_unsupported(source, "unused"), "arrays"));
    hanse_source_close(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(morsels_of_two_files_cross_neither_chunk_nor_file),
        cmocka_unit_test(further_fields_of_a_morsel_keep_the_arrays),
        cmocka_unit_test(readers_on_several_threads_agree),
        cmocka_unit_test(reader_within_a_growing_budget_fails_until_it_fits),
        cmocka_unit_test(file_replaced_while_reading_is_noticed),
        cmocka_unit_test(open_without_files_or_error_is_refused),
        cmocka_unit_test(facts_of_columns_describe_their_storage),
        cmocka_unit_test(facts_of_a_compound_count_whole_rows),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
