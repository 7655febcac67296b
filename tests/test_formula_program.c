/* SPDX-License-Identifier: Apache-2.0
 *
 * Formulas as programs: blocks of any size and place, columns in use, scratch,
 * limits of length and depth, memory that runs out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/formula_values.h"

/* ---- Memory that runs out (the linker puts this before aligned_alloc) ---- */

void *__real_aligned_alloc(size_t alignment, size_t size_bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t size_bytes);

static long allocations_left = -1; /* -1: no limit */

void *__wrap_aligned_alloc(size_t alignment, size_t size_bytes)
{
    if (allocations_left == 0)
        return NULL;
    if (allocations_left > 0)
        allocations_left--;
    return __real_aligned_alloc(alignment, size_bytes);
}

/* ---- Blocks ------------------------------------------------------------- */

enum {
    LONG_ROWS = 3 * HANSE_BLOCK_ROWS
};

/* Blocks of a long table, each at another place, against a plain loop; rows
 * past the block are left alone. */
static void block_any_size_and_place_gives_its_rows(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 2, 15, 17, 2047, 2048};
    static const size_t firsts[] = {0, 1, 7, 2048, LONG_ROWS - 2048};
    static const hanse_field fields[] = {{.name = "x", .type = HANSE_FLOAT32},
                                         {.name = "k", .type = HANSE_INT64}};
    static const hanse_schema schema = {fields, 2};
    float *x = malloc(LONG_ROWS * sizeof x[0]);
    int64_t *k = malloc(LONG_ROWS * sizeof k[0]);
    uint8_t *missing = malloc(LONG_ROWS);
    assert_true(x != NULL && k != NULL && missing != NULL);
    for (size_t i = 0; i < LONG_ROWS; i++) {
        x[i] = (float)i / 8.0f;
        k[i] = (int64_t)(i * 2654435761u % 1000);
        missing[i] = i % 11 == 0;
    }
    const hanse_array arrays[] = {{.values = x},
                                  {.values = k, .missing = missing}};
    const hanse_batch batch = {LONG_ROWS, arrays};
    hanse_formula *number, *condition;
    assert_int_equal(hanse_formula_compile("k * 2 + min(x, 100) - -x", "test",
                                           &schema, HANSE_WANT_NUMBER, &number,
                                           NULL),
                     HANSE_OK);
    assert_int_equal(hanse_formula_compile("k < x || !(k != 77)", "test",
                                           &schema, HANSE_WANT_CONDITION,
                                           &condition, NULL),
                     HANSE_OK);
    void *scratch = hanse_allocate(NULL,
                                   hanse_formula_scratch_bytes(number) +
                                       hanse_formula_scratch_bytes(condition),
                                   1);
    double *numbers = hanse_allocate(NULL, HANSE_BLOCK_ROWS, sizeof(double));
    uint8_t *kept = hanse_allocate(NULL, HANSE_BLOCK_ROWS, 1);
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (size_t f = 0; f < sizeof firsts / sizeof firsts[0]; f++) {
            const size_t n = sizes[s], first = firsts[f];
            memset(numbers, 0x5a, HANSE_BLOCK_ROWS * sizeof(double));
            memset(kept, 0x5a, HANSE_BLOCK_ROWS);
            hanse_formula_number(number, &batch, first, n, scratch, numbers);
            hanse_formula_condition(condition, &batch, first, n, scratch, kept);
            for (size_t i = 0; i < n; i++) {
                const double xi = (double)x[first + i];
                const double ki = (double)k[first + i];
                if (missing[first + i]) {
                    assert_true(isnan(numbers[i]));
                    assert_int_equal(kept[i], 0);
                    continue;
                }
                const double least = xi < 100.0 ? xi : 100.0;
                assert_true(numbers[i] == ki * 2.0 + least + xi);
                assert_int_equal(kept[i], ki < xi || ki == 77.0);
            }
            if (n < HANSE_BLOCK_ROWS) {
                assert_int_equal(kept[n], 0x5a);
                assert_int_equal(((uint8_t *)&numbers[n])[0], 0x5a);
            }
        }
    }
    hanse_free(NULL, kept, HANSE_BLOCK_ROWS, 1);
    hanse_free(NULL, numbers, HANSE_BLOCK_ROWS, sizeof(double));
    hanse_free(NULL, scratch, 1, 1);
    hanse_formula_destroy(condition);
    hanse_formula_destroy(number);
    free(missing);
    free(k);
    free(x);
}

