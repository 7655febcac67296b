/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks of links in arrays, for tests: dealt out by as many threads as the
 * options say, a few links at a time.
 */
#ifndef HANSE_TESTS_NETWORK_OF_H
#define HANSE_TESTS_NETWORK_OF_H

#include "engine/models/network_build.h"
#include "engine/parallel.h"

enum {
    NETWORK_OF_RUN = 1000 /* links dealt at a time */
};

typedef struct network_of_work {
    const hanse_links *links;
    hanse_link_dealer *dealer;
    size_t n_parts;
} network_of_work;

static inline hanse_status network_of_part(void *context, size_t index,
                                           hanse_error *error)
{
    const network_of_work *w = context;
    const hanse_links *all = w->links;
    hanse_link_part *part;
    HANSE_TRY(hanse_link_dealer_open(w->dealer, &part, error));
    for (size_t first = index * NETWORK_OF_RUN; first < all->n;
         first += w->n_parts * NETWORK_OF_RUN) {
        const size_t left = all->n - first;
        const hanse_links run = {left < NETWORK_OF_RUN ? left : NETWORK_OF_RUN,
                                 all->sources + first, all->targets + first,
                                 all->weights == NULL ? NULL
                                                      : all->weights + first};
        HANSE_TRY(hanse_link_part_deal(part, &run, first, error));
    }
    return HANSE_OK;
}

static inline hanse_status network_of(const hanse_links *links, size_t n_rows,
                                      const hanse_network_options *options,
                                      hanse_network *out, hanse_error *error)
{
    network_of_work w = {.links = links, .n_parts = options->n_threads};
    HANSE_TRY(hanse_network_begin(n_rows, links->n, links->weights != NULL,
                                  options, &w.dealer, error));
    hanse_status status =
        hanse_parallel_for(w.n_parts, w.n_parts, network_of_part, &w, error);
    if (status == HANSE_OK)
        status = hanse_network_finish(w.dealer, options, out, error);
    hanse_link_dealer_destroy(w.dealer);
    return status;
}

#endif
