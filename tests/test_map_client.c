/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions to the confined child, a real one: what it answers is what the
 * library says in this process, and its deaths, lies and silences are errors.
 * HANSE_READER names the program.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <hdf5.h>

#include "io/confine.h"
#include "io/map_client.h"
#include "io/table_map.h"

enum {
    N_ROWS = 10000,
    CHUNK = 1000
};

typedef struct files {
    char folder[64];
    char columns[96];
    char compound[96];
    char scratch[96]; /* what a test writes itself */
} files;

typedef struct row {
    int64_t id;
    char *name;
    float size;
} row;

/* ---- Files -------------------------------------------------------------- */

static const char *text_of(int i)
{
    static char text[64];
    snprintf(text, sizeof text, "%0*d", i % 40 + 1, i);
    return text;
}

static void put_column(hid_t group, const char *name, hid_t type, hsize_t chunk,
                       const void *values)
{
    const hsize_t n = N_ROWS;
    const hid_t space = H5Screate_simple(1, &n, NULL);
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    if (chunk != 0)
        assert_true(H5Pset_chunk(creation, 1, &chunk) >= 0 &&
                    H5Pset_deflate(creation, 1) >= 0);
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

static hid_t variable_text(void)
{
    const hid_t type = H5Tcopy(H5T_C_S1);
    assert_true(H5Tset_size(type, H5T_VARIABLE) >= 0);
    return type;
}

static void write_files(files *f)
{
    static int64_t ids[N_ROWS];
    static char *names[N_ROWS];
    static row rows[N_ROWS];
    for (int i = 0; i < N_ROWS; i++) {
        ids[i] = (int64_t)i * i;
        names[i] = strdup(text_of(i));
        assert_non_null(names[i]);
        rows[i] = (row){ids[i], names[i], (float)i / 4};
    }
    const hid_t text = variable_text();
    const hid_t columns = create(f->columns);
    const hid_t group = H5Gcreate2(columns, "enterprises", H5P_DEFAULT,
                                   H5P_DEFAULT, H5P_DEFAULT);
    put_column(group, "id", H5T_NATIVE_INT64, CHUNK, ids);
    put_column(group, "name", text, CHUNK, names);
    put_column(group, "plain", H5T_STD_I64BE, 0, ids);
    assert_true(H5Gclose(group) >= 0 && H5Fclose(columns) >= 0);
    const hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(row));
    assert_true(
        H5Tinsert(type, "id", HOFFSET(row, id), H5T_NATIVE_INT64) >= 0 &&
        H5Tinsert(type, "name", HOFFSET(row, name), text) >= 0 &&
        H5Tinsert(type, "size", HOFFSET(row, size), H5T_NATIVE_FLOAT) >= 0);
    const hid_t compound = create(f->compound);
    put_column(compound, "t", type, CHUNK, rows);
    assert_true(H5Tclose(type) >= 0 && H5Tclose(text) >= 0 &&
                H5Fclose(compound) >= 0);
    for (int i = 0; i < N_ROWS; i++)
        free(names[i]);
}

