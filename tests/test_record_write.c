/* SPDX-License-Identifier: Apache-2.0
 *
 * Record-level results: what can go wrong while they are read and written, on
 * several threads, some of which wait for others. tests/test_records.py looks
 * at what is written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/error.h"
#include "engine/base/memory.h"
#include "engine/memory_source.h"
#include "io/result_file.h"
#include "tests/own_directory.h"

enum {
    CHUNK_ROWS = 100,
    N_CHUNKS = 60,
    N_ROWS = CHUNK_ROWS * N_CHUNKS - 30,
    MORSEL_ROWS = 70,
    N_MORSELS = (N_ROWS + MORSEL_ROWS - 1) / MORSEL_ROWS,
    NO_MORSEL = N_MORSELS
};

enum {
    SHARE,
    STATUS,
    NUMBER,
    N_FIELDS
};

static const hanse_field fields[N_FIELDS] = {
    [SHARE] = {.name = "share", .type = HANSE_FLOAT64},
    [STATUS] = {.name = "status", .type = HANSE_FLOAT64},
    [NUMBER] = {.name = "number", .type = HANSE_INT64},
};
static const hanse_schema schema = {fields, N_FIELDS};
static const hanse_storage storage = {.chunked = true,
                                      .chunk_rows = CHUNK_ROWS,
                                      .compression = HANSE_COMPRESSION_GZIP,
                                      .level = 1,
                                      .shuffle = true};

/* ---- A source that can be slow, fail, or have spans ---------------------- */

typedef struct odd_source {
    hanse_source base;
    hanse_source *inner;
    const hanse_source_ops *inner_ops;
    hanse_source_ops ops;
    hanse_budget budget;
    size_t span;
    size_t slow_morsel; /* is read after the others have gone on */
    size_t bad_morsel;  /* cannot be read */
    bool finish_fails;
    uint64_t n_rows; /* as it says */
} odd_source;

static odd_source *odd_of(hanse_reader *reader)
{
    return (odd_source *)(uintptr_t)reader->source;
}

static const hanse_schema *get_schema(const hanse_source *source)
{
    (void)source;
    return &schema;
}

static uint64_t get_n_rows(const hanse_source *source)
{
    return ((const odd_source *)source)->n_rows;
}

static size_t get_n_morsels(const hanse_source *source)
{
    const odd_source *s = (const odd_source *)source;
    return s->inner_ops->n_morsels(s->inner);
}

static size_t get_span_end(const hanse_source *source, size_t morsel)
{
    const size_t span = ((const odd_source *)source)->span;
    const size_t end = (morsel / span + 1) * span;
    return end < N_MORSELS ? end : N_MORSELS;
}

typedef struct odd_reader {
    hanse_reader base;
    hanse_reader *inner;
} odd_reader;

static hanse_status open_reader(hanse_source *base, hanse_reader **out,
                                hanse_error *error)
{
    odd_source *source = (odd_source *)base;
    odd_reader *reader = calloc(1, sizeof *reader);
    assert_non_null(reader);
    reader->base.source = base;
    *out = &reader->base;
    return source->inner_ops->open_reader(source->inner, &reader->inner, error);
}

static hanse_status read_morsel(hanse_reader *base, size_t morsel,
                                const size_t *which, size_t n,
                                hanse_morsel *out, hanse_error *error)
{
    odd_source *source = odd_of(base);
    const struct timespec moment = {0, 100000000};
    if (morsel == source->slow_morsel)
        (void)nanosleep(&moment, NULL);
    if (morsel == source->bad_morsel)
        return hanse_fail(error, HANSE_ERR_FORMAT, "a damaged chunk");
    return source->inner_ops->read(((odd_reader *)base)->inner, morsel, which,
                                   n, out, error);
}

static hanse_status finish_reader(hanse_reader *base, hanse_error *error)
{
    return odd_of(base)->finish_fails
               ? hanse_fail(error, HANSE_ERR_IO, "the input has changed")
               : HANSE_OK;
}

static void close_reader(hanse_reader *base)
{
    odd_of(base)->inner_ops->close_reader(((odd_reader *)base)->inner);
    free(base);
}

/* ---- Fixture ------------------------------------------------------------ */