/* ---- What a formula says of itself -------------------------------------- */

static void fields_of_a_formula_are_sorted_and_unique(void **state)
{
    (void)state;
    size_t n;
    hanse_formula *formula =
        compile("labour + chain*labour - (ubig > active)", HANSE_WANT_NUMBER);
    const size_t *fields = hanse_formula_fields(formula, &n);
    static const size_t expected[] = {0, 1, 3, 4};
    assert_int_equal(n, 4);
    assert_memory_equal(fields, expected, sizeof expected);
    hanse_formula_destroy(formula);
    formula = compile("1 < 2", HANSE_WANT_CONDITION);
    (void)hanse_formula_fields(formula, &n);
    assert_int_equal(n, 0);
    hanse_formula_destroy(formula);
}

static void is_field_holds_for_a_bare_name_only(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_field;
    } cases[] = {{"chain", true},   {" ( chain ) ", true}, {"`my col`", true},
                 {"-chain", false}, {"chain*1", false},    {"1", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hanse_formula *formula = compile(cases[i].text, HANSE_WANT_NUMBER);
        size_t field = 99;
        assert_int_equal(hanse_formula_is_field(formula, &field),
                         cases[i].is_field);
        assert_int_equal(field, !cases[i].is_field ? 99 : i == 2 ? 12 : 1);
        hanse_formula_destroy(formula);
    }
}

/* "active + active * 2 ..." as deep or long as is asked. */
static char *repeat(const char *before, size_t n, const char *middle,
                    const char *after)
{
    const size_t size = n * (strlen(before) + strlen(after)) + strlen(middle);
    char *text = malloc(size + 1);
    assert_non_null(text);
    char *to = text;
    for (size_t i = 0; i < n; i++)
        to = stpcpy(to, before);
    to = stpcpy(to, middle);
    for (size_t i = 0; i < n; i++)
        to = stpcpy(to, after);
    return text;
}

static size_t scratch_of(const char *text)
{
    hanse_formula *formula = compile(text, HANSE_WANT_NUMBER);
    const size_t size_bytes = hanse_formula_scratch_bytes(formula);
    hanse_formula_destroy(formula);
    return size_bytes;
}

static void scratch_stays_small_for_long_formulas(void **state)
{
    (void)state;
    const size_t registers = HANSE_BLOCK_ROWS * sizeof(double);
    assert_int_equal(scratch_of("labour"), 0);
    assert_int_equal(scratch_of("0.4*labour + 0.6"), 0);
    /* one register beside the output */
    assert_int_equal(scratch_of("0.4*labour + 0.6*marked"), registers);
    char *chain = repeat("chain+", 10000, "1", "");
    assert_true(scratch_of(chain) <= registers);
    free(chain);
    char *nested = repeat("(chain+1-2*", 190, "chain", ")");
    assert_true(scratch_of(nested) <= registers);
    free(nested);
    char *mixed =
        repeat("(!flag || chain+1 < active+1 + 2*", 190, "chain", ")");
    assert_true(scratch_of(mixed) <= 3 * registers);
    free(mixed);
}

static void expect_failure(const char *text, hanse_status status)
{
    hanse_formula *formula = NULL;
    hanse_error error = {0};
    assert_int_equal(hanse_formula_compile(text, "test", &table_schema,
                                           HANSE_WANT_NUMBER, &formula, &error),
                     status);
    assert_int_equal(error.status, status);
    assert_null(formula);
}

