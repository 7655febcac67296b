/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums of pairs by batches against long integers to which every row was added
 * alone: equal to the last bit, whatever the values, the groups, the order of
 * batches and merges.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/pair_sums.h"

enum {
    MOST_GROUPS = 300,
    N_PARTS = 3
};

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (*state ^ (*state >> 31)) * 0x9e3779b97f4a7c15u;
}

static double random_float(uint64_t *seed, int low, int high)
{
    const double x = 1.0 + (double)(next_random(seed) >> 12) * 0x1p-52;
    const int exponent =
        low + (int)(next_random(seed) % (uint64_t)(high - low));
    return ldexp(next_random(seed) % 2 == 0 ? x : -x, exponent);
}

typedef enum value_shape {
    SMALL_INTEGERS,
    DECIMALS,
    SPREAD,   /* wider and wider */
    ANYTHING, /* all of float64, and both zeros */
    GROWING,  /* of one sign, near the top of the windows: limbs must carry */
    ZEROS,    /* and then numbers */
    N_SHAPES
} value_shape;

static double random_value(value_shape shape, size_t round, uint64_t *seed)
{
    static const double special[] = {0.0,      -0.0,    0x1p-1074, -0x1p-1022,
                                     0x1p-481, 0x1p500, 1e308,     -1e308};
    switch (shape) {
    case SMALL_INTEGERS:
        return (double)(next_random(seed) % 2001) - 1000.0;
    case DECIMALS:
        return (double)(next_random(seed) % 100000000) / 1e6;
    case SPREAD:
        return random_float(seed, -(int)round - 2, (int)round + 2);
    case ANYTHING:
        return next_random(seed) % 4 == 0 ? special[next_random(seed) % 8]
                                          : random_float(seed, -1070, 1020);
    case GROWING:
        return 1.9999999 + (double)(next_random(seed) >> 12) * 0x1p-85;
    default:
        return round < 3 ? -0.0 : random_float(seed, -20, 20);
    }
}

static void fill(hanse_pair_batch *batch, value_shape shape, size_t n_groups,
                 size_t round, uint64_t *seed)
{
    batch->n = next_random(seed) % (HANSE_LIMB_BATCH + 1);
    if (shape == GROWING)
        batch->n = HANSE_LIMB_BATCH;
    batch->is_one_group = n_groups == 0;
    for (size_t i = 0; i < batch->n; i++) {
        batch->x[i] = random_value(shape, round, seed);
        batch->y[i] = random_value(shape, round, seed);
        batch->groups[i] =
            n_groups == 0 ? 0 : (uint32_t)(next_random(seed) % n_groups);
    }
}

static hanse_factor factor_of(double value)
{
    hanse_factor factor;
    int64_t bits;
    memcpy(&bits, &value, sizeof bits);
    assert_true(hanse_factor_of(bits, HANSE_NUMBER_FLOAT, &factor));
    return factor;
}

static void add_alone(hanse_pair_sums *sums, uint64_t *counts,
                      const hanse_pair_batch *batch)
{
    for (size_t i = 0; i < batch->n; i++) {
        const hanse_factor x = factor_of(batch->x[i]);
        const hanse_factor y = factor_of(batch->y[i]);
        assert_int_equal(
            hanse_pair_sums_add_one(sums, batch->groups[i], &x, &y, NULL),
            HANSE_OK);
        counts[batch->groups[i]]++;
    }
}

static void assert_equal(const hanse_pair_sums *found,
                         const hanse_pair_sums *expected,
                         const uint64_t *counts, size_t n_groups)
{
    hanse_wide a, b;
    for (size_t g = 0; g < n_groups; g++) {
        assert_true(hanse_pair_sums_count(found, g) == counts[g]);
        for (size_t s = 0; s < expected->n_sums; s++) {
            hanse_pair_sums_get(found, (hanse_pair_sum)s, g, &a);
            hanse_pair_sums_get(expected, (hanse_pair_sum)s, g, &b);
            hanse_wide_subtract(&a, &b);
            assert_int_equal(a.n, 0);
        }
    }
}

