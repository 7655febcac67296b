/* SPDX-License-Identifier: Apache-2.0
 *
 * From buckets to rows: a counting sort of each bucket, which fits the cache,
 * to its place in the network. The starts of a bucket's rows serve as places
 * while it is sorted: from where a row begins they move on to where it ends,
 * which is where the next one begins.
 */
#include "engine/models/link_dealer.h"

#include <stdatomic.h>
#include <string.h>

#include "engine/models/link_dealer_state.h"
#include "engine/parallel.h"

typedef struct gatherer {
    hanse_link_dealer *dealer;
    hanse_network *out;
    uint64_t *ends; /* [bucket] entries up to its last */
    _Atomic uint64_t charged_bytes;
    _Atomic size_t n_left[HANSE_LINK_SHELVES_MAX]; /* buckets of a shelf */
} gatherer;

/* ---- A bucket ----------------------------------------------------------- */

/* The cursor of the block before. */
static inline const char *before(const char *cursor)
{
    return cursor == NULL ? NULL
                          : ((const link_block *)block_of(cursor))->before;
}

/* Blocks of a chain lie anywhere. */
static inline void fetch_block(const char *cursor)
{
    if (cursor == NULL)
        return;
    const char *block = block_of(cursor);
    for (size_t at = 0; at < HANSE_LINK_BLOCK; at += LINE_BYTES)
        __builtin_prefetch(block + at);
}

/* Two blocks ahead are on their way. */
static inline __attribute__((always_inline)) void
count_chain(const char *cursor, entry_layout layout, uint64_t *counts)
{
    const char *next = before(cursor);
    fetch_block(next);
    while (cursor != NULL) {
        const char *at = block_of(cursor) + entries_begin(layout);
        const char *later = before(next);
        fetch_block(later);
        while (at < cursor) {
            uint16_t within;
            at += entry_bytes(layout);
            memcpy(&within, at - sizeof within, sizeof within);
            counts[within]++;
        }
        cursor = next;
        next = later;
    }
}

static inline void fetch_places(const hanse_network *out, entry_layout layout,
                                uint64_t begin, uint64_t end)
{
    const uint64_t n_weights = LINE_BYTES / sizeof *out->weights;
    const uint64_t n_sources = LINE_BYTES / sizeof *out->sources;
    for (uint64_t k = begin; layout.has_weight && k < end; k += n_weights)
        __builtin_prefetch(&out->weights[k], 1);
    for (uint64_t k = begin; layout.has_source && k < end; k += n_sources)
        __builtin_prefetch(&out->sources[k], 1);
}

static inline __attribute__((always_inline)) void
place_chain(const char *cursor, entry_layout layout, uint64_t *places,
            const hanse_network *out)
{
    while (cursor != NULL) {
        const char *at = block_of(cursor) + entries_begin(layout);
        while (at < cursor) {
            double weight;
            uint32_t source;
            uint16_t within;
            if (layout.has_weight) {
                memcpy(&weight, at, sizeof weight);
                at += sizeof weight;
            }
            if (layout.has_source) {
                memcpy(&source, at, sizeof source);
                at += sizeof source;
            }
            memcpy(&within, at, sizeof within);
            at += sizeof within;
            const uint64_t place = places[within]++;
            if (layout.has_weight)
                out->weights[place] = weight;
            if (layout.has_source)
                out->sources[place] = source;
        }
        cursor = before(cursor);
    }
}

static inline __attribute__((always_inline)) void
sort_bucket(const gatherer *g, size_t bucket, entry_layout layout)
{
    const hanse_link_dealer *dealer = g->dealer;
    const size_t first_row = bucket << dealer->shift;
    uint64_t *places = g->out->starts + first_row + 1;
    uint64_t sum = bucket == 0 ? 0 : g->ends[bucket - 1];
    size_t n_rows = (size_t)1 << dealer->shift;
    if (n_rows > g->out->n_rows - first_row)
        n_rows = g->out->n_rows - first_row;
    memset(places, 0, n_rows * sizeof *places);
    for (const hanse_link_part *p = dealer->parts; p != NULL; p = p->next)
        count_chain(p->cursors[bucket], layout, places);
    fetch_places(g->out, layout, sum, g->ends[bucket]);
    for (size_t row = 0; row < n_rows; row++) {
        const uint64_t count = places[row];
        places[row] = sum;
        sum += count;
    }
    for (const hanse_link_part *p = dealer->parts; p != NULL; p = p->next)
        place_chain(p->cursors[bucket], layout, places, g->out);
}

static void sort_any(const gatherer *g, size_t bucket)
{
    const entry_layout layout = g->dealer->layout;
    if (layout.has_weight && layout.has_source)
        sort_bucket(g, bucket, (entry_layout){true, true});
    else if (layout.has_weight)
        sort_bucket(g, bucket, (entry_layout){true, false});
    else if (layout.has_source)
        sort_bucket(g, bucket, (entry_layout){false, true});
    else
        sort_bucket(g, bucket, (entry_layout){false, false});
}

