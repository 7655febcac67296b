/* SPDX-License-Identifier: Apache-2.0
 *
 * Dealing out. Buckets are few enough that every one has an open line in the
 * cache, one because an entry is one packed record, and small enough to fit it
 * when they are gathered.
 */
#include "engine/models/link_dealer.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/models/link_dealer_state.h"

enum {
    BUCKET_BITS_MAX = 16,  /* a row within a bucket: two bytes */
    BUCKETS_MAX = 1 << 13, /* unless rows are very many */
    /* Of a bucket, while there are not too many buckets: what fits the cache,
     * and more where many threads have a block begun in each. */
    BUCKET_ENTRIES = 1 << 13,
    BUCKET_ENTRIES_THREAD = 1 << 9,
    SHELF_BYTES = 8 << 20 /* of a shelf, if links are few */
};

/* ---- Plan --------------------------------------------------------------- */

/* What follows from how many rows and links there are. */
typedef struct plan {
    uint64_t n_entries;
    unsigned shift;
    size_t n_buckets;
    size_t n_shelves;
    size_t piece_bytes;
} plan;

static uint64_t between(uint64_t least, uint64_t value, uint64_t most)
{
    return value < least ? least : value > most ? most : value;
}

static entry_layout layout_of(const hanse_link_dealing *how)
{
    return (entry_layout){how->has_weights, how->has_sources};
}

static plan make_plan(const hanse_link_dealing *how)
{
    plan p = {.n_entries = how->n_links * (how->both_ways ? 2 : 1)};
    const uint64_t n_buckets = between(
        1,
        p.n_entries / (BUCKET_ENTRIES + BUCKET_ENTRIES_THREAD * how->n_threads),
        BUCKETS_MAX);
    while (p.shift < BUCKET_BITS_MAX && how->n_rows >> p.shift > n_buckets)
        p.shift++;
    p.n_buckets = (how->n_rows >> p.shift) + 1;
    const uint64_t size_bytes = p.n_entries * entry_bytes(layout_of(how));
    p.n_shelves =
        (size_t)between(1, size_bytes / SHELF_BYTES, HANSE_LINK_SHELVES_MAX);
    p.piece_bytes = (size_t)between(HANSE_LINK_PIECE_MIN, size_bytes / 4,
                                    HANSE_LINK_PIECE_MAX) /
                    HANSE_LINK_BLOCK * HANSE_LINK_BLOCK;
    return p;
}

hanse_link_dealer_size hanse_link_dealer_bytes(const hanse_link_dealing *how)
{
    const plan p = make_plan(how);
    const entry_layout layout = layout_of(how);
    const uint64_t n_blocks = p.n_entries / entries_of_block(layout) +
                              (uint64_t)how->n_threads * p.n_buckets;
    /* Cursors of every part, and as much while they are gathered. */
    const uint64_t of_buckets =
        (how->n_threads + 1) * (p.n_buckets * sizeof(char *) + HANSE_ALIGNMENT);
    return (hanse_link_dealer_size){
        p.n_entries * entry_bytes(layout),
        of_buckets + hanse_link_pool_bytes(n_blocks, p.n_shelves,
                                           how->n_threads, p.piece_bytes)};
}

/* ---- Life --------------------------------------------------------------- */

hanse_status hanse_link_dealer_create(const hanse_link_dealing *how,
                                      hanse_link_dealer **out,
                                      hanse_error *error)
{
    if (how->n_rows >= UINT32_MAX)
        return hanse_fail(error, HANSE_ERR_LIMIT,
                          "a network over %zu rows, the most is %u",
                          how->n_rows, UINT32_MAX - 1);
    hanse_link_dealer *dealer = calloc(1, sizeof *dealer);
    if (dealer == NULL)
        return hanse_fail_nomem(error, "links", sizeof *dealer);
    const plan p = make_plan(how);
    dealer->how = *how;
    dealer->layout = layout_of(how);
    dealer->shift = p.shift;
    dealer->n_buckets = p.n_buckets;
    dealer->n_shelves = p.n_shelves;
    (void)pthread_mutex_init(&dealer->lock, NULL);
    dealer->shelf_buckets = (p.n_buckets + p.n_shelves - 1) / p.n_shelves;
    for (size_t s = 0; s < p.n_shelves; s++)
        hanse_link_pool_init(&dealer->shelves[s], how->budget, p.piece_bytes,
                             &dealer->lock);
    *out = dealer;
    return HANSE_OK;
}

void hanse_link_dealer_empty(hanse_link_dealer *dealer)
{
    while (dealer->parts != NULL) {
        hanse_link_part *part = dealer->parts;
        dealer->parts = part->next;
        hanse_free(dealer->how.budget, part->cursors, dealer->n_buckets,
                   sizeof *part->cursors);
        free(part);
    }
    for (size_t s = 0; s < dealer->n_shelves; s++)
        hanse_link_pool_clear(&dealer->shelves[s]);
}

void hanse_link_dealer_destroy(hanse_link_dealer *dealer)
{
    if (dealer == NULL)
        return;
    hanse_link_dealer_empty(dealer);
    (void)pthread_mutex_destroy(&dealer->lock);
    free(dealer);
}

