/* SPDX-License-Identifier: Apache-2.0
 *
 * A weighted directed network over the rows of a table, kept by target: for
 * each row the rows that it has links from (compressed sparse rows of W').
 * MODELS.md, I2 and P2.
 *
 * All sums over the links of a row are rounded once (term_sum.h), so that no
 * order of links, rows or threads can change them.
 */
#ifndef HANSE_ENGINE_MODELS_NETWORK_H
#define HANSE_ENGINE_MODELS_NETWORK_H

#include "engine/base/memory.h"

/* n links from row sources[k] to row targets[k] with weight weights[k], finite
 * and not negative; NULL: all weights are 1. Parallel links add up, links from
 * a row to itself are allowed. */
typedef struct hanse_links {
    size_t n;
    const uint32_t *sources;
    const uint32_t *targets;
    const double *weights;
} hanse_links;

typedef struct hanse_network {
    hanse_budget *budget;
    size_t n_rows;
    size_t n_links;    /* entries of the two arrays below */
    uint64_t *starts;  /* n_rows + 1: where the links of a row begin */
    uint32_t *sources; /* [link] the other end, in any order */
    double *weights;   /* [link]; NULL: all 1 */
} hanse_network;

typedef struct hanse_network_options {
    size_t n_threads;     /* at least 1 */
    hanse_budget *budget; /* NULL: none */
    /* w_ij / sum_k w_ik, where the sum goes over the links from row i, exact
     * and rounded once; where it is 0 they stay 0. */
    bool normalise;
    /* [row]: links with an end that is 0 are left out, before anything else;
     * NULL: none. */
    const uint8_t *keep;
} hanse_network_options;

/* Links of every row by target. n_rows is below 2^32 - 1. A link with an end
 * that is no row, or a weight that is negative or not finite, is
 * HANSE_ERR_ARGUMENT with a message that names the first such link (from 0).
 * Nothing is kept of `links` and `options` but the budget. */
hanse_status hanse_network_build(const hanse_links *links, size_t n_rows,
                                 const hanse_network_options *options,
                                 hanse_network *out, hanse_error *error);

/* The simple undirected graph of the links: an entry in the row of either end,
 * without weights, sources ascending; a link from a row to itself is dropped,
 * parallel and opposite links count once. The degree of a row is the number of
 * its entries. `normalise` and the weights are not looked at. */
hanse_status hanse_network_undirected(const hanse_links *links, size_t n_rows,
                                      const hanse_network_options *options,
                                      hanse_network *out, hanse_error *error);

/* Gives a simple undirected graph the Metropolis weights
 * M_ij = 1 / (1 + max(deg_i, deg_j)) (Xiao, Boyd, Kim 2007), and own[i] the
 * weight of a row for itself, M_ii = 1 - sum_j M_ij rounded once (n_rows
 * numbers; 1 for a row without links). */
hanse_status hanse_network_metropolis(hanse_network *network, double *own,
                                      size_t n_threads, hanse_error *error);

static inline size_t hanse_network_degree(const hanse_network *network,
                                          size_t row)
{
    return (size_t)(network->starts[row + 1] - network->starts[row]);
}

/* out[j] = factor * sum_i w_ij x[i] over the links to row j: each product
 * rounded, their sum rounded once, then the product with factor. Infinities and
 * NaN as IEEE 754. */
typedef struct hanse_step {
    double factor;
    const double *x; /* n_rows numbers, as `out`, which they do not overlap */
    double *out;
    /* Told of rows begin to end - 1 as soon as they are there, while the next
     * are computed; every row once, on any of the threads. NULL: nothing. */
    void (*then)(void *context, size_t begin, size_t end);
    void *then_context;
} hanse_step;

hanse_status hanse_network_step(const hanse_network *network,
                                const hanse_step *step, size_t n_threads,
                                hanse_error *error);

/* Accepts one that is zero or already clear. */
void hanse_network_clear(hanse_network *network);

/* What a network needs, beside the links given (8 bytes each, 16 with
 * weights): kept for 12 bytes a link (4 without weights) and 8 bytes a row,
 * and the most while it is built. At least the true figures. */
typedef struct hanse_network_size {
    uint64_t kept_bytes;
    uint64_t peak_bytes;
} hanse_network_size;

hanse_network_size hanse_network_bytes(size_t n_rows, size_t n_links,
                                       bool has_weights, bool normalise,
                                       size_t n_threads);

/* The same for an undirected one, with Metropolis weights or without. */
hanse_network_size hanse_network_undirected_bytes(size_t n_rows, size_t n_links,
                                                  bool metropolis,
                                                  size_t n_threads);

#endif
