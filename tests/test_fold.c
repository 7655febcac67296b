/* SPDX-License-Identifier: Apache-2.0
 *
 * The fold through the public interface: totals against quadruple precision,
 * and the same bits for every division of the rows among batches, threads and
 * merges.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/memory_source.h"
#include "engine/run.h"

/* ---- A table of random enterprises -------------------------------------- */

enum {
    N_ROWS = 7001,
    N_FIELDS = 9
};
enum {
    CLUSTER,
    CHAIN,
    WIDE,
    TOWN,
    MONEY,
    RATIO,
    STAFF,
    BIG,
    SMALL
};

typedef struct population {
    int32_t cluster[N_ROWS];
    int16_t chain[N_ROWS];
    uint64_t wide[N_ROWS];
    int32_t town_offsets[N_ROWS + 1];
    char town_bytes[N_ROWS * 12];
    double money[N_ROWS];
    float ratio[N_ROWS];
    uint32_t staff[N_ROWS];
    int64_t big[N_ROWS];
    double small[N_ROWS];
    uint8_t cluster_missing[N_ROWS];
    uint8_t staff_missing[N_ROWS];
    hanse_array arrays[N_FIELDS];
    hanse_batch batch;
} population;

static const hanse_field fields[N_FIELDS] = {
    {.name = "cluster", .type = HANSE_INT32, .missing_code = -1},
    {.name = "chain", .type = HANSE_INT16},
    {.name = "wide", .type = HANSE_UINT64},
    {.name = "town", .type = HANSE_TEXT},
    {.name = "money", .type = HANSE_FLOAT64, .units = "CNY"},
    {.name = "ratio", .type = HANSE_FLOAT32},
    {.name = "staff", .type = HANSE_UINT32},
    {.name = "big", .type = HANSE_INT64},
    {.name = "small", .type = HANSE_FLOAT64},
};
static const hanse_schema schema = {fields, N_FIELDS};

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (*state ^ (*state >> 31)) * 0x9e3779b97f4a7c15u;
}

static void set_arrays(population *p)
{
    p->arrays[CLUSTER] =
        (hanse_array){.values = p->cluster, .missing = p->cluster_missing};
    p->arrays[CHAIN] = (hanse_array){.values = p->chain};
    p->arrays[WIDE] = (hanse_array){.values = p->wide};
    p->arrays[TOWN] =
        (hanse_array){.values = p->town_bytes, .offsets = p->town_offsets};
    p->arrays[MONEY] = (hanse_array){.values = p->money};
    p->arrays[RATIO] = (hanse_array){.values = p->ratio};
    p->arrays[STAFF] =
        (hanse_array){.values = p->staff, .missing = p->staff_missing};
    p->arrays[BIG] = (hanse_array){.values = p->big};
    p->arrays[SMALL] = (hanse_array){.values = p->small};
    p->batch = (hanse_batch){N_ROWS, p->arrays};
}

static population *create_population(uint64_t seed)
{
    population *p = calloc(1, sizeof *p);
    assert_non_null(p);
    for (size_t i = 0; i < N_ROWS; i++) {
        const uint64_t r = next_random(&seed);
        p->cluster[i] = (int32_t)(r % 97) - 20;
        p->cluster_missing[i] = (r >> 8) % 50 == 0;
        p->chain[i] = (int16_t)((r >> 16) % 11);
        p->wide[i] = (r >> 20) % 5 * 0x3fffffffffffffffu;
        p->town_offsets[i + 1] =
            p->town_offsets[i] + sprintf(p->town_bytes + p->town_offsets[i],
                                         "town%d", (int)((r >> 24) % 40));
        p->money[i] = rint(exp((double)((r >> 32) % 2000) / 100.0)) / 100.0;
        if ((r >> 10) % 3 == 0)
            p->money[i] = -p->money[i];
        if ((r >> 12) % 31 == 0)
            p->money[i] = (double)NAN;
        p->ratio[i] = (float)((double)(r >> 40) / 0x1p24);
        p->staff[i] = (uint32_t)(r >> 34);
        p->staff_missing[i] = (r >> 14) % 13 == 0;
        p->big[i] = (int64_t)(next_random(&seed) >> 14) - ((int64_t)1 << 48);
        p->small[i] = ldexp((double)(r >> 11), (int)(r % 400) - 1000);
    }
    set_arrays(p);
    return p;
}

