/* SPDX-License-Identifier: Apache-2.0
 *
 * Radix sort by digits of 11 bits, leaving out digits that are all equal.
 */
#include "engine/sort.h"

#include <stdlib.h>
#include <string.h>

#include "engine/parallel.h"

enum {
    DIGIT_BITS = 11,
    N_DIGITS = 1 << DIGIT_BITS,
    N_SMALL = 32,
    /* Parts of 128 KiB, which with as much to spare stay in the second cache
     * level, and pieces of the table in which one thread deals them out. */
    PART_ENTRIES = 1 << 13,
    PIECE_ENTRIES = 1 << 16
};

static void sort_small(hanse_sort_entry *entries, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const hanse_sort_entry entry = entries[i];
        size_t k = i;
        for (; k > 0 && entries[k - 1].key > entry.key; k--)
            entries[k] = entries[k - 1];
        entries[k] = entry;
    }
}

/* Bits in which any two keys differ. */
static uint64_t differing_bits(const hanse_sort_entry *entries, size_t n)
{
    uint64_t all = ~(uint64_t)0, any = 0;
    for (size_t i = 0; i < n; i++) {
        all &= entries[i].key;
        any |= entries[i].key;
    }
    return all ^ any;
}

static void distribute(const hanse_sort_entry *from, hanse_sort_entry *to,
                       size_t n, unsigned shift)
{
    size_t start[N_DIGITS] = {0};
    for (size_t i = 0; i < n; i++)
        start[(from[i].key >> shift) & (N_DIGITS - 1)]++;
    size_t sum = 0;
    for (size_t d = 0; d < N_DIGITS; d++) {
        const size_t count = start[d];
        start[d] = sum;
        sum += count;
    }
    for (size_t i = 0; i < n; i++)
        to[start[(from[i].key >> shift) & (N_DIGITS - 1)]++] = from[i];
}

/* Sorts `from`, with room in `other`; returns the one that the result is in. */
static hanse_sort_entry *sort_between(hanse_sort_entry *from,
                                      hanse_sort_entry *other, size_t n)
{
    if (n <= N_SMALL) {
        sort_small(from, n);
        return from;
    }
    const uint64_t differing = differing_bits(from, n);
    for (unsigned shift = 0; shift < 64; shift += DIGIT_BITS) {
        if (((differing >> shift) & (N_DIGITS - 1)) == 0)
            continue;
        distribute(from, other, n, shift);
        hanse_sort_entry *const sorted = other;
        other = from;
        from = sorted;
    }
    return from;
}

void hanse_sort(hanse_sort_entry *entries, hanse_sort_entry *spare, size_t n)
{
    if (sort_between(entries, spare, n) != entries)
        memcpy(entries, spare, n * sizeof *entries);
}

/* ---- Many entries ------------------------------------------------------- */

/* Entries dealt out to parts by their first bits that differ. */
typedef struct dealing {
    hanse_sort_entry *entries;
    hanse_sort_entry *spare;
    size_t n;
    unsigned shift;
    size_t n_parts; /* at most N_DIGITS */
    size_t n_pieces;
    size_t *starts; /* [piece][part] counts, then places */
    size_t *ends;   /* [part] */
} dealing;

static size_t part_of(const dealing *d, uint64_t key)
{
    return (size_t)(key >> d->shift) & (d->n_parts - 1);
}

static size_t piece_end(const dealing *d, size_t piece)
{
    const size_t end = (piece + 1) * PIECE_ENTRIES;
    return end < d->n ? end : d->n;
}

static hanse_status count_piece(void *context, size_t piece, hanse_error *error)
{
    const dealing *d = context;
    size_t *counts = d->starts + piece * d->n_parts;
    (void)error;
    for (size_t i = piece * PIECE_ENTRIES; i < piece_end(d, piece); i++)
        counts[part_of(d, d->entries[i].key)]++;
    return HANSE_OK;
}

static hanse_status deal_piece(void *context, size_t piece, hanse_error *error)
{
    const dealing *d = context;
    size_t *places = d->starts + piece * d->n_parts;
    (void)error;
    for (size_t i = piece * PIECE_ENTRIES; i < piece_end(d, piece); i++)
        d->spare[places[part_of(d, d->entries[i].key)]++] = d->entries[i];
    return HANSE_OK;
}

/* A part, from where it was dealt to back to the entries. */
static hanse_status sort_part(void *context, size_t part, hanse_error *error)
{
    const dealing *d = context;
    const size_t first = part == 0 ? 0 : d->ends[part - 1];
    const size_t n = d->ends[part] - first;
    (void)error;
    hanse_sort_entry *to = d->entries + first;
    const hanse_sort_entry *sorted = sort_between(d->spare + first, to, n);
    if (sorted != to)
        memcpy(to, sorted, n * sizeof *to);
    return HANSE_OK;
}

/* Parts in the order of their bits, each in the order of the pieces. */
static void place_parts(dealing *d)
{
    size_t sum = 0;
    for (size_t part = 0; part < d->n_parts; part++) {
        for (size_t piece = 0; piece < d->n_pieces; piece++) {
            size_t *start = &d->starts[piece * d->n_parts + part];
            const size_t count = *start;
            *start = sum;
            sum += count;
        }
        d->ends[part] = sum;
    }
}

void hanse_sort_parallel(hanse_sort_entry *entries, hanse_sort_entry *spare,
                         size_t n, size_t n_threads)
{
    dealing d = {.entries = entries, .spare = spare, .n = n};
    const uint64_t differing =
        n > 2 * PART_ENTRIES ? differing_bits(entries, n) : 0;
    unsigned n_bits = 0;
    while (n_bits < DIGIT_BITS && n >> n_bits > PART_ENTRIES)
        n_bits++;
    const unsigned top =
        differing == 0 ? 0 : 64 - (unsigned)__builtin_clzll(differing);
    d.shift = top > n_bits ? top - n_bits : 0;
    d.n_parts = (size_t)1 << n_bits;
    d.n_pieces = (n + PIECE_ENTRIES - 1) / PIECE_ENTRIES;
    d.starts = differing == 0
                   ? NULL
                   : calloc((d.n_pieces + 1) * d.n_parts, sizeof *d.starts);
    if (d.starts == NULL) {
        /* Few, all equal, or no memory for counting. */
        hanse_sort(entries, spare, n);
        return;
    }
    d.ends = d.starts + d.n_pieces * d.n_parts;
    (void)hanse_parallel_for(n_threads, d.n_pieces, count_piece, &d, NULL);
    place_parts(&d);
    (void)hanse_parallel_for(n_threads, d.n_pieces, deal_piece, &d, NULL);
    (void)hanse_parallel_for(n_threads, d.n_parts, sort_part, &d, NULL);
    free(d.starts);
}
