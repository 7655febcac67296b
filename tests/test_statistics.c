/* SPDX-License-Identifier: Apache-2.0
 *
 * Parts of the statistics: names, selection, quotients and roots, sums of
 * products, and what merging aggregations means for row numbers.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/ratio.h"
#include "engine/select.h"
#include "engine/statistic_set.h"
#include "engine/wide_sums.h"

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (*state ^ (*state >> 31)) * 0x9e3779b97f4a7c15u;
}

/* ---- Names -------------------------------------------------------------- */

static void names_are_read_and_written(void **state)
{
    static const char *const names[] = {"top2",  "p99.9", "mean", "p5",
                                        "p0.01", "top7",  "skew", "p99.9"};
    static const char *const sorted[] = {"mean", "skew",  "p0.01",
                                         "p5",   "p99.9", "top7"};
    hanse_statistic_set set = {0};
    char name[HANSE_STATISTIC_NAME];
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_equal(hanse_statistic_set_add(&set, names[i], NULL),
                         HANSE_OK);
    assert_int_equal(hanse_statistic_set_count(&set), 6);
    for (size_t i = 0; i < 6; i++) {
        hanse_statistic_set_name(&set, i, name);
        assert_string_equal(name, sorted[i]);
    }
    hanse_quantile_name(999000, '_', name);
    assert_string_equal(name, "p99_9");
}

static void wrong_names_are_refused(void **state)
{
    static const char *const names[] = {
        "",      "p",     "p0",    "p100",     "p0.0", "p1.",  "p1.23456",
        "p-1",   "p 5",   "p5x",   "p5.5.5",   "top",  "top0", "top101",
        "top3x", "top-1", "top 1", "top00001", "mena", "ALL"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        hanse_statistic_set set = {0};
        hanse_error error = {0};
        if (hanse_statistic_set_add(&set, names[i], &error) != HANSE_ERR_SPEC)
            fail_msg("'%s' was taken", names[i]);
        assert_true(hanse_statistic_set_is_empty(&set));
        assert_non_null(strstr(error.message, "unknown statistic"));
    }
    hanse_statistic_set set = {0};
    hanse_error error = {0};
    (void)hanse_statistic_set_add(&set, "kurtosys", &error);
    assert_non_null(strstr(error.message, "did you mean 'kurtosis'?"));
}

/* ---- Selection ---------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Numbers of a kind that counting, or a sample, finds hard. */
static int64_t number_of(size_t kind, size_t i, uint64_t *random)
{
    const uint64_t r = next_random(random);
    switch (kind) {
    case 0:
        return (int64_t)r;
    case 1:
        return (int64_t)(r % 5);
    case 2: /* nearly all in one narrow place, a few far out */
        return i % 1000 == 7 ? (int64_t)r : 1000 + (int64_t)(r % 100);
    case 3:
        return (int64_t)i;
    case 4:
        return -(int64_t)i;
    case 5:
        return 42;
    case 6:
        return i % 2 == 0 ? INT64_MIN : INT64_MAX;
    case 7: /* what the sample sees is not what there is */
        return i % 32 == 16 ? 0 : (int64_t)(r >> 1);
    default: /* geometric */
        return (int64_t)1 << (r % 62);
    }
}

static void check_selection(hanse_selection *s, const int64_t *numbers,
                            const int64_t *sorted, size_t n, size_t n_ranks,
                            uint64_t *random)
{
    hanse_piece pieces[40];
    size_t n_pieces = 0;
    const size_t longest = n / 20 + 1;
    for (size_t at = 0; at < n; n_pieces++) {
        size_t length = next_random(random) % (2 * longest);
        if (n_pieces == 39 || length > n - at)
            length = n - at;
        pieces[n_pieces] = (hanse_piece){numbers + at, length};
        at += length;
    }
    assert_int_equal(hanse_selection_begin(s, pieces, n_pieces, n_ranks), n);
    for (size_t i = 0; i < 12; i++) {
        size_t rank = next_random(random) % n;
        rank = i == 0 ? 0 : i == 1 ? n - 1 : i == 2 ? (n - 1) / 2 : rank;
        int64_t found, next = 7;
        assert_int_equal(hanse_selection_find(s, rank, &found, &next, NULL),
                         HANSE_OK);
        assert_true(found == sorted[rank]);
        if (rank + 1 < n)
            assert_true(next == sorted[rank + 1]);
        assert_int_equal(hanse_selection_find(s, rank, &found, NULL, NULL),
                         HANSE_OK);
        assert_true(found == sorted[rank]);
    }
}