/* The same rows in another order. */
static population *permute(const population *p, uint64_t seed)
{
    population *q = calloc(1, sizeof *q);
    assert_non_null(q);
    size_t order[N_ROWS];
    for (size_t i = 0; i < N_ROWS; i++)
        order[i] = i;
    for (size_t i = N_ROWS; i-- > 1;) {
        const size_t k = next_random(&seed) % (i + 1);
        const size_t swap = order[i];
        order[i] = order[k];
        order[k] = swap;
    }
    for (size_t i = 0; i < N_ROWS; i++) {
        const size_t k = order[i];
        const int32_t length = p->town_offsets[k + 1] - p->town_offsets[k];
        q->cluster[i] = p->cluster[k];
        q->cluster_missing[i] = p->cluster_missing[k];
        q->chain[i] = p->chain[k];
        q->wide[i] = p->wide[k];
        q->town_offsets[i + 1] = q->town_offsets[i] + length;
        memcpy(q->town_bytes + q->town_offsets[i],
               p->town_bytes + p->town_offsets[k], (size_t)length);
        q->money[i] = p->money[k];
        q->ratio[i] = p->ratio[k];
        q->staff[i] = p->staff[k];
        q->staff_missing[i] = p->staff_missing[k];
        q->big[i] = p->big[k];
        q->small[i] = p->small[k];
    }
    set_arrays(q);
    return q;
}

/* ---- Specifications and comparisons ------------------------------------- */

static void check(hanse_status status, const hanse_error *error)
{
    if (status != HANSE_OK)
        fail_msg("%s: %s", hanse_status_name(status), error->message);
}

static void group_by(hanse_spec *spec, const char *a, const char *b,
                     const char *c)
{
    const char *keys[3] = {a, b, c};
    const size_t n = a == NULL ? 0 : b == NULL ? 1 : c == NULL ? 2 : 3;
    hanse_error error;
    check(hanse_spec_add_grouping(spec, keys, n, &error), &error);
}

static hanse_spec *create_spec(const char *const *measures, uint32_t statistics)
{
    hanse_spec *spec;
    hanse_error error;
    check(hanse_spec_create(&spec, &error), &error);
    for (; *measures != NULL; measures++)
        check(hanse_spec_add_measure(spec, *measures, *measures, &error),
              &error);
    check(hanse_spec_set_statistics(spec, statistics, &error), &error);
    return spec;
}

static const char *const all_measures[] = {"money", "ratio", "staff",
                                           "big",   "small", NULL};

static hanse_spec *create_full_spec(void)
{
    hanse_spec *spec = create_spec(all_measures, HANSE_STAT_ALL);
    group_by(spec, "cluster", NULL, NULL);
    group_by(spec, "wide", NULL, NULL);
    group_by(spec, "town", NULL, NULL);
    group_by(spec, "cluster", "chain", NULL);
    group_by(spec, "cluster", "chain", "town");
    group_by(spec, "town", "wide", NULL);
    group_by(spec, NULL, NULL, NULL);
    return spec;
}

static void assert_same_column(const hanse_column *a, const hanse_column *b,
                               size_t n_rows)
{
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->missing == NULL, b->missing == NULL);
    if (a->missing != NULL)
        assert_memory_equal(a->missing, b->missing, n_rows);
    if (a->type == HANSE_TEXT) {
        for (size_t r = 0; r < n_rows; r++)
            assert_string_equal(((const char *const *)a->values)[r],
                                ((const char *const *)b->values)[r]);
        return;
    }
    if (n_rows != 0 &&
        memcmp(a->values, b->values, n_rows * hanse_type_size(a->type)) != 0)
        fail_msg("column %s differs", a->name);
}