/* Three parts by batches, merged at the end; n_groups 0: all rows together. */
static void check(value_shape shape, size_t n_groups, size_t n_sums,
                  size_t n_rounds)
{
    static uint64_t counts[MOST_GROUPS];
    uint64_t seed = 31 * (uint64_t)shape + 7 * n_groups + n_sums;
    hanse_budget budget = {0};
    hanse_pair_batch batch = {0};
    hanse_pair_sums parts[N_PARTS], alone, all;
    const size_t n = n_groups == 0 ? 1 : n_groups;
    memset(counts, 0, sizeof counts);
    assert_int_equal(hanse_pair_batch_init(&batch, &budget, NULL), HANSE_OK);
    hanse_pair_sums_init(&alone, n_sums, &budget);
    hanse_pair_sums_init(&all, n_sums, &budget);
    assert_int_equal(hanse_pair_sums_grow(&alone, n, NULL), HANSE_OK);
    assert_int_equal(hanse_pair_sums_grow(&all, n, NULL), HANSE_OK);
    for (size_t p = 0; p < N_PARTS; p++)
        hanse_pair_sums_init(&parts[p], n_sums, &budget);
    for (size_t round = 0; round < n_rounds; round++) {
        hanse_pair_sums *part = &parts[round % N_PARTS];
        /* Groups come as the rounds go. */
        const size_t seen = n * (round + 1) / n_rounds + 1;
        const size_t known = seen < n ? seen : n;
        fill(&batch, shape, n_groups == 0 ? 0 : known, round, &seed);
        assert_int_equal(hanse_pair_sums_grow(part, known, NULL), HANSE_OK);
        add_alone(&alone, counts, &batch);
        assert_int_equal(hanse_pair_sums_add(part, &batch, NULL), HANSE_OK);
    }
    for (size_t p = 0; p < N_PARTS; p++) {
        for (size_t g = 0; g < parts[p].n_groups; g++)
            assert_int_equal(hanse_pair_sums_merge(&all, g, &parts[p], g, NULL),
                             HANSE_OK);
        hanse_pair_sums_clear(&parts[p]);
    }
    assert_equal(&all, &alone, counts, n);
    hanse_pair_sums_clear(&alone);
    hanse_pair_sums_clear(&all);
    hanse_pair_batch_clear(&batch);
    assert_int_equal(budget.used_bytes, 0);
}

static void sums_by_batches_are_exact(void **state)
{
    (void)state;
    static const size_t groups[] = {0, 1, 5, MOST_GROUPS};
    for (int shape = 0; shape < N_SHAPES; shape++)
        for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++)
            for (size_t n_sums = 3; n_sums <= HANSE_PAIR_SUMS; n_sums += 2)
                check((value_shape)shape, groups[g], n_sums, 60);
}

/* Until limbs leave their guards: 2^11 rows of pieces near 2^50, and more. */
static void sums_of_many_rows_carry(void **state)
{
    (void)state;
    check(GROWING, 0, HANSE_PAIR_SUMS, 300);
    check(GROWING, 2, HANSE_PAIR_SUMS, 600);
}

/* A budget that is raised until all goes well. */
static void sums_without_memory_fail(void **state)
{
    (void)state;
    hanse_status status = HANSE_ERR_LIMIT;
    size_t n_failed = 0;
    for (uint64_t limit = 1024; status != HANSE_OK; limit += 10000) {
        hanse_budget budget = {.limit_bytes = limit};
        hanse_pair_batch batch = {0};
        hanse_pair_sums sums;
        hanse_error error = {0};
        uint64_t seed = 5;
        hanse_pair_sums_init(&sums, HANSE_PAIR_SUMS, &budget);
        status = hanse_pair_batch_init(&batch, &budget, &error);
        for (size_t round = 0; status == HANSE_OK && round < 20; round++) {
            fill(&batch, ANYTHING, MOST_GROUPS, round, &seed);
            status = hanse_pair_sums_grow(&sums, MOST_GROUPS, &error);
            if (status == HANSE_OK)
                status = hanse_pair_sums_add(&sums, &batch, &error);
        }
        hanse_pair_sums_clear(&sums);
        hanse_pair_batch_clear(&batch);
        assert_int_equal(budget.used_bytes, 0);
        assert_true(status == HANSE_OK || status == HANSE_ERR_LIMIT);
        n_failed += status != HANSE_OK;
    }
    assert_true(n_failed > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_by_batches_are_exact),
        cmocka_unit_test(sums_of_many_rows_carry),
        cmocka_unit_test(sums_without_memory_fail),
    };
    return cmocka_run_group_tests_name("pair_sums", tests, NULL, NULL);
}
