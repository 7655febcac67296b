/* SPDX-License-Identifier: Apache-2.0
 *
 * Text key maps against a search through all texts seen so far: lengths on
 * both sides of what the words hold, texts that differ in one byte, orders of
 * rows, equal hashes, and memory that ends right after the texts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/text_order.h"

enum {
    MOST_LENGTH = 40,
    N_TEXTS = 3 * (MOST_LENGTH + 1),
    N_ROWS = 4000,
    AREA_BYTES = 1 << 18,
    N_CHOSEN = 5000
};

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (*state ^ (*state >> 31)) * 0x9e3779b97f4a7c15u;
}

/* ---- Tables of texts ---------------------------------------------------- */

/* Rows of texts, one after another up to an unmapped page. */
typedef struct table {
    char *area;
    size_t page;
    const char *texts[N_ROWS];
    size_t lengths[N_ROWS];
    size_t n;
} table;

typedef struct text {
    char bytes[MOST_LENGTH];
    size_t length;
} text;

/* Three texts of each length: equal but for one byte somewhere, or for the
 * last one, so that many begin alike. */
static void make_texts(text *texts)
{
    uint64_t seed = 5;
    for (size_t i = 0; i < N_TEXTS; i++) {
        text *t = &texts[i];
        t->length = i / 3;
        memset(t->bytes, 'a', sizeof t->bytes);
        if (t->length > 0 && i % 3 == 1)
            t->bytes[t->length - 1] = '\0';
        if (t->length > 0 && i % 3 == 2)
            t->bytes[next_random(&seed) % t->length] = 'b';
    }
}

