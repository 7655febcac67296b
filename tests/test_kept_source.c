/* SPDX-License-Identifier: Apache-2.0
 *
 * The source that keeps what was read: the same values on every pass, from
 * memory as far as that goes, on one thread and on several.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/error.h"
#include "engine/base/memory.h"
#include "engine/kept_source.h"
#include "engine/memory_source.h"
#include "engine/run.h"

enum {
    N_ROWS = 10000,
    MORSEL_ROWS = 700,
    N_MORSELS = (N_ROWS + MORSEL_ROWS - 1) / MORSEL_ROWS
};

enum {
    CLUSTER,
    MONEY,
    TOWN,
    EMPTY,
    N_FIELDS
};

static const hanse_field fields[N_FIELDS] = {
    [CLUSTER] = {.name = "cluster", .type = HANSE_INT16},
    [MONEY] = {.name = "money", .type = HANSE_FLOAT64},
    [TOWN] = {.name = "town", .type = HANSE_TEXT},
    [EMPTY] = {.name = "empty", .type = HANSE_TEXT},
};
static const hanse_schema schema = {fields, N_FIELDS};
static const size_t all_fields[N_FIELDS] = {CLUSTER, MONEY, TOWN, EMPTY};

/* ---- A table, and a source over it that counts -------------------------- */

typedef struct table {
    int16_t cluster[N_ROWS];
    double money[N_ROWS];
    char bytes[N_ROWS * 8];
    int32_t offsets[N_ROWS + 1];
    int32_t no_offsets[N_ROWS + 1];
    uint8_t missing[N_ROWS];
    hanse_array arrays[N_FIELDS];
    hanse_batch batch;
} table;

typedef struct counting_source {
    hanse_source base;
    hanse_source *inner;
    hanse_budget budget;
    _Atomic size_t n_reads[N_MORSELS][N_FIELDS];
    _Atomic size_t n_open;
    _Atomic size_t n_opened;
    _Atomic size_t n_finished;
    bool is_volatile;
    bool finish_fails;
    bool *closed;
} counting_source;

typedef struct counting_reader {
    hanse_reader base;
    hanse_reader *inner;
} counting_reader;

static void make_table(table *t)
{
    uint64_t state = 20;
    for (size_t i = 0; i < N_ROWS; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        t->cluster[i] = (int16_t)(state >> 60);
        t->money[i] = (double)(state >> 20) * 0x1p-20;
        t->missing[i] = state >> 40 & 1;
        const size_t length = state >> 50 & 7;
        memset(t->bytes + t->offsets[i], 'a' + (int)(i % 26), length);
        t->offsets[i + 1] = t->offsets[i] + (int32_t)length;
    }
    t->arrays[CLUSTER] =
        (hanse_array){.values = t->cluster, .missing = t->missing};
    t->arrays[MONEY] = (hanse_array){.values = t->money};
    t->arrays[TOWN] = (hanse_array){t->bytes, t->offsets, t->missing};
    t->arrays[EMPTY] = (hanse_array){NULL, t->no_offsets, NULL};
    t->batch = (hanse_batch){N_ROWS, t->arrays};
}

static const counting_source *counting(const hanse_source *source)
{
    return (const counting_source *)source;
}

static const hanse_schema *get_schema(const hanse_source *source)
{
    return hanse_source_schema(counting(source)->inner);
}

static uint64_t get_n_rows(const hanse_source *source)
{
    const hanse_source *inner = counting(source)->inner;
    return inner->ops->n_rows(inner);
}

static size_t get_n_morsels(const hanse_source *source)
{
    const hanse_source *inner = counting(source)->inner;
    return inner->ops->n_morsels(inner);
}

/* Three go together. */
static size_t get_span_end(const hanse_source *source, size_t morsel)
{
    const size_t n = get_n_morsels(source), end = (morsel / 3 + 1) * 3;
    return end < n ? end : n;
}

