/* SPDX-License-Identifier: Apache-2.0
 *
 * Every kernel of every instruction set of this machine against its
 * definition and against the scalar version, which must agree to the bit.
 */
#include <float.h>
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

enum {
    LANES = 24
};

static _Alignas(64) int64_t lanes[LANES * ROWS], other_lanes[LANES * ROWS];
static _Alignas(64) int64_t rows[LANES * ROWS];
static double x[ROWS];
static uint16_t bad[ROWS], other_bad[ROWS];
static void fill(int low_exponent, int high_exponent)
{
    for (size_t i = 0; i < ROWS; i++)
        x[i] = random_double(low_exponent, high_exponent);
}

/* Values that no window takes, and values on the edges of one. */
static void sprinkle(void)
{
    static const double special[] = {(double)NAN,
                                     (double)INFINITY,
                                     -(double)INFINITY,
                                     -0.0,
                                     0.0,
                                     0x1p42,
                                     -0x1p42,
                                     0x1.fffffffffffffp41,
                                     0x1p-60,
                                     0x1p-61,
                                     0x1p-1074,
                                     1e308,
                                     -1e308,
                                     0x1p-500,
                                     0x1p500};
    for (size_t i = 0; i < ROWS; i++)
        if (random_bits() % 4 == 0)
            x[i] =
                special[random_bits() % (sizeof special / sizeof special[0])];
}

static void gather_limbs(size_t i, int n_limbs, int64_t *limbs)
{
    for (int k = 0; k < n_limbs; k++)
        limbs[k] = lanes[(size_t)k * ROWS + i];
}

/* ---- Splits ------------------------------------------------------------- */

static void split_restores_values(void **state)
{
    (void)state;
    size_t n_tables;
    const hanse_kernels *const *tables = all_kernels(&n_tables);
    for (size_t t = 0; t < n_tables; t++) {
        for (int n_limbs = 1; n_limbs <= HANSE_DENSE_LIMBS; n_limbs++) {
            const hanse_window window = {-60, n_limbs};
            const hanse_split_grid grid = grid_of(window);
            fill(n_limbs == 1 ? -30 : -8, n_limbs == 1 ? -10 : 35);
            for (size_t i = 0; n_limbs == 1 && i < ROWS; i++)
                x[i] = ldexp(rint(ldexp(x[i], 60)), -60);
            assert_int_equal(tables[t]->split_f64(x, ROWS, &grid, lanes, bad),
                             0);
            for (size_t i = 0; i < ROWS; i++) {
                int64_t limbs[HANSE_DENSE_LIMBS];
                gather_limbs(i, n_limbs, limbs);
                for (int k = 0; k < n_limbs; k++)
                    assert_true(llabs(limbs[k]) <= 1LL << 51);
                assert_true(hanse_limbs_round(limbs, &window) == x[i]);
            }
        }
    }
}

static void split_lists_what_it_cannot_take(void **state)
{
    (void)state;
    const hanse_window window = {-60, 2};
    const hanse_split_grid grid = grid_of(window);
    size_t n_tables;
    const hanse_kernels *const *tables = all_kernels(&n_tables);
    for (size_t t = 0; t < n_tables; t++) {
        fill(-8, 41);
        sprinkle();
        memset(lanes, 0x55, sizeof lanes);
        const size_t n_bad = tables[t]->split_f64(x, ROWS, &grid, lanes, bad);
        size_t k = 0;
        for (size_t i = 0; i < ROWS; i++) {
            int64_t limbs[2];
            gather_limbs(i, 2, limbs);
            bool fits = isfinite(x[i]) && !(x[i] == 0.0 && signbit(x[i]));
            if (fits && x[i] != 0.0) {
                const hanse_bits bits = hanse_bits_of(x[i], false);
                fits = hanse_window_holds(&window, hanse_bits_low(&bits),
                                          hanse_bits_high(&bits));
            }
            if (fits) {
                assert_true(hanse_limbs_round(limbs, &window) == x[i]);
            } else {
                assert_true(k < n_bad && bad[k] == i);
                assert_true(limbs[0] == 0 && limbs[1] == 0);
                k++;
            }
        }
        assert_int_equal(k, n_bad);
    }
}

