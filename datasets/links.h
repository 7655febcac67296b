/* SPDX-License-Identifier: Apache-2.0
 *
 * Links between the enterprises of a population, for the transmission of
 * information: source row, target row, rate. Sorted by source; mostly within a
 * cluster; about three for an enterprise, with a heavy tail.
 *
 * Partners in the same cluster are looked for in the same window of
 * HANSE_LINK_WINDOW rows, so that any part of the table is made in bounded
 * memory and without the parts before it.
 */
#ifndef HANSE_DATASETS_LINKS_H
#define HANSE_DATASETS_LINKS_H

#include "datasets/population.h"

enum {
    HANSE_LINK_WINDOW = 1 << 16,
    HANSE_MAX_LINKS_OF_ONE = 1000
};

/* The links of the first n_rows rows of a population. */
typedef struct hanse_links hanse_links;

/* Counts the links, on n_threads threads. Keeps `population`, which must
 * outlive it. HANSE_ERR_NOMEM. */
hanse_status hanse_links_create(const hanse_population *population,
                                uint64_t n_rows, int n_threads,
                                hanse_links **out, hanse_error *error);
void hanse_links_destroy(hanse_links *links);
uint64_t hanse_links_count(const hanse_links *links);

/* Working memory of one thread: the window that it is in, 2 MB and 4 bytes a
 * cluster. */
typedef struct hanse_link_window hanse_link_window;
hanse_status hanse_link_window_create(const hanse_links *links,
                                      hanse_link_window **out,
                                      hanse_error *error);
void hanse_link_window_destroy(hanse_link_window *window);

/* Links first to first + n - 1 into the caller's arrays of n values. Every
 * thread uses a window of its own. */
void hanse_links_fill(const hanse_links *links, hanse_link_window *window,
                      uint64_t first, size_t n, int64_t *source,
                      int64_t *target, float *rate);

#endif