static void assert_same_result(const hanse_result *a, const hanse_result *b)
{
    assert_int_equal(hanse_result_n_tables(a), hanse_result_n_tables(b));
    assert_int_equal(hanse_result_rows(a).kept, hanse_result_rows(b).kept);
    for (size_t t = 0; t < hanse_result_n_tables(a); t++) {
        const hanse_table *x = hanse_result_table(a, t);
        const hanse_table *y = hanse_result_table(b, t);
        assert_string_equal(x->name, y->name);
        assert_int_equal(x->n_rows, y->n_rows);
        assert_int_equal(x->n_dropped, y->n_dropped);
        for (size_t k = 0; k < x->n_keys; k++)
            assert_same_column(&x->keys[k], &y->keys[k], x->n_rows);
        assert_int_equal(x->n_columns, y->n_columns);
        for (size_t c = 0; c < x->n_columns; c++)
            assert_same_column(&x->columns[c], &y->columns[c], x->n_rows);
    }
}

static hanse_result *run(const hanse_spec *spec, const population *p,
                         size_t morsel_rows, size_t n_threads)
{
    hanse_source *source;
    hanse_result *result;
    hanse_error error;
    const hanse_run_options options = {.n_threads = n_threads};
    check(hanse_memory_source_open(&schema, &p->batch, morsel_rows, &source,
                                   &error),
          &error);
    check(hanse_run(spec, source, &options, NULL, &result, &error), &error);
    hanse_source_close(source);
    return result;
}

static const hanse_column *column(const hanse_table *table, const char *name)
{
    for (size_t c = 0; c < table->n_columns; c++)
        if (strcmp(table->columns[c].name, name) == 0)
            return &table->columns[c];
    fail_msg("no column %s", name);
    return NULL;
}

static double float_at(const hanse_table *table, const char *name, size_t row)
{
    const hanse_column *c = column(table, name);
    assert_int_equal(c->type, HANSE_FLOAT64);
    return ((const double *)c->values)[row];
}

static int64_t int_at(const hanse_table *table, const char *name, size_t row)
{
    const hanse_column *c = column(table, name);
    assert_true(c->type == HANSE_INT64 || c->type == HANSE_UINT64);
    return ((const int64_t *)c->values)[row];
}

/* ---- Tests -------------------------------------------------------------- */

static void totals_equal_wide_sums(void **state)
{
    (void)state;
    population *p = create_population(11);
    hanse_spec *spec = create_full_spec();
    hanse_result *result = run(spec, p, 1000, 2);
    const hanse_table *table = hanse_result_find(result, "by_cluster");
    const int32_t *clusters = table->keys[0].values;
    assert_int_equal(table->n_rows, 98);
    assert_int_equal(table->keys[0].missing[97], 1);
    assert_int_equal(clusters[97], -1);
    for (size_t r = 0; r < table->n_rows; r++) {
        /* Cents up to 2^29 need 90 bits: 113 hold their sums exactly. */
        __float128 money = 0;
        __int128 staff = 0, big = 0;
        int64_t rows = 0, n_money = 0, n_staff = 0;
        double largest = -HUGE_VAL;
        for (size_t i = 0; i < N_ROWS; i++) {
            const bool same = r == 97 ? p->cluster_missing[i] != 0
                                      : !p->cluster_missing[i] &&
                                            p->cluster[i] == clusters[r];
            if (!same)
                continue;
            rows++;
            big += p->big[i];
            if (!isnan(p->money[i])) {
                money += p->money[i];
                n_money++;
                largest = fmax(largest, p->money[i]);
            }
            if (!p->staff_missing[i]) {
                staff += p->staff[i];
                n_staff++;
            }
        }
        assert_int_equal(int_at(table, "count", r), rows);
        assert_int_equal(int_at(table, "money_count", r), n_money);
        assert_int_equal(int_at(table, "money_missing", r), rows - n_money);
        assert_true(float_at(table, "money_total", r) == (double)money);
        assert_true(float_at(table, "money_max", r) == largest);
        assert_int_equal(int_at(table, "staff_count", r), n_staff);
        assert_true(int_at(table, "staff_total", r) == (int64_t)staff);
        assert_true(int_at(table, "big_total", r) == (int64_t)big);
        assert_true(float_at(table, "staff_mean", r) ==
                    (double)staff / (double)n_staff);
    }
    hanse_result_destroy(result);
    hanse_spec_destroy(spec);
    free(p);
}