static void split_squares_restores_squares(void **state)
{
    (void)state;
    const hanse_window window = {-140, 4};
    const hanse_split_grid grid = grid_of(window);
    size_t n_tables;
    const hanse_kernels *const *tables = all_kernels(&n_tables);
    for (size_t t = 0; t < n_tables; t++) {
        fill(-15, 30);
        assert_int_equal(
            tables[t]->split_square_f64(x, ROWS, &grid, lanes, bad), 0);
        for (size_t i = 0; i < ROWS; i++) {
            int64_t found[HANSE_DENSE_LIMBS], expected[8] = {0};
            const hanse_bits bits = hanse_bits_of(x[i], true);
            hanse_wide a, b;
            gather_limbs(i, 4, found);
            assert_true(hanse_limbs_add(expected, &window, &bits));
            hanse_wide_from_limbs(&a, found, &window);
            hanse_wide_from_limbs(&b, expected, &window);
            hanse_wide_subtract(&a, &b);
            assert_int_equal(a.n, 0);
        }
    }
}

/* Whether a row's lanes hold x * y to the last bit. */
static bool holds_product(const hanse_window *window, size_t i, double a,
                          double b)
{
    int64_t limbs[HANSE_DENSE_LIMBS];
    hanse_wide found, factor, expected;
    gather_limbs(i, window->n_limbs, limbs);
    hanse_wide_from_limbs(&found, limbs, window);
    hanse_wide_from_double(&factor, a);
    hanse_wide_from_double(&expected, b);
    hanse_wide product;
    hanse_wide_multiply(&product, &factor, &expected);
    hanse_wide_subtract(&found, &product);
    return found.n == 0;
}

static double y[ROWS];

static void split_products_restores_products(void **state)
{
    (void)state;
    const hanse_window window = {-140, 4};
    const hanse_split_grid grid = grid_of(window);
    size_t n_tables;
    const hanse_kernels *const *tables = all_kernels(&n_tables);
    for (size_t t = 0; t < n_tables; t++) {
        fill(-15, 30);
        memcpy(y, x, sizeof y);
        fill(-15, 30);
        assert_int_equal(
            tables[t]->split_product_f64(x, y, ROWS, &grid, lanes, bad), 0);
        for (size_t i = 0; i < ROWS; i++)
            assert_true(holds_product(&window, i, x[i], y[i]));
    }
}

static void split_products_lists_what_it_cannot_take(void **state)
{
    (void)state;
    const hanse_window window = {-130, 4};
    const hanse_split_grid grid = grid_of(window);
    size_t n_tables, n_held = 0, n_listed = 0;
    const hanse_kernels *const *tables = all_kernels(&n_tables);
    for (int round = 0; round < 40; round++) {
        fill(-8, 41);
        sprinkle();
        memcpy(y, x, sizeof y);
        fill(-30, 41);
        sprinkle();
        size_t n_bad =
            tables[0]->split_product_f64(x, y, ROWS, &grid, lanes, bad);
        for (size_t i = 0, k = 0; i < ROWS; i++) {
            const bool is_listed = k < n_bad && bad[k] == i;
            k += is_listed;
            if (!is_listed) {
                assert_true(holds_product(&window, i, x[i], y[i]));
                n_held++;
                continue;
            }
            for (size_t l = 0; l < 4; l++)
                assert_int_equal(lanes[l * ROWS + i], 0);
            n_listed++;
        }
        for (size_t t = 1; t < n_tables; t++) {
            assert_int_equal(tables[t]->split_product_f64(
                                 x, y, ROWS, &grid, other_lanes, other_bad),
                             n_bad);
            assert_memory_equal(bad, other_bad, n_bad * sizeof *bad);
            assert_memory_equal(lanes, other_lanes, 4 * ROWS * sizeof lanes[0]);
        }
    }
    assert_true(n_held > 1000 && n_listed > 1000);
}