static hanse_status open_reader(hanse_source *base, hanse_reader **out,
                                hanse_error *error)
{
    counting_source *source = (counting_source *)base;
    counting_reader *reader = calloc(1, sizeof *reader);
    assert_non_null(reader);
    HANSE_TRY(
        source->inner->ops->open_reader(source->inner, &reader->inner, error));
    reader->base.source = base;
    source->n_open++;
    source->n_opened++;
    *out = &reader->base;
    return HANSE_OK;
}

static hanse_status read_morsel(hanse_reader *base, size_t morsel,
                                const size_t *which, size_t n,
                                hanse_morsel *out, hanse_error *error)
{
    counting_source *source = (counting_source *)base->source;
    for (size_t i = 0; i < n; i++)
        source->n_reads[morsel][which[i]]++;
    HANSE_TRY(source->inner->ops->read(((counting_reader *)base)->inner, morsel,
                                       which, n, out, error));
    out->is_volatile = source->is_volatile;
    return HANSE_OK;
}

static hanse_status finish_reader(hanse_reader *base, hanse_error *error)
{
    counting_source *source = (counting_source *)base->source;
    source->n_finished++;
    return source->finish_fails
               ? hanse_fail(error, HANSE_ERR_IO, "the file has changed")
               : HANSE_OK;
}

static void close_reader(hanse_reader *base)
{
    counting_source *source = (counting_source *)base->source;
    source->inner->ops->close_reader(((counting_reader *)base)->inner);
    source->n_open--;
    free(base);
}

static void close_source(hanse_source *base)
{
    counting_source *source = (counting_source *)base;
    assert_int_equal(source->n_open, 0);
    assert_int_equal(source->budget.used_bytes, 0);
    *source->closed = true;
    hanse_source_close(source->inner);
    free(source);
}

static const hanse_source_ops operations = {
    .schema = get_schema,
    .n_rows = get_n_rows,
    .n_morsels = get_n_morsels,
    .span_end = get_span_end,
    .open_reader = open_reader,
    .read = read_morsel,
    .finish_reader = finish_reader,
    .close_reader = close_reader,
    .close = close_source,
};

typedef struct fixture {
    table table;
    counting_source *inner;
    bool closed;
} fixture;

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    counting_source *source = calloc(1, sizeof *source);
    if (f == NULL || source == NULL)
        return 1;
    make_table(&f->table);
    source->base.ops = &operations;
    source->base.budget = &source->budget;
    source->closed = &f->closed;
    f->inner = source;
    *state = f;
    return hanse_memory_source_open(&schema, &f->table.batch, MORSEL_ROWS,
                                    &source->inner, NULL) != HANSE_OK;
}

static int tear_down(void **state)
{
    const bool closed = ((fixture *)*state)->closed;
    free(*state);
    return closed ? 0 : 1;
}

static hanse_source *open_kept(fixture *f, uint64_t most_bytes)
{
    hanse_source *source;
    assert_int_equal(
        hanse_kept_source_open(&f->inner->base, most_bytes, &source, NULL),
        HANSE_OK);
    return source;
}

static size_t n_reads(const fixture *f)
{
    size_t n = 0;
    for (size_t m = 0; m < N_MORSELS; m++)
        for (size_t i = 0; i < N_FIELDS; i++)
            n += f->inner->n_reads[m][i];
    return n;
}

/* ---- Passes ------------------------------------------------------------- */

static void check_text(const hanse_array *array, const hanse_array *expected,
                       size_t i, size_t row)
{
    const int32_t length = array->offsets[i + 1] - array->offsets[i];
    assert_int_equal(length,
                     expected->offsets[row + 1] - expected->offsets[row]);
    if (length != 0)
        assert_memory_equal((const char *)array->values + array->offsets[i],
                            (const char *)expected->values +
                                expected->offsets[row],
                            (size_t)length);
}

static void check_rows(const table *t, const hanse_morsel *rows, size_t field)
{
    const hanse_array *array = &rows->batch.arrays[field];
    const hanse_array *expected = &t->arrays[field];
    const size_t width = hanse_type_size(fields[field].type);
    assert_int_equal(array->missing == NULL, expected->missing == NULL);
    for (size_t i = 0; i < rows->batch.n_rows; i++) {
        const size_t row = (size_t)rows->first_row + i;
        if (expected->missing != NULL)
            assert_int_equal(array->missing[i], expected->missing[row]);
        if (width == 0)
            check_text(array, expected, i, row);
        else
            assert_memory_equal((const char *)array->values + i * width,
                                (const char *)expected->values + row * width,
                                width);
    }
}

