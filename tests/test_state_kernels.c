/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels that split and add in one go, to packed states and to lines of values
 * and squares, of every instruction set of this machine.
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

#include "engine/exact.h"
#include "engine/wide.h"
#include "tests/kernel_cases.h"

static _Alignas(64) int64_t lanes[2 * ROWS];
static double x[ROWS];
static uint16_t bad[ROWS], other_bad[ROWS];

/* ---- Packed states ------------------------------------------------------ */

/* Against sums of 128-bit integers made of the scalar split. */
static void packed_add_adds_128_bit_integers(void **state)
{
    (void)state;
    enum {
        GROUPS = 19,
        MOST = 6
    };
    static const double odd[] = {NAN, INFINITY, -0.0, 0.0, 1e300, 0x1p-900};
    static double values[MOST][ROWS];
    uint16_t listed[MOST][ROWS];
    uint32_t groups[ROWS];
    const hanse_window window = {-60, 2};
    const hanse_split_grid grid = grid_of(window);
    size_t n_tables;
    const hanse_kernels *const *tables = all_kernels(&n_tables);
    for (size_t t = 0; t < n_tables; t++) {
        for (size_t c = 0; c < 900; c++) {
            static int64_t found[GROUPS * 2 * MOST];
            static __int128 sums[GROUPS][MOST];
            static int64_t counts[GROUPS];
            const size_t n = c % (ROWS + 1), n_measures = 1 + c % MOST;
            hanse_line_measure measures[MOST];
            memset(found, 0, sizeof found);
            memset(sums, 0, sizeof sums);
            memset(counts, 0, sizeof counts);
            for (size_t i = 0; i < n; i++) {
                groups[i] =
                    (uint32_t)(random_bits() % (c % 5 == 0 ? 2 : GROUPS));
                counts[groups[i]]++;
            }
            for (size_t m = 0; m < n_measures; m++) {
                for (size_t i = 0; i < n; i++)
                    values[m][i] =
                        random_bits() % 40 == 0
                            ? odd[random_bits() % 6]
                            : ldexp((double)(int64_t)random_bits(), -22);
                const size_t n_bad =
                    tables[0]->split_f64(values[m], n, &grid, lanes, other_bad);
                for (size_t i = 0; i < n; i++)
                    sums[groups[i]][m] +=
                        lanes[i] + (__int128)lanes[ROWS + i] * (1LL << 51);
                measures[m] =
                    (hanse_line_measure){values[m], &grid, listed[m], n_bad};
            }
            assert_false(
                tables[t]->packed_add(found, groups, measures, n_measures, n));
            for (size_t m = 0; m < n_measures; m++) {
                const size_t n_bad =
                    tables[0]->split_f64(values[m], n, &grid, lanes, other_bad);
                assert_int_equal(measures[m].n_bad, n_bad);
                assert_memory_equal(listed[m], other_bad,
                                    n_bad * sizeof *other_bad);
            }
            for (size_t g = 0; g < GROUPS; g++) {
                const int64_t *packed = found + g * 2 * n_measures;
                assert_int_equal(hanse_packed_count(packed), counts[g]);
                for (size_t m = 0; m < n_measures; m++) {
                    int64_t limbs[2];
                    hanse_packed_limbs(packed, m, limbs);
                    assert_true(limbs[0] + (__int128)limbs[1] * (1LL << 51) ==
                                sums[g][m]);
                }
            }
        }
    }
}

/* Against the rounding of limbs; sums as large as they may be and one beyond,
 * ties, of either sign, whatever the count says. */