/* All instruction sets, all lengths: pieces and lists as from scalar. */
static void splits_agree_with_scalar(void **state)
{
    (void)state;
    static const hanse_window windows[] = {{-60, 1},  {-60, 2},   {-80, 3},
                                           {-120, 4}, {-1074, 2}, {850, 3}};
    size_t n_tables;
    const hanse_kernels *const *tables = all_kernels(&n_tables);
    for (size_t t = 1; t < n_tables; t++) {
        for (size_t w = 0; w < sizeof windows / sizeof windows[0]; w++) {
            const hanse_split_grid grid = grid_of(windows[w]);
            const int low = windows[w].exponent + 52 > -1022
                                ? windows[w].exponent + 52
                                : -1022;
            for (size_t n = 0; n <= ROWS; n = n < 40 ? n + 1 : n + 43) {
                for (int square = 0; square < 2; square++) {
                    fill(low, low + 40);
                    sprinkle();
                    memset(lanes, 0, sizeof lanes);
                    memset(other_lanes, 0, sizeof other_lanes);
                    hanse_split_function *a = square
                                                  ? tables[0]->split_square_f64
                                                  : tables[0]->split_f64;
                    hanse_split_function *b = square
                                                  ? tables[t]->split_square_f64
                                                  : tables[t]->split_f64;
                    const size_t n_bad = a(x, n, &grid, lanes, bad);
                    assert_int_equal(b(x, n, &grid, other_lanes, other_bad),
                                     n_bad);
                    assert_memory_equal(bad, other_bad, n_bad * sizeof *bad);
                    assert_memory_equal(lanes, other_lanes, sizeof lanes);
                }
            }
        }
    }
}

/* Sums over the rows of what the scalar split gives, bad rows and all. */
static void totals_are_sums_of_splits(void **state)
{
    (void)state;
    static const hanse_window windows[] = {{-60, 1},   {-60, 2},  {-80, 3},
                                           {-120, 4},  {-140, 5}, {-200, 6},
                                           {-1074, 2}, {850, 3}};
    size_t n_tables;
    const hanse_kernels *const *tables = all_kernels(&n_tables);
    for (size_t w = 0; w < sizeof windows / sizeof windows[0]; w++) {
        const size_t n_limbs = (size_t)windows[w].n_limbs;
        const hanse_split_grid grid = grid_of(windows[w]);
        const int low =
            windows[w].exponent + 52 > -1022 ? windows[w].exponent + 52 : -1022;
        for (size_t n = 0; n <= ROWS; n = n < 40 ? n + 1 : n + 43) {
            for (int kind = 0; kind < 4; kind++) {
                const bool square = kind % 2 != 0;
                fill(low, low + 40);
                if (kind >= 2)
                    sprinkle();
                const size_t n_bad =
                    square
                        ? tables[0]->split_square_f64(x, n, &grid, lanes, bad)
                        : tables[0]->split_f64(x, n, &grid, lanes, bad);
                int64_t expected[HANSE_DENSE_LIMBS] = {0};
                for (size_t k = 0; k < n_limbs; k++)
                    for (size_t i = 0; i < n; i++)
                        expected[k] += lanes[k * ROWS + i];
                for (size_t t = 0; t < n_tables; t++) {
                    int64_t sums[HANSE_DENSE_LIMBS] = {0};
                    hanse_total_function *total =
                        square ? tables[t]->total_square_f64
                               : tables[t]->total_f64;
                    assert_int_equal(total(x, n, &grid, sums, other_bad),
                                     n_bad);
                    assert_memory_equal(bad, other_bad, n_bad * sizeof *bad);
                    assert_memory_equal(sums, expected, sizeof sums);
                }
            }
        }
    }
}

static void split_integers_restores_them(void **state)
{
    (void)state;
    static const int64_t values[] = {
        0, 1, -1, INT64_MAX, INT64_MIN, 1LL << 51, -(1LL << 51)};
    enum {
        N = sizeof values / sizeof values[0]
    };
    const __int128 unit = (__int128)1 << HANSE_LIMB_BITS;
    hanse_split_i64(values, N, lanes);
    for (size_t i = 0; i < N; i++)
        assert_true(lanes[i] + unit * lanes[ROWS + i] == (__int128)values[i]);
    hanse_split_u64((const uint64_t *)values, N, lanes);
    for (size_t i = 0; i < N; i++)
        assert_true(lanes[i] + unit * lanes[ROWS + i] ==
                    (__int128)(uint64_t)values[i]);
    for (int is_unsigned = 0; is_unsigned < 2; is_unsigned++) {
        hanse_split_square_i64(values, N, is_unsigned, lanes);
        for (size_t i = 0; i < N; i++) {
            const unsigned __int128 size =
                is_unsigned     ? (uint64_t)values[i]
                : values[i] < 0 ? (uint64_t)0 - (uint64_t)values[i]
                                : (uint64_t)values[i];
            const unsigned __int128 sum =
                (unsigned __int128)lanes[i] +
                (unsigned __int128)lanes[ROWS + i] * (unsigned __int128)unit +
                ((unsigned __int128)lanes[2 * ROWS + i] << 102);
            assert_true(sum == size * size);
        }
    }
}

