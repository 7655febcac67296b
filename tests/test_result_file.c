/* SPDX-License-Identifier: Apache-2.0
 *
 * Result files: what is written comes back, equal tables give equal bytes,
 * failures and death leave the old file, and no damaged file does harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <hdf5.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "io/result_file.h"
#include "tests/own_directory.h"
#include "tests/sample_tables.h"

/* ---- Helpers ------------------------------------------------------------ */

static void write_samples(const char *path, const char *provenance)
{
    hanse_error error = {0};
    if (sample_write(path, sample_tables, N_SAMPLE_TABLES, provenance,
                     &error) != HANSE_OK)
        fail_msg("%s", error.message);
}

static hanse_result_file *open_result(const char *path)
{
    hanse_error error = {0};
    hanse_result_file *file = NULL;
    if (hanse_result_file_open(path, &file, &error) != HANSE_OK)
        fail_msg("%s", error.message);
    return file;
}

static void *read_bytes(const char *path, size_t *size_bytes)
{
    struct stat status;
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    assert_int_equal(fstat(fileno(stream), &status), 0);
    *size_bytes = (size_t)status.st_size;
    char *bytes = malloc(*size_bytes + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *size_bytes, stream), *size_bytes);
    fclose(stream);
    return bytes;
}

static void write_bytes(const char *path, const void *bytes, size_t size_bytes)
{
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(bytes, 1, size_bytes, stream), size_bytes);
    assert_int_equal(fclose(stream), 0);
}

static void assert_same_bytes(const char *a, const char *b)
{
    size_t n_a, n_b;
    void *bytes_a = read_bytes(a, &n_a), *bytes_b = read_bytes(b, &n_b);
    assert_int_equal(n_a, n_b);
    assert_memory_equal(bytes_a, bytes_b, n_a);
    free(bytes_a);
    free(bytes_b);
}

static int count_files(void)
{
    int n = 0;
    DIR *stream = opendir(".");
    assert_non_null(stream);
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;)
        n +=
            strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(stream);
    return n;
}

/* Runs `act` in a child and returns its exit status; dying by a signal fails
 * the test. */