/* Reads and checks all morsels in an order of its own; returns the bytes that
 * the source says it has delivered. */
static uint64_t read_all(const fixture *f, hanse_source *source,
                         const size_t *which, size_t n)
{
    hanse_reader *reader;
    uint64_t n_bytes = 0, n_rows = 0;
    assert_int_equal(source->ops->open_reader(source, &reader, NULL), HANSE_OK);
    for (size_t m = 0; m < N_MORSELS; m++) {
        hanse_morsel rows;
        const size_t morsel = m * 4 % N_MORSELS;
        assert_int_equal(
            source->ops->read(reader, morsel, which, n, &rows, NULL), HANSE_OK);
        assert_int_equal(rows.first_row, morsel * MORSEL_ROWS);
        for (size_t i = 0; i < n; i++)
            check_rows(&f->table, &rows, which[i]);
        n_bytes += rows.n_bytes;
        n_rows += rows.batch.n_rows;
    }
    assert_int_equal(n_rows, N_ROWS);
    assert_int_equal(source->ops->finish_reader(reader, NULL), HANSE_OK);
    source->ops->close_reader(reader);
    return n_bytes;
}

static void a_second_pass_reads_nothing(void **state)
{
    fixture *f = *state;
    hanse_source *source = open_kept(f, UINT64_MAX);
    (void)read_all(f, source, all_fields, N_FIELDS);
    assert_int_equal(n_reads(f), N_MORSELS * N_FIELDS);
    assert_int_equal(f->inner->n_opened, 1);
    const uint64_t bytes = read_all(f, source, all_fields, N_FIELDS);
    assert_int_equal(n_reads(f), N_MORSELS * N_FIELDS);
    assert_int_equal(f->inner->n_opened, 1);
    assert_int_equal(f->inner->n_finished, 1);
    assert_int_equal(bytes, N_ROWS * (sizeof(int16_t) + sizeof(double)) +
                                (size_t)f->table.offsets[N_ROWS]);
    assert_int_equal(hanse_kept_source_bytes(source),
                     f->inner->budget.used_bytes);
    hanse_source_close(source);
}

/* What the source says of itself is what the inner one says. */
static void facts_are_those_of_the_inner_source(void **state)
{
    fixture *f = *state;
    f->inner->base.rows_together = true;
    hanse_source *source = open_kept(f, 0);
    assert_ptr_equal(hanse_source_schema(source), &schema);
    assert_int_equal(source->ops->n_rows(source), N_ROWS);
    assert_int_equal(source->ops->n_morsels(source), N_MORSELS);
    assert_int_equal(hanse_source_span_end(source, 1), 3);
    assert_int_equal(hanse_source_span_end(source, N_MORSELS - 1), N_MORSELS);
    assert_true(source->rows_together);
    assert_ptr_equal(source->budget, &f->inner->budget);
    hanse_source_close(source);
}

static void without_a_share_everything_is_read_again(void **state)
{
    fixture *f = *state;
    hanse_source *source = open_kept(f, 0);
    (void)read_all(f, source, all_fields, N_FIELDS);
    (void)read_all(f, source, all_fields, N_FIELDS);
    assert_int_equal(n_reads(f), 2 * N_MORSELS * N_FIELDS);
    assert_int_equal(hanse_kept_source_bytes(source), 0);
    hanse_source_close(source);
}

static void a_small_share_keeps_a_part(void **state)
{
    fixture *f = *state;
    const uint64_t share = 60000;
    hanse_source *source = open_kept(f, share);
    for (size_t pass = 0; pass < 3; pass++)
        (void)read_all(f, source, all_fields, N_FIELDS);
    assert_true(hanse_kept_source_bytes(source) <= share);
    assert_true(hanse_kept_source_bytes(source) > share / 2);
    const size_t least = N_MORSELS * N_FIELDS;
    assert_in_range(n_reads(f), least + least / 2, 3 * least - least / 2);
    hanse_source_close(source);
}