/* ---- Transpose and adds ------------------------------------------------- */

static void fill_lanes(int64_t size)
{
    for (size_t i = 0; i < LANES * ROWS; i++)
        lanes[i] = (int64_t)(random_bits() >> 3) % size;
}

static void transpose_moves_every_piece(void **state)
{
    (void)state;
    size_t n_tables;
    const hanse_kernels *const *tables = all_kernels(&n_tables);
    for (size_t t = 0; t < n_tables; t++) {
        for (size_t n_lanes = 8; n_lanes <= LANES; n_lanes += 8) {
            for (size_t n = 0; n <= ROWS; n = n < 20 ? n + 1 : n + 59) {
                fill_lanes(INT64_MAX);
                tables[t]->transpose(lanes, ROWS, n_lanes, n, rows);
                for (size_t i = 0; i < n; i++)
                    for (size_t l = 0; l < n_lanes; l++)
                        assert_true(rows[i * n_lanes + l] ==
                                    lanes[l * ROWS + i]);
            }
        }
    }
}

static void group_add_adds_every_lane(void **state)
{
    (void)state;
    enum {
        GROUPS = 37,
        STRIDE = LANES + 8
    };
    static _Alignas(64) int64_t states[GROUPS * STRIDE];
    static int64_t expected[GROUPS * STRIDE];
    uint32_t groups[ROWS];
    size_t n_tables;
    const hanse_kernels *const *tables = all_kernels(&n_tables);
    for (size_t t = 0; t < n_tables; t++) {
        for (size_t both = 0; both < LANES / 8 * 2; both++) {
            const size_t n_lanes = 8 + both / 2 * 8;
            const bool with_extremes = both % 2 != 0;
            /* All lanes are sums, or the last line holds extremes. */
            const size_t n_sums = with_extremes ? n_lanes - 8 : n_lanes;
            memset(states, 0, sizeof states);
            memset(expected, 0, sizeof expected);
            for (size_t n = 0; n <= ROWS; n += 51) {
                fill_lanes((int64_t)1 << 52);
                for (size_t i = 0; i < n; i++) {
                    groups[i] = (uint32_t)(random_bits() % GROUPS);
                    int64_t *row = expected + groups[i] * STRIDE;
                    for (size_t l = 0; l < n_sums; l++)
                        row[l] += lanes[i * n_lanes + l];
                    for (size_t l = n_sums; l < n_lanes; l++)
                        if ((uint64_t)lanes[i * n_lanes + l] > (uint64_t)row[l])
                            row[l] = lanes[i * n_lanes + l];
                }
                assert_false(tables[t]->group_add(states, STRIDE, groups, lanes,
                                                  n_sums, n_lanes, n));
                assert_memory_equal(states, expected, sizeof states);
            }
        }
    }
}

static void lanes_add_is_transpose_and_group_add(void **state)
{
    (void)state;
    enum {
        GROUPS = 11,
        STRIDE = LANES + 8
    };
    static _Alignas(64) int64_t found[GROUPS * STRIDE];
    static _Alignas(64) int64_t expected[GROUPS * STRIDE];
    uint32_t groups[ROWS];
    size_t n_tables;
    const hanse_kernels *const *tables = all_kernels(&n_tables);
    for (size_t t = 0; t < n_tables; t++) {
        for (size_t c = 0; tables[t]->lanes_add != NULL && c < 900; c++) {
            const size_t n = c % (ROWS + 1);
            const size_t n_lanes = 8 + c % 3 * 8;
            const size_t n_sums = c % 2 == 0 ? n_lanes : n_lanes - 8;
            /* Some leave their guard, none can overflow: no group gets more
             * than a few dozen rows. */
            const int64_t size = (int64_t)1 << (c % 7 == 0 ? 56 : 52);
            fill_lanes(size);
            for (size_t i = 0; i < n; i++)
                groups[i] = (uint32_t)(random_bits() % GROUPS);
            for (size_t i = 0; i < GROUPS * STRIDE; i++)
                found[i] = expected[i] = (int64_t)(random_bits() >> 3);
            tables[0]->transpose(lanes, ROWS, n_lanes, n, rows);
            const bool full = tables[0]->group_add(expected, STRIDE, groups,
                                                   rows, n_sums, n_lanes, n);
            assert_int_equal(tables[t]->lanes_add(found, STRIDE, groups, lanes,
                                                  ROWS, n_sums, n_lanes, n),
                             full);
            assert_memory_equal(found, expected, sizeof found);
        }
    }
}