static void open_table(table *t)
{
    t->page = (size_t)sysconf(_SC_PAGESIZE);
    t->area = mmap(NULL, AREA_BYTES + t->page, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(t->area != MAP_FAILED);
    assert_int_equal(mprotect(t->area + AREA_BYTES, t->page, PROT_NONE), 0);
}

static void close_table(table *t)
{
    assert_int_equal(munmap(t->area, AREA_BYTES + t->page), 0);
}

/* Row i is text order(i). */
static void fill_table(table *t, const text *texts, const size_t *order)
{
    char *end = t->area + AREA_BYTES;
    memset(t->area, 'z', AREA_BYTES);
    for (size_t i = N_ROWS; i-- > 0;) {
        const text *from = &texts[order[i]];
        end -= from->length;
        assert_true(end >= t->area);
        memcpy(end, from->bytes, from->length);
        t->texts[i] = end;
        t->lengths[i] = from->length;
    }
    t->n = N_ROWS;
}

/* ---- Checks ------------------------------------------------------------- */

static bool same_text(const char *a, size_t n_a, const char *b, size_t n_b)
{
    return n_a == n_b && (n_a == 0 || memcmp(a, b, n_a) == 0);
}

/* Codes by first appearance, as a search through what was seen finds them. */
static size_t expect_codes(const table *t, uint32_t *codes)
{
    size_t firsts[N_ROWS], n = 0;
    for (size_t i = 0; i < t->n; i++) {
        size_t c = 0;
        while (c < n && !same_text(t->texts[firsts[c]], t->lengths[firsts[c]],
                                   t->texts[i], t->lengths[i]))
            c++;
        if (c == n)
            firsts[n++] = i;
        codes[i] = (uint32_t)c;
    }
    return n;
}

static void add_in_batches(hanse_text_map *map, const table *t, size_t step,
                           bool may_read_on, uint32_t *codes)
{
    hanse_text_batch batch;
    for (size_t i = 0; i < t->n; i += batch.n) {
        batch.n = t->n - i < step ? t->n - i : step;
        batch.end = may_read_on ? t->area + AREA_BYTES : NULL;
        memcpy(batch.texts, t->texts + i, batch.n * sizeof *batch.texts);
        memcpy(batch.lengths, t->lengths + i, batch.n * sizeof *batch.lengths);
        assert_int_equal(hanse_text_map_codes(map, &batch, codes + i, NULL),
                         HANSE_OK);
    }
}

static void check_map(const hanse_text_map *map, const table *t,
                      const uint32_t *codes)
{
    for (size_t i = 0; i < t->n; i++) {
        size_t length;
        const char *found = hanse_text_map_text(map, codes[i], &length);
        assert_true(same_text(found, length, t->texts[i], t->lengths[i]));
        assert_int_equal(hanse_text_map_find(map, t->texts[i], t->lengths[i]),
                         codes[i]);
    }
}

/* In batches of several sizes, one by one, and from another map: the same
 * codes. `seeds` NULL: those of the map. */
static void check_table(const table *t, const uint64_t *seeds)
{
    static const size_t steps[] = {1, 7, HANSE_TEXT_BATCH};
    static uint32_t expected[N_ROWS], codes[N_ROWS];
    const size_t n = expect_codes(t, expected);
    hanse_budget budget = {0};
    for (size_t s = 0; s < 2 * sizeof steps / sizeof steps[0]; s++) {
        hanse_text_map map, other;
        hanse_text_map_init(&map, &budget);
        hanse_text_map_init(&other, &budget);
        if (seeds != NULL)
            memcpy(map.seeds, seeds, sizeof map.seeds);
        add_in_batches(&map, t, steps[s / 2], s % 2 == 1, codes);
        assert_memory_equal(codes, expected, sizeof codes);
        assert_int_equal(map.n, n);
        check_map(&map, t, codes);
        for (size_t i = 0; i < t->n; i++) {
            assert_int_equal(hanse_text_map_code(&map, t->texts[i],
                                                 t->lengths[i], &codes[i],
                                                 NULL),
                             HANSE_OK);
            assert_int_equal(codes[i], expected[i]);
        }
        assert_int_equal(hanse_text_map_take(&other, &map, 0, n, codes, NULL),
                         HANSE_OK);
        for (size_t c = 0; c < n; c++)
            assert_int_equal(codes[c], c);
        check_map(&other, t, expected);
        hanse_text_map_clear(&map);
        hanse_text_map_clear(&other);
    }
    assert_int_equal(budget.used_bytes, 0);
}

/* ---- Tests -------------------------------------------------------------- */

static void map_of_any_lengths_in_any_order_finds_all(void **state)
{
    (void)state;
    static text texts[N_TEXTS];
    static table t;
    static size_t order[N_ROWS];
    uint64_t seed = 11;
    make_texts(texts);
    open_table(&t);
    for (int way = 0; way < 5; way++) {
        for (size_t i = 0; i < N_ROWS; i++) {
            const size_t sorted = i * N_TEXTS / N_ROWS;
            const size_t ways[] = {sorted, N_TEXTS - 1 - sorted,
                                   i % 2 == 0 ? 3 : 100, i % N_TEXTS,
                                   next_random(&seed) % N_TEXTS};
            order[i] = ways[way];
        }
        fill_table(&t, texts, order);
        check_table(&t, NULL);
    }
    close_table(&t);
}

/* Longest run of used slots, what a search may have to walk. */
static size_t longest_run(const hanse_text_map *map)
{
    size_t run = 0, longest = 0;
    for (size_t i = 0; i < 2 * map->n_slots; i++) { /* round the end */
        run = map->slots[i % map->n_slots] == UINT64_MAX ? 0 : run + 1;
        longest = run > longest ? run : longest;
    }
    return longest;
}

/* A factor of the hash that is 0 makes all hashes equal. */
static void map_with_equal_hashes_finds_all(void **state)
{
    (void)state;
    static text texts[N_TEXTS];
    static table t;
    static size_t order[N_ROWS];
    const size_t lengths[] = {7, 15, 31, 40};
    open_table(&t);
    for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++) {
        const size_t length = lengths[l];
        uint64_t seeds[2] = {1, 0};
        for (size_t i = 0; i < N_TEXTS; i++) {
            texts[i].length = length;
            memset(texts[i].bytes, 'a', length);
            texts[i].bytes[i % 6] = (char)('b' + i / 6);
        }
        /* Bytes that the second factor takes, and that all texts share. */
        memset(&seeds[1], 'a', sizeof seeds[1]);
        if (length <= 15) {
            seeds[1] = (uint64_t)length << 56;
            for (size_t b = 8; b < length; b++)
                seeds[1] |= (uint64_t)'a' << (8 * (b - 8));
        }
        for (size_t i = 0; i < N_ROWS; i++)
            order[i] = i * 7 % N_TEXTS;
        fill_table(&t, texts, order);
        check_table(&t, seeds);

        hanse_text_map map;
        static uint32_t codes[N_ROWS];
        hanse_text_map_init(&map, NULL);
        memcpy(map.seeds, seeds, sizeof seeds);
        add_in_batches(&map, &t, HANSE_TEXT_BATCH, true, codes);
        assert_int_equal(longest_run(&map), map.n);
        hanse_text_map_clear(&map);
    }
    close_table(&t);
}

