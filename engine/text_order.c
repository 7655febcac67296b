/* SPDX-License-Identifier: Apache-2.0
 *
 * Ordering texts by seven bytes at a time. Texts that agree in them are skipped
 * to the first byte in which any two differ, and sorted by the next seven.
 */
#include "engine/text_order.h"

#include <endian.h>
#include <string.h>

#include "engine/sort.h"

enum {
    STEP = 7,
    N_SMALL = 12
};

typedef struct run {
    const hanse_text_map *map;
    hanse_sort_entry *entries;
    hanse_sort_entry *spare;
    size_t n;
    size_t depth; /* bytes in which all agree */
} run;

/* The next seven bytes, zeros after the end, then how many of them there are,
 * 8 where there are more: of texts that begin alike the one that ends comes
 * first. */
static uint64_t key_of(const hanse_text_map *map, size_t code, size_t depth)
{
    const size_t begin = (size_t)map->starts[code] + depth;
    const size_t left = (size_t)map->starts[code + 1] - begin;
    uint64_t word = 0;
    if (left >= STEP)
        memcpy(&word, map->bytes + begin, STEP);
    else if (left > 0)
        memcpy(&word, map->bytes + begin, left);
    return be64toh(word) | (left < 8 ? left : 8);
}

/* -1, 0 or 1, of two texts that agree in `depth` bytes. */
static int compare(const run *r, size_t a, size_t b)
{
    size_t n_a, n_b;
    const char *x = hanse_text_map_text(r->map, a, &n_a);
    const char *y = hanse_text_map_text(r->map, b, &n_b);
    const size_t n = (n_a < n_b ? n_a : n_b) - r->depth;
    const int order = n == 0 ? 0 : memcmp(x + r->depth, y + r->depth, n);
    return order != 0 ? order : (n_a > n_b) - (n_a < n_b);
}

static void sort_small(const run *r)
{
    for (size_t i = 1; i < r->n; i++) {
        const hanse_sort_entry entry = r->entries[i];
        size_t k = i;
        for (; k > 0 && compare(r, r->entries[k - 1].index, entry.index) > 0;
             k--)
            r->entries[k] = r->entries[k - 1];
        r->entries[k] = entry;
    }
}

/* Length of what all texts begin with. */
static size_t common_length(const run *r)
{
    size_t common;
    const char *first =
        hanse_text_map_text(r->map, r->entries[0].index, &common);
    for (size_t i = 1; i < r->n; i++) {
        size_t length;
        const char *text =
            hanse_text_map_text(r->map, r->entries[i].index, &length);
        if (length < common)
            common = length;
        if (common == r->depth ||
            memcmp(first + r->depth, text + r->depth, common - r->depth) == 0)
            continue;
        common = r->depth;
        while (first[common] == text[common])
            common++;
    }
    return common;
}

/* Entries from `first` on that have the same key. */
static size_t equal_keys(const run *r, size_t first)
{
    size_t n = 1;
    while (first + n < r->n &&
           r->entries[first + n].key == r->entries[first].key)
        n++;
    return n;
}

static run part_of(const run *r, size_t first, size_t n)
{
    return (run){r->map, r->entries + first, r->spare + first, n,
                 r->depth + STEP};
}

static void sort_run(run r, size_t n_threads);

/* Sorts the parts of a run that its keys leave open, but for the largest one,
 * which is given back: so calls nest no deeper than log2(n). */
static run sort_parts(const run *r, size_t n_threads)
{
    size_t largest = 0, n_largest = 0;
    for (size_t i = 0, n; i < r->n; i += n) {
        n = equal_keys(r, i);
        if (n > n_largest) {
            largest = i;
            n_largest = n;
        }
    }
    for (size_t i = 0, n; i < r->n; i += n) {
        n = equal_keys(r, i);
        if (n > 1 && i != largest)
            sort_run(part_of(r, i, n), n_threads);
    }
    return part_of(r, largest, n_largest);
}

static void sort_run(run r, size_t n_threads)
{
    while (r.n > N_SMALL) {
        r.depth = common_length(&r);
        for (size_t i = 0; i < r.n; i++)
            r.entries[i].key = key_of(r.map, r.entries[i].index, r.depth);
        hanse_sort_parallel(r.entries, r.spare, r.n, n_threads);
        r = sort_parts(&r, n_threads);
    }
    if (r.n > 1)
        sort_small(&r);
}

hanse_status hanse_text_map_rank(const hanse_text_map *map,
                                 hanse_budget *budget, size_t n_threads,
                                 uint32_t *ranks, hanse_error *error)
{
    const size_t n = map->n;
    hanse_sort_entry *entries =
        hanse_allocate(budget, n + 1, 2 * sizeof *entries);
    if (entries == NULL)
        return hanse_fail_budget(error, budget, "order of texts", n + 1,
                                 2 * sizeof *entries);
    for (size_t code = 0; code < n; code++)
        entries[code].index = (uint32_t)code;
    sort_run((run){map, entries, entries + n, n, 0}, n_threads);
    for (size_t i = 0; i < n; i++)
        ranks[entries[i].index] = (uint32_t)i;
    hanse_free(budget, entries, n + 1, 2 * sizeof *entries);
    return HANSE_OK;
}