static int in_child(int (*act)(const void *context), const void *context)
{
    int status = 0;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(act(context));
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status))
        fail_msg("killed by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

/* ---- Round trip --------------------------------------------------------- */

static void assert_same_text(const char *read, const char *written)
{
    if (written == NULL)
        assert_null(read);
    else
        assert_string_equal(read, written);
}

static void assert_same_column(const hanse_column *read,
                               const hanse_column *written, size_t n_rows)
{
    const bool narrowed = written->type == HANSE_UINT64 &&
                          strcmp(written->name, "turnover_min") == 0;
    assert_string_equal(read->name, written->name);
    assert_same_text(read->units, written->units);
    assert_same_text(read->cell_methods, written->cell_methods);
    assert_same_text(read->long_name, written->long_name != NULL
                                          ? written->long_name
                                          : written->name);
    assert_int_equal(read->type, narrowed ? HANSE_INT64 : written->type);
    if (written->type != HANSE_TEXT) {
        assert_memory_equal(read->values, written->values,
                            n_rows * hanse_type_size(written->type));
    }
    for (size_t i = 0; i < n_rows && written->type == HANSE_TEXT; i++) {
        const char *text = ((const char *const *)written->values)[i];
        const bool bad = strncmp(text, "bad", 3) == 0;
        assert_string_equal(((const char *const *)read->values)[i],
                            bad ? "bad\\xFFbyte" : text);
    }
    assert_int_equal(read->n_flags, written->n_flags);
    for (size_t i = 0; i < written->n_flags; i++) {
        assert_int_equal(read->flag_values[i], written->flag_values[i]);
        assert_string_equal(read->flag_meanings[i], written->flag_meanings[i]);
    }
    if (written->missing == NULL)
        assert_null(read->missing);
    else
        assert_memory_equal(read->missing, written->missing, n_rows);
}

static void assert_same_table(const hanse_table *read,
                              const hanse_table *written)
{
    assert_string_equal(read->name, written->name);
    assert_int_equal(read->n_rows, written->n_rows);
    assert_int_equal(read->n_keys, written->n_keys);
    assert_int_equal(read->n_columns, written->n_columns);
    assert_int_equal(read->n_dropped, written->n_dropped);
    for (size_t k = 0; k < read->n_keys; k++)
        assert_same_column(&read->keys[k], &written->keys[k], read->n_rows);
    for (size_t i = 0; i < read->n_columns; i++)
        assert_same_column(&read->columns[i], &written->columns[i],
                           read->n_rows);
}

static void open_whatWasWritten_comesBack(void **state)
{
    (void)state;
    write_samples("out.h5", "{}");
    hanse_result_file *file = open_result("out.h5");
    assert_int_equal(hanse_result_file_n_tables(file), N_SAMPLE_TABLES);
    for (size_t i = 0; i < N_SAMPLE_TABLES; i++)
        assert_same_table(hanse_result_file_table(file, i), &sample_tables[i]);
    assert_null(hanse_result_file_table(file, N_SAMPLE_TABLES));
    hanse_result_file_close(file);
    struct stat status;
    assert_int_equal(stat("out.h5", &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
}

static void open_manyLabels_comeBack(void **state)
{
    (void)state;
    /* More than two blocks of labels. */
    hanse_table *table = sample_create_large(40000, 3);
    assert_int_equal(sample_write("out.h5", table, 1, NULL, NULL), HANSE_OK);
    hanse_result_file *file = open_result("out.h5");
    assert_same_table(hanse_result_file_table(file, 0), table);
    hanse_result_file_close(file);
    sample_destroy(table);
}

static void open_emptyTable_comesBack(void **state)
{
    (void)state;
    hanse_table empty[3];
    for (size_t i = 0; i < 3; i++) {
        empty[i] = sample_tables[i];
        empty[i].n_rows = 0;
    }
    assert_int_equal(sample_write("out.h5", empty, 3, NULL, NULL), HANSE_OK);
    hanse_result_file *file = open_result("out.h5");
    assert_int_equal(hanse_result_file_n_tables(file), 3);
    for (size_t i = 0; i < 3; i++) {
        const hanse_table *read = hanse_result_file_table(file, i);
        assert_int_equal(read->n_rows, 0);
        assert_int_equal(read->n_columns, empty[i].n_columns);
    }
    hanse_result_file_close(file);
}

static void resultWrite_anAggregation_comesBack(void **state)
{
    (void)state;
    static const int32_t clusters[] = {7, 3, 7};
    static const double values[] = {0.1, 4.0, 0.2};
    static const hanse_field fields[] = {
        {.name = "cluster", .type = HANSE_INT32},
        {.name = "resource", .type = HANSE_FLOAT64, .units = "t"}};
    static const hanse_array arrays[] = {{.values = clusters},
                                         {.values = values}};
    static const char *const keys[] = {"cluster"};
    const hanse_schema schema = {fields, 2};
    const hanse_batch batch = {3, arrays};
    hanse_spec *spec = NULL;
    hanse_aggregation *aggregation = NULL;
    hanse_result *result = NULL;
    assert_int_equal(hanse_spec_create(&spec, NULL), HANSE_OK);
    assert_int_equal(hanse_spec_add_grouping(spec, keys, 1, NULL), HANSE_OK);
    assert_int_equal(
        hanse_spec_add_model(spec, HANSE_MODEL_RESOURCE, NULL, NULL), HANSE_OK);
    assert_int_equal(
        hanse_aggregation_create(spec, &schema, &aggregation, NULL), HANSE_OK);
    assert_int_equal(hanse_aggregation_add(aggregation, &batch, NULL),
                     HANSE_OK);
    assert_int_equal(hanse_aggregation_finish(aggregation, &result, NULL),
                     HANSE_OK);
    assert_int_equal(hanse_result_write(result, "out.h5", "a line", NULL),
                     HANSE_OK);
    hanse_result_file *file = open_result("out.h5");
    const hanse_table *table = hanse_result_file_table(file, 0);
    assert_int_equal(table->n_rows, 2);
    assert_int_equal(((const int32_t *)table->keys[0].values)[0], 3);
    assert_string_equal(table->columns[1].name, "resource_total");
    assert_string_equal(table->columns[1].units, "t");
    /* 0.1 + 0.2, rounded once. */
    assert_true(((const double *)table->columns[1].values)[1] ==
                0.30000000000000004);
    hanse_result_file_close(file);
    hanse_result_destroy(result);
    hanse_aggregation_destroy(aggregation);
    hanse_spec_destroy(spec);
}

/* ---- Equal bytes -------------------------------------------------------- */

static void write_equalTables_givesEqualBytes(void **state)
{
    (void)state;
    write_samples("a.h5", "{\"threads\": 1}");
    /* A clock in the file would show now. */
    const struct timespec second = {1, 100000000};
    nanosleep(&second, NULL);
    write_samples("b.h5", "{\"threads\": 1}");
    assert_same_bytes("a.h5", "b.h5");
}

/* ---- Names -------------------------------------------------------------- */

static void write_namesThatNetcdfLacks_areReplacedAndKept(void **state)
{
    (void)state;
    static const int64_t one[] = {1};
    static const hanse_column keys[] = {
        {.name = "count", .type = HANSE_INT64, .values = one},
        {.name = "\u4ea7\u4e1a code",
         .long_name = "industry",
         .type = HANSE_INT64,
         .values = one},
        {.name = "group", .type = HANSE_INT64, .values = one},
    };
    static const hanse_column columns[] = {
        {.name = "count", .type = HANSE_INT64, .values = one},
        {.name = "Count", .type = HANSE_INT64, .values = one},
    };
    const hanse_table tables[] = {
        {"by_\u4ea7\u4e1a", 1, keys, 3, columns, 2, 0, NULL},
        {"provenance", 1, keys, 1, columns, 1, 0, NULL},
    };
    assert_int_equal(sample_write("out.h5", tables, 2, "{}", NULL), HANSE_OK);
    hanse_result_file *file = open_result("out.h5");
    const hanse_table *table = hanse_result_file_table(file, 0);
    assert_string_equal(table->name, "by___");
    assert_string_equal(table->columns[0].name, "count");
    assert_string_equal(table->columns[1].name, "Count_2");
    assert_string_equal(table->columns[1].long_name, "Count");
    assert_string_equal(table->keys[0].name, "count_3");
    assert_string_equal(table->keys[0].long_name, "count");
    assert_string_equal(table->keys[1].name, "x___code");
    assert_string_equal(table->keys[1].long_name,
                        "\u4ea7\u4e1a code: industry");
    assert_string_equal(table->keys[2].name, "group");
    table = hanse_result_file_table(file, 1);
    assert_string_equal(table->name, "provenance_2");
    hanse_result_file_close(file);
}

/* Parts of a path get their names each in its group; two ways to write a path
 * are one. */
static void write_pathsOfTables_makeGroups(void **state)
{
    (void)state;
    static const char *const wanted[] = {
        "flows/by_cluster",    "flows/by_cluster",
        "/flows//By_Cluster/", "flows/\u4ea7/x",
        "provenance/x",        "records",
        "by_cluster",          "a/b/c"};
    static const char *const stored[] = {
        "flows/by_cluster",   "flows/by_cluster_2",
        "flows/By_Cluster_3", "flows/x_/x",
        "provenance_2/x",     "records_2",
        "by_cluster",         "a/b/c"};
    enum {
        N = sizeof wanted / sizeof wanted[0]
    };
    hanse_table tables[N];
    for (size_t i = 0; i < N; i++) {
        tables[i] = sample_tables[SAMPLE_FLOWS];
        tables[i].name = wanted[i];
    }
    assert_int_equal(sample_write("out.h5", tables, N, "{}", NULL), HANSE_OK);
    hanse_result_file *file = open_result("out.h5");
    assert_int_equal(hanse_result_file_n_tables(file), N);
    for (size_t i = 0; i < N; i++) {
        const hanse_table *table = hanse_result_file_table(file, i);
        assert_string_equal(table->name, stored[i]);
        assert_int_equal(table->n_columns, 2);
    }
    hanse_result_file_close(file);
}

/* A table that holds tables, in the order of their making. */
static void write_tableInATable_comesBack(void **state)
{
    (void)state;
    hanse_table tables[] = {sample_tables[SAMPLE_BY_CLUSTER],
                            sample_tables[SAMPLE_FLOWS],
                            sample_tables[SAMPLE_TOTAL]};
    tables[1].name = "total/by_pair";
    tables[2].name = "total/all";
    assert_int_equal(sample_write("out.h5", tables, 3, "{}", NULL), HANSE_OK);
    const hid_t h5 = H5Fopen("out.h5", H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(H5Lmove(h5, "/total/by_pair", H5L_SAME_LOC,
                        "/by_cluster/by_pair", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    assert_true(H5Fclose(h5) >= 0);
    hanse_result_file *file = open_result("out.h5");
    assert_int_equal(hanse_result_file_n_tables(file), 3);
    assert_same_table(hanse_result_file_table(file, 0), &tables[0]);
    assert_string_equal(hanse_result_file_table(file, 1)->name,
                        "by_cluster/by_pair");
    assert_string_equal(hanse_result_file_table(file, 2)->name, "total/all");
    hanse_result_file_close(file);
}

static void expect_refused(const char *path, const char *part)
{
    hanse_error error = {0};
    hanse_result_file *file = NULL;
    assert_int_equal(hanse_result_file_open(path, &file, &error),
                     HANSE_ERR_FORMAT);
    if (strstr(error.message, part) == NULL)
        fail_msg("%s", error.message);
}

static void open_aGroupThatHoldsItself_isRefused(void **state)
{
    (void)state;
    write_samples("out.h5", "{}");
    const hid_t h5 = H5Fopen("out.h5", H5F_ACC_RDWR, H5P_DEFAULT);
    for (int i = 0; i < 30; i++) {
        char name[32];
        snprintf(name, sizeof name, "/flows/again%d", i);
        assert_true(H5Lcreate_hard(h5, "/flows", h5, name, H5P_DEFAULT,
                                   H5P_DEFAULT) >= 0);
    }
    assert_true(H5Fclose(h5) >= 0);
    expect_refused("out.h5", "too many groups");
}

static void set_text(hid_t object, const char *name, const char *text)
{
    const hid_t type = H5Tcopy(H5T_C_S1);
    assert_true(H5Tset_size(type, strlen(text)) >= 0);
    const hid_t space = H5Screate(H5S_SCALAR);
    assert_true(H5Adelete(object, name) >= 0);
    const hid_t attribute =
        H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Awrite(attribute, type, text) >= 0);
    assert_true(H5Aclose(attribute) >= 0);
    assert_true(H5Sclose(space) >= 0);
    assert_true(H5Tclose(type) >= 0);
}

static void open_flagsThatDoNotFit_areRefused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"ok lost", "a b c d",      "a  b",
                                        "a b c ",  "a b \033[31m", " a b c"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        write_samples("out.h5", "{}");
        const hid_t h5 = H5Fopen("out.h5", H5F_ACC_RDWR, H5P_DEFAULT);
        const hid_t status =
            H5Dopen2(h5, "/flows/by_cluster/flow_status", H5P_DEFAULT);
        set_text(status, "flag_meanings", wrong[i]);
        assert_true(H5Dclose(status) >= 0);
        assert_true(H5Fclose(h5) >= 0);
        expect_refused("out.h5", "flow_status: its flags");
    }
}

static void write_longHistory_isKept(void **state)
{
    (void)state;
    enum {
        N = 200000
    };
    char *history = malloc(N + 1);
    assert_non_null(history);
    memset(history, 'h', N);
    history[N] = '\0';
    const hanse_result_info info = {.history = history, .group_readable = true};
    hanse_sink *sink = NULL;
    hanse_error error = {0};
    if (hanse_result_sink_open("out.h5", &info, &sink, &error) != HANSE_OK ||
        sink->ops->commit(sink, &error) != HANSE_OK)
        fail_msg("%s", error.message);
    sink->ops->close(sink);
    struct stat status;
    assert_int_equal(stat("out.h5", &status), 0);
    assert_true(status.st_size > N);
    assert_int_equal(status.st_mode & 07777, 0640);
    free(history);
    hanse_result_file_close(open_result("out.h5"));
}

/* ---- Failures ----------------------------------------------------------- */

static void sink_noDirectory_failsBeforeAnyWork(void **state)
{
    (void)state;
    hanse_sink *sink = NULL;
    hanse_error error = {0};
    assert_int_equal(
        hanse_result_sink_open("missing/out.h5", NULL, &sink, &error),
        HANSE_ERR_IO);
    assert_non_null(strstr(error.message, "create the directory"));
    assert_null(sink);
}

static void sink_closedWithoutCommit_leavesOldFile(void **state)
{
    (void)state;
    write_bytes("out.h5", "old", 3);
    hanse_sink *sink = NULL;
    assert_int_equal(hanse_result_sink_open("out.h5", NULL, &sink, NULL),
                     HANSE_OK);
    assert_int_equal(sink->ops->table(sink, &sample_tables[0], NULL), HANSE_OK);
    sink->ops->close(sink);
    write_bytes("expected", "old", 3);
    assert_same_bytes("out.h5", "expected");
    assert_int_equal(count_files(), 2);
}

static void sink_wrongTable_canNoLongerCommit(void **state)
{
    (void)state;
    hanse_table wrong = sample_tables[SAMPLE_TOTAL];
    wrong.n_rows = 2;
    hanse_sink *sink = NULL;
    assert_int_equal(hanse_result_sink_open("out.h5", NULL, &sink, NULL),
                     HANSE_OK);
    assert_int_equal(sink->ops->table(sink, &wrong, NULL), HANSE_ERR_ARGUMENT);
    assert_true(sink->ops->table(sink, &sample_tables[0], NULL) != HANSE_OK);
    assert_true(sink->ops->commit(sink, NULL) != HANSE_OK);
    sink->ops->close(sink);
    assert_int_equal(count_files(), 0);
}

enum {
    WRITTEN = 3,
    REFUSED = 4,
    WRONG_ERROR = 5,
    NO_MOUNT = 6
};

/* Writes a table under a file size limit. */
static int write_limited(const void *context)
{
    const rlim_t limit_bytes = *(const rlim_t *)context;
    const struct rlimit limit = {limit_bytes, limit_bytes};
    hanse_error error = {0};
    hanse_table *table = sample_create_large(3000, 1);
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 1;
    const hanse_status status = sample_write("out.h5", table, 1, "{}", &error);
    sample_destroy(table);
    if (status == HANSE_OK)
        return WRITTEN;
    return status == HANSE_ERR_IO && strstr(error.message, "ulimit") != NULL
               ? REFUSED
               : WRONG_ERROR;
}

static void write_underEveryFileSizeLimit_leavesOldOrWholeFile(void **state)
{
    (void)state;
    hanse_table *table = sample_create_large(3000, 1);
    assert_int_equal(sample_write("whole.h5", table, 1, "{}", NULL), HANSE_OK);
    sample_destroy(table);
    size_t size_bytes;
    free(read_bytes("whole.h5", &size_bytes));
    write_bytes("old", "old", 3);
    for (size_t step = 0; step <= 24; step++) {
        const rlim_t limit = step * size_bytes / 24;
        write_bytes("out.h5", "old", 3);
        const int result = in_child(write_limited, &limit);
        assert_int_equal(result, step < 24 ? REFUSED : WRITTEN);
        assert_same_bytes("out.h5", step < 24 ? "old" : "whole.h5");
        assert_int_equal(count_files(), 3);
    }
}

/* Writes onto a file system of 256 KiB, which only this child sees. */
static int write_to_full_disk(const void *context)
{
    (void)context;
    hanse_error error = {0};
    int n_files = 0;
    if (unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mkdir("disk", 0700) != 0 ||
        mount("none", "disk", "tmpfs", 0, "size=256k") != 0)
        return NO_MOUNT;
    if (chdir("disk") != 0)
        return 1;
    if (sample_write("out.h5", &sample_tables[0], 1, NULL, NULL) != HANSE_OK)
        return 1;
    hanse_table *table = sample_create_large(20000, 1);
    const hanse_status status = sample_write("out.h5", table, 1, "{}", &error);
    sample_destroy(table);
    hanse_result_file *file = NULL;
    n_files = count_files();
    if (hanse_result_file_open("out.h5", &file, NULL) != HANSE_OK ||
        hanse_result_file_n_tables(file) != 1 || n_files != 1)
        return 1;
    hanse_result_file_close(file);
    return status == HANSE_ERR_IO && strstr(error.message, "No space") != NULL
               ? REFUSED
               : WRONG_ERROR;
}

static void write_diskFull_leavesOldFile(void **state)
{
    (void)state;
    const int result = in_child(write_to_full_disk, NULL);
    if (result == NO_MOUNT) {
        print_message("SKIPPED: no right to mount a small file system; the "
                      "file size limit is tested in any case\n");
        skip();
    }
    assert_int_equal(result, REFUSED);
}

/* ---- Killed while writing ----------------------------------------------- */

enum {
    N_KILLS = 50,
    KILL_ROWS = 2000
};

static void write_for_ever(void)
{
    for (unsigned salt = 1;; salt++) {
        hanse_table *table = sample_create_large(KILL_ROWS, salt);
        if (sample_write("out.h5", table, 1, NULL, NULL) != HANSE_OK)
            _exit(1);
        sample_destroy(table);
    }
}

/* The values tell one version of the file from another. */
static void assert_whole(const char *path)
{
    hanse_result_file *file = open_result(path);
    const hanse_table *table = hanse_result_file_table(file, 0);
    assert_int_equal(table->n_rows, KILL_ROWS);
    const double *values = table->columns[0].values;
    for (size_t i = 0; i < KILL_ROWS; i++)
        assert_true(values[i] - (double)i == values[0]);
    hanse_result_file_close(file);
}

static void kill_whileWriting_leavesAWholeFile(void **state)
{
    (void)state;
    uint64_t random = 20240229;
    hanse_table *table = sample_create_large(KILL_ROWS, 0);
    assert_int_equal(sample_write("out.h5", table, 1, NULL, NULL), HANSE_OK);
    sample_destroy(table);
    for (int round = 0; round < N_KILLS; round++) {
        int status = 0;
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            write_for_ever();
        random = random * 6364136223846793005u + 1442695040888963407u;
        const struct timespec pause = {0, (long)(random >> 40)};
        nanosleep(&pause, NULL);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_whole("out.h5");
    }
}

/* ---- Damaged and foreign files ------------------------------------------ */

enum {
    OPENED = 20,
    CLEAN_ERROR = 21,
    SILENT_ERROR = 22
};

/* In a child, because the library loses memory over damaged files. */
static int try_open(const void *context)
{
    hanse_error error = {0};
    hanse_result_file *file = NULL;
    const hanse_status status = hanse_result_file_open(context, &file, &error);
    hanse_result_file_close(file);
    if (status == HANSE_OK)
        return OPENED;
    return status == error.status && error.message[0] != '\0' ? CLEAN_ERROR
                                                              : SILENT_ERROR;
}

static void open_cutShort_isACleanError(void **state)
{
    (void)state;
    size_t size_bytes;
    write_samples("out.h5", "{}");
    char *bytes = read_bytes("out.h5", &size_bytes);
    for (size_t i = 0; i < 25; i++) {
        write_bytes("cut.h5", bytes, i * (size_bytes - 1) / 24);
        assert_int_equal(in_child(try_open, "cut.h5"), CLEAN_ERROR);
    }
    free(bytes);
}

static void open_changedBytes_neverDies(void **state)
{
    (void)state;
    enum {
        N_CHANGES = 120
    };
    size_t size_bytes;
    int n_refused = 0;
    uint64_t random = 4711;
    write_samples("out.h5", "{}");
    char *bytes = read_bytes("out.h5", &size_bytes);
    for (int i = 0; i < N_CHANGES; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        const size_t at = (random >> 33) % size_bytes;
        const char old = bytes[at];
        bytes[at] = (char)(old ^ (1 << (random >> 61)));
        write_bytes("changed.h5", bytes, size_bytes);
        bytes[at] = old;
        const int result = in_child(try_open, "changed.h5");
        assert_true(result == OPENED || result == CLEAN_ERROR);
        n_refused += result == CLEAN_ERROR;
    }
    free(bytes);
    /* Check sums cover the metadata, about half of this small file. */
    assert_true(n_refused > N_CHANGES / 10);
}

static void assert_refused(const char *path, hanse_status status,
                           const char *reason)
{
    hanse_error error = {0};
    hanse_result_file *file = NULL;
    assert_int_equal(hanse_result_file_open(path, &file, &error), status);
    assert_null(file);
    if (strstr(error.message, reason) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", error.message, reason);
}

static void open_notAResult_saysWhy(void **state)
{
    (void)state;
    assert_refused("missing.h5", HANSE_ERR_IO, "No such file");
    assert_refused(".", HANSE_ERR_IO, "regular file");
    write_bytes("text.h5", "a,b\n1,2\n", 8);
    assert_refused("text.h5", HANSE_ERR_FORMAT, "not an HDF5 file");
    const hid_t h5 =
        H5Fcreate("other.h5", H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(h5 >= 0 && H5Fclose(h5) >= 0);
    assert_refused("other.h5", HANSE_ERR_FORMAT, "not a result");
}

/* Adds a dataset to the table by_cluster of a good file. */
static void add_dataset(const char *path, const char *name, hid_t type,
                        int rank, const hsize_t *extent, hid_t list)
{
    const hid_t h5 = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t group = H5Gopen2(h5, "by_cluster", H5P_DEFAULT);
    const hid_t space = H5Screate_simple(rank, extent, NULL);
    const hid_t dataset =
        H5Dcreate2(group, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    assert_true(dataset >= 0);
    H5Dclose(dataset);
    H5Sclose(space);
    H5Gclose(group);
    assert_true(H5Fclose(h5) >= 0);
}

static void open_datasetsThatResultsLack_areRefused(void **state)
{
    (void)state;
    const hsize_t huge[] = {(hsize_t)1 << 60}, few[] = {3}, square[] = {4, 4};
    const hsize_t four[] = {4};
    const hid_t none = H5P_DEFAULT;
    write_samples("out.h5", "{}");
    add_dataset("out.h5", "huge", H5T_STD_I8LE, 1, huge, none);
    assert_refused("out.h5", HANSE_ERR_FORMAT, "huge: it claims more");
    write_samples("out.h5", "{}");
    add_dataset("out.h5", "square", H5T_STD_I8LE, 2, square, none);
    assert_refused("out.h5", HANSE_ERR_FORMAT, "more than one dimension");
    write_samples("out.h5", "{}");
    add_dataset("out.h5", "opaque", H5T_STD_REF_OBJ, 1, four, none);
    assert_refused("out.h5", HANSE_ERR_FORMAT, "no values of this type");
    write_samples("out.h5", "{}");
    const hid_t early = H5Pcreate(H5P_DATASET_CREATE);
    assert_true(H5Pset_alloc_time(early, H5D_ALLOC_TIME_EARLY) >= 0);
    add_dataset("out.h5", "short", H5T_STD_I8LE, 1, few, early);
    H5Pclose(early);
    assert_refused("out.h5", HANSE_ERR_FORMAT, "not as long as the others");
    write_samples("out.h5", "{}");
    write_bytes("secret", "1234", 4);
    const hid_t external = H5Pcreate(H5P_DATASET_CREATE);
    assert_true(H5Pset_external(external, "secret", 0, 4) >= 0);
    add_dataset("out.h5", "outside", H5T_STD_I8LE, 1, four, external);
    H5Pclose(external);
    assert_refused("out.h5", HANSE_ERR_FORMAT, "another file");
}

static void open_linkOutOfTheFile_isRefused(void **state)
{
    (void)state;
    write_samples("out.h5", "{}");
    write_samples("target.h5", "{}");
    const hid_t h5 = H5Fopen("out.h5", H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(H5Lcreate_external("target.h5", "/total", h5, "outside",
                                   H5P_DEFAULT, H5P_DEFAULT) >= 0);
    assert_true(H5Fclose(h5) >= 0);
    assert_refused("out.h5", HANSE_ERR_FORMAT, "cannot be opened");
}

int main(void)
{
#define WITH_DIRECTORY(test)                                   \
    cmocka_unit_test_setup_teardown(test, enter_own_directory, \
                                    leave_own_directory)
    const struct CMUnitTest tests[] = {
        WITH_DIRECTORY(open_whatWasWritten_comesBack),
        WITH_DIRECTORY(open_manyLabels_comeBack),
        WITH_DIRECTORY(open_emptyTable_comesBack),
        WITH_DIRECTORY(resultWrite_anAggregation_comesBack),
        WITH_DIRECTORY(write_equalTables_givesEqualBytes),
        WITH_DIRECTORY(write_namesThatNetcdfLacks_areReplacedAndKept),
        WITH_DIRECTORY(write_pathsOfTables_makeGroups),
        WITH_DIRECTORY(write_tableInATable_comesBack),
        WITH_DIRECTORY(open_aGroupThatHoldsItself_isRefused),
        WITH_DIRECTORY(open_flagsThatDoNotFit_areRefused),
        WITH_DIRECTORY(write_longHistory_isKept),
        WITH_DIRECTORY(sink_noDirectory_failsBeforeAnyWork),
        WITH_DIRECTORY(sink_closedWithoutCommit_leavesOldFile),
        WITH_DIRECTORY(sink_wrongTable_canNoLongerCommit),
        WITH_DIRECTORY(write_underEveryFileSizeLimit_leavesOldOrWholeFile),
        WITH_DIRECTORY(write_diskFull_leavesOldFile),
        WITH_DIRECTORY(kill_whileWriting_leavesAWholeFile),
        WITH_DIRECTORY(open_cutShort_isACleanError),
        WITH_DIRECTORY(open_changedBytes_neverDies),
        WITH_DIRECTORY(open_notAResult_saysWhy),
        WITH_DIRECTORY(open_datasetsThatResultsLack_areRefused),
        WITH_DIRECTORY(open_linkOutOfTheFile_isRefused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
