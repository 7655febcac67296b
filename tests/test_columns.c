/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables with computed columns, group numbers, and runs of models: against the
 * same computed row by row, for several numbers of threads and morsel sizes.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/memory_source.h"
#include "engine/models/models.h"
#include "engine/models/status.h"
#include "engine/result.h"
#include "engine/spec.h"

#define CHECK(condition) assert_true(condition)
#define CHECK_OK(call)   assert_int_equal(call, HANSE_OK)

enum {
    N = 10007
};

static void check_bits(double a, double b)
{
    assert_true(memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b)));
}

typedef struct table {
    double x[N], y[N];
    int32_t cluster[N];
    uint8_t missing[N];
    int32_t chain[N];
    hanse_array arrays[4];
    hanse_batch batch;
    hanse_schema schema;
    hanse_field fields[4];
    hanse_budget budget;
} table;

/* Clusters 7, 14, ... in no order; every 11th row has none. Chains 0 to 4. */
static void fill_table(table *t)
{
    memset(t, 0, sizeof *t);
    for (size_t i = 0; i < N; i++) {
        t->x[i] = (double)((i * 7919) % 1009) / 8;
        t->y[i] = i % 13 == 0 ? NAN : (double)i;
        t->cluster[i] = (int32_t)(((i * 31) % 17) * 7);
        t->missing[i] = i % 11 == 0;
        t->chain[i] = (int32_t)(i % 5);
    }
    t->arrays[0] = (hanse_array){.values = t->x};
    t->arrays[1] = (hanse_array){.values = t->y};
    t->arrays[2] = (hanse_array){.values = t->cluster, .missing = t->missing};
    t->arrays[3] = (hanse_array){.values = t->chain};
    t->batch = (hanse_batch){N, t->arrays};
    t->fields[0] = (hanse_field){.name = "x", .type = HANSE_FLOAT64};
    t->fields[1] = (hanse_field){.name = "y", .type = HANSE_FLOAT64};
    t->fields[2] = (hanse_field){.name = "cluster", .type = HANSE_INT32};
    t->fields[3] = (hanse_field){.name = "chain", .type = HANSE_INT32};
    t->schema = (hanse_schema){t->fields, 4};
}

static hanse_source *open_table(table *t, size_t morsel_rows)
{
    hanse_source *source;
    CHECK_OK(hanse_memory_source_open(&t->schema, &t->batch, morsel_rows,
                                      &source, NULL));
    source->budget = &t->budget;
    return source;
}

static hanse_spec *make_spec(bool drop)
{
    hanse_spec *spec;
    const char *const key = "cluster";
    CHECK_OK(hanse_spec_create(&spec, NULL));
    CHECK_OK(hanse_spec_add_grouping(spec, &key, 1, NULL));
    CHECK_OK(hanse_spec_add_grouping(spec, NULL, 0, NULL));
    CHECK_OK(hanse_spec_add_model(spec, HANSE_MODEL_RESOURCE, "x", NULL));
    CHECK_OK(hanse_spec_set_filter(spec, "x >= 1", NULL));
    if (drop)
        CHECK_OK(
            hanse_spec_set_missing_keys(spec, HANSE_MISSING_KEYS_DROP, NULL));
    return spec;
}

/* What the number of a row must be: clusters ascending, then the missing. */
static uint32_t expected_number(const table *t, size_t i, bool drop)
{
    if (!(t->x[i] >= 1) || (t->missing[i] && drop))
        return HANSE_NO_GROUP;
    return t->missing[i] ? 17 : (uint32_t)(t->cluster[i] / 7);
}

/* share = x / total of x in the group; gap = share - y */
static void fill_share(const void *context, const hanse_rows *rows,
                       double *const *out)
{
    const double *totals = context;
    for (size_t i = 0; i < rows->n; i++) {
        const uint32_t g = rows->groups[0][i];
        out[0][i] = g == HANSE_NO_GROUP ? NAN : rows->numbers[0][i] / totals[g];
        out[1][i] = out[0][i] - rows->numbers[1][i];
    }
}

typedef struct checking {
    table *t;
    size_t n_threads;
    size_t morsel_rows;
    bool drop;
} checking;