static void packed_round_rounds_once(void **state)
{
    (void)state;
    enum {
        GROUPS = 64,
        MOST = 3
    };
    const hanse_window window = {-70, 2};
    for (size_t c = 0; c < 3000; c++) {
        const size_t n_measures = 1 + c % MOST, measure = c / MOST % n_measures;
        const size_t n_lanes = 2 * n_measures;
        int64_t packed[GROUPS * 2 * MOST];
        uint32_t groups[GROUPS];
        double found[GROUPS];
        bool fits = true;
        for (size_t g = 0; g < GROUPS; g++) {
            __int128 sum = (__int128)(int64_t)random_bits() *
                           ((int64_t)1 << (random_bits() % 44));
            sum += (int64_t)(random_bits() >> (random_bits() % 64));
            if (random_bits() % 8 == 0) /* a tie, and its neighbours */
                sum = ((__int128)(random_bits() >> 11 | 1) << 20) +
                      ((__int128)1 << 19) + (int64_t)(random_bits() % 3) - 1;
            if (random_bits() % 2 == 0)
                sum = -sum;
            if (c % 50 == 0 && g == c % GROUPS)
                sum = ((__int128)1 << 106) * (c % 100 == 0 ? 1 : -1) -
                      (c % 100 == 0 ? 0 : 1);
            const __int128 limit = (__int128)1 << 106;
            fits = fits && sum >= -limit && sum < limit;
            for (size_t l = 0; l < n_lanes; l++)
                packed[g * n_lanes + l] = (int64_t)random_bits();
            int64_t *words = packed + g * n_lanes + 2 * measure;
            words[0] = (int64_t)sum;
            words[1] = (int64_t)(sum >> 64);
            if (measure == 0)
                words[1] += (int64_t)((random_bits() % (1 << 15))
                                      << HANSE_PACKED_SUM_BITS);
            groups[g] = (uint32_t)((g * 29 + c) % GROUPS);
        }
        const bool done = hanse_packed_round(packed, n_lanes, measure, groups,
                                             GROUPS, 0x1p-70, found);
        assert_true(done == fits);
        for (size_t i = 0; done && i < GROUPS; i++) {
            int64_t limbs[2];
            hanse_packed_limbs(packed + groups[i] * n_lanes, measure, limbs);
            const double expected = hanse_limbs_round(limbs, &window);
            assert_memory_equal(&found[i], &expected, sizeof expected);
        }
    }
}

/* Counts up to 2^15 and sums up to 2^110 of either sign, and one beyond. */
static void packed_add_reports_full_states(void **state)
{
    (void)state;
    const hanse_window window = {0, 2};
    const hanse_split_grid grid = grid_of(window);
    const uint32_t group = 0;
    size_t n_tables;
    const hanse_kernels *const *tables = all_kernels(&n_tables);
    for (size_t t = 0; t < n_tables; t++) {
        for (size_t n_measures = 1; n_measures <= 5; n_measures++) {
            double value[5] = {0};
            hanse_line_measure measures[5];
            for (size_t m = 0; m < 5; m++)
                measures[m] = (hanse_line_measure){&value[m], &grid, bad, 0};
            int64_t packed[10] = {0};
            const int64_t one = (int64_t)1 << HANSE_PACKED_SUM_BITS;
            packed[1] = ((1 << 15) - 2) * one;
            assert_false(
                tables[t]->packed_add(packed, &group, measures, n_measures, 1));
            assert_true(
                tables[t]->packed_add(packed, &group, measures, n_measures, 1));
            assert_int_equal(hanse_packed_count(packed), 1 << 15);
            for (size_t m = 0; m < n_measures; m++) {
                for (int sign = -1; sign <= 1; sign += 2) {
                    const __int128 edge =
                        sign * ((__int128)1 << 110) - (sign > 0 ? 1 : 0);
                    memset(packed, 0, sizeof packed);
                    packed[2 * m] = (int64_t)edge;
                    packed[2 * m + 1] = (int64_t)(edge >> 64);
                    value[m] = 0.0;
                    assert_false(tables[t]->packed_add(packed, &group, measures,
                                                       n_measures, 1));
                    value[m] = sign;
                    assert_true(tables[t]->packed_add(packed, &group, measures,
                                                      n_measures, 1));
                    value[m] = 0.0;
                    int64_t limbs[2];
                    hanse_packed_limbs(packed, m, limbs);
                    assert_true(limbs[0] + (__int128)limbs[1] * (1LL << 51) ==
                                edge + sign);
                    assert_int_equal(hanse_packed_count(packed), 2);
                }
            }
        }
    }
}

/* ---- Values and squares ------------------------------------------------- */

enum {
    MOST_SQUARED = 5, /* measures */
    SQUARE_LANES = HANSE_LINE_LANES * (MOST_SQUARED + 2)
};

static const hanse_window square_window = {-60, 2};

/* Numbers at the edges of pieces, of products that are halfway between two
 * upper parts, and of the window; and what no window takes. */
