/* SPDX-License-Identifier: Apache-2.0
 *
 * Every allocation of an aggregation fails once, alone and with all that
 * follow: each failure is reported, nothing leaks (the sanitizers see that),
 * and the memory that a fold took from its budget goes back.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/fold.h"
#include "tests/refused_memory.h"

/* ---- The work ----------------------------------------------------------- */

enum {
    N_ROWS = 300,
    N_FIELDS = 4
};

typedef struct rows {
    int64_t code[N_ROWS];
    uint8_t code_missing[N_ROWS];
    char bytes[N_ROWS];
    int32_t offsets[N_ROWS + 1];
    double x[N_ROWS];
    uint32_t staff[N_ROWS];
    uint8_t staff_missing[N_ROWS];
    hanse_array arrays[N_FIELDS];
    hanse_batch batch;
} rows;

static const hanse_label labels[] = {{1, "one"}, {2, "two"}};
static const hanse_field fields[N_FIELDS] = {
    {.name = "code", .type = HANSE_INT64, .labels = labels, .n_labels = 2},
    {.name = "town", .type = HANSE_TEXT, .long_name = "town"},
    {.name = "x", .type = HANSE_FLOAT64, .units = "CNY"},
    {.name = "staff", .type = HANSE_UINT32},
};
static const hanse_schema schema = {fields, N_FIELDS};

/* Rows that make maps grow and turn into hash tables, windows widen and rare
 * states appear, all of it at different rows for different steps. */
static void fill(rows *r, int64_t step)
{
    memset(r, 0, sizeof *r);
    for (int i = 0; i < N_ROWS; i++) {
        r->code[i] = i < N_ROWS / 2 ? i % 7 : i * step * 1000003;
        r->code_missing[i] = i % 50 == 49;
        r->bytes[i] = (char)('a' + i % 26);
        r->offsets[i + 1] = i + 1;
        r->x[i] = ldexp((double)(i - 100), i % 40);
        r->staff[i] = (uint32_t)i;
        r->staff_missing[i] = i % 90 == 89;
    }
    r->x[N_ROWS - 1] = (double)NAN;
    r->x[N_ROWS - 2] = ldexp(1.0, 120 * (int)step);
    r->x[N_ROWS - 3] = ldexp(1.0, -90 * (int)step);
    r->arrays[0] = (hanse_array){.values = r->code, .missing = r->code_missing};
    r->arrays[1] = (hanse_array){.values = r->bytes, .offsets = r->offsets};
    r->arrays[2] = (hanse_array){.values = r->x};
    r->arrays[3] =
        (hanse_array){.values = r->staff, .missing = r->staff_missing};
    r->batch = (hanse_batch){N_ROWS, r->arrays};
}

static hanse_status describe(hanse_spec *spec, hanse_error *error)
{
    static const char *const keys[] = {"code", "town"};
    static const char *const made[] = {"size", "town", "late", "half"};
    HANSE_TRY(hanse_spec_define_key(spec, "size", "bin(staff, 10, 99)", error));
    HANSE_TRY(hanse_spec_define_key(spec, "late", "staff >= 200", error));
    HANSE_TRY(hanse_spec_define_key(spec, "half", "floor(staff / 2)", error));
    HANSE_TRY(hanse_spec_add_grouping(spec, made, 4, error));
    HANSE_TRY(hanse_spec_add_grouping(spec, keys, 2, error));
    HANSE_TRY(hanse_spec_add_grouping(spec, keys, 1, error));
    HANSE_TRY(hanse_spec_add_measure(spec, "x", "x", error));
    HANSE_TRY(hanse_spec_add_measure(spec, "y", "2 * x + staff", error));
    HANSE_TRY(hanse_spec_add_measure(spec, "staff", "staff", error));
    HANSE_TRY(hanse_spec_set_filter(spec, "staff != 3 || town == 'b'", error));
    HANSE_TRY(hanse_spec_set_statistics(spec, HANSE_STAT_ALL, error));
    return hanse_spec_complete(spec, &schema, error);
}

/* Every statistic, of fewer groupings and measures: each allocation of theirs
 * fails in a run of its own. */
static hanse_status describe_all(hanse_spec *spec, hanse_error *error)
{
    static const char *const keys[] = {"town", "code"};
    HANSE_TRY(hanse_spec_add_grouping(spec, keys, 2, error));
    HANSE_TRY(hanse_spec_add_measure(spec, "x", "x", error));
    HANSE_TRY(hanse_spec_add_measure(spec, "staff", "staff", error));
    HANSE_TRY(hanse_spec_set_filter(spec, "staff < 100", error));
    HANSE_TRY(hanse_spec_set_statistics(spec, HANSE_STAT_KNOWN, error));
    HANSE_TRY(hanse_spec_add_statistic(spec, "p99.9", error));
    HANSE_TRY(hanse_spec_add_statistic(spec, "top2", error));
    HANSE_TRY(hanse_spec_set_weights(spec, "staff + 1", error));
    HANSE_TRY(hanse_spec_set_id(spec, "town", error));
    return hanse_spec_complete(spec, &schema, error);
}