static void check_columns(const checking *c)
{
    table *t = c->t;
    const hanse_run_options options = {.n_threads = c->n_threads};
    const hanse_run_tuning tuning = {.is_temporary = true};
    hanse_spec *spec = make_spec(c->drop);
    hanse_source *source = open_table(t, c->morsel_rows);
    hanse_model_run run = {
        .source = source, .spec = spec, .options = &options, .tuning = &tuning};
    CHECK_OK(hanse_model_run_init(&run, NULL));
    const char *const key = "cluster";
    const hanse_model_measure measure = {"x", "x"};
    hanse_groups *groups;
    hanse_result *result;
    CHECK_OK(hanse_model_pass(&run, &key, 1, &measure, 1, HANSE_STAT_TOTAL,
                              &groups, &result, NULL));
    const size_t n_groups = c->drop ? 17 : 18;
    CHECK(hanse_groups_count(groups) == n_groups);
    double totals[18];
    for (size_t g = 0; g < n_groups; g++)
        totals[g] =
            hanse_table_number(hanse_result_table(result, 0), "x", "total", g);
    static uint32_t numbers[N];
    CHECK_OK(hanse_groups_collect(groups, &options, numbers, NULL));
    for (size_t i = 0; i < N; i++)
        CHECK(numbers[i] == expected_number(t, i, c->drop));

    const char *const names[] = {"resource.share", "gap"};
    const char *const formulas[] = {"x", "y * 2"};
    const hanse_groups *const groupings[] = {groups};
    const hanse_column_set set = {.names = names,
                                  .n_columns = 2,
                                  .formulas = formulas,
                                  .n_formulas = 2,
                                  .what = "test",
                                  .groups = groupings,
                                  .n_groups = 1,
                                  .fill = fill_share,
                                  .context = totals};
    CHECK_OK(hanse_columns_add(run.columns, &set, NULL));
    CHECK(hanse_columns_add(run.columns, &set, NULL) == HANSE_ERR_SPEC);
    static double share[N], twice[N];
    double *const out[] = {share, twice};
    const char *const wanted[] = {"`resource.share`", "gap + y"};
    CHECK_OK(hanse_columns_collect(run.columns, wanted, 2, "test", &options,
                                   out, NULL));
    for (size_t i = 0; i < N; i++) {
        const uint32_t g = expected_number(t, i, c->drop);
        const double s = g == HANSE_NO_GROUP ? NAN : t->x[i] / totals[g];
        const double gap = s - t->y[i] * 2;
        check_bits(share[i], s);
        check_bits(twice[i], gap + t->y[i]);
    }

    /* The last pass over a computed column and one from an array. */
    CHECK_OK(hanse_columns_add_array(run.columns, "copy", share, NULL));
    CHECK_OK(hanse_model_set_measure(&run, HANSE_MODEL_RESOURCE,
                                     "`resource.share` - copy + x", NULL));
    hanse_result *last;
    CHECK_OK(hanse_model_run_finish(&run, NULL, &last, NULL));
    const hanse_table *by_cluster = hanse_result_find(last, "by_cluster");
    CHECK(by_cluster->n_rows == n_groups);
    /* share - copy is 0, so that the totals are those of x. */
    for (size_t g = 0; g < n_groups; g++)
        check_bits(hanse_table_number(by_cluster, "resource", "total", g),
                   totals[g]);
    hanse_result_destroy(last);
    hanse_result_destroy(result);
    hanse_model_run_clear(&run);
    hanse_source_close(source);
    hanse_spec_destroy(spec);
    CHECK(atomic_load(&t->budget.used_bytes) == 0);
}

static void test_columns(void **state)
{
    static const size_t threads[] = {1, 2, 3, 8};
    static const size_t morsels[] = {1000, 2048, 5000, 100000};
    (void)state;
    table *t = malloc(sizeof *t);
    assert_non_null(t);
    fill_table(t);
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 4; j++)
            for (int drop = 0; drop < 2; drop++) {
                const checking c = {t, threads[i], morsels[j], drop != 0};
                check_columns(&c);
            }
    free(t);
}

