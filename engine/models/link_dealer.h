/* SPDX-License-Identifier: Apache-2.0
 *
 * Links dealt out while they are read: each goes to the bucket of consecutive
 * rows that its target lies in, and when all are there each bucket is put in
 * the order of its rows. So links are kept once before they are a network, and
 * never as they were read. Inside: network_build.h is what others use.
 */
#ifndef HANSE_ENGINE_MODELS_LINK_DEALER_H
#define HANSE_ENGINE_MODELS_LINK_DEALER_H

#include "engine/models/network.h"

/* n links from row sources[k] to row targets[k] with weight weights[k]; NULL:
 * all weights are 1. Parallel links add up, links from a row to itself are
 * allowed. */
typedef struct hanse_links {
    size_t n;
    const uint32_t *sources;
    const uint32_t *targets;
    const double *weights;
} hanse_links;

typedef struct hanse_link_dealer hanse_link_dealer;

/* What one thread deals out. */
typedef struct hanse_link_part hanse_link_part;

typedef struct hanse_link_dealing {
    size_t n_rows;    /* below 2^32 - 1, else HANSE_ERR_LIMIT */
    uint64_t n_links; /* that there are, about */
    size_t n_threads; /* that deal or gather, about */
    hanse_budget *budget;
    bool has_weights;
    bool has_sources;    /* whether they are wanted; if not, the array of
                          * sources is not looked at and weights are known to
                          * be right */
    bool both_ways;      /* each link goes to either end, and one from a row to
                          * itself is left out; has_sources */
    const uint8_t *keep; /* [row]; links with an end that is 0 are left out;
                          * NULL: none; has_sources */
} hanse_link_dealing;

hanse_status hanse_link_dealer_create(const hanse_link_dealing *how,
                                      hanse_link_dealer **out,
                                      hanse_error *error);

/* Accepts NULL. */
void hanse_link_dealer_destroy(hanse_link_dealer *dealer);

/* A thread's part, which stays the dealer's; several threads may ask. */
hanse_status hanse_link_dealer_open(hanse_link_dealer *dealer,
                                    hanse_link_part **out, hanse_error *error);

/* Deals out links whose ends are rows; the first has the number `first`. Where
 * a weight is negative or not finite none of them is dealt, and the first such
 * link is remembered. */
hanse_status hanse_link_part_deal(hanse_link_part *part,
                                  const hanse_links *links, uint64_t first,
                                  hanse_error *error);

/* HANSE_ERR_FORMAT with the first link of any part that has a wrong weight. */
hanse_status hanse_link_dealer_check(const hanse_link_dealer *dealer,
                                     hanse_error *error);

/* After all links: makes the network and takes the links from the dealer, which
 * can then only be destroyed. The order of the links of a row is any; without
 * sources the network has none. */
hanse_status hanse_link_dealer_gather(hanse_link_dealer *dealer,
                                      hanse_network *out, hanse_error *error);

/* Bytes for the links dealt out, at the least and the most; the network comes
 * on top, but the links are given back while it is made. */
typedef struct hanse_link_dealer_size {
    uint64_t least_bytes;
    uint64_t most_bytes;
} hanse_link_dealer_size;

hanse_link_dealer_size hanse_link_dealer_bytes(const hanse_link_dealing *how);

#endif