static void results_do_not_depend_on_threads_or_morsels(void **state)
{
    (void)state;
    population *p = create_population(12);
    hanse_spec *spec = create_full_spec();
    hanse_result *expected = run(spec, p, N_ROWS, 1);
    static const size_t threads[] = {1, 2, 3, 8};
    static const size_t morsels[] = {1, 77, 2048, 5000};
    for (size_t t = 0; t < 4; t++) {
        for (size_t m = 0; m < 4; m++) {
            hanse_result *result = run(spec, p, morsels[m], threads[t]);
            assert_same_result(expected, result);
            hanse_result_destroy(result);
        }
    }
    hanse_result_destroy(expected);
    hanse_spec_destroy(spec);
    free(p);
}

static void results_do_not_depend_on_row_order(void **state)
{
    (void)state;
    population *p = create_population(13);
    hanse_spec *spec = create_full_spec();
    hanse_result *expected = run(spec, p, 512, 2);
    for (uint64_t seed = 1; seed <= 5; seed++) {
        population *q = permute(p, seed);
        hanse_result *result = run(spec, q, 700, 3);
        assert_same_result(expected, result);
        hanse_result_destroy(result);
        free(q);
    }
    hanse_result_destroy(expected);
    hanse_spec_destroy(spec);
    free(p);
}

/* A batch of rows first .. first + n - 1. */
static hanse_batch slice(const population *p, hanse_array *arrays, size_t first,
                         size_t n)
{
    for (size_t f = 0; f < N_FIELDS; f++) {
        const size_t width = hanse_type_size(fields[f].type);
        arrays[f] = p->arrays[f];
        if (arrays[f].offsets != NULL)
            arrays[f].offsets += first;
        else
            arrays[f].values = (const char *)arrays[f].values + first * width;
        if (arrays[f].missing != NULL)
            arrays[f].missing += first;
    }
    return (hanse_batch){n, arrays};
}

static void merge_in_any_order_gives_same_bits(void **state)
{
    (void)state;
    enum {
        PARTS = 7
    };
    static const int orders[][PARTS] = {
        {0, 1, 2, 3, 4, 5, 6}, {6, 5, 4, 3, 2, 1, 0}, {3, 0, 6, 1, 5, 2, 4}};
    population *p = create_population(14);
    hanse_spec *spec = create_full_spec();
    hanse_result *expected = run(spec, p, N_ROWS, 1);
    hanse_error error;
    for (size_t o = 0; o < 3; o++) {
        hanse_aggregation *parts[PARTS];
        for (int k = 0; k < PARTS; k++) {
            hanse_array arrays[N_FIELDS];
            const size_t first = (size_t)k * N_ROWS / PARTS;
            const size_t end = (size_t)(k + 1) * N_ROWS / PARTS;
            const hanse_batch batch = slice(p, arrays, first, end - first);
            check(hanse_aggregation_create(spec, &schema, &parts[k], &error),
                  &error);
            check(hanse_aggregation_add(parts[k], &batch, &error), &error);
        }
        for (int k = 1; k < PARTS; k++)
            check(hanse_aggregation_merge(parts[orders[o][0]],
                                          parts[orders[o][k]], &error),
                  &error);
        hanse_result *result;
        check(hanse_aggregation_finish(parts[orders[o][0]], &result, &error),
              &error);
        assert_same_result(expected, result);
        hanse_result_destroy(result);
        for (int k = 0; k < PARTS; k++)
            hanse_aggregation_destroy(parts[k]);
    }
    hanse_result_destroy(expected);
    hanse_spec_destroy(spec);
    free(p);
}