/* Rows of groups by two keys, numbered by all threads at the same time. */
static void check_two_keys(table *t, size_t n_threads)
{
    static const char *const keys[] = {"cluster", "chain"};
    static uint32_t numbers[N];
    const hanse_run_options options = {.n_threads = n_threads};
    const hanse_run_tuning tuning = {.is_temporary = true};
    const hanse_model_measure measure = {"x", "x"};
    hanse_spec *spec = make_spec(false);
    hanse_source *source = open_table(t, 300);
    hanse_model_run run = {
        .source = source, .spec = spec, .options = &options, .tuning = &tuning};
    hanse_groups *groups;
    hanse_result *result;
    CHECK_OK(hanse_model_run_init(&run, NULL));
    CHECK_OK(hanse_model_pass(&run, keys, 2, &measure, 1, HANSE_STAT_TOTAL,
                              &groups, &result, NULL));
    CHECK(hanse_groups_count(groups) == 18 * 5);
    CHECK_OK(hanse_groups_collect(groups, &options, numbers, NULL));
    for (size_t i = 0; i < N; i++) {
        const uint32_t cluster = expected_number(t, i, false);
        CHECK(numbers[i] == (cluster == HANSE_NO_GROUP
                                 ? HANSE_NO_GROUP
                                 : 5 * cluster + (uint32_t)t->chain[i]));
    }
    hanse_result_destroy(result);
    hanse_model_run_clear(&run);
    hanse_source_close(source);
    hanse_spec_destroy(spec);
    CHECK(atomic_load(&t->budget.used_bytes) == 0);
}

static void test_two_keys(void **state)
{
    (void)state;
    table *t = malloc(sizeof *t);
    assert_non_null(t);
    fill_table(t);
    for (size_t n_threads = 1; n_threads <= 8; n_threads++)
        check_two_keys(t, n_threads);
    free(t);
}

/* Table columns: the square of the total, undefined where the sum of y is not
 * positive. */
static hanse_status fill_square(const void *context,
                                struct hanse_owned_table *owned,
                                const hanse_table *sums, void *const *values,
                                int8_t *const *status, hanse_error *error)
{
    double *squares = values[0];
    (void)context;
    (void)error;
    for (size_t r = 0; r < sums->n_rows; r++) {
        const double total = hanse_table_number(sums, "shadow", "total", r);
        squares[r] = total * total;
        status[0][r] = r % 2 == 0 ? HANSE_MODEL_OK : HANSE_MODEL_ZERO;
        hanse_table_values(owned, "resource_total")[r] += 1;
    }
    return HANSE_OK;
}

static bool not_total(const void *context, const hanse_table *t)
{
    (void)context;
    return t->n_keys > 0;
}

static void test_table_columns(void **state)
{
    static const hanse_table_column column = {"resource_square", "square",
                                              "EUR2", HANSE_FLOAT64, true};
    const hanse_run_options options = {.n_threads = 2};
    const hanse_run_tuning tuning = {0};
    (void)state;
    table *t = malloc(sizeof *t);
    assert_non_null(t);
    fill_table(t);
    hanse_spec *spec = make_spec(false);
    hanse_source *source = open_table(t, 2048);
    hanse_model_run run = {
        .source = source, .spec = spec, .options = &options, .tuning = &tuning};
    CHECK_OK(hanse_model_run_init(&run, NULL));
    CHECK_OK(hanse_model_add_sum(&run, "shadow", "x / 2", NULL));
    const hanse_table_columns columns = {.columns = &column,
                                         .n_columns = 1,
                                         .applies = not_total,
                                         .fill = fill_square};
    CHECK_OK(hanse_model_add_table_columns(&run, &columns, NULL));
    hanse_result *last;
    CHECK_OK(hanse_model_run_finish(&run, NULL, &last, NULL));
    const hanse_table *by_cluster = hanse_result_find(last, "by_cluster");
    const hanse_column *codes =
        hanse_table_find(by_cluster, "resource_square_status");
    assert_non_null(codes);
    CHECK(codes->type == HANSE_INT8 && codes->n_flags == 9);
    assert_string_equal(codes->flag_meanings[2], "zero_total");
    for (size_t r = 0; r < by_cluster->n_rows; r++) {
        /* x is a multiple of 1/8, so that halves are exact. */
        const double total =
            (hanse_table_number(by_cluster, "resource", "total", r) - 1) / 2;
        check_bits(hanse_table_number(by_cluster, "resource", "square", r),
                   total * total);
        CHECK(((const int8_t *)codes->values)[r] == (r % 2 == 0 ? 0 : 2));
    }
    CHECK(hanse_table_find(hanse_result_find(last, "total"),
                           "resource_square") == NULL);
    hanse_result_destroy(last);
    hanse_model_run_clear(&run);
    hanse_source_close(source);
    hanse_spec_destroy(spec);
    free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_two_keys),
        cmocka_unit_test(test_table_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
