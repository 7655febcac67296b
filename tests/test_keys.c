/* SPDX-License-Identifier: Apache-2.0
 *
 * Integer key maps against the simplest map there is, and the radix sort.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/key_map.h"
#include "engine/pair_table.h"
#include "engine/sort.h"

enum {
    N = 5000
};

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (*state ^ (*state >> 31)) * 0x9e3779b97f4a7c15u;
}

/* Equal values have equal codes, codes count up by first appearance, and
 * values[code] gives the value back. */
static void check_codes(const hanse_int_map *map, const int64_t *values,
                        const uint32_t *codes, size_t n)
{
    size_t n_seen = 0;
    for (size_t i = 0; i < n; i++) {
        assert_true(codes[i] <= n_seen);
        if (codes[i] == n_seen)
            n_seen++;
        assert_true(map->values[codes[i]] == values[i]);
    }
    assert_int_equal(map->n, n_seen);
    for (size_t a = 0; a < map->n && a < 300; a++)
        for (size_t b = 0; b < a; b++)
            assert_true(map->values[a] != map->values[b]);
}

static void run_map(const int64_t *values, bool expect_hashed)
{
    hanse_int_map map;
    hanse_budget budget = {0};
    uint32_t codes[N];
    hanse_int_map_init(&map, &budget);
    for (size_t first = 0; first < N; first += 700) {
        const size_t n = N - first < 700 ? N - first : 700;
        assert_int_equal(
            hanse_int_map_codes(&map, values + first, n, codes + first, NULL),
            HANSE_OK);
    }
    assert_int_equal(map.hashed, expect_hashed);
    check_codes(&map, values, codes, N);
    hanse_int_map_clear(&map);
    assert_int_equal(budget.used_bytes, 0);
}

static void int_map_small_range_uses_range_table(void **state)
{
    (void)state;
    int64_t values[N];
    uint64_t seed = 1;
    for (size_t i = 0; i < N; i++)
        values[i] = (int64_t)(next_random(&seed) % 1000) - 500;
    run_map(values, false);
}

static void int_map_rising_and_falling_keys_keep_range_table(void **state)
{
    (void)state;
    int64_t values[N];
    for (size_t i = 0; i < N; i++)
        values[i] = 1000000007 + (int64_t)i;
    run_map(values, false);
    for (size_t i = 0; i < N; i++)
        values[i] = -5 - (int64_t)i;
    run_map(values, false);
}

static void int_map_wide_range_uses_hash(void **state)
{
    (void)state;
    int64_t values[N];
    uint64_t seed = 2;
    for (size_t i = 0; i < N; i++)
        values[i] = (int64_t)next_random(&seed);
    run_map(values, true);
    for (size_t i = 0; i < N; i++)
        values[i] = (int64_t)((i % 977) << 32);
    run_map(values, true);
}

static void int_map_extreme_values_are_distinct(void **state)
{
    (void)state;
    int64_t values[N];
    const int64_t edge[] = {INT64_MIN,     INT64_MAX,    0, -1, 1,
                            INT64_MIN + 1, INT64_MAX - 1};
    for (size_t i = 0; i < N; i++)
        values[i] = edge[i % 7];
    run_map(values, true);
    for (size_t i = 0; i < N; i++)
        values[i] = INT64_MAX - (int64_t)(i % 100);
    run_map(values, false);
    for (size_t i = 0; i < N; i++)
        values[i] = INT64_MIN + (int64_t)(i % 100);
    run_map(values, false);
}

/* Longest run of used slots, what a search may have to walk. */
static size_t longest_run(const uint32_t *slots, size_t n_slots)
{
    size_t run = 0, longest = 0;
    for (size_t i = 0; i < n_slots; i++) {
        run = slots[i] == HANSE_CODE_NONE ? 0 : run + 1;
        longest = run > longest ? run : longest;
    }
    return longest;
}

/* x with factor * x = product modulo 2^64; factor is odd. */
static uint64_t divide(uint64_t product, uint64_t factor)
{
    uint64_t inverse = factor;
    for (int i = 0; i < 5; i++)
        inverse *= 2 - factor * inverse;
    return product * inverse;
}