/* ---- All ---------------------------------------------------------------- */

/* What the arrays of a network with n links are charged. */
static uint64_t charge_for(entry_layout layout, uint64_t n)
{
    return (layout.has_weight ? hanse_allocation_bytes(n, sizeof(double)) : 0) +
           (layout.has_source ? hanse_allocation_bytes(n, sizeof(uint32_t))
                              : 0);
}

/* The arrays are large and touched bucket by bucket, while the shelves that
 * they are filled from are given back; so they are charged as they are filled.
 */
static hanse_status charge_bucket(gatherer *g, size_t bucket,
                                  hanse_error *error)
{
    const hanse_link_dealer *dealer = g->dealer;
    hanse_budget *budget = dealer->how.budget;
    const uint64_t before =
        bucket == 0 ? 0 : charge_for(dealer->layout, g->ends[bucket - 1]);
    const uint64_t more = charge_for(dealer->layout, g->ends[bucket]) - before;
    if (!hanse_budget_take(budget, more))
        return hanse_fail_budget(error, budget, "links of a network", more, 1);
    atomic_fetch_add(&g->charged_bytes, more);
    return HANSE_OK;
}

static hanse_status gather_bucket(void *context, size_t bucket,
                                  hanse_error *error)
{
    gatherer *g = context;
    const size_t shelf = bucket / g->dealer->shelf_buckets;
    HANSE_TRY(charge_bucket(g, bucket, error));
    sort_any(g, bucket);
    if (atomic_fetch_sub(&g->n_left[shelf], 1) == 1)
        hanse_link_pool_clear(&g->dealer->shelves[shelf]);
    return HANSE_OK;
}

static uint64_t entries_of_chain(const char *cursor, entry_layout layout)
{
    if (cursor == NULL)
        return 0;
    const char *block = block_of(cursor);
    const size_t used = (size_t)(cursor - block) - entries_begin(layout);
    return ((const link_block *)block)->n_before + used / entry_bytes(layout);
}

static void find_ends(gatherer *g)
{
    const hanse_link_dealer *dealer = g->dealer;
    uint64_t sum = 0;
    for (size_t b = 0; b < dealer->n_buckets; b++) {
        for (const hanse_link_part *p = dealer->parts; p != NULL; p = p->next)
            sum += entries_of_chain(p->cursors[b], dealer->layout);
        g->ends[b] = sum;
        atomic_fetch_add(&g->n_left[b / dealer->shelf_buckets], 1);
    }
}

static bool allocate_arrays(hanse_network *out, entry_layout layout)
{
    if (layout.has_source)
        out->sources = hanse_allocate(NULL, out->n_links, sizeof *out->sources);
    if (layout.has_weight)
        out->weights = hanse_allocate(NULL, out->n_links, sizeof *out->weights);
    return (!layout.has_source || out->sources != NULL) &&
           (!layout.has_weight || out->weights != NULL);
}

static hanse_status gather_links(gatherer *g, hanse_error *error)
{
    hanse_network *out = g->out;
    const hanse_link_dealer *dealer = g->dealer;
    out->n_links = (size_t)g->ends[dealer->n_buckets - 1];
    hanse_status status =
        allocate_arrays(out, dealer->layout)
            ? HANSE_OK
            : hanse_fail_nomem(error, "links of a network", out->n_links);
    if (status == HANSE_OK)
        status = hanse_parallel_for(dealer->how.n_threads, dealer->n_buckets,
                                    gather_bucket, g, error);
    if (status == HANSE_OK)
        return HANSE_OK;
    hanse_budget_give_back(dealer->how.budget, atomic_load(&g->charged_bytes));
    hanse_free(NULL, out->sources, out->n_links, sizeof *out->sources);
    hanse_free(NULL, out->weights, out->n_links, sizeof *out->weights);
    out->sources = NULL;
    out->weights = NULL;
    return status;
}

hanse_status hanse_link_dealer_gather(hanse_link_dealer *dealer,
                                      hanse_network *out, hanse_error *error)
{
    hanse_budget *budget = dealer->how.budget;
    hanse_network network = {.budget = budget, .n_rows = dealer->how.n_rows};
    gatherer g = {.dealer = dealer, .out = &network};
    hanse_status status = HANSE_OK;
    g.ends = hanse_allocate(budget, dealer->n_buckets, sizeof *g.ends);
    network.starts =
        hanse_allocate(budget, network.n_rows + 1, sizeof *network.starts);
    if (g.ends == NULL || network.starts == NULL) {
        status = hanse_fail_budget(error, budget, "rows of a network",
                                   network.n_rows + 1, sizeof *network.starts);
    } else {
        network.starts[0] = 0;
        find_ends(&g);
        status = gather_links(&g, error);
    }
    hanse_free(budget, g.ends, dealer->n_buckets, sizeof *g.ends);
    hanse_link_dealer_empty(dealer);
    if (status != HANSE_OK)
        hanse_network_clear(&network);
    else
        *out = network;
    return status;
}