static void missing_keys_dropped_are_counted(void **state)
{
    (void)state;
    population *p = create_population(15);
    const char *const measures[] = {"money", NULL};
    hanse_spec *spec = create_spec(measures, HANSE_STAT_TOTAL);
    hanse_error error;
    group_by(spec, "cluster", NULL, NULL);
    group_by(spec, "chain", "cluster", NULL);
    group_by(spec, NULL, NULL, NULL);
    check(hanse_spec_set_missing_keys(spec, HANSE_MISSING_KEYS_DROP, &error),
          &error);
    hanse_result *result = run(spec, p, 900, 2);
    uint64_t n_missing = 0;
    for (size_t i = 0; i < N_ROWS; i++)
        n_missing += p->cluster_missing[i];
    for (size_t t = 0; t < 2; t++) {
        const hanse_table *table = hanse_result_table(result, t);
        int64_t rows = 0;
        for (size_t r = 0; r < table->n_rows; r++)
            rows += int_at(table, "count", r);
        assert_int_equal(table->n_dropped, n_missing);
        assert_int_equal(rows, N_ROWS - n_missing);
        assert_null(table->keys[t].missing);
    }
    assert_int_equal(int_at(hanse_result_table(result, 2), "count", 0), N_ROWS);
    hanse_result_destroy(result);
    hanse_spec_destroy(spec);
    free(p);
}

/* One column x of the given values, all rows. */
static hanse_result *run_values(const hanse_field *field, const void *values,
                                size_t n, uint32_t statistics,
                                hanse_status expected, hanse_error *error)
{
    const hanse_schema one = {field, 1};
    const hanse_array array = {.values = values};
    const hanse_batch batch = {n, &array};
    const char *const measures[] = {"x", NULL};
    hanse_spec *spec = create_spec(measures, statistics);
    hanse_aggregation *aggregation;
    hanse_result *result = NULL;
    group_by(spec, NULL, NULL, NULL);
    check(hanse_aggregation_create(spec, &one, &aggregation, error), error);
    check(hanse_aggregation_add(aggregation, &batch, error), error);
    assert_int_equal(hanse_aggregation_finish(aggregation, &result, error),
                     expected);
    hanse_aggregation_destroy(aggregation);
    hanse_spec_destroy(spec);
    return result;
}

static double statistic_of(const double *values, size_t n, const char *name)
{
    static const hanse_field field = {.name = "x", .type = HANSE_FLOAT64};
    hanse_error error;
    hanse_result *result =
        run_values(&field, values, n, HANSE_STAT_ALL, HANSE_OK, &error);
    const double found = float_at(hanse_result_table(result, 0), name, 0);
    hanse_result_destroy(result);
    return found;
}

static void special_values_follow_ieee_754(void **state)
{
    (void)state;
    const double inf = (double)INFINITY, nan = (double)NAN;
    const double one_inf[] = {1.0, inf, 2.0}, both[] = {inf, 1.0, -inf};
    const double zeros[] = {-0.0, -0.0}, mixed[] = {-0.0, 0.0};
    const double zero_nan[] = {-0.0, nan};
    const double huge[] = {1e308, 1e308, -1e308}, beyond[] = {1e308, 1e308};
    const double tiny[] = {0x1p-1074, 0x1p-1074, 0x1p-1073};
    assert_true(statistic_of(one_inf, 3, "x_total") == inf);
    assert_true(statistic_of(one_inf, 3, "x_mean") == inf);
    assert_true(isnan(statistic_of(one_inf, 3, "x_var")));
    assert_true(statistic_of(one_inf, 3, "x_max") == inf);
    assert_true(isnan(statistic_of(both, 3, "x_total")));
    assert_true(signbit(statistic_of(zeros, 2, "x_total")));
    assert_false(signbit(statistic_of(mixed, 2, "x_total")));
    assert_true(signbit(statistic_of(mixed, 2, "x_min")));
    assert_false(signbit(statistic_of(mixed, 2, "x_max")));
    assert_true(signbit(statistic_of(zero_nan, 2, "x_total")));
    assert_true(statistic_of(huge, 3, "x_total") == 1e308);
    assert_true(statistic_of(huge, 3, "x_mean") == 1e308 / 3.0);
    assert_true(statistic_of(beyond, 2, "x_total") == inf);
    assert_true(statistic_of(beyond, 2, "x_mean") == 1e308);
    assert_true(statistic_of(tiny, 3, "x_total") == 0x1p-1072);
}

