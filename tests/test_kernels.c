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
#include "engine/kernels/kernels.h"
#include "engine/wide.h"

enum {
    ROWS = HANSE_LIMB_BATCH,
    LANES = 24
};

static _Alignas(64) int64_t lanes[LANES * ROWS], other_lanes[LANES * ROWS];
static _Alignas(64) int64_t rows[LANES * ROWS];
static double x[ROWS];
static uint16_t bad[ROWS], other_bad[ROWS];
static uint64_t seed = 20;

static uint64_t random_bits(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed ^ (seed >> 29)) * 0xbf58476d1ce4e5b9u;
}

static double random_double(int low_exponent, int high_exponent)
{
    const uint64_t span = (uint64_t)(high_exponent - low_exponent + 1);
    const double mantissa = 1.0 + (double)(random_bits() >> 12) * 0x1p-52;
    const double value =
        ldexp(mantissa, low_exponent + (int)(random_bits() % span));
    return random_bits() & 1 ? -value : value;
}

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

static hanse_split_grid grid_of(hanse_window window)
{
    hanse_split_grid grid;
    assert_true(hanse_window_grid(&window, &grid));
    return grid;
}

static void gather_limbs(size_t i, int n_limbs, int64_t *limbs)
{
    for (int k = 0; k < n_limbs; k++)
        limbs[k] = lanes[(size_t)k * ROWS + i];
}

static const hanse_kernels *const *all_kernels(size_t *n)
{
    static const hanse_kernels *tables[HANSE_CPU_COUNT];
    *n = 0;
    for (int cpu = 0; cpu <= (int)hanse_cpu_detect(); cpu++)
        tables[(*n)++] = hanse_kernels_of((hanse_cpu)cpu);
    return tables;
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
        cmocka_unit_test(packed_add_adds_128_bit_integers),
        cmocka_unit_test(packed_add_reports_full_states),
        cmocka_unit_test(packed_round_rounds_once),
        cmocka_unit_test(adds_report_full_limbs),
        cmocka_unit_test(square_add_holds_values_and_squares),
        cmocka_unit_test(square_add_adds_every_row),
        cmocka_unit_test(square_add_reports_full_limbs),
        cmocka_unit_test(cpu_ceiling_is_respected),
    };
    printf("kernels up to %s\n", hanse_cpu_name(hanse_cpu_detect()));
    return cmocka_run_group_tests_name("kernels", tests, NULL, NULL);
}