static void total_add_takes_sums_and_extremes(void **state)
{
    (void)state;
    size_t n_tables;
    const hanse_kernels *const *tables = all_kernels(&n_tables);
    for (size_t t = 0; t < n_tables; t++) {
        for (size_t n = 0; n <= 40; n++) {
            int64_t found[16], expected[16];
            fill_lanes((int64_t)1 << 52);
            for (size_t l = 0; l < 16; l++) {
                found[l] = expected[l] = (int64_t)l;
                for (size_t i = 0; i < n; i++) {
                    const int64_t piece = lanes[l * ROWS + i];
                    if (l < 8)
                        expected[l] += piece;
                    else if ((uint64_t)piece > (uint64_t)expected[l])
                        expected[l] = piece;
                }
            }
            assert_false(tables[t]->total_add(found, lanes, ROWS, 8, 16, n));
            assert_memory_equal(found, expected, sizeof found);
        }
    }
}

static void extremes_keep_the_order_of_numbers(void **state)
{
    (void)state;
    static const double ascending[] = {
        -INFINITY, -DBL_MAX, -2.5, -1.0, -DBL_MIN, -0x1p-1074, -0.0, 0.0,
        0x1p-1074, DBL_MIN,  1.0,  2.5,  DBL_MAX,  INFINITY,   NAN};
    enum {
        N = sizeof ascending / sizeof *ascending
    };
    size_t n_tables;
    const hanse_kernels *const *tables = all_kernels(&n_tables);
    for (size_t t = 0; t < n_tables; t++) {
        int64_t high[N], low[N];
        tables[t]->extremes_f64(ascending, N, high, low);
        assert_true(high[N - 1] == 0 && low[N - 1] == 0);
        for (size_t i = 0; i + 1 < N; i++) {
            assert_true((uint64_t)high[i] == ~(uint64_t)low[i]);
            assert_true(high[i] != 0 && low[i] != 0);
            if (i > 0)
                assert_true((uint64_t)high[i - 1] < (uint64_t)high[i]);
        }
    }
    const int64_t numbers[] = {INT64_MIN, -1, 0, 1, INT64_MAX};
    const uint8_t absent[] = {0, 0, 1, 0, 0};
    int64_t high[5], low[5];
    hanse_extremes_i64(numbers, absent, 0, 5, high, low);
    assert_true(high[0] == 0 && low[0] == -1 && high[4] == -1 && low[4] == 0);
    assert_true(high[2] == 0 && low[2] == 0);
    assert_true((uint64_t)high[1] < (uint64_t)high[3]);
    hanse_extremes_i64(numbers, NULL, 1, 5, high, low);
    assert_true(high[2] == 0 && low[2] == -1 && high[1] == -1);
}

