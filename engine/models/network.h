/* SPDX-License-Identifier: Apache-2.0
 *
 * A weighted directed network over the rows of a table, kept by target: for
 * each row the rows that it has links from (compressed sparse rows of W').
 * MODELS.md, I2 and P2. network_build.h makes them.
 *
 * All sums over the links of a row are rounded once (term_sum.h), so that no
 * order of links, rows or threads can change them.
 */
#ifndef HANSE_ENGINE_MODELS_NETWORK_H
#define HANSE_ENGINE_MODELS_NETWORK_H

#include "engine/base/memory.h"

typedef struct hanse_network {
    hanse_budget *budget;
    size_t n_rows;
    size_t n_links;    /* entries of the two arrays below */
    uint64_t *starts;  /* n_rows + 1: where the links of a row begin */
    uint32_t *sources; /* [link] the other end, in any order; NULL where a
                        * network is used for its weights alone */
    double *weights;   /* [link]; NULL: all 1 */
} hanse_network;

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

#endif
