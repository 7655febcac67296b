/* SPDX-License-Identifier: Apache-2.0
 *
 * Radix sort by digits of 11 bits, leaving out digits that are all equal.
 */
#include "engine/sort.h"

#include <string.h>

enum {
    DIGIT_BITS = 11,
    N_DIGITS = 1 << DIGIT_BITS,
    N_SMALL = 32
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

void hanse_sort(hanse_sort_entry *entries, hanse_sort_entry *spare, size_t n)
{
    if (n <= N_SMALL) {
        sort_small(entries, n);
        return;
    }
    const uint64_t differing = differing_bits(entries, n);
    hanse_sort_entry *from = entries, *to = spare;
    for (unsigned shift = 0; shift < 64; shift += DIGIT_BITS) {
        if (((differing >> shift) & (N_DIGITS - 1)) == 0)
            continue;
        distribute(from, to, n, shift);
        hanse_sort_entry *const sorted = to;
        to = from;
        from = sorted;
    }
    if (from != entries)
        memcpy(entries, from, n * sizeof *entries);
}