static double squared_value(void)
{
    static const double odd[] = {(double)NAN,
                                 (double)INFINITY,
                                 -(double)INFINITY,
                                 -0.0,
                                 0.0,
                                 1e300,
                                 0x1p-900,
                                 0x1p-61,
                                 0x1p42,
                                 0x1.fffffffffffffp41,
                                 -0x1.fffffffffffffp41,
                                 0x1p-10,
                                 0x3p-10,
                                 -0x1p-10,
                                 0x1p-35,
                                 -0x3p-35,
                                 0x1p-60,
                                 0x1.8000000000002p16,
                                 -0x1.8000000000002p16};
    const uint64_t r = random_bits();
    if (r % 8 == 0)
        return odd[r / 8 % (sizeof odd / sizeof odd[0])];
    return r % 8 < 5 ? ldexp((double)(int64_t)random_bits(), -70)
                     : random_double(-8, 41);
}

/* Whether limbs of the squares hold x * x to the last bit. */
static bool holds_square(const int64_t *limbs, double value)
{
    const hanse_window window = {2 * square_window.exponent,
                                 HANSE_SQUARE_LIMBS};
    hanse_wide found, factor, square;
    hanse_wide_from_limbs(&found, limbs, &window);
    hanse_wide_from_double(&factor, value);
    hanse_wide_square(&square, &factor);
    hanse_wide_subtract(&found, &square);
    return found.n == 0;
}

/* The state of one row of one measure against its definition. */
static void assert_squared_row(const int64_t *row, double value,
                               bool has_extremes, bool is_bad)
{
    static const int bits[] = {50, 51, 50, 52, 52, 51};
    const int64_t *limbs = row + hanse_square_lane(0, has_extremes);
    assert_int_equal(row[0], 1);
    for (size_t k = 0; k < 6; k++)
        assert_true(llabs(limbs[k]) <= 1LL << bits[k]);
    assert_true(hanse_limbs_round(limbs, &square_window) ==
                (is_bad ? 0.0 : value));
    assert_true(holds_square(limbs + 2, is_bad ? 0.0 : value));
    int64_t high, low;
    hanse_extremes_f64_scalar(&value, 1, &high, &low);
    assert_int_equal(limbs[6], has_extremes ? high : 0);
    if (has_extremes)
        assert_int_equal(limbs[7], low);
}

static void square_add_holds_values_and_squares(void **state)
{
    (void)state;
    static _Alignas(64) int64_t states[ROWS * 16];
    const hanse_split_grid grid = grid_of(square_window);
    uint32_t groups[ROWS];
    size_t n_tables;
    const hanse_kernels *const *tables = all_kernels(&n_tables);
    for (uint32_t i = 0; i < ROWS; i++)
        groups[i] = i;
    for (size_t t = 0; t < n_tables; t++) {
        for (size_t c = 0; c < 60; c++) {
            const bool has_extremes = c % 2 != 0;
            const hanse_square_states to = {states, 16, groups, has_extremes};
            for (size_t i = 0; i < ROWS; i++)
                x[i] = squared_value();
            hanse_line_measure measure = {x, &grid, bad, 99};
            memset(states, 0, sizeof states);
            assert_false(tables[t]->square_add(&to, &measure, 1, ROWS));
            assert_int_equal(
                tables[0]->split_f64(x, ROWS, &grid, lanes, other_bad),
                measure.n_bad);
            assert_memory_equal(bad, other_bad, measure.n_bad * sizeof *bad);
            for (size_t i = 0, k = 0; i < ROWS; i++) {
                const bool is_bad = k < measure.n_bad && bad[k] == i;
                k += is_bad;
                assert_squared_row(states + i * 16, x[i], has_extremes, is_bad);
            }
        }
    }
}

/* What the scalar kernel makes of each row alone, put together. */
static void expect_squared(int64_t *expected, const hanse_square_states *to,
                           const hanse_line_measure *measures,
                           size_t n_measures, size_t n)
{
    static _Alignas(64) int64_t line[SQUARE_LANES];
    uint16_t none[1] = {0};
    for (size_t i = 0; i < n; i++) {
        hanse_line_measure one[MOST_SQUARED];
        for (size_t m = 0; m < n_measures; m++)
            one[m] = (hanse_line_measure){measures[m].x + i, measures[m].grid,
                                          none, 0};
        const hanse_square_states single = {line, SQUARE_LANES, NULL,
                                            to->has_extremes};
        memset(line, 0, sizeof line);
        (void)hanse_square_add_scalar(&single, one, n_measures, 1);
        int64_t *state =
            expected + (to->groups == NULL ? 0 : to->groups[i]) * to->stride;
        for (size_t l = 0; l < to->stride; l++) {
            const bool is_sum = !to->has_extremes || l < 8 || l % 8 < 6;
            if (is_sum)
                state[l] += line[l];
            else if ((uint64_t)line[l] > (uint64_t)state[l])
                state[l] = line[l];
        }
    }
}

