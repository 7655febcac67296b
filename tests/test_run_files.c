/* SPDX-License-Identifier: Apache-2.0
 *
 * hanse_run_files: from names of files to a result in one call.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <hdf5.h>

#include "engine/hanse.h"
#include "tests/own_directory.h"

enum {
    N_ROWS = 600,
    N_CLUSTERS = 3
};

static void write_column(hid_t group, const char *name, hid_t type,
                         const void *values)
{
    const hsize_t n = N_ROWS;
    const hid_t space = H5Screate_simple(1, &n, NULL);
    const hid_t column = H5Dcreate2(group, name, type, space, H5P_DEFAULT,
                                    H5P_DEFAULT, H5P_DEFAULT);
    assert_true(column >= 0);
    assert_true(H5Dwrite(column, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >=
                0);
    assert_true(H5Dclose(column) >= 0);
    assert_true(H5Sclose(space) >= 0);
}

/* Row i: cluster i % 3, resource 0.1 i, size i. */
static void write_table(const char *path, const char *table)
{
    int32_t cluster[N_ROWS];
    double resource[N_ROWS];
    int64_t size[N_ROWS];
    for (int i = 0; i < N_ROWS; i++) {
        cluster[i] = i % N_CLUSTERS;
        resource[i] = 0.1 * i;
        size[i] = i;
    }
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t group =
        H5Gcreate2(file, table, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(group >= 0);
    write_column(group, "cluster", H5T_NATIVE_INT32, cluster);
    write_column(group, "resource", H5T_NATIVE_DOUBLE, resource);
    write_column(group, "size", H5T_NATIVE_INT64, size);
    /* Cannot be used: the times of HDF5. */
    const hid_t space = H5Screate_simple(1, &(hsize_t){N_ROWS}, NULL);
    const hid_t date = H5Dcreate2(group, "date", H5T_UNIX_D32LE, space,
                                  H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Dclose(date) >= 0);
    assert_true(H5Sclose(space) >= 0);
    assert_true(H5Gclose(group) >= 0);
    assert_true(H5Fclose(file) >= 0);
}

static int set_up(void **state)
{
    if (enter_own_directory(state) != 0)
        return 1;
    write_table("a.h5", "/enterprises");
    write_table("b.h5", "/enterprises");
    write_table("firms.h5", "/x");
    return 0;
}

static hanse_spec *new_spec(void)
{
    hanse_spec *spec;
    assert_int_equal(hanse_spec_create(&spec, NULL), HANSE_OK);
    return spec;
}

static const hanse_column *find_column(const hanse_table *table,
                                       const char *name)
{
    for (size_t i = 0; i < table->n_columns; i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return &table->columns[i];
    fail_msg("no column %s", name);
    return NULL;
}

static void run_files_two_files_are_one_table(void **state)
{
    (void)state;
    static const char *const files[] = {"a.h5", "b.h5"};
    hanse_spec *spec = new_spec();
    hanse_error error = {0};
    hanse_result *result;
    assert_int_equal(hanse_spec_add_measure(spec, "size", "size", &error),
                     HANSE_OK);
    if (hanse_run_files(spec, files, 2, NULL, &result, &error) != HANSE_OK)
        fail_msg("%s", error.message);
    assert_true(hanse_result_rows(result).read == 2 * N_ROWS);
    const hanse_table *table = hanse_result_find(result, "by_cluster");
    assert_non_null(table);
    assert_int_equal(table->n_rows, N_CLUSTERS);
    const int64_t *totals = find_column(table, "size_total")->values;
    for (int c = 0; c < N_CLUSTERS; c++) {
        int64_t expected = 0;
        for (int i = c; i < N_ROWS; i += N_CLUSTERS)
            expected += 2 * i;
        assert_true(totals[c] == expected);
    }
    hanse_result_destroy(result);
    hanse_spec_destroy(spec);
}

static bool refuse(void *context, uint64_t rows_done, uint64_t n_rows,
                   uint64_t bytes_done)
{
    int *n_calls = context;
    ++*n_calls;
    assert_true(rows_done > 0 && rows_done <= n_rows && bytes_done > 0);
    return false;
}

static void run_files_progress_that_refuses_interrupts(void **state)
{
    (void)state;
    static const char *const files[] = {"a.h5"};
    hanse_spec *spec = new_spec();
    hanse_error error = {0};
    hanse_result *result = NULL;
    int n_calls = 0;
    const hanse_run_options options = {
        .n_threads = 1, .progress = refuse, .progress_context = &n_calls};
    assert_int_equal(hanse_run_files(spec, files, 1, &options, &result, &error),
                     HANSE_ERR_INTERRUPTED);
    assert_int_equal(error.status, HANSE_ERR_INTERRUPTED);
    assert_int_equal(n_calls, 1);
    assert_null(result);
    hanse_spec_destroy(spec);
}

static void run_files_options_are_heeded(void **state)
{
    (void)state;
    static const char *const files[] = {"firms.h5"};
    hanse_spec *spec = new_spec();
    hanse_error error = {0};
    hanse_result *result = NULL;
    hanse_run_options options = {.table = "/x", .memory_bytes = 1000};
    assert_int_equal(hanse_run_files(spec, files, 1, &options, &result, &error),
                     HANSE_ERR_LIMIT);
    assert_null(result);
    /* The specification serves again, though it was completed before. */
    options.memory_bytes = 0;
    assert_int_equal(hanse_run_files(spec, files, 1, &options, &result, &error),
                     HANSE_OK);
    assert_int_equal(hanse_result_n_tables(result), 2);
    hanse_result_destroy(result);
    hanse_spec_destroy(spec);
}

static void run_files_missing_file_is_named(void **state)
{
    (void)state;
    static const char *const files[] = {"a.h5", "gone.h5"};
    hanse_spec *spec = new_spec();
    hanse_error error = {0};
    hanse_result *result = NULL;
    assert_int_equal(hanse_run_files(spec, files, 2, NULL, &result, &error),
                     HANSE_ERR_IO);
    assert_non_null(strstr(error.message, "gone.h5"));
    assert_int_equal(hanse_run_files(spec, files, 0, NULL, &result, NULL),
                     HANSE_ERR_ARGUMENT);
    assert_null(result);
    hanse_spec_destroy(spec);
}

static void run_files_column_of_no_use_is_explained(void **state)
{
    (void)state;
    static const char *const files[] = {"a.h5"};
    static const char *const keys[] = {"cluster", "date"};
    hanse_spec *spec = new_spec();
    hanse_error error = {0};
    hanse_result *result = NULL;
    assert_int_equal(hanse_spec_add_grouping(spec, keys, 2, NULL), HANSE_OK);
    assert_int_equal(hanse_run_files(spec, files, 1, NULL, &result, &error),
                     HANSE_ERR_COLUMN);
    assert_int_equal(error.status, HANSE_ERR_COLUMN);
    assert_non_null(strstr(error.message, "column 'date' cannot be used: "));
    assert_non_null(strstr(error.message, "time"));
    assert_null(strstr(error.message, "no column"));
    assert_int_equal(hanse_run_files(spec, files, 1, NULL, &result, NULL),
                     HANSE_ERR_COLUMN);
    hanse_spec_destroy(spec);

    /* A formula's message keeps its caret; of names that are nowhere nothing
     * is said. */
    spec = new_spec();
    assert_int_equal(hanse_spec_add_measure(spec, "m", "2 * date", NULL),
                     HANSE_OK);
    assert_int_equal(hanse_run_files(spec, files, 1, NULL, &result, &error),
                     HANSE_ERR_COLUMN);
    assert_non_null(strstr(error.message, "cannot be used: "));
    assert_non_null(strstr(error.message, "\n  2 * date\n      ^~~~"));
    hanse_spec_destroy(spec);
    spec = new_spec();
    assert_int_equal(hanse_spec_add_measure(spec, "m", "dates + 1", NULL),
                     HANSE_OK);
    assert_int_equal(hanse_run_files(spec, files, 1, NULL, &result, &error),
                     HANSE_ERR_COLUMN);
    assert_non_null(strstr(error.message, "no column 'dates'"));
    assert_null(result);
    hanse_spec_destroy(spec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_files_two_files_are_one_table),
        cmocka_unit_test(run_files_progress_that_refuses_interrupts),
        cmocka_unit_test(run_files_options_are_heeded),
        cmocka_unit_test(run_files_missing_file_is_named),
        cmocka_unit_test(run_files_column_of_no_use_is_explained),
    };
    return cmocka_run_group_tests_name("run_files", tests, set_up,
                                       leave_own_directory);
}