/* The budget is left alone beyond its limit, and does not count as refused. */
static void a_full_budget_keeps_a_part(void **state)
{
    fixture *f = *state;
    f->inner->budget.limit_bytes = 50000;
    hanse_source *source = open_kept(f, UINT64_MAX);
    (void)read_all(f, source, all_fields, N_FIELDS);
    (void)read_all(f, source, all_fields, N_FIELDS);
    assert_false(f->inner->budget.refused);
    assert_true(f->inner->budget.peak_bytes <= 50000);
    assert_in_range(n_reads(f), N_MORSELS * N_FIELDS + 1,
                    2 * N_MORSELS * N_FIELDS - 1);
    hanse_source_close(source);
}

static void stopping_keeps_what_is_there(void **state)
{
    fixture *f = *state;
    static const size_t money[] = {MONEY}, town[] = {TOWN};
    hanse_source *source = open_kept(f, UINT64_MAX);
    (void)read_all(f, source, money, 1);
    hanse_kept_source_stop(source);
    const uint64_t bytes = hanse_kept_source_bytes(source);
    (void)read_all(f, source, town, 1);
    (void)read_all(f, source, town, 1);
    (void)read_all(f, source, money, 1);
    assert_int_equal(n_reads(f), 3 * N_MORSELS);
    assert_int_equal(hanse_kept_source_bytes(source), bytes);
    hanse_source_close(source);
}

/* Some of a morsel first, then more of it: the first arrays stay. */
static void check_further_fields(fixture *f, uint64_t share)
{
    static const size_t first[] = {MONEY}, rest[] = {TOWN, CLUSTER};
    hanse_source *source = open_kept(f, share);
    hanse_reader *reader;
    assert_int_equal(source->ops->open_reader(source, &reader, NULL), HANSE_OK);
    for (size_t m = 0; m < N_MORSELS; m++) {
        hanse_morsel rows;
        assert_int_equal(source->ops->read(reader, m, first, 1, &rows, NULL),
                         HANSE_OK);
        assert_int_equal(source->ops->read(reader, m, rest, 2, &rows, NULL),
                         HANSE_OK);
        check_rows(&f->table, &rows, MONEY);
        check_rows(&f->table, &rows, TOWN);
        check_rows(&f->table, &rows, CLUSTER);
        assert_null(rows.batch.arrays[EMPTY].offsets);
    }
    source->ops->close_reader(reader);
    hanse_source_close(source);
}

static void further_fields_keep_the_first_kept(void **state)
{
    check_further_fields(*state, UINT64_MAX);
}

static void further_fields_keep_the_first_read(void **state)
{
    check_further_fields(*state, 30000);
}

static void only_copies_are_not_volatile(void **state)
{
    fixture *f = *state;
    static const size_t money[] = {MONEY}, town[] = {TOWN};
    f->inner->is_volatile = true;
    hanse_source *source = open_kept(f, UINT64_MAX);
    hanse_reader *reader;
    hanse_morsel rows;
    assert_int_equal(source->ops->open_reader(source, &reader, NULL), HANSE_OK);
    assert_int_equal(source->ops->read(reader, 2, money, 1, &rows, NULL),
                     HANSE_OK);
    assert_false(rows.is_volatile);
    hanse_kept_source_stop(source);
    assert_int_equal(source->ops->read(reader, 2, town, 1, &rows, NULL),
                     HANSE_OK);
    assert_true(rows.is_volatile);
    assert_int_equal(source->ops->read(reader, 2, money, 1, &rows, NULL),
                     HANSE_OK);
    assert_true(rows.is_volatile);
    assert_int_equal(source->ops->read(reader, 3, NULL, 0, &rows, NULL),
                     HANSE_OK);
    assert_int_equal(source->ops->read(reader, 2, money, 1, &rows, NULL),
                     HANSE_OK);
    assert_false(rows.is_volatile);
    source->ops->close_reader(reader);
    hanse_source_close(source);
}