static void nesting_past_the_limit_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *before, *middle, *after;
    } forms[] = {
        {"(", "chain", ")"},    {"-", "chain", ""},       {"!", "flag", ""},
        {"abs(", "chain", ")"}, {"max(1,", "chain", ")"}, {"not ", "flag", ""},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        char *within =
            repeat(forms[i].before, 200, forms[i].middle, forms[i].after);
        char *past =
            repeat(forms[i].before, 201, forms[i].middle, forms[i].after);
        double numbers[TABLE_ROWS];
        numbers_of(within, numbers);
        assert_true(numbers[0] == (i < 3 ? (double[]){-5, -5, 1}[i]
                                         : (double[]){5, 1, 1}[i - 3]));
        expect_failure(past, HANSE_ERR_FORMULA);
        free(past);
        free(within);
    }
    char *hostile = repeat("(", 65000, "", "");
    expect_failure(hostile, HANSE_ERR_FORMULA);
    free(hostile);
}

static void length_past_the_limit_is_refused(void **state)
{
    (void)state;
    /* 65536 = 2 * 32767 + 2 bytes */
    char *within = repeat("1+", 32767, "1 ", "");
    assert_int_equal(strlen(within), 65536);
    double numbers[TABLE_ROWS];
    numbers_of(within, numbers);
    assert_true(numbers[0] == 32768.0);
    free(within);
    char *past = repeat("1+", 32767, "1  ", "");
    expect_failure(past, HANSE_ERR_FORMULA);
    free(past);
    /* the leaves of a chain are taken from the left, in order */
    char *columns = repeat("small+", 10000, "small", "");
    numbers_of(columns, numbers);
    assert_true(numbers[4] == 127.0 * 10001.0);
    free(columns);
}

static void null_arguments_are_refused(void **state)
{
    (void)state;
    hanse_formula *formula = NULL;
    assert_int_equal(hanse_formula_compile(NULL, "x", &table_schema,
                                           HANSE_WANT_NUMBER, &formula, NULL),
                     HANSE_ERR_ARGUMENT);
    assert_int_equal(hanse_formula_compile("1", "x", NULL, HANSE_WANT_NUMBER,
                                           &formula, NULL),
                     HANSE_ERR_ARGUMENT);
    assert_null(formula);
    hanse_formula_destroy(NULL);
}

/* Fails the first allocation, then the second and so on, until the formula
 * compiles; on the way there is no other outcome, and nothing leaks (which the
 * address sanitizer sees). */
static void compile_without_memory_fails_cleanly(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        hanse_status last;
    } cases[] = {
        {"min(chain, labour + 0.5, 7) * (region == 'x') - (big < labour)",
         HANSE_OK},
        {"chain + nothing_like_it", HANSE_ERR_COLUMN},
        {"sector == 'nothing'", HANSE_ERR_TYPE},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        long allowed = 0;
        hanse_status status;
        do {
            hanse_formula *formula = NULL;
            hanse_error error = {0};
            allocations_left = allowed++;
            status = hanse_formula_compile(cases[c].text, "test", &table_schema,
                                           HANSE_WANT_NUMBER, &formula, &error);
            allocations_left = -1;
            assert_int_equal(error.status, status);
            hanse_formula_destroy(formula);
        } while (status == HANSE_ERR_NOMEM);
        assert_int_equal(status, cases[c].last);
        assert_true(allowed > 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block_any_size_and_place_gives_its_rows),
        cmocka_unit_test(fields_of_a_formula_are_sorted_and_unique),
        cmocka_unit_test(is_field_holds_for_a_bare_name_only),
        cmocka_unit_test(scratch_stays_small_for_long_formulas),
        cmocka_unit_test(nesting_past_the_limit_is_refused),
        cmocka_unit_test(length_past_the_limit_is_refused),
        cmocka_unit_test(null_arguments_are_refused),
        cmocka_unit_test(compile_without_memory_fails_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