/* Integers that the finaliser of MurmurHash3 takes to multiples of 2^32, as
 * the author of a hostile table would choose them. */
static void int_map_chosen_keys_do_not_collide(void **state)
{
    (void)state;
    int64_t values[N];
    uint32_t codes[N];
    hanse_int_map map;
    for (uint64_t i = 0; i < N; i++) {
        uint64_t h = (i + 1) << 32;
        h = divide(h ^ (h >> 33), 0xc4ceb9fe1a85ec53u);
        h = divide(h ^ (h >> 33), 0xff51afd7ed558ccdu);
        values[i] = (int64_t)(h ^ (h >> 33));
    }
    hanse_int_map_init(&map, NULL);
    assert_int_equal(hanse_int_map_codes(&map, values, N, codes, NULL),
                     HANSE_OK);
    check_codes(&map, values, codes, N);
    assert_true(longest_run(map.slots, map.n_slots) < N / 10);
    hanse_int_map_clear(&map);
}

static void int_map_without_memory_fails(void **state)
{
    (void)state;
    int64_t values[N];
    uint32_t codes[N];
    for (size_t i = 0; i < N; i++)
        values[i] = (int64_t)i << 40;
    for (uint64_t limit = 64;; limit += 4096) {
        hanse_budget budget = {.limit_bytes = limit};
        hanse_error error = {0};
        hanse_int_map map;
        hanse_int_map_init(&map, &budget);
        const hanse_status status =
            hanse_int_map_codes(&map, values, N, codes, &error);
        hanse_int_map_clear(&map);
        assert_int_equal(budget.used_bytes, 0);
        if (status == HANSE_OK)
            break;
        assert_int_equal(status, HANSE_ERR_LIMIT);
        assert_non_null(strstr(error.message, "--memory"));
    }
}

static void sort_random_keys_is_ordered_and_stable(void **state)
{
    (void)state;
    static hanse_sort_entry entries[N], spare[N];
    uint64_t seed = 3;
    const size_t sizes[] = {0, 1, 2, 31, 32, 33, 1000, N};
    const unsigned shifts[] = {0, 1, 40, 60, 63};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (size_t b = 0; b < sizeof shifts / sizeof shifts[0]; b++) {
            uint64_t before = 0, after = 0;
            for (size_t i = 0; i < sizes[s]; i++) {
                entries[i].key = next_random(&seed) >> shifts[b];
                entries[i].index = (uint32_t)i;
                before += entries[i].key * (i + 1);
            }
            hanse_sort(entries, spare, sizes[s]);
            for (size_t i = 0; i < sizes[s]; i++) {
                after += entries[i].key * (entries[i].index + 1);
                if (i == 0)
                    continue;
                assert_true(entries[i - 1].key <= entries[i].key);
                if (entries[i - 1].key == entries[i].key)
                    assert_true(entries[i - 1].index < entries[i].index);
            }
            assert_true(before == after);
        }
    }
}

/* ---- Pairs -------------------------------------------------------------- */

/* Blocks of pairs whose sides grow to n_parents and n_codes: codes as from a
 * map alone; whether the table is given up. */
