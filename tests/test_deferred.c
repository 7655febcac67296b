/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables whose rows are made when they are taken: each row once, with the
 * values of a table that is made at once; failures of who takes them; tables
 * that nobody takes.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/error.h"
#include "engine/deferred.h"
#include "engine/memory_source.h"
#include "engine/run.h"

enum {
    N = 90000,
    N_A = 211, /* keys */
    N_B = 97
};

static const hanse_field fields[] = {{.name = "a", .type = HANSE_INT16},
                                     {.name = "b", .type = HANSE_INT64},
                                     {.name = "x", .type = HANSE_FLOAT64},
                                     {.name = "y", .type = HANSE_FLOAT64}};
static const hanse_schema schema = {fields, 4};

typedef struct table {
    int16_t a[N];
    int64_t b[N];
    double x[N];
    double y[N];
} table;

/* Some pairs of keys do not occur. */
static table *make_table(void)
{
    table *t = calloc(1, sizeof *t);
    uint32_t seed = 7;
    assert_non_null(t);
    for (size_t i = 0; i < N; i++) {
        seed = seed * 1664525u + 1013904223u;
        t->a[i] = (int16_t)((seed >> 8) % N_A) - 100;
        t->b[i] = (int64_t)((seed >> 16) % N_B) * 3 - 1000000007;
        t->x[i] = (double)(seed >> 4) * 0x1p-20;
        t->y[i] = (double)(int32_t)seed / 3.0;
    }
    return t;
}

/* By a and b, and with two groupings by b and a as well. */
static hanse_result *run_by(const table *t, hanse_budget *budget,
                            size_t n_threads, uint32_t statistics, bool defers,
                            size_t n_groupings)
{
    static const char *const keys[] = {"a", "b", "a"};
    const hanse_array arrays[] = {
        {.values = t->a}, {.values = t->b}, {.values = t->x}, {.values = t->y}};
    const hanse_batch batch = {N, arrays};
    const hanse_run_options options = {.n_threads = n_threads};
    const hanse_run_tuning tuning = {
        .share_bytes = 64, .page_bytes = 1 << 14, .defers_rows = defers};
    hanse_source *source;
    hanse_result *result = NULL;
    hanse_error error = {0};
    hanse_spec *spec;
    assert_int_equal(hanse_spec_create(&spec, NULL), HANSE_OK);
    for (size_t g = 0; g < n_groupings; g++)
        assert_int_equal(hanse_spec_add_grouping(spec, keys + g, 2, NULL),
                         HANSE_OK);
    assert_int_equal(hanse_spec_add_measure(spec, "x", "x", NULL), HANSE_OK);
    assert_int_equal(hanse_spec_add_measure(spec, "y", "y", NULL), HANSE_OK);
    assert_int_equal(hanse_spec_set_statistics(spec, statistics, NULL),
                     HANSE_OK);
    assert_int_equal(
        hanse_memory_source_open(&schema, &batch, 1000, &source, NULL),
        HANSE_OK);
    source->budget = budget;
    if (hanse_run_tuned(spec, source, &options, &tuning, NULL, &result,
                        &error) != HANSE_OK)
        fail_msg("%s", error.message);
    hanse_source_close(source);
    hanse_spec_destroy(spec);
    return result;
}

static hanse_result *run(const table *t, hanse_budget *budget, size_t n_threads,
                         uint32_t statistics, bool defers)
{
    return run_by(t, budget, n_threads, statistics, defers, 1);
}

/* ---- Taking ------------------------------------------------------------- */

typedef struct taken {
    const hanse_table *table; /* as it should be */
    pthread_mutex_t lock;
    uint8_t *seen; /* [row] times */
    size_t n_calls;
    size_t fail_at; /* number of the call that fails; SIZE_MAX: none */
    bool differs;
} taken;

static const hanse_column *column_of(const hanse_table *t, size_t c)
{
    return c < t->n_keys ? &t->keys[c] : &t->columns[c - t->n_keys];
}

static hanse_status take(void *context, uint64_t first_row, size_t n,
                         const void *const *values, hanse_error *error)
{
    taken *to = context;
    const hanse_table *t = to->table;
    (void)pthread_mutex_lock(&to->lock);
    const bool fails = to->n_calls++ == to->fail_at;
    for (size_t c = 0; c < t->n_keys + t->n_columns; c++) {
        const hanse_column *column = column_of(t, c);
        const size_t size = hanse_type_size(column->type);
        to->differs |= memcmp((const char *)column->values + first_row * size,
                              values[c], n * size) != 0;
    }
    for (size_t i = 0; i < n; i++)
        to->seen[first_row + i]++;
    (void)pthread_mutex_unlock(&to->lock);
    return fails ? hanse_fail(error, HANSE_ERR_IO, "no more room") : HANSE_OK;
}

static taken begin(const hanse_table *expected, size_t fail_at)
{
    taken to = {.table = expected,
                .seen = calloc(expected->n_rows, 1),
                .fail_at = fail_at};
    assert_non_null(to.seen);
    (void)pthread_mutex_init(&to.lock, NULL);
    return to;
}

static void end(taken *to)
{
    assert_false(to->differs);
    free(to->seen);
    (void)pthread_mutex_destroy(&to->lock);
}

/* ---- Tests -------------------------------------------------------------- */