static void selection_finds_every_rank(void **state)
{
    static const size_t sizes[] = {1,   2,    31,   32,   33,   511,   512,
                                   513, 4095, 4096, 8191, 8193, 100000};
    uint64_t random = 11;
    hanse_selection selection;
    (void)state;
    hanse_selection_init(&selection, NULL);
    for (size_t k = 0; k < 9; k++)
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            const size_t n = sizes[s];
            int64_t *numbers = malloc(n * sizeof *numbers);
            int64_t *sorted = malloc(n * sizeof *sorted);
            assert_non_null(numbers);
            assert_non_null(sorted);
            for (size_t i = 0; i < n; i++)
                numbers[i] = number_of(k, i, &random);
            memcpy(sorted, numbers, n * sizeof *numbers);
            qsort(sorted, n, sizeof *sorted, compare);
            check_selection(&selection, numbers, sorted, n, 1, &random);
            check_selection(&selection, numbers, sorted, n, 9, &random);
            free(numbers);
            free(sorted);
        }
    hanse_selection_clear(&selection);
}

/* ---- Quotients ---------------------------------------------------------- */

static void random_wide(hanse_wide *out, size_t n, uint64_t *random)
{
    uint64_t words[64];
    for (size_t i = 0; i < n; i++) {
        const uint64_t r = next_random(random);
        /* Words of ones and zeros are where carries and digits go wrong. */
        words[i] = r % 4 == 0   ? UINT64_MAX
                   : r % 4 == 1 ? 0
                                : next_random(random);
    }
    words[n - 1] |= (uint64_t)1 << (next_random(random) % 64);
    hanse_wide_from_words(out, words, n, (int)(next_random(random) % 400) - 200,
                          next_random(random) % 2 == 0);
}

/* x * y / y is x rounded, x^2 y / y is rooted to |x|, for all lengths. */
static void quotients_and_roots_are_right(void **state)
{
    uint64_t random = 5;
    (void)state;
    for (int i = 0; i < 20000; i++) {
        hanse_wide x, y, square, product;
        random_wide(&x, 1 + next_random(&random) % 6, &random);
        random_wide(&y, 1 + next_random(&random) % 12, &random);
        const double expected = hanse_wide_round(&x);
        hanse_wide_multiply(&product, &x, &y);
        assert_true(hanse_ratio_round(&product, &y) == expected);
        y.negative = false;
        hanse_wide_square(&square, &x);
        hanse_wide_multiply(&product, &square, &y);
        assert_true(hanse_ratio_root(&product, &y) == fabs(expected));
    }
}

/* Quotients of two words and one, against 128-bit arithmetic: q is nearest
 * when |2 x - 2 q y| <= ulp(q) y. */
static void quotients_are_nearest(void **state)
{
    uint64_t random = 6;
    (void)state;
    for (int i = 0; i < 100000; i++) {
        hanse_wide x, y;
        uint64_t a = next_random(&random) >> (next_random(&random) % 64);
        uint64_t b = next_random(&random) >> (next_random(&random) % 64);
        a |= 1;
        b |= 1;
        hanse_wide_from_words(&x, &a, 1, 0, false);
        hanse_wide_from_words(&y, &b, 1, 0, false);
        const long double exact = (long double)a / (long double)b;
        const double q = hanse_ratio_round(&x, &y);
        assert_true(q == (double)exact ||
                    fabsl((long double)q - exact) <=
                        0x1.001p-54L * (long double)(q * 2.0));
        const double root = hanse_ratio_root(&x, &y);
        const long double exact_root = sqrtl(exact);
        assert_true(fabsl((long double)root - exact_root) <=
                    0x1.002p-53L * exact_root);
    }
}

/* ---- Sums of products --------------------------------------------------- */