/* Against split, transpose and group add of the same instruction set. */
static void line_add_is_split_and_group_add(void **state)
{
    (void)state;
    enum {
        GROUPS = 19
    };
    static const double odd[] = {NAN, INFINITY, -0.0, 0.0, 1e300, 0x1p-900};
    static _Alignas(64) int64_t found[GROUPS * 8], expected[GROUPS * 8];
    static double values[3][ROWS];
    uint16_t listed[3][ROWS];
    uint32_t groups[ROWS];
    hanse_split_grid grid;
    const hanse_window window = {-60, 2};
    assert_true(hanse_window_grid(&window, &grid));
    size_t n_tables;
    const hanse_kernels *const *tables = all_kernels(&n_tables);
    for (size_t t = 0; t < n_tables; t++) {
        for (size_t c = 0; tables[t]->line_add != NULL && c < 600; c++) {
            const size_t n = c % (ROWS + 1), n_measures = 1 + c % 3;
            hanse_line_measure measures[3];
            for (size_t i = 0; i < n; i++) {
                groups[i] =
                    (uint32_t)(random_bits() % (c % 5 == 0 ? 2 : GROUPS));
                for (size_t m = 0; m < 3; m++)
                    values[m][i] =
                        random_bits() % 40 == 0
                            ? odd[random_bits() % 6]
                            : ldexp((double)(int64_t)random_bits(), -70);
            }
            memset(found, 0, sizeof found);
            memset(expected, 0, sizeof expected);
            memset(lanes, 0, sizeof lanes);
            for (size_t i = 0; i < n; i++)
                lanes[i] = 1;
            for (size_t m = 0; m < n_measures; m++)
                measures[m] =
                    (hanse_line_measure){values[m], &grid, listed[m], 0};
            assert_false(
                tables[t]->line_add(found, groups, measures, n_measures, n));
            for (size_t m = 0; m < n_measures; m++) {
                const size_t n_bad = tables[t]->split_f64(
                    values[m], n, &grid, lanes + (1 + 2 * m) * ROWS, other_bad);
                assert_int_equal(measures[m].n_bad, n_bad);
                assert_memory_equal(listed[m], other_bad,
                                    n_bad * sizeof *other_bad);
            }
            tables[t]->transpose(lanes, ROWS, 8, n, rows);
            (void)tables[t]->group_add(expected, 8, groups, rows, 8, 8, n);
            assert_memory_equal(found, expected, sizeof found);
        }
    }
}

static void adds_report_full_limbs(void **state)
{
    (void)state;
    const int64_t guard = (int64_t)1 << 61;
    const uint32_t groups[2] = {0, 1};
    size_t n_tables;
    const hanse_kernels *const *tables = all_kernels(&n_tables);
    for (size_t t = 0; t < n_tables; t++) {
        for (size_t lane = 0; lane < 8; lane++) {
            static _Alignas(64) int64_t states[16];
            memset(states, 0, sizeof states);
            memset(lanes, 0, sizeof lanes);
            states[8 + lane] = guard - 2;
            lanes[8 + lane] = 1;
            assert_false(
                tables[t]->group_add(states, 8, groups, lanes, 8, 8, 2));
            assert_true(
                tables[t]->group_add(states, 8, groups, lanes, 8, 8, 2));
            assert_true(states[8 + lane] == guard);
            states[8 + lane] = -guard + 1;
            lanes[8 + lane] = -1;
            assert_false(
                tables[t]->group_add(states, 8, groups, lanes, 8, 8, 2));
            assert_true(
                tables[t]->group_add(states, 8, groups, lanes, 8, 8, 2));

            memset(states, 0, sizeof states);
            memset(lanes, 0, sizeof lanes);
            states[lane] = guard - 3;
            lanes[lane * ROWS] = lanes[lane * ROWS + 1] = 1;
            assert_false(tables[t]->total_add(states, lanes, ROWS, 8, 8, 2));
            assert_true(states[lane] == guard - 1);
            assert_true(tables[t]->total_add(states, lanes, ROWS, 8, 8, 1));
        }
    }
}

/* Conditions of all densities and lengths, at the end of a page's worth. */
static void select_lists_rows_that_hold(void **state)
{
    (void)state;
    enum {
        MOST = 2100
    };
    static uint8_t condition[MOST];
    static uint16_t expected[MOST + HANSE_SELECT_SLACK];
    static uint16_t found[MOST + HANSE_SELECT_SLACK];
    static const unsigned per_256[] = {0, 1, 20, 128, 250, 256};
    for (size_t n = 0; n < MOST; n += n < 300 ? 1 : 97) {
        for (size_t d = 0; d < 6; d++) {
            size_t n_expected = 0;
            for (size_t i = 0; i < n; i++) {
                condition[i] = (random_bits() & 0xff) < per_256[d];
                if (condition[i])
                    expected[n_expected++] = (uint16_t)i;
            }
            for (int cpu = 0; cpu <= (int)hanse_cpu_detect(); cpu++) {
                const hanse_kernels *table = hanse_kernels_of((hanse_cpu)cpu);
                memset(found, 0xee, sizeof found);
                assert_int_equal(table->select(condition, n, found),
                                 n_expected);
                assert_memory_equal(found, expected,
                                    n_expected * sizeof expected[0]);
            }
        }
    }
}