static int make_files(void **state)
{
    files *f = calloc(1, sizeof *f);
    assert_non_null(f);
    snprintf(f->folder, sizeof f->folder, "/tmp/hanse-test-map-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->columns, sizeof f->columns, "%s/columns.h5", f->folder);
    snprintf(f->compound, sizeof f->compound, "%s/compound.h5", f->folder);
    snprintf(f->scratch, sizeof f->scratch, "%s/scratch.h5", f->folder);
    write_files(f);
    *state = f;
    return 0;
}

static int remove_files(void **state)
{
    files *f = *state;
    unlink(f->columns);
    unlink(f->compound);
    unlink(f->scratch);
    rmdir(f->folder);
    free(f);
    return 0;
}

/* A file whose signature is right and the rest is not. */
static void write_damaged(const files *f)
{
    FILE *in = fopen(f->columns, "rb");
    FILE *out = fopen(f->scratch, "wb");
    char bytes[2048];
    assert_non_null(in);
    assert_non_null(out);
    assert_int_equal(fread(bytes, 1, sizeof bytes, in), sizeof bytes);
    memset(bytes + 200, 0xA5, 700);
    assert_int_equal(fwrite(bytes, 1, sizeof bytes, out), sizeof bytes);
    assert_int_equal(fclose(in), 0);
    assert_int_equal(fclose(out), 0);
}

/* ---- Help --------------------------------------------------------------- */

static hanse_map_client *open_client(const char *path,
                                     const hanse_map_options *options)
{
    hanse_map_client *client = NULL;
    hanse_error error = {0};
    if (hanse_map_client_open(path, options, &client, &error) != HANSE_OK)
        fail_msg("%s", error.message);
    return client;
}

static hanse_hdf5_table get_table(hanse_map_client *client, const char *path)
{
    hanse_hdf5_table table;
    hanse_error error = {0};
    if (hanse_map_client_table(client, path, false, 0, &table, &error) !=
        HANSE_OK)
        fail_msg("%s", error.message);
    return table;
}

static size_t column_of(const hanse_hdf5_table *table, const char *name)
{
    const hanse_hdf5_column *column = hanse_hdf5_table_find(table, name);
    assert_non_null(column);
    return (size_t)(column - table->columns);
}

/* That the table cannot be had, and why. */
static void expect_failure(const char *path, const hanse_map_options *options,
                           hanse_status status, const char *words)
{
    hanse_map_client *client = open_client(path, options);
    hanse_hdf5_table table;
    hanse_error error = {0};
    assert_int_equal(
        hanse_map_client_table(client, NULL, false, 0, &table, &error), status);
    if (strstr(error.message, words) == NULL ||
        strncmp(error.message, path, strlen(path)) != 0)
        fail_msg("'%s' does not say '%s'", error.message, words);
    hanse_map_client_close(client);
}

static size_t count_children(void)
{
    siginfo_t info = {0};
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 ? 1 : 0;
}

/* ---- Tables and maps ---------------------------------------------------- */

/* The child's table is the one that this process finds. */
static void compare_tables(const char *path, bool is_trusted)
{
    const hanse_map_options options = {.is_trusted = is_trusted};
    hanse_hdf5_table ours;
    hanse_error error = {0};
    hanse_message first = {0}, second = {0};
    hanse_map_client *client = open_client(path, &options);
    hanse_hdf5_table theirs = get_table(client, NULL);
    const hanse_file_facts facts = {.size_bytes = theirs.stamp.size_bytes};
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (hanse_hdf5_table_choose(file, &facts, NULL, &ours, &error) != HANSE_OK)
        fail_msg("%s", error.message);
    assert_true(H5Fclose(file) >= 0);
    hanse_table_map_put(&first, &ours);
    hanse_table_map_put(&second, &theirs);
    assert_int_equal(first.n, second.n);
    assert_memory_equal(first.bytes, second.bytes, first.n);
    assert_string_equal(theirs.file, path);
    free(first.bytes);
    free(second.bytes);
    hanse_hdf5_table_clear(&ours);
    hanse_hdf5_table_clear(&theirs);
    hanse_map_client_close(client);
}

static void table_is_what_the_library_says(void **state)
{
    const files *f = *state;
    for (int trusted = 0; trusted < 2; trusted++) {
        compare_tables(f->columns, trusted != 0);
        compare_tables(f->compound, trusted != 0);
    }
}

static void list_names_every_table(void **state)
{
    const files *f = *state;
    hanse_map_client *client = open_client(f->compound, NULL);
    hanse_found_tables found;
    hanse_error error = {0};
    if (hanse_map_client_list(client, &found, &error) != HANSE_OK)
        fail_msg("%s", error.message);
    assert_int_equal(found.n, 1);
    assert_string_equal(found.items[0].path, "/t");
    hanse_found_tables_clear(&found);
    /* The same child answers other questions as well. */
    hanse_hdf5_table table = get_table(client, "t");
    assert_int_equal(table.n_rows, N_ROWS);
    hanse_hdf5_table_clear(&table);
    hanse_map_client_close(client);
}

static void record_gives_addresses(void **state)
{
    const files *f = *state;
    hanse_map_client *client = open_client(f->columns, NULL);
    hanse_hdf5_table table = get_table(client, NULL);
    const size_t id = column_of(&table, "id");
    const size_t plain = column_of(&table, "plain");
    const size_t name = column_of(&table, "name");
    const size_t columns[] = {plain, id, name, id};
    hanse_error error = {0};
    for (int i = 0; i < 2; i++)
        if (hanse_map_client_record(client, &table, columns, 4, NULL, &error) !=
            HANSE_OK)
            fail_msg("%s", error.message);
    assert_int_equal(table.maps[id].n_chunks, N_ROWS / CHUNK);
    assert_string_not_equal(table.maps[name].reason, "");
    int64_t first[3];
    assert_int_equal(pread(hanse_map_client_descriptor(client), first,
                           sizeof first, (off_t)table.maps[plain].address),
                     sizeof first);
    assert_int_equal(first[2], 4);
    hanse_hdf5_table_clear(&table);
    hanse_map_client_close(client);
}

/* ---- Values ------------------------------------------------------------- */

static void *give_room(void *context, size_t size_bytes)
{
    char **room = context;
    free(*room);
    *room = malloc(size_bytes + 1);
    return *room;
}

static void check_texts(hanse_map_client *client, const hanse_hdf5_table *table,
                        uint64_t first, size_t n)
{
    const size_t column = column_of(table, "name");
    int32_t *offsets = calloc(n + 1, sizeof *offsets);
    char *bytes = NULL;
    hanse_error error = {0};
    assert_non_null(offsets);
    if (hanse_map_client_texts(client, table, column, first, n, offsets,
                               give_room, &bytes, &error) != HANSE_OK)
        fail_msg("%s", error.message);
    for (size_t i = 0; i < n; i++) {
        const char *text = text_of((int)(first + i));
        const size_t length = (size_t)(offsets[i + 1] - offsets[i]);
        assert_int_equal(length, strlen(text));
        assert_memory_equal(bytes + offsets[i], text, length);
    }
    free(bytes);
    free(offsets);
}

static void check_numbers(hanse_map_client *client,
                          const hanse_hdf5_table *table, uint64_t first,
                          size_t n)
{
    const size_t column = column_of(table, "id");
    int64_t *values = calloc(n, sizeof *values);
    hanse_error error = {0};
    assert_non_null(values);
    if (hanse_map_client_values(client, table, column, first, n, values,
                                &error) != HANSE_OK)
        fail_msg("%s", error.message);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(values[i], (int64_t)((first + i) * (first + i)));
    free(values);
}

static void values_of_any_rows_are_read(void **state)
{
    const files *f = *state;
    const char *const paths[] = {f->columns, f->compound};
    for (int trusted = 0; trusted < 2; trusted++)
        for (size_t i = 0; i < 2; i++) {
            const hanse_map_options options = {.is_trusted = trusted != 0};
            hanse_map_client *client = open_client(paths[i], &options);
            hanse_hdf5_table table = get_table(client, NULL);
            check_numbers(client, &table, 0, 1);
            check_texts(client, &table, N_ROWS - 1, 1);
            check_texts(client, &table, 39, 1); /* longer than guessed */
            check_numbers(client, &table, 990, 2020);
            check_texts(client, &table, 0, N_ROWS);
            check_numbers(client, &table, 0, N_ROWS);
            hanse_hdf5_table_clear(&table);
            hanse_map_client_close(client);
        }
}

static void values_beyond_the_end_are_refused(void **state)
{
    const files *f = *state;
    hanse_map_client *client = open_client(f->columns, NULL);
    hanse_hdf5_table table = get_table(client, NULL);
    int64_t values[10];
    assert_int_equal(hanse_map_client_values(client, &table,
                                             column_of(&table, "id"),
                                             N_ROWS - 9, 10, values, NULL),
                     HANSE_ERR_ARGUMENT);
    hanse_hdf5_table_clear(&table);
    hanse_map_client_close(client);
}

typedef struct worker {
    pthread_t thread;
    hanse_map_client *client;
    const hanse_hdf5_table *table;
    uint64_t first;
} worker;

static void *work(void *context)
{
    const worker *w = context;
    for (uint64_t i = 0; i < 20; i++) {
        check_numbers(w->client, w->table, w->first + 10 * i, 500);
        check_texts(w->client, w->table, w->first + 10 * i, 300);
    }
    return NULL;
}

static void values_several_threads_take_turns(void **state)
{
    const files *f = *state;
    hanse_map_client *client = open_client(f->columns, NULL);
    hanse_hdf5_table table = get_table(client, NULL);
    worker workers[4];
    for (size_t i = 0; i < 4; i++) {
        workers[i] =
            (worker){.client = client, .table = &table, .first = i * 2000};
        assert_int_equal(
            pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
    hanse_hdf5_table_clear(&table);
    hanse_map_client_close(client);
}

static void rest_is_followed_by_a_new_child(void **state)
{
    const files *f = *state;
    hanse_map_client *client = open_client(f->columns, NULL);
    hanse_hdf5_table table = get_table(client, NULL);
    const size_t id = column_of(&table, "id");
    check_numbers(client, &table, 5, 10);
    hanse_map_client_rest(client);
    check_numbers(client, &table, 5, 10);
    hanse_map_client_rest(client);
    assert_int_equal(
        hanse_map_client_record(client, &table, &id, 1, NULL, NULL), HANSE_OK);
    hanse_hdf5_table_clear(&table);
    hanse_map_client_close(client);
    assert_int_equal(count_children(), 0);
}

static void shared_memory_is_charged(void **state)
{
    const files *f = *state;
    hanse_budget budget = {.limit_bytes = 4096};
    const hanse_map_options options = {.budget = &budget};
    hanse_map_client *client = open_client(f->columns, &options);
    hanse_hdf5_table table = get_table(client, NULL);
    int64_t values[1000];
    const size_t id = column_of(&table, "id");
    assert_int_equal(
        hanse_map_client_values(client, &table, id, 0, 1000, values, NULL),
        HANSE_ERR_LIMIT);
    check_numbers(client, &table, 0, 500);
    assert_int_equal(budget.used_bytes, 4000);
    hanse_hdf5_table_clear(&table);
    hanse_map_client_close(client);
    assert_int_equal(budget.used_bytes, 0);
}

/* ---- What goes wrong ---------------------------------------------------- */

static void open_what_is_no_file_fails(void **state)
{
    const files *f = *state;
    hanse_map_client *client = NULL;
    hanse_error error = {0};
    assert_int_equal(hanse_map_client_open("/nowhere/x", NULL, &client, &error),
                     HANSE_ERR_IO);
    assert_non_null(strstr(error.message, "/nowhere/x: No such file"));
    assert_int_equal(hanse_map_client_open(f->folder, NULL, &client, &error),
                     HANSE_ERR_IO);
    assert_non_null(strstr(error.message, "is a directory"));
    assert_int_equal(hanse_map_client_open("/dev/null", NULL, &client, &error),
                     HANSE_ERR_IO);
    assert_int_equal(mkfifo(f->scratch, 0600), 0);
    assert_int_equal(hanse_map_client_open(f->scratch, NULL, &client, &error),
                     HANSE_ERR_IO);
    assert_non_null(strstr(error.message, "not a regular file"));
    unlink(f->scratch);
}

static void open_file_being_written_fails(void **state)
{
    const files *f = *state;
    hanse_map_client *client = NULL;
    hanse_error error = {0};
    const int writer = open(f->columns, O_RDWR);
    assert_true(writer >= 0 && flock(writer, LOCK_EX | LOCK_NB) == 0);
    assert_int_equal(hanse_map_client_open(f->columns, NULL, &client, &error),
                     HANSE_ERR_IO);
    assert_non_null(strstr(error.message, "open for writing"));
    close(writer);
}

static void damaged_files_are_errors(void **state)
{
    const files *f = *state;
    write_damaged(f);
    expect_failure(f->scratch, NULL, HANSE_ERR_FORMAT, "");
    FILE *out = fopen(f->scratch, "wb");
    assert_non_null(out);
    fputs("cluster,chain\n1,2\n", out);
    fclose(out);
    expect_failure(f->scratch, NULL, HANSE_ERR_FORMAT, "is not an HDF5 file");
    assert_int_equal(truncate(f->scratch, 0), 0);
    expect_failure(f->scratch, NULL, HANSE_ERR_FORMAT, "is not an HDF5 file");
    assert_int_equal(count_children(), 0);
}

static void no_reader_is_an_error(void **state)
{
    const files *f = *state;
    expect_failure(f->columns, &(hanse_map_options){.program = "/nowhere/x"},
                   HANSE_ERR_IO, "/nowhere/x, cannot be started: No such file");
    expect_failure(f->columns, &(hanse_map_options){.program = "/bin/true"},
                   HANSE_ERR_IO, "/bin/true, ended with status 0");
    assert_int_equal(count_children(), 0);
}

static void write_script(const char *path, const char *lines)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_true(fprintf(out, "#!/bin/sh\n%s\n", lines) > 0);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(chmod(path, 0700), 0);
}

/* A reader that dies, lies or keeps silent. */
static void bad_readers_are_errors(void **state)
{
    const files *f = *state;
    const hanse_map_options options = {.program = f->scratch,
                                       .answer_seconds = 1};
    write_script(f->scratch, "kill -SEGV $$");
    expect_failure(f->columns, &options, HANSE_ERR_FORMAT,
                   "damaged or hostile (reader stopped by signal 11)");
    write_script(f->scratch, "kill -SYS $$");
    expect_failure(f->columns, &options, HANSE_ERR_FORMAT,
                   "damaged or hostile (reader stopped by signal 31)");
    write_script(f->scratch, "kill -XCPU $$");
    expect_failure(f->columns, &options, HANSE_ERR_FORMAT,
                   "too many seconds of computing");
    write_script(f->scratch, "exec sleep 100");
    expect_failure(f->columns, &options, HANSE_ERR_IO,
                   "no answer from the reader in 1 s");
    write_script(f->scratch, "exec 4>&-; exec sleep 100");
    expect_failure(f->columns, &options, HANSE_ERR_FORMAT,
                   "reader stopped by signal 9");
    write_script(f->scratch, "head -c 100 /dev/urandom >&4; exec sleep 100");
    expect_failure(f->columns, &options, HANSE_ERR_FORMAT,
                   "its answer is too long");
    write_script(f->scratch, "head -c 100 /dev/zero >&4; exec sleep 100");
    expect_failure(f->columns, &options, HANSE_ERR_IO, "is not hanse");
    assert_int_equal(count_children(), 0);
    unlink(f->scratch);
}

/* Runs a reader that prints something about itself; returns what. */
static const char *ask_script(const files *f, const char *command)
{
    static char text[4096];
    char list[128], line[512];
    const hanse_map_options options = {.program = f->scratch};
    snprintf(list, sizeof list, "%s/list", f->folder);
    snprintf(line, sizeof line, "exec %s >%s", command, list);
    write_script(f->scratch, line);
    expect_failure(f->columns, &options, HANSE_ERR_IO, "ended with status 0");
    FILE *in = fopen(list, "r");
    assert_non_null(in);
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    fclose(in);
    unlink(list);
    unlink(f->scratch);
    return text;
}

static void child_inherits_nothing_else(void **state)
{
    const files *f = *state;
    /* Without close-on-exec; `ls` itself opens the directory as 6. */
    const int stray = fcntl(0, F_DUPFD, 50);
    assert_true(stray >= 50);
    assert_string_equal(ask_script(f, "ls /proc/self/fd"),
                        "0\n1\n2\n3\n4\n5\n6\n");
    close(stray);
    assert_int_equal(setenv("HANSE_SECRET", "secret", 1), 0);
    assert_null(strstr(ask_script(f, "env"), "secret"));
}

static void child_memory_is_limited(void **state)
{
    const files *f = *state;
    if (HANSE_IS_SANITIZED)
        skip();
    const hanse_map_options options = {.memory_bytes = 200 << 20};
    hanse_map_client *client = open_client(f->columns, &options);
    hanse_hdf5_table table = get_table(client, NULL);
    hanse_error error = {0};
    /* More than there is: the shared memory cannot be mapped there. */
    const size_t n = N_ROWS;
    check_numbers(client, &table, 0, n);
    table.n_rows = 40 << 20;
    void *values = malloc((size_t)320 << 20);
    assert_non_null(values);
    assert_int_equal(hanse_map_client_values(client, &table,
                                             column_of(&table, "id"), 0,
                                             40 << 20, values, &error),
                     HANSE_ERR_LIMIT);
    assert_non_null(strstr(error.message, "200 MiB that its reader may use"));
    free(values);
    hanse_hdf5_table_clear(&table);
    hanse_map_client_close(client);
}

static void changed_file_is_noticed(void **state)
{
    const files *f = *state;
    char command[256];
    snprintf(command, sizeof command, "cp %s %s", f->columns, f->scratch);
    assert_int_equal(system(command), 0);
    hanse_map_client *client = open_client(f->scratch, NULL);
    hanse_hdf5_table table = get_table(client, NULL);
    const size_t id = column_of(&table, "id");
    hanse_error error = {0};
    assert_int_equal(truncate(f->scratch, 5000), 0);
    assert_int_equal(
        hanse_map_client_record(client, &table, &id, 1, NULL, &error),
        HANSE_ERR_IO);
    assert_non_null(strstr(error.message, "changed while"));
    hanse_hdf5_table_clear(&table);
    hanse_map_client_close(client);
}

static void level_is_told(void **state)
{
    const files *f = *state;
    char text[64];
    hanse_map_client *client = open_client(f->columns, NULL);
    hanse_map_client_level(client, text, sizeof text);
    assert_string_equal(text, "");
    hanse_hdf5_table table = get_table(client, NULL);
    hanse_map_client_level(client, text, sizeof text);
    assert_int_equal(strncmp(text, "seccomp", 7), 0);
    hanse_hdf5_table_clear(&table);
    hanse_map_client_close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_what_the_library_says),
        cmocka_unit_test(list_names_every_table),
        cmocka_unit_test(record_gives_addresses),
        cmocka_unit_test(values_of_any_rows_are_read),
        cmocka_unit_test(values_beyond_the_end_are_refused),
        cmocka_unit_test(values_several_threads_take_turns),
        cmocka_unit_test(rest_is_followed_by_a_new_child),
        cmocka_unit_test(shared_memory_is_charged),
        cmocka_unit_test(open_what_is_no_file_fails),
        cmocka_unit_test(open_file_being_written_fails),
        cmocka_unit_test(damaged_files_are_errors),
        cmocka_unit_test(no_reader_is_an_error),
        cmocka_unit_test(bad_readers_are_errors),
        cmocka_unit_test(child_inherits_nothing_else),
        cmocka_unit_test(child_memory_is_limited),
        cmocka_unit_test(changed_file_is_noticed),
        cmocka_unit_test(level_is_told),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
