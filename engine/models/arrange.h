/* SPDX-License-Identifier: Apache-2.0
 *
 * Entries brought together by the row that they belong to: a counting sort on
 * all threads. Inside: network.h is what others use.
 */
#ifndef HANSE_ENGINE_MODELS_ARRANGE_H
#define HANSE_ENGINE_MODELS_ARRANGE_H

#include "engine/models/network.h"

/* Link k is an entry of row keys[k], and its other end others[k]. */
typedef struct hanse_arrangement {
    size_t n_rows; /* keys and others are below */
    size_t n;
    const uint32_t *keys;
    const uint32_t *others;
    const double *values;   /* NULL: none */
    const double *divisors; /* [other]; each value is divided by it, and 0
                             * where it is 0; NULL: as they are */
    const uint8_t *keep;    /* [row]; entries with an end that is 0 are left
                             * out; NULL: none */
    bool both_ways;         /* each link is an entry of either end, and one
                             * from a row to itself is left out */
    bool with_others;       /* whether the other ends are wanted */
} hanse_arrangement;

/* Sets all of *out. The order of the entries of a row is any. */
hanse_status hanse_arrange(const hanse_arrangement *arrangement,
                           size_t n_threads, hanse_budget *budget,
                           hanse_network *out, hanse_error *error);

/* Bytes beside the result while hanse_arrange works on n entries. */
uint64_t hanse_arrange_bytes(size_t n_rows, size_t n, size_t n_threads);

#endif
