/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks made of links: begun, given links by several threads, finished.
 *
 *     hanse_network_begin -> dealer
 *     on each thread: hanse_link_dealer_open -> part
 *                     hanse_link_part_deal, as often as there are links
 *     hanse_network_finish -> network
 *     hanse_link_dealer_destroy, in any case
 */
#ifndef HANSE_ENGINE_MODELS_NETWORK_BUILD_H
#define HANSE_ENGINE_MODELS_NETWORK_BUILD_H

#include "engine/models/link_dealer.h"

/* Which network the links make. */
typedef struct hanse_network_options {
    size_t n_threads;     /* at least 1 */
    hanse_budget *budget; /* NULL: none */
    /* [row], kept until all links are given: links with an end that is 0 are
     * left out, before anything else; NULL: none. */
    const uint8_t *keep;
    /* w_ij / sum_k w_ik, where the sum goes over the links from row i, exact
     * and rounded once; where it is 0 they stay 0. */
    bool normalise;
    /* The simple undirected graph of the links: an entry in the row of either
     * end, without weights, sources ascending; a link from a row to itself is
     * dropped, parallel and opposite links count once. The degree of a row is
     * the number of its entries. `normalise` is not looked at. */
    bool undirected;
} hanse_network_options;

/* For links between n_rows rows, below 2^32 - 1, else HANSE_ERR_LIMIT;
 * n_links: how many they are, about. */
hanse_status hanse_network_begin(size_t n_rows, uint64_t n_links,
                                 bool has_weights,
                                 const hanse_network_options *options,
                                 hanse_link_dealer **out, hanse_error *error);

/* The network of the links dealt out, which are taken from the dealer. A weight
 * that is negative or not finite is HANSE_ERR_FORMAT with a message that names
 * the first such link (from 0). Nothing is kept of `options` but the budget. */
hanse_status hanse_network_finish(hanse_link_dealer *dealer,
                                  const hanse_network_options *options,
                                  hanse_network *out, hanse_error *error);

/* What a network needs: kept for 12 bytes a link (4 without weights) and 8
 * bytes a row, the most while links are dealt out and while it is made of them,
 * and what it takes at least where no link is left out. */
typedef struct hanse_network_size {
    uint64_t kept_bytes;
    uint64_t dealt_bytes;
    uint64_t peak_bytes;
    uint64_t least_bytes;
} hanse_network_size;

hanse_network_size hanse_network_bytes(size_t n_rows, uint64_t n_links,
                                       bool has_weights,
                                       const hanse_network_options *options);

#endif