static void a_reader_answers_for_what_it_read(void **state)
{
    fixture *f = *state;
    hanse_source *source = open_kept(f, UINT64_MAX);
    (void)read_all(f, source, all_fields, N_FIELDS);
    f->inner->finish_fails = true;
    (void)read_all(f, source, all_fields, N_FIELDS); /* from memory */
    hanse_kept_source_stop(source);
    hanse_reader *reader;
    hanse_morsel rows;
    hanse_error error = {0};
    assert_int_equal(source->ops->open_reader(source, &reader, NULL), HANSE_OK);
    assert_int_equal(source->ops->read(reader, 0, NULL, 0, &rows, NULL),
                     HANSE_OK);
    assert_int_equal(rows.batch.n_rows, MORSEL_ROWS);
    assert_int_equal(source->ops->finish_reader(reader, &error), HANSE_ERR_IO);
    source->ops->close_reader(reader);
    hanse_source_close(source);
}

/* ---- Whole runs --------------------------------------------------------- */

static void check_runs(fixture *f, hanse_source *source, size_t n_threads)
{
    static const char *const keys[] = {"town"};
    hanse_spec *spec;
    assert_int_equal(hanse_spec_create(&spec, NULL), HANSE_OK);
    assert_int_equal(hanse_spec_add_grouping(spec, keys, 1, NULL), HANSE_OK);
    assert_int_equal(hanse_spec_add_measure(spec, "m", "money", NULL),
                     HANSE_OK);
    assert_int_equal(hanse_spec_set_filter(spec, "cluster > 3", NULL),
                     HANSE_OK);
    const hanse_run_options options = {.n_threads = n_threads};
    hanse_result *plain, *kept;
    assert_int_equal(
        hanse_run(spec, f->inner->inner, &options, NULL, &plain, NULL),
        HANSE_OK);
    for (size_t pass = 0; pass < 3; pass++) {
        assert_int_equal(hanse_run(spec, source, &options, NULL, &kept, NULL),
                         HANSE_OK);
        const hanse_table *a = hanse_result_table(plain, 0);
        const hanse_table *b = hanse_result_table(kept, 0);
        assert_true(a->n_rows > 20);
        assert_int_equal(a->n_rows, b->n_rows);
        for (size_t i = 0; i < a->n_columns; i++)
            assert_memory_equal(a->columns[i].values, b->columns[i].values,
                                a->n_rows * sizeof(double));
        hanse_result_destroy(kept);
    }
    hanse_result_destroy(plain);
    hanse_spec_destroy(spec);
}

static void runs_on_several_threads_read_once(void **state)
{
    fixture *f = *state;
    f->inner->base.budget = NULL; /* results stay charged to it */
    hanse_source *source = open_kept(f, UINT64_MAX);
    for (size_t n_threads = 1; n_threads <= 8; n_threads *= 2)
        check_runs(f, source, n_threads);
    for (size_t m = 0; m < N_MORSELS; m++)
        for (size_t i = 0; i < N_FIELDS; i++)
            assert_int_equal(f->inner->n_reads[m][i], i == EMPTY ? 0 : 1);
    hanse_source_close(source);
}

static void runs_with_a_small_share_are_right(void **state)
{
    fixture *f = *state;
    f->inner->base.budget = NULL;
    hanse_source *source = open_kept(f, 40000);
    for (size_t n_threads = 1; n_threads <= 8; n_threads *= 2)
        check_runs(f, source, n_threads);
    assert_true(n_reads(f) > N_MORSELS * (N_FIELDS - 1));
    assert_true(hanse_kept_source_bytes(source) > 0);
    hanse_source_close(source);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_second_pass_reads_nothing),
        TEST(facts_are_those_of_the_inner_source),
        TEST(without_a_share_everything_is_read_again),
        TEST(a_small_share_keeps_a_part),
        TEST(a_full_budget_keeps_a_part),
        TEST(stopping_keeps_what_is_there),
        TEST(further_fields_keep_the_first_kept),
        TEST(further_fields_keep_the_first_read),
        TEST(only_copies_are_not_volatile),
        TEST(a_reader_answers_for_what_it_read),
        TEST(runs_on_several_threads_read_once),
        TEST(runs_with_a_small_share_are_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