typedef struct fixture {
    char *directory;
    odd_source source;
    double share[N_ROWS];
    double status[N_ROWS];
    int64_t number[N_ROWS];
    hanse_array arrays[N_FIELDS];
    hanse_batch batch;
    hanse_record_variable variables[2];
    hanse_run_options options;
} fixture;

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    void *directory;
    if (f == NULL || enter_own_directory(&directory) != 0)
        return 1;
    f->directory = directory;
    for (size_t i = 0; i < N_ROWS; i++) {
        f->share[i] = sqrt((double)i);
        f->status[i] = (double)(i % 9);
    }
    f->arrays[SHARE].values = f->share;
    f->arrays[STATUS].values = f->status;
    f->arrays[NUMBER].values = f->number;
    f->batch = (hanse_batch){N_ROWS, f->arrays};
    f->variables[0] = (hanse_record_variable){.name = "share", .field = SHARE};
    f->variables[1] = (hanse_record_variable){
        .name = "share_status", .field = STATUS, .is_status = true};
    odd_source *s = &f->source;
    if (hanse_memory_source_open(&schema, &f->batch, MORSEL_ROWS, &s->inner,
                                 NULL) != HANSE_OK)
        return 1;
    s->inner_ops = s->inner->ops;
    s->ops = (hanse_source_ops){.schema = get_schema,
                                .n_rows = get_n_rows,
                                .n_morsels = get_n_morsels,
                                .span_end = get_span_end,
                                .open_reader = open_reader,
                                .read = read_morsel,
                                .finish_reader = finish_reader,
                                .close_reader = close_reader};
    s->base = (hanse_source){.ops = &s->ops, .budget = &s->budget};
    s->span = 1;
    s->slow_morsel = s->bad_morsel = NO_MORSEL;
    s->n_rows = N_ROWS;
    f->options.n_threads = 4;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    void *directory = f->directory;
    const bool charged = f->source.budget.used_bytes != 0;
    hanse_source_close(f->source.inner);
    free(f);
    return leave_own_directory(&directory) != 0 || charged;
}

static hanse_status write_set(fixture *f, hanse_sink *sink, hanse_error *error)
{
    const hanse_record_set set = {&f->source.base, f->variables, 2,
                                  &f->options};
    return sink->ops->records(sink, &set, error);
}

static hanse_sink *open_sink(const char *path)
{
    const hanse_result_info info = {.records = &storage};
    hanse_sink *sink;
    assert_int_equal(hanse_result_sink_open(path, &info, &sink, NULL),
                     HANSE_OK);
    return sink;
}

/* Writes and commits if it can. */
static hanse_status write_file(fixture *f, const char *path, hanse_error *error)
{
    hanse_sink *sink = open_sink(path);
    hanse_status status = write_set(f, sink, error);
    if (status == HANSE_OK)
        status = sink->ops->commit(sink, error);
    else
        assert_int_not_equal(sink->ops->commit(sink, NULL), HANSE_OK);
    sink->ops->close(sink);
    return status;
}

static void check_file(const fixture *f, const char *path)
{
    static double share[N_ROWS];
    static int8_t status[N_ROWS];
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t a = H5Dopen2(file, "/records/share", H5P_DEFAULT);
    const hid_t b = H5Dopen2(file, "/records/share_status", H5P_DEFAULT);
    assert_true(H5Dread(a, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                        share) >= 0);
    assert_true(H5Dread(b, H5T_NATIVE_INT8, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                        status) >= 0);
    assert_memory_equal(share, f->share, sizeof share);
    for (size_t i = 0; i < N_ROWS; i++)
        assert_int_equal(status[i], i % 9);
    assert_true(H5Dclose(a) >= 0);
    assert_true(H5Dclose(b) >= 0);
    assert_true(H5Fclose(file) >= 0);
}

static void expect_failure(fixture *f, hanse_status expected, const char *part)
{
    for (size_t n_threads = 1; n_threads <= 8; n_threads *= 2) {
        hanse_error error = {0};
        f->options.n_threads = n_threads;
        assert_int_equal(write_file(f, "out.h5", &error), expected);
        if (strstr(error.message, part) == NULL)
            fail_msg("'%s' does not say '%s'", error.message, part);
        assert_int_not_equal(access("out.h5", F_OK), 0);
    }
}

/* ---- Tests -------------------------------------------------------------- */

static void spans_and_slow_threads_change_nothing(void **state)
{
    fixture *f = *state;
    for (f->source.span = 1; f->source.span < 200; f->source.span *= 5)
        for (size_t slow = 0; slow < N_MORSELS; slow += 40) {
            f->source.slow_morsel = slow;
            hanse_error error = {0};
            if (write_file(f, "out.h5", &error) != HANSE_OK)
                fail_msg("%s", error.message);
            check_file(f, "out.h5");
        }
}