static void empty_groups_have_zero_totals_and_no_mean(void **state)
{
    (void)state;
    const double nothing[] = {(double)NAN, (double)NAN};
    for (size_t n = 0; n <= 2; n += 2) {
        assert_true(statistic_of(nothing, n, "x_total") == 0.0);
        assert_true(isnan(statistic_of(nothing, n, "x_mean")));
        assert_true(isnan(statistic_of(nothing, n, "x_min")));
        assert_true(isnan(statistic_of(nothing, n, "x_var")));
    }
    const double one[] = {5.0};
    assert_true(statistic_of(one, 1, "x_mean") == 5.0);
    assert_true(isnan(statistic_of(one, 1, "x_std")));
}

static void variance_of_large_mean_is_exact(void **state)
{
    (void)state;
    double x[1000];
    for (size_t i = 0; i < 1000; i++)
        x[i] = 1e9 + (i % 2 == 0 ? 0.125 : -0.125);
    /* 1000 deviations of 1/8: sum of squares 1000 / 64. */
    assert_true(statistic_of(x, 1000, "x_var") == 1000.0 / 64.0 / 999.0);
    for (size_t i = 0; i < 1000; i++)
        x[i] = 0x1p-600 * (double)(i % 2);
    assert_true(statistic_of(x, 1000, "x_var") ==
                0x1p-600 * (250.0 / 999.0) * 0x1p-600);
}

static void integer_total_beyond_int64_is_an_error(void **state)
{
    (void)state;
    static const hanse_field signed_field = {.name = "x", .type = HANSE_INT64};
    static const hanse_field unsigned_field = {.name = "x",
                                               .type = HANSE_UINT64};
    const int64_t fits[] = {INT64_MAX, 1, -1}, over[] = {INT64_MAX, 1};
    const uint64_t large[] = {UINT64_MAX - 1, 1}, too_large[] = {UINT64_MAX, 1};
    hanse_error error;
    hanse_result *result =
        run_values(&signed_field, fits, 3, HANSE_STAT_TOTAL, HANSE_OK, &error);
    assert_true(int_at(hanse_result_table(result, 0), "x_total", 0) ==
                INT64_MAX);
    hanse_result_destroy(result);
    assert_null(run_values(&signed_field, over, 2, HANSE_STAT_TOTAL,
                           HANSE_ERR_OVERFLOW, &error));
    assert_non_null(strstr(error.message, "x_total of all rows"));
    result =
        run_values(&unsigned_field, large, 2, HANSE_STAT_ALL, HANSE_OK, &error);
    assert_int_equal(column(hanse_result_table(result, 0), "x_total")->type,
                     HANSE_UINT64);
    assert_true((uint64_t)int_at(hanse_result_table(result, 0), "x_total", 0) ==
                UINT64_MAX);
    hanse_result_destroy(result);
    assert_null(run_values(&unsigned_field, too_large, 2, HANSE_STAT_TOTAL,
                           HANSE_ERR_OVERFLOW, &error));
}