static void rows_are_made_once_and_right(void **state)
{
    (void)state;
    static const uint32_t masks[] = {HANSE_STAT_TOTAL, HANSE_STAT_ALL,
                                     HANSE_STAT_COUNT | HANSE_STAT_TOTAL |
                                         HANSE_STAT_MEAN};
    table *t = make_table();
    for (size_t i = 0; i < 9; i++) {
        hanse_budget budget = {0};
        hanse_result *expected = run(t, NULL, 1, masks[i % 3], false);
        hanse_result *found = run(t, &budget, 1 + i / 3, masks[i % 3], true);
        const hanse_table *made = hanse_result_table(expected, 0);
        const hanse_table *later = hanse_result_table(found, 0);
        taken to = begin(made, SIZE_MAX);
        assert_non_null(later->deferred);
        assert_int_equal(later->n_rows, made->n_rows);
        assert_int_equal(later->n_columns, made->n_columns);
        for (size_t c = 0; c < made->n_keys + made->n_columns; c++) {
            assert_null(column_of(later, c)->values);
            assert_string_equal(column_of(later, c)->name,
                                column_of(made, c)->name);
            assert_int_equal(column_of(later, c)->type,
                             column_of(made, c)->type);
        }
        assert_int_equal(hanse_deferred_make(later->deferred, take, &to, NULL),
                         HANSE_OK);
        for (size_t r = 0; r < made->n_rows; r++)
            assert_int_equal(to.seen[r], 1);
        end(&to);
        hanse_result_destroy(found);
        hanse_result_destroy(expected);
        assert_int_equal(atomic_load(&budget.used_bytes), 0);
    }
    free(t);
}

static void a_failure_stops_and_is_returned(void **state)
{
    (void)state;
    table *t = make_table();
    hanse_result *expected = run(t, NULL, 1, HANSE_STAT_TOTAL, false);
    const hanse_table *made = hanse_result_table(expected, 0);
    for (size_t i = 0; i < 6; i++) {
        hanse_budget budget = {0};
        hanse_error error = {0};
        hanse_result *found =
            run(t, &budget, 1 + i % 2, HANSE_STAT_TOTAL, true);
        taken to = begin(made, i);
        size_t n_seen = 0;
        assert_int_equal(
            hanse_deferred_make(hanse_result_table(found, 0)->deferred, take,
                                &to, &error),
            HANSE_ERR_IO);
        assert_string_equal(error.message, "no more room");
        for (size_t r = 0; r < made->n_rows; r++)
            n_seen += to.seen[r];
        assert_true(n_seen < made->n_rows);
        end(&to);
        hanse_result_destroy(found);
        assert_int_equal(atomic_load(&budget.used_bytes), 0);
    }
    hanse_result_destroy(expected);
    free(t);
}

static void rows_need_not_be_made(void **state)
{
    (void)state;
    table *t = make_table();
    hanse_budget budget = {0};
    hanse_result *found = run(t, &budget, 2, HANSE_STAT_TOTAL, true);
    assert_non_null(hanse_result_table(found, 0)->deferred);
    assert_true(atomic_load(&budget.used_bytes) > 0);
    hanse_result_destroy(found);
    assert_int_equal(atomic_load(&budget.used_bytes), 0);
    free(t);
}

/* What is finished later must have memory, too. */
static void only_the_last_table_is_deferred_when_memory_is_short(void **state)
{
    (void)state;
    table *t = make_table();
    static const uint64_t percent[] = {130, 400};
    hanse_budget budget = {0};
    hanse_result_destroy(run_by(t, &budget, 1, HANSE_STAT_TOTAL, true, 2));
    const uint64_t peak = atomic_load(&budget.peak_bytes);
    for (size_t i = 0; i < 2; i++) {
        hanse_budget tight = {.limit_bytes = peak * percent[i] / 100};
        hanse_result *found = run_by(t, &tight, 1, HANSE_STAT_TOTAL, true, 2);
        const hanse_table *first = hanse_result_table(found, 0);
        assert_int_equal(first->deferred != NULL, i == 1);
        assert_int_equal(first->columns[0].values == NULL, i == 1);
        assert_non_null(hanse_result_table(found, 1)->deferred);
        hanse_result_destroy(found);
    }
    free(t);
}

static void memory_for_pieces_may_lack(void **state)
{
    (void)state;
    table *t = make_table();
    hanse_result *expected = run(t, NULL, 1, HANSE_STAT_TOTAL, false);
    hanse_budget budget = {0};
    hanse_error error = {0};
    hanse_result *found = run(t, &budget, 2, HANSE_STAT_TOTAL, true);
    taken to = begin(hanse_result_table(expected, 0), SIZE_MAX);
    budget.limit_bytes = atomic_load(&budget.used_bytes) + 1;
    assert_int_equal(hanse_deferred_make(hanse_result_table(found, 0)->deferred,
                                         take, &to, &error),
                     HANSE_ERR_LIMIT);
    assert_int_equal(to.n_calls, 0);
    end(&to);
    hanse_result_destroy(found);
    hanse_result_destroy(expected);
    free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_made_once_and_right),
        cmocka_unit_test(a_failure_stops_and_is_returned),
        cmocka_unit_test(rows_need_not_be_made),
        cmocka_unit_test(only_the_last_table_is_deferred_when_memory_is_short),
        cmocka_unit_test(memory_for_pieces_may_lack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