/* Others wait for the rows that do not come. */
static void a_failed_read_stops_those_that_wait(void **state)
{
    fixture *f = *state;
    f->source.bad_morsel = f->source.slow_morsel = 3;
    expect_failure(f, HANSE_ERR_FORMAT, "a damaged chunk");
    f->source.bad_morsel = f->source.slow_morsel = N_MORSELS - 1;
    expect_failure(f, HANSE_ERR_FORMAT, "a damaged chunk");
}

static void a_changed_input_is_an_error(void **state)
{
    fixture *f = *state;
    f->source.finish_fails = true;
    expect_failure(f, HANSE_ERR_IO, "the input has changed");
}

static void a_source_without_its_rows_is_an_error(void **state)
{
    fixture *f = *state;
    f->source.n_rows = N_ROWS + 1;
    expect_failure(f, HANSE_ERR_ARGUMENT, "fewer rows");
}

static void a_value_that_is_no_status_is_an_error(void **state)
{
    fixture *f = *state;
    static const double wrong[] = {9, -1, 0.5, INFINITY, 1e300};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        f->status[4321] = wrong[i];
        expect_failure(f, HANSE_ERR_ARGUMENT, "share_status of row 4321 is");
    }
}

static void a_column_of_another_type_is_refused(void **state)
{
    fixture *f = *state;
    f->variables[0].field = NUMBER;
    expect_failure(f, HANSE_ERR_ARGUMENT, "share is not of a float64");
    f->variables[0].field = N_FIELDS;
    expect_failure(f, HANSE_ERR_ARGUMENT, "share is not of a float64");
}

static bool stop_half_way(void *context, uint64_t rows_done, uint64_t n_rows,
                          uint64_t bytes_done)
{
    (void)context;
    (void)bytes_done;
    return rows_done < n_rows / 2;
}

/* The first thread asks, which among several may come too late. */
static void progress_that_says_no_interrupts(void **state)
{
    fixture *f = *state;
    f->options.progress = stop_half_way;
    for (size_t n_threads = 1; n_threads <= 8; n_threads *= 2) {
        hanse_error error = {0};
        f->options.n_threads = n_threads;
        const hanse_status status = write_file(f, "out.h5", &error);
        if (status == HANSE_OK && n_threads > 1)
            continue;
        assert_int_equal(status, HANSE_ERR_INTERRUPTED);
        assert_string_equal(error.message, "interrupted");
    }
}

/* Two chunks suffice, whatever the threads would like. */
static void every_limit_gives_all_or_an_error(void **state)
{
    fixture *f = *state;
    size_t n_failures = 0, n_successes = 0;
    for (uint64_t limit = 1000; n_successes < 8; limit += limit / 4) {
        hanse_error error = {0};
        f->source.budget = (hanse_budget){.limit_bytes = limit};
        f->source.span = 1 + limit % 7;
        const hanse_status status = write_file(f, "out.h5", &error);
        assert_int_equal(f->source.budget.used_bytes, 0);
        if (status == HANSE_OK) {
            n_successes++;
            check_file(f, "out.h5");
            continue;
        }
        assert_int_equal(n_successes, 0);
        assert_int_equal(status, HANSE_ERR_LIMIT);
        assert_non_null(strstr(error.message, "raise --memory"));
        n_failures++;
    }
    assert_true(n_failures > 3);
}

static void records_are_taken_once(void **state)
{
    fixture *f = *state;
    hanse_error error = {0};
    hanse_sink *sink = open_sink("out.h5");
    assert_int_equal(write_set(f, sink, NULL), HANSE_OK);
    assert_int_equal(write_set(f, sink, &error), HANSE_ERR_ARGUMENT);
    assert_non_null(strstr(error.message, "already"));
    assert_int_equal(sink->ops->commit(sink, NULL), HANSE_OK);
    sink->ops->close(sink);
    check_file(f, "out.h5");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(spans_and_slow_threads_change_nothing),
        TEST(a_failed_read_stops_those_that_wait),
        TEST(a_changed_input_is_an_error),
        TEST(a_source_without_its_rows_is_an_error),
        TEST(a_value_that_is_no_status_is_an_error),
        TEST(a_column_of_another_type_is_refused),
        TEST(progress_that_says_no_interrupts),
        TEST(every_limit_gives_all_or_an_error),
        TEST(records_are_taken_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