/* Adds values that fill the limbs until they carry into new ones. */
static void long_sums_of_equal_values_carry(void **state)
{
    (void)state;
    enum {
        ROUNDS = 40
    };
    static double x[65536];
    static const hanse_field field = {.name = "x", .type = HANSE_FLOAT64};
    const hanse_schema one = {&field, 1};
    const hanse_array array = {.values = x};
    const hanse_batch batch = {65536, &array};
    const char *const measures[] = {"x", NULL};
    const double value = 0x1.fffffffffffffp0;
    for (size_t i = 0; i < 65536; i++)
        x[i] = i == 0 ? 0x1p-49 : value;
    hanse_spec *spec = create_spec(measures, HANSE_STAT_TOTAL);
    hanse_aggregation *aggregation;
    hanse_result *result;
    hanse_error error;
    group_by(spec, NULL, NULL, NULL);
    check(hanse_aggregation_create(spec, &one, &aggregation, &error), &error);
    __float128 expected = 0;
    for (int r = 0; r < ROUNDS; r++) {
        check(hanse_aggregation_add(aggregation, &batch, &error), &error);
        expected += (__float128)65535 * value + 0x1p-49;
    }
    check(hanse_aggregation_finish(aggregation, &result, &error), &error);
    assert_true(float_at(hanse_result_table(result, 0), "x_total", 0) ==
                (double)expected);
    hanse_result_destroy(result);
    hanse_aggregation_destroy(aggregation);
    hanse_spec_destroy(spec);
}

static void memory_limit_stops_cleanly(void **state)
{
    (void)state;
    population *p = create_population(16);
    hanse_spec *spec = create_full_spec();
    hanse_result *expected = run(spec, p, 3000, 2);
    hanse_source *source;
    hanse_error error;
    check(hanse_memory_source_open(&schema, &p->batch, 3000, &source, &error),
          &error);
    int n_failures = 0;
    for (uint64_t limit = 1024;; limit += limit / 4) {
        hanse_result *result = NULL;
        const hanse_run_options options = {.n_threads = 2,
                                           .memory_bytes = limit};
        const hanse_status status =
            hanse_run(spec, source, &options, NULL, &result, &error);
        if (status == HANSE_OK) {
            assert_same_result(expected, result);
            hanse_result_destroy(result);
            break;
        }
        assert_int_equal(status, HANSE_ERR_LIMIT);
        assert_non_null(strstr(error.message, "memory limit"));
        n_failures++;
    }
    assert_true(n_failures > 5);
    hanse_source_close(source);
    hanse_result_destroy(expected);
    hanse_spec_destroy(spec);
    free(p);
}

static bool stop_at_once(void *context, uint64_t rows_done, uint64_t n_rows,
                         uint64_t bytes_done)
{
    (void)context;
    (void)bytes_done;
    return rows_done >= n_rows;
}

static void progress_returning_false_interrupts(void **state)
{
    (void)state;
    population *p = create_population(17);
    const char *const measures[] = {"money", NULL};
    hanse_spec *spec = create_spec(measures, HANSE_STAT_TOTAL);
    group_by(spec, NULL, NULL, NULL);
    hanse_source *source;
    hanse_result *result = NULL;
    hanse_error error;
    const hanse_run_options options = {.n_threads = 1,
                                       .progress = stop_at_once};
    check(hanse_memory_source_open(&schema, &p->batch, 100, &source, &error),
          &error);
    assert_int_equal(hanse_run(spec, source, &options, NULL, &result, &error),
                     HANSE_ERR_INTERRUPTED);
    assert_null(result);
    hanse_source_close(source);
    hanse_spec_destroy(spec);
    free(p);
}