hanse_status hanse_link_dealer_open(hanse_link_dealer *dealer,
                                    hanse_link_part **out, hanse_error *error)
{
    hanse_link_part *part = calloc(1, sizeof *part);
    if (part == NULL)
        return hanse_fail_nomem(error, "links", sizeof *part);
    part->dealer = dealer;
    part->bad.link = UINT64_MAX;
    part->cursors = hanse_allocate_zero(dealer->how.budget, dealer->n_buckets,
                                        sizeof *part->cursors);
    if (part->cursors == NULL) {
        free(part);
        return hanse_fail_budget(error, dealer->how.budget, "links",
                                 dealer->n_buckets, sizeof *part->cursors);
    }
    (void)pthread_mutex_lock(&dealer->lock);
    part->next = dealer->parts;
    dealer->parts = part;
    (void)pthread_mutex_unlock(&dealer->lock);
    *out = part;
    return HANSE_OK;
}

/* ---- Weights ------------------------------------------------------------ */

static inline bool is_weight(double weight)
{
    return (weight >= 0.0) & (weight < INFINITY);
}

static bool has_good_weights(hanse_link_part *part, const hanse_links *links,
                             uint64_t first)
{
    uint64_t n_bad = 0;
    size_t k = 0;
    for (size_t i = 0; i < links->n; i++)
        n_bad += !is_weight(links->weights[i]);
    if (n_bad == 0)
        return true;
    while (is_weight(links->weights[k]))
        k++;
    if (first + k < part->bad.link)
        part->bad = (bad_weight){first + k, links->sources[k],
                                 links->targets[k], links->weights[k]};
    return false;
}

hanse_status hanse_link_dealer_check(const hanse_link_dealer *dealer,
                                     hanse_error *error)
{
    bad_weight bad = {.link = UINT64_MAX};
    for (const hanse_link_part *p = dealer->parts; p != NULL; p = p->next)
        if (p->bad.link < bad.link)
            bad = p->bad;
    if (bad.link == UINT64_MAX)
        return HANSE_OK;
    return hanse_fail(error, HANSE_ERR_FORMAT,
                      "link %" PRIu64 ", from row %u to row %u: its weight is "
                      "%g, it must be 0 or more and finite",
                      bad.link, bad.source, bad.target, bad.weight);
}

/* ---- Dealing ------------------------------------------------------------ */

/* Where the next entry goes when a block is full or there is none yet; NULL
 * when memory is exhausted. */
static __attribute__((noinline)) char *open_block(hanse_link_part *part,
                                                  size_t bucket)
{
    hanse_link_dealer *dealer = part->dealer;
    const size_t shelf = bucket / dealer->shelf_buckets;
    char *before = part->cursors[bucket];
    char *memory =
        hanse_link_pool_take(&dealer->shelves[shelf], &part->slabs[shelf]);
    if (memory == NULL)
        return NULL;
    link_block *block = (link_block *)memory;
    block->before = before;
    block->n_before = before == NULL
                          ? 0
                          : ((link_block *)block_of(before))->n_before +
                                entries_of_block(dealer->layout);
    return memory + entries_begin(dealer->layout);
}

static inline __attribute__((always_inline)) bool
put(hanse_link_part *part, char **cursors, entry_layout layout, unsigned shift,
    uint32_t row, uint32_t source, double weight)
{
    const size_t bucket = row >> shift;
    const uint16_t within = (uint16_t)(row & (((uint32_t)1 << shift) - 1));
    char *at = cursors[bucket];
    if (((uintptr_t)at & (HANSE_LINK_BLOCK - 1)) == 0) {
        at = open_block(part, bucket);
        if (at == NULL)
            return false;
    }
    /* The line after this one: stores to lines that are not there wait for each
     * other, and took half of all the time. */
    __builtin_prefetch(at + LINE_BYTES, 1);
    if (layout.has_weight) {
        memcpy(at, &weight, sizeof weight);
        at += sizeof weight;
    }
    if (layout.has_source) {
        memcpy(at, &source, sizeof source);
        at += sizeof source;
    }
    memcpy(at, &within, sizeof within);
    cursors[bucket] = at + sizeof within;
    return true;
}

static inline __attribute__((always_inline)) bool
deal(hanse_link_part *part, const hanse_links *links, entry_layout layout)
{
    const hanse_link_dealing *how = &part->dealer->how;
    const unsigned shift = part->dealer->shift;
    const uint8_t *keep = how->keep;
    const bool both_ways = how->both_ways;
    const uint32_t *sources = links->sources, *targets = links->targets;
    const double *weights = links->weights;
    char **cursors = part->cursors;
    const size_t n = links->n;
    for (size_t k = 0; k < n; k++) {
        const uint32_t target = targets[k];
        const uint32_t source = layout.has_source ? sources[k] : 0;
        const double weight = layout.has_weight ? weights[k] : 1.0;
        if (keep != NULL && (keep[source] == 0 || keep[target] == 0))
            continue;
        if (both_ways && source == target)
            continue;
        if (both_ways &&
            !put(part, cursors, layout, shift, source, target, weight))
            return false;
        if (!put(part, cursors, layout, shift, target, source, weight))
            return false;
    }
    return true;
}

hanse_status hanse_link_part_deal(hanse_link_part *part,
                                  const hanse_links *links, uint64_t first,
                                  hanse_error *error)
{
    const hanse_link_dealing *how = &part->dealer->how;
    bool is_done;
    if (how->has_weights && how->has_sources &&
        !has_good_weights(part, links, first))
        return HANSE_OK;
    if (how->has_weights && how->has_sources)
        is_done = deal(part, links, (entry_layout){true, true});
    else if (how->has_weights)
        is_done = deal(part, links, (entry_layout){true, false});
    else if (how->has_sources)
        is_done = deal(part, links, (entry_layout){false, true});
    else
        is_done = deal(part, links, (entry_layout){false, false});
    return is_done ? HANSE_OK
                   : hanse_fail_budget(error, how->budget, "links",
                                       part->dealer->shelves[0].piece_bytes, 1);
}