/* Texts that meet in one place when the hash starts from a number that
 * everybody knows: their first word is that number. */
static void map_with_chosen_texts_has_no_long_runs(void **state)
{
    (void)state;
    const uint64_t known = 0x9e3779b97f4a7c15u;
    for (int is_known = 0; is_known < 2; is_known++) {
        hanse_text_map map;
        hanse_text_map_init(&map, NULL);
        if (is_known)
            map.seeds[0] = map.seeds[1] = known;
        for (uint64_t i = 0; i < N_CHOSEN; i++) {
            char bytes[15];
            uint32_t code;
            for (size_t b = 0; b < 8; b++)
                bytes[b] = (char)(known >> (8 * b));
            memcpy(bytes + 8, &i, 7);
            assert_int_equal(
                hanse_text_map_code(&map, bytes, sizeof bytes, &code, NULL),
                HANSE_OK);
            assert_int_equal(code, i);
        }
        assert_true((longest_run(&map) < N_CHOSEN / 10) == !is_known);
        hanse_text_map_clear(&map);
    }
}

static void map_with_many_texts_grows(void **state)
{
    (void)state;
    hanse_text_map map;
    hanse_budget budget = {0};
    hanse_text_map_init(&map, &budget);
    char bytes[64];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 30000; i++) {
            uint32_t code;
            const int length = snprintf(bytes, sizeof bytes, "%.*s%d", i % 23,
                                        "abcdefghijklmnopqrstuvw", i);
            assert_int_equal(
                hanse_text_map_code(&map, bytes, (size_t)length, &code, NULL),
                HANSE_OK);
            assert_int_equal(code, i);
            size_t found_length;
            const char *found = hanse_text_map_text(&map, code, &found_length);
            assert_true(same_text(found, found_length, bytes, (size_t)length));
        }
    }
    assert_true(longest_run(&map) < 200);
    assert_int_equal(hanse_text_map_find(&map, "unknown", 7), HANSE_CODE_NONE);
    uint32_t empty, with_zero;
    assert_int_equal(hanse_text_map_code(&map, NULL, 0, &empty, NULL),
                     HANSE_OK);
    assert_int_equal(hanse_text_map_code(&map, "\0", 1, &with_zero, NULL),
                     HANSE_OK);
    assert_int_equal(empty, 30000);
    assert_int_equal(with_zero, 30001);
    hanse_text_map_clear(&map);
    assert_int_equal(budget.used_bytes, 0);
}

/* ---- Order -------------------------------------------------------------- */

static const hanse_text_map *ordered_map;

static int compare_codes(const void *a, const void *b)
{
    size_t n_a, n_b;
    const char *x =
        hanse_text_map_text(ordered_map, *(const uint32_t *)a, &n_a);
    const char *y =
        hanse_text_map_text(ordered_map, *(const uint32_t *)b, &n_b);
    const size_t n = n_a < n_b ? n_a : n_b;
    const int order = n == 0 ? 0 : memcmp(x, y, n);
    return order != 0 ? order : (n_a > n_b) - (n_a < n_b);
}

static void check_ranks(const hanse_text_map *map)
{
    hanse_budget budget = {0};
    uint32_t *codes = calloc(2 * map->n + 1, sizeof *codes);
    assert_non_null(codes);
    uint32_t *ranks = codes + map->n;
    for (size_t i = 0; i < map->n; i++)
        codes[i] = (uint32_t)i;
    ordered_map = map;
    qsort(codes, map->n, sizeof *codes, compare_codes);
    assert_int_equal(hanse_text_map_rank(map, &budget, 2, ranks, NULL),
                     HANSE_OK);
    for (size_t i = 0; i < map->n; i++)
        assert_int_equal(ranks[codes[i]], i);
    assert_int_equal(budget.used_bytes, 0);
    free(codes);
}