static void sums_of_products_cancel_to_nothing(void **state)
{
    enum {
        N = 2000
    };
    uint64_t random = 9;
    hanse_wide_sums sums, other;
    hanse_wide total;
    (void)state;
    hanse_wide_sums_init(&sums, "sums", NULL);
    hanse_wide_sums_init(&other, "sums", NULL);
    assert_int_equal(hanse_wide_sums_grow(&sums, 3, NULL), HANSE_OK);
    assert_int_equal(hanse_wide_sums_grow(&other, 2, NULL), HANSE_OK);
    static hanse_term terms[N];
    for (size_t i = 0; i < N; i++) {
        double values[2];
        hanse_factor x[2];
        for (int k = 0; k < 2; k++) {
            values[k] = ldexp((double)(next_random(&random) >> 11) + 1.0,
                              (int)(next_random(&random) % 1800) - 1000);
            if (next_random(&random) % 2 == 0)
                values[k] = -values[k];
            int64_t bits;
            memcpy(&bits, &values[k], sizeof bits);
            assert_true(hanse_factor_of(bits, HANSE_NUMBER_FLOAT, &x[k]));
        }
        terms[i] = hanse_term_product(&x[0], &x[1]);
        assert_int_equal(hanse_wide_sums_add(&sums, 2, &terms[i], NULL),
                         HANSE_OK);
    }
    /* The opposite, in the opposite order, in two parts. */
    for (size_t i = N; i-- > 0;) {
        terms[i].negative = !terms[i].negative;
        assert_int_equal(hanse_wide_sums_add(i % 2 == 0 ? &sums : &other,
                                             i % 2 == 0 ? 2 : 1, &terms[i],
                                             NULL),
                         HANSE_OK);
    }
    hanse_wide_sums_get(&sums, 2, &total);
    assert_true(total.n != 0);
    assert_int_equal(hanse_wide_sums_merge(&sums, 2, &other, 1, NULL),
                     HANSE_OK);
    hanse_wide_sums_get(&sums, 2, &total);
    assert_int_equal(total.n, 0);
    hanse_wide_sums_get(&sums, 0, &total);
    assert_int_equal(total.n, 0);
    hanse_wide_sums_clear(&sums);
    hanse_wide_sums_clear(&other);
}

/* ---- Row numbers -------------------------------------------------------- */

static const hanse_field fields[] = {{.name = "x", .type = HANSE_INT64}};
static const hanse_schema schema = {fields, 1};

static hanse_aggregation *aggregate(const int64_t *values, size_t n,
                                    uint64_t first_row)
{
    hanse_spec *spec;
    hanse_aggregation *a;
    assert_int_equal(hanse_spec_create(&spec, NULL), HANSE_OK);
    hanse_spec_add_grouping(spec, NULL, 0, NULL);
    hanse_spec_add_measure(spec, "x", "x", NULL);
    static const char *const names[] = {"first", "last", "median", "top1"};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(hanse_spec_add_statistic(spec, names[i], NULL),
                         HANSE_OK);
    assert_int_equal(hanse_aggregation_create(spec, &schema, &a, NULL),
                     HANSE_OK);
    assert_int_equal(hanse_aggregation_set_row(a, first_row, NULL), HANSE_OK);
    for (size_t i = 0; i < n; i++) {
        const hanse_array array = {.values = values + i};
        const hanse_batch batch = {1, &array};
        assert_int_equal(hanse_aggregation_add(a, &batch, NULL), HANSE_OK);
    }
    hanse_spec_destroy(spec);
    return a;
}

static void expect(const hanse_aggregation *a, int64_t first, int64_t last,
                   double median, int64_t top_row)
{
    hanse_result *result;
    assert_int_equal(hanse_aggregation_finish(a, &result, NULL), HANSE_OK);
    const hanse_table *table = hanse_result_table(result, 0);
    /* count, first, last, median, top1, top1_id */
    assert_int_equal(table->n_columns, 6);
    assert_string_equal(table->columns[5].name, "x_top1_id");
    assert_int_equal(*(const int64_t *)table->columns[1].values, first);
    assert_int_equal(*(const int64_t *)table->columns[2].values, last);
    assert_true(*(const double *)table->columns[3].values == median);
    assert_int_equal(*(const int64_t *)table->columns[5].values, top_row);
    hanse_result_destroy(result);
}

static void merging_goes_by_row_numbers(void **state)
{
    static const int64_t early[] = {5, 9, 1}, late[] = {9, 4};
    (void)state;
    hanse_aggregation *a = aggregate(late, 2, 100);
    hanse_aggregation *b = aggregate(early, 3, 7);
    expect(a, 9, 4, 6.5, 100);
    assert_int_equal(hanse_aggregation_merge(a, b, NULL), HANSE_OK);
    expect(a, 5, 4, 5.0, 8);
    expect(b, 5, 1, 5.0, 8); /* as it was */
    assert_int_equal(hanse_aggregation_merge(b, a, NULL), HANSE_OK);
    expect(b, 5, 4, 5.0, 8);
    hanse_aggregation_destroy(a);
    hanse_aggregation_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_read_and_written),
        cmocka_unit_test(wrong_names_are_refused),
        cmocka_unit_test(selection_finds_every_rank),
        cmocka_unit_test(quotients_and_roots_are_right),
        cmocka_unit_test(quotients_are_nearest),
        cmocka_unit_test(sums_of_products_cancel_to_nothing),
        cmocka_unit_test(merging_goes_by_row_numbers),
    };
    return cmocka_run_group_tests_name("statistics", tests, NULL, NULL);
}