static void spec_errors_name_the_fault(void **state)
{
    (void)state;
    const char *const measures[] = {"money", NULL};
    hanse_spec *spec = create_spec(measures, HANSE_STAT_TOTAL);
    hanse_aggregation *aggregation = NULL;
    hanse_error error;
    const char *wrong[] = {"clusterr"}, *real[] = {"ratio"};
    const char *twice[] = {"chain", "chain"}, *same[] = {"chain"};
    assert_int_equal(
        hanse_aggregation_create(spec, &schema, &aggregation, &error),
        HANSE_ERR_SPEC);
    assert_int_equal(hanse_spec_add_measure(spec, "MONEY", "big", &error),
                     HANSE_ERR_SPEC);
    assert_int_equal(hanse_spec_add_measure(spec, "2x", "big", &error),
                     HANSE_ERR_SPEC);
    assert_int_equal(hanse_spec_add_grouping(spec, twice, 2, &error),
                     HANSE_ERR_SPEC);
    assert_int_equal(hanse_spec_set_statistics(spec, 0, &error),
                     HANSE_ERR_SPEC);
    group_by(spec, "chain", NULL, NULL);
    assert_int_equal(hanse_spec_add_grouping(spec, same, 1, &error),
                     HANSE_ERR_SPEC);
    check(hanse_spec_add_grouping(spec, wrong, 1, &error), &error);
    assert_int_equal(
        hanse_aggregation_create(spec, &schema, &aggregation, &error),
        HANSE_ERR_COLUMN);
    assert_non_null(strstr(error.message, "did you mean 'cluster'"));
    hanse_spec_destroy(spec);
    spec = create_spec(measures, HANSE_STAT_TOTAL);
    check(hanse_spec_add_grouping(spec, real, 1, &error), &error);
    assert_int_equal(
        hanse_aggregation_create(spec, &schema, &aggregation, &error),
        HANSE_ERR_TYPE);
    assert_null(aggregation);
    hanse_spec_destroy(spec);
}

static void labelled_keys_come_out_as_texts(void **state)
{
    (void)state;
    static const hanse_label labels[] = {
        {2, "manufacturing"}, {0, "energy"}, {1, "medical"}};
    static const hanse_field f[] = {
        {.name = "sector", .type = HANSE_INT8, .labels = labels, .n_labels = 3},
        {.name = "x", .type = HANSE_FLOAT64}};
    const hanse_schema two = {f, 2};
    const int8_t sector[] = {2, 1, 7, 0, 2};
    const double x[] = {1, 2, 3, 4, 5};
    const hanse_array arrays[] = {{.values = sector}, {.values = x}};
    const hanse_batch batch = {5, arrays};
    const char *const measures[] = {"x", NULL};
    hanse_spec *spec = create_spec(measures, HANSE_STAT_TOTAL);
    hanse_aggregation *aggregation;
    hanse_result *result;
    hanse_error error;
    group_by(spec, "sector", NULL, NULL);
    check(hanse_aggregation_create(spec, &two, &aggregation, &error), &error);
    check(hanse_aggregation_add(aggregation, &batch, &error), &error);
    check(hanse_aggregation_finish(aggregation, &result, &error), &error);
    const hanse_table *table = hanse_result_table(result, 0);
    static const char *const expected[] = {"7", "energy", "manufacturing",
                                           "medical"};
    static const double totals[] = {3, 4, 6, 2};
    assert_int_equal(table->n_rows, 4);
    for (size_t r = 0; r < 4; r++) {
        assert_string_equal(((const char *const *)table->keys[0].values)[r],
                            expected[r]);
        assert_true(float_at(table, "x_total", r) == totals[r]);
    }
    hanse_result_destroy(result);
    hanse_aggregation_destroy(aggregation);
    hanse_spec_destroy(spec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(totals_equal_wide_sums),
        cmocka_unit_test(results_do_not_depend_on_threads_or_morsels),
        cmocka_unit_test(results_do_not_depend_on_row_order),
        cmocka_unit_test(merge_in_any_order_gives_same_bits),
        cmocka_unit_test(missing_keys_dropped_are_counted),
        cmocka_unit_test(special_values_follow_ieee_754),
        cmocka_unit_test(empty_groups_have_zero_totals_and_no_mean),
        cmocka_unit_test(variance_of_large_mean_is_exact),
        cmocka_unit_test(integer_total_beyond_int64_is_an_error),
        cmocka_unit_test(long_sums_of_equal_values_carry),
        cmocka_unit_test(memory_limit_stops_cleanly),
        cmocka_unit_test(progress_returning_false_interrupts),
        cmocka_unit_test(spec_errors_name_the_fault),
        cmocka_unit_test(labelled_keys_come_out_as_texts),
    };
    return cmocka_run_group_tests_name("fold", tests, NULL, NULL);
}