/* Values on, between and beyond the edges; counts against a plain loop. */
static void reach_counts_edges(void **state)
{
    (void)state;
    enum {
        MOST = 200,
        EDGES = 9
    };
    static double values[MOST], edges[EDGES];
    static int64_t integers[MOST], integer_edges[EDGES], found[MOST];
    for (size_t e = 0; e < EDGES; e++) {
        edges[e] = 1.5 * (double)e - 4.0;
        integer_edges[e] = e == 0 ? INT64_MIN + 1 : (int64_t)e * 3 - 9;
    }
    for (size_t n = 0; n < MOST; n++) {
        for (size_t i = 0; i < n; i++) {
            static const double special[] = {NAN, INFINITY, -INFINITY, -0.0};
            const uint64_t random = random_bits();
            values[i] = random % 5 == 0 ? special[random >> 8 & 3]
                                        : 0.5 * (double)(random % 40) - 8.0;
            integers[i] = random % 7 == 0   ? INT64_MIN
                          : random % 7 == 1 ? INT64_MAX
                                            : (int64_t)(random % 40) - 15;
        }
        for (int cpu = 0; cpu <= (int)hanse_cpu_detect(); cpu++) {
            const hanse_kernels *table = hanse_kernels_of((hanse_cpu)cpu);
            const size_t n_edges = n % (EDGES + 1);
            table->reach_f64(values, n, edges, n_edges, found);
            for (size_t i = 0; i < n; i++)
                for (size_t e = 0; e < n_edges; e++)
                    found[i] -= edges[e] <= values[i];
            for (size_t i = 0; i < n; i++)
                assert_int_equal(found[i], 0);
            table->reach_i64(integers, n, integer_edges, n_edges, found);
            for (size_t i = 0; i < n; i++)
                for (size_t e = 0; e < n_edges; e++)
                    found[i] -= integer_edges[e] <= integers[i];
            for (size_t i = 0; i < n; i++)
                assert_int_equal(found[i], 0);
        }
    }
}

static void cpu_ceiling_is_respected(void **state)
{
    (void)state;
    hanse_cpu cpu;
    hanse_error error;
    setenv("HANSE_CPU", "scalar", 1);
    assert_int_equal(hanse_cpu_choose(&cpu, &error), HANSE_OK);
    assert_int_equal(cpu, HANSE_CPU_SCALAR);
    setenv("HANSE_CPU", "avx1024", 1);
    assert_int_equal(hanse_cpu_choose(&cpu, &error), HANSE_ERR_ARGUMENT);
    assert_non_null(strstr(error.message, "avx1024"));
    unsetenv("HANSE_CPU");
    assert_int_equal(hanse_cpu_choose(&cpu, &error), HANSE_OK);
    assert_int_equal(cpu, hanse_cpu_detect());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(split_restores_values),
        cmocka_unit_test(split_lists_what_it_cannot_take),
        cmocka_unit_test(split_squares_restores_squares),
        cmocka_unit_test(split_products_restores_products),
        cmocka_unit_test(split_products_lists_what_it_cannot_take),
        cmocka_unit_test(splits_agree_with_scalar),
        cmocka_unit_test(totals_are_sums_of_splits),
        cmocka_unit_test(split_integers_restores_them),
        cmocka_unit_test(transpose_moves_every_piece),
        cmocka_unit_test(select_lists_rows_that_hold),
        cmocka_unit_test(reach_counts_edges),
        cmocka_unit_test(group_add_adds_every_lane),
        cmocka_unit_test(lanes_add_is_transpose_and_group_add),
        cmocka_unit_test(total_add_takes_sums_and_extremes),
        cmocka_unit_test(extremes_keep_the_order_of_numbers),
        cmocka_unit_test(line_add_is_split_and_group_add),
        cmocka_unit_test(adds_report_full_limbs),
        cmocka_unit_test(cpu_ceiling_is_respected),
    };
    printf("kernels up to %s\n", hanse_cpu_name(hanse_cpu_detect()));
    return cmocka_run_group_tests_name("kernels", tests, NULL, NULL);
}
