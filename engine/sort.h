/* SPDX-License-Identifier: Apache-2.0
 *
 * Sorting numbers with an index, for bringing groups into the order of keys.
 */
#ifndef HANSE_ENGINE_SORT_H
#define HANSE_ENGINE_SORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct hanse_sort_entry {
    uint64_t key;
    uint32_t index;
} hanse_sort_entry;

/* Sorts by key, stable. `spare` has room for n entries. Radix sort, least
 * digit first: its time grows with n alone. */
void hanse_sort(hanse_sort_entry *entries, hanse_sort_entry *spare, size_t n);

/* The same, on up to n_threads threads: many entries are dealt out by their
 * first bits to parts that fit the second cache level, which also makes one
 * thread faster. */
void hanse_sort_parallel(hanse_sort_entry *entries, hanse_sort_entry *spare,
                         size_t n, size_t n_threads);

#endif