static void square_add_adds_every_row(void **state)
{
    (void)state;
    enum {
        GROUPS = 19
    };
    static _Alignas(64) int64_t found[GROUPS * SQUARE_LANES];
    static int64_t expected[GROUPS * SQUARE_LANES];
    static double values[MOST_SQUARED][ROWS];
    static uint16_t listed[MOST_SQUARED][ROWS];
    uint32_t groups[ROWS];
    const hanse_split_grid grid = grid_of(square_window);
    size_t n_tables;
    const hanse_kernels *const *tables = all_kernels(&n_tables);
    for (size_t c = 0; c < 600; c++) {
        const size_t n = c % (ROWS + 1), n_measures = 1 + c % MOST_SQUARED;
        const hanse_square_states to = {found, SQUARE_LANES,
                                        c % 7 == 0 ? NULL : groups, c % 2 != 0};
        hanse_line_measure measures[MOST_SQUARED];
        for (size_t i = 0; i < n; i++)
            groups[i] = (uint32_t)(random_bits() % (c % 3 == 0 ? 2 : GROUPS));
        for (size_t m = 0; m < MOST_SQUARED; m++)
            for (size_t i = 0; i < n; i++)
                values[m][i] = squared_value();
        for (size_t m = 0; m < MOST_SQUARED; m++)
            measures[m] = (hanse_line_measure){values[m], &grid, listed[m], 99};
        memset(expected, 0, sizeof expected);
        expect_squared(expected, &to, measures, n_measures, n);
        for (size_t t = 0; t < n_tables; t++) {
            memset(found, 0, sizeof found);
            assert_false(tables[t]->square_add(&to, measures, n_measures, n));
            assert_memory_equal(found, expected, sizeof found);
            for (size_t m = 0; m < n_measures; m++) {
                const size_t n_bad =
                    tables[0]->split_f64(values[m], n, &grid, lanes, other_bad);
                assert_int_equal(measures[m].n_bad, n_bad);
                assert_memory_equal(listed[m], other_bad,
                                    n_bad * sizeof *other_bad);
            }
        }
    }
}

/* Every limb of every measure, at either end of its guard; not extremes. */
static void square_add_reports_full_limbs(void **state)
{
    (void)state;
    static _Alignas(64) int64_t states[SQUARE_LANES];
    const int64_t guard = (int64_t)1 << 61;
    const hanse_split_grid grid = grid_of(square_window);
    const uint32_t group = 0;
    const double zero = 0.0;
    size_t n_tables;
    const hanse_kernels *const *tables = all_kernels(&n_tables);
    hanse_line_measure measures[3];
    for (size_t m = 0; m < 3; m++)
        measures[m] = (hanse_line_measure){&zero, &grid, bad, 0};
    for (size_t c = 0; c < n_tables * 4 * 3 * 6; c++) {
        const hanse_kernels *table = tables[c % n_tables];
        const bool has_extremes = c / n_tables % 2 != 0;
        const size_t m = c / n_tables / 4 % 3, k = c / n_tables / 12;
        const hanse_square_states to = {states, SQUARE_LANES,
                                        c / n_tables / 2 % 2 ? &group : NULL,
                                        has_extremes};
        int64_t *limbs = states + hanse_square_lane(m, has_extremes);
        memset(states, 0, sizeof states);
        limbs[k] = guard - 1;
        if (has_extremes)
            limbs[6] = limbs[7] = guard;
        assert_false(table->square_add(&to, measures, 3, 1));
        limbs[k] = guard;
        assert_true(table->square_add(&to, measures, 3, 1));
        limbs[k] = -guard;
        assert_false(table->square_add(&to, measures, 3, 1));
        limbs[k] = -guard - 1;
        assert_true(table->square_add(&to, measures, 3, 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packed_add_adds_128_bit_integers),
        cmocka_unit_test(packed_round_rounds_once),
        cmocka_unit_test(packed_add_reports_full_states),
        cmocka_unit_test(square_add_holds_values_and_squares),
        cmocka_unit_test(square_add_adds_every_row),
        cmocka_unit_test(square_add_reports_full_limbs),
    };
    printf("kernels up to %s\n", hanse_cpu_name(hanse_cpu_detect()));
    return cmocka_run_group_tests_name("state kernels", tests, NULL, NULL);
}