/* A random text: a few letters, zeros among them and bytes above 127, behind
 * the beginning of another text. */
static size_t random_text(uint64_t *seed, unsigned shape, char *out)
{
    static const char letters[] = {'\0', 'a', 'b', '\xff'};
    const size_t n_begin = shape % 3 == 0 ? 0 : next_random(seed) % 200;
    const size_t n_more = next_random(seed) % (shape < 3 ? 5 : 30);
    memset(out, shape % 2 == 0 ? 'a' : '\0', n_begin);
    for (size_t i = 0; i < n_more; i++)
        out[n_begin + i] = letters[next_random(seed) % sizeof letters];
    return n_begin + n_more;
}

static void ranks_of_texts_are_in_order(void **state)
{
    (void)state;
    uint64_t seed = 21;
    char bytes[256];
    for (unsigned shape = 0; shape < 6; shape++) {
        hanse_text_map map;
        hanse_text_map_init(&map, NULL);
        check_ranks(&map);
        const size_t n = shape == 5 ? 40000 : 3000;
        for (size_t i = 0; i < n; i++) {
            uint32_t code;
            const size_t length = random_text(&seed, shape, bytes);
            assert_int_equal(
                hanse_text_map_code(&map, bytes, length, &code, NULL),
                HANSE_OK);
            if (i < 20)
                check_ranks(&map);
        }
        check_ranks(&map);
        hanse_text_map_clear(&map);
    }
}

/* Every text begins the next one, or differs from it in its last byte alone:
 * as many rounds of sorting as there are texts. */
static void ranks_of_ever_longer_texts_are_in_order(void **state)
{
    (void)state;
    enum {
        MOST = 20000
    };
    char *bytes = malloc(MOST + 1);
    assert_non_null(bytes);
    memset(bytes, 'x', MOST + 1);
    for (int way = 0; way < 2; way++) {
        hanse_text_map map;
        hanse_text_map_init(&map, NULL);
        for (size_t length = 0; length <= MOST; length += 11) {
            uint32_t code;
            bytes[length] = (char)('x' + way);
            assert_int_equal(
                hanse_text_map_code(&map, bytes, length + 1, &code, NULL),
                HANSE_OK);
            bytes[length] = 'x';
        }
        check_ranks(&map);
        hanse_text_map_clear(&map);
    }
    free(bytes);
}

static void map_without_memory_fails(void **state)
{
    (void)state;
    for (uint64_t limit = 64;; limit += 4096) {
        hanse_budget budget = {.limit_bytes = limit};
        hanse_error error = {0};
        hanse_status status = HANSE_OK;
        hanse_text_map map;
        char bytes[32];
        hanse_text_map_init(&map, &budget);
        for (int i = 0; status == HANSE_OK && i < 2000; i++) {
            uint32_t code;
            const int length = snprintf(bytes, sizeof bytes, "text %d", i);
            status =
                hanse_text_map_code(&map, bytes, (size_t)length, &code, &error);
        }
        hanse_text_map_clear(&map);
        assert_int_equal(budget.used_bytes, 0);
        if (status == HANSE_OK)
            break;
        assert_int_equal(status, HANSE_ERR_LIMIT);
        assert_non_null(strstr(error.message, "--memory"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map_of_any_lengths_in_any_order_finds_all),
        cmocka_unit_test(map_with_equal_hashes_finds_all),
        cmocka_unit_test(map_with_chosen_texts_has_no_long_runs),
        cmocka_unit_test(map_with_many_texts_grows),
        cmocka_unit_test(map_without_memory_fails),
        cmocka_unit_test(ranks_of_texts_are_in_order),
        cmocka_unit_test(ranks_of_ever_longer_texts_are_in_order),
    };
    return cmocka_run_group_tests_name("text_map", tests, NULL, NULL);
}