/* Adds to and merges with an aggregation; one that failed refuses more. */
static hanse_status aggregate(hanse_aggregation *a, hanse_aggregation *b,
                              const rows *r, hanse_error *error)
{
    hanse_result *result = NULL;
    hanse_status status = hanse_aggregation_add(a, &r[0].batch, error);
    if (status == HANSE_OK)
        status = hanse_aggregation_merge(a, b, error);
    if (status != HANSE_OK) {
        armed = false;
        assert_int_equal(hanse_aggregation_add(a, &r[0].batch, NULL),
                         HANSE_ERR_ARGUMENT);
        assert_int_equal(hanse_aggregation_merge(a, b, NULL),
                         HANSE_ERR_ARGUMENT);
        assert_int_equal(hanse_aggregation_merge(b, a, NULL),
                         HANSE_ERR_ARGUMENT);
        assert_int_equal(hanse_aggregation_finish(a, &result, NULL),
                         HANSE_ERR_ARGUMENT);
        return status;
    }
    status = hanse_aggregation_finish(a, &result, error);
    if (status != HANSE_OK) /* finishing changes nothing: again */
        armed = false;
    if (status != HANSE_OK)
        assert_int_equal(hanse_aggregation_finish(a, &result, NULL), HANSE_OK);
    assert_int_equal(hanse_result_rows(result).read, 2 * N_ROWS);
    hanse_result_destroy(result);
    return status;
}

typedef hanse_status describe_function(hanse_spec *spec, hanse_error *error);

static hanse_status do_all(describe_function *description, const rows *r,
                           hanse_error *error)
{
    hanse_spec *spec = NULL;
    hanse_aggregation *a = NULL, *b = NULL;
    HANSE_TRY(hanse_spec_create(&spec, error));
    hanse_status status = description(spec, error);
    if (status == HANSE_OK)
        status = hanse_aggregation_create(spec, &schema, &a, error);
    if (status == HANSE_OK)
        status = hanse_aggregation_create(spec, &schema, &b, error);
    if (status == HANSE_OK)
        status = hanse_aggregation_add(b, &r[1].batch, error);
    if (status == HANSE_OK)
        status = aggregate(a, b, r, error);
    armed = false;
    hanse_aggregation_destroy(a);
    hanse_aggregation_destroy(b);
    hanse_spec_destroy(spec);
    return status;
}

/* ---- Tests -------------------------------------------------------------- */

static void fail_each(describe_function *description, const rows *r, bool alone)
{
    hanse_status status = HANSE_ERR_NOMEM;
    long n = 0;
    for (; status != HANSE_OK; n++) {
        hanse_error error = {0};
        once = alone;
        calls_left = n;
        armed = true;
        status = do_all(description, r, &error);
        if (status == HANSE_OK)
            break;
        assert_int_equal(status, HANSE_ERR_NOMEM);
        assert_int_equal(error.status, HANSE_ERR_NOMEM);
        assert_int_not_equal(error.message[0], '\0');
    }
    assert_true(n > 100);
}

static void every_allocation_failing_is_reported(void **state)
{
    (void)state;
    static rows r[2];
    fill(&r[0], 1);
    fill(&r[1], -1);
    fail_each(describe, r, true);
    fail_each(describe, r, false);
    fail_each(describe_all, r, true);
    fail_each(describe_all, r, false);
}

static hanse_status fold_within(hanse_budget *budget, const hanse_plan *plan,
                                const rows *r, hanse_error *error)
{
    hanse_fold *folds[2] = {NULL, NULL};
    hanse_status status = HANSE_OK;
    for (int i = 0; i < 2 && status == HANSE_OK; i++)
        status = hanse_fold_create(plan, budget, &folds[i], error);
    for (int i = 0; i < 2 && status == HANSE_OK; i++)
        status = hanse_fold_add(folds[i], &r[i].batch, error);
    if (status == HANSE_OK)
        status = hanse_fold_merge(folds[0], folds[1], error);
    hanse_fold_destroy(folds[0]);
    hanse_fold_destroy(folds[1]);
    return status;
}

static void keep_budgets(describe_function *description)
{
    static rows r[2];
    hanse_spec *spec;
    hanse_plan *plan;
    hanse_error error;
    fill(&r[0], 1);
    fill(&r[1], -1);
    assert_int_equal(hanse_spec_create(&spec, &error), HANSE_OK);
    assert_int_equal(description(spec, &error), HANSE_OK);
    assert_int_equal(hanse_plan_create(spec, &schema, &plan, &error), HANSE_OK);
    hanse_status status = HANSE_ERR_LIMIT;
    int n = 0;
    /* Steps fine enough to stop at each of the larger allocations. */
    for (uint64_t limit = 64; status != HANSE_OK; limit += limit / 16 + 64) {
        hanse_budget budget = {.limit_bytes = limit};
        status = fold_within(&budget, plan, r, &error);
        assert_int_equal(atomic_load(&budget.used_bytes), 0);
        assert_true(atomic_load(&budget.peak_bytes) <= limit);
        assert_true(status == HANSE_OK || status == HANSE_ERR_LIMIT);
        n++;
    }
    assert_true(n > 50);
    hanse_plan_destroy(plan);
    hanse_spec_destroy(spec);
}

static void every_budget_is_kept_and_given_back(void **state)
{
    (void)state;
    keep_budgets(describe);
    keep_budgets(describe_all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_failing_is_reported),
        cmocka_unit_test(every_budget_is_kept_and_given_back),
    };
    return cmocka_run_group_tests_name("no_memory", tests, NULL, NULL);
}