static bool check_pairs(size_t n_parents, size_t n_codes)
{
    enum {
        ROWS = 500,
        BLOCKS = 60
    };
    static uint32_t parents[ROWS], codes[ROWS], found[ROWS], expected[ROWS];
    static int64_t scratch[ROWS];
    uint64_t seed = n_parents + n_codes;
    hanse_budget budget = {0};
    hanse_int_map map, alone;
    hanse_pair_table table = {0};
    hanse_int_map_init(&map, &budget);
    hanse_int_map_init(&alone, NULL);
    for (size_t b = 0; b < BLOCKS; b++) {
        const hanse_pair_rows rows = {parents,
                                      codes,
                                      1 + next_random(&seed) % ROWS,
                                      n_parents * (b + 1) / BLOCKS + 1,
                                      n_codes * (b + 1) / BLOCKS + 1,
                                      scratch};
        for (size_t i = 0; i < rows.n; i++) {
            parents[i] = (uint32_t)(next_random(&seed) % rows.n_parents);
            codes[i] = (uint32_t)(next_random(&seed) % rows.n_codes);
        }
        for (size_t i = 0; i < rows.n; i++) {
            const int64_t pair = hanse_pair_of(parents[i], codes[i]);
            assert_int_equal(
                hanse_int_map_codes(&alone, &pair, 1, &expected[i], NULL),
                HANSE_OK);
        }
        assert_int_equal(
            hanse_pair_table_codes(&table, &map, &rows, found, NULL), HANSE_OK);
        assert_memory_equal(found, expected, rows.n * sizeof *found);
        /* As a merge adds pairs behind the table's back. */
        const int64_t more = hanse_pair_of(0, (uint32_t)(b * n_codes / BLOCKS));
        uint32_t a, c;
        assert_int_equal(hanse_int_map_codes(&map, &more, 1, &a, NULL),
                         HANSE_OK);
        assert_int_equal(hanse_int_map_codes(&alone, &more, 1, &c, NULL),
                         HANSE_OK);
        assert_int_equal(a, c);
    }
    const bool is_off = table.is_off;
    hanse_pair_table_clear(&table, &budget);
    hanse_int_map_clear(&map);
    hanse_int_map_clear(&alone);
    assert_int_equal(budget.used_bytes, 0);
    return is_off;
}

static void pair_table_is_as_map(void **state)
{
    (void)state;
    assert_false(check_pairs(1, 1));
    assert_false(check_pairs(20, 15));
    assert_false(check_pairs(500, 7));
    assert_false(check_pairs(3, 9000));
    assert_true(check_pairs(3000, 3000));
    assert_true(check_pairs(UINT32_MAX - 1, 2));
    assert_true(check_pairs(2, UINT32_MAX - 1));
}

/* Against the sort of one thread, with keys that fill parts evenly, that fall
 * into one part, and that are all equal. */
static void sort_parallel_is_as_sort(void **state)
{
    (void)state;
    const size_t sizes[] = {0, 1, 1000, 16385, 70000, 300001};
    const unsigned shifts[] = {0, 3, 44, 63, 64};
    uint64_t seed = 9;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        const size_t n = sizes[s];
        hanse_sort_entry *expected = calloc(3 * n + 1, sizeof *expected);
        assert_non_null(expected);
        hanse_sort_entry *entries = expected + n, *spare = entries + n;
        for (size_t b = 0; b < 2 * sizeof shifts / sizeof shifts[0]; b++) {
            const unsigned shift = shifts[b / 2];
            for (size_t i = 0; i < n; i++) {
                const uint64_t x = next_random(&seed);
                entries[i].key = shift == 64 ? 5 : x >> shift;
                entries[i].index = (uint32_t)i;
            }
            /* All but one in one part. */
            if (b % 2 == 1 && n > 0 && shift > 0)
                entries[n / 2].key = UINT64_MAX;
            memcpy(expected, entries, n * sizeof *entries);
            hanse_sort(expected, spare, n);
            hanse_sort_parallel(entries, spare, n, 1 + b % 4);
            for (size_t i = 0; i < n; i++) {
                assert_true(entries[i].key == expected[i].key);
                assert_int_equal(entries[i].index, expected[i].index);
            }
        }
        free(expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(int_map_small_range_uses_range_table),
        cmocka_unit_test(int_map_rising_and_falling_keys_keep_range_table),
        cmocka_unit_test(int_map_wide_range_uses_hash),
        cmocka_unit_test(int_map_extreme_values_are_distinct),
        cmocka_unit_test(int_map_chosen_keys_do_not_collide),
        cmocka_unit_test(int_map_without_memory_fails),
        cmocka_unit_test(pair_table_is_as_map),
        cmocka_unit_test(sort_random_keys_is_ordered_and_stable),
        cmocka_unit_test(sort_parallel_is_as_sort),
    };
    return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
