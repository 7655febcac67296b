/* SPDX-License-Identifier: Apache-2.0
 *
 * Building networks.
 */
#include "engine/models/network.h"

#include <math.h>
#include <stdatomic.h>

#include "engine/models/arrange.h"
#include "engine/models/network_work.h"
#include "engine/models/term_sum.h"
#include "engine/parallel.h"

enum {
    CHECK_LINKS = 1 << 16 /* of a task */
};

void hanse_network_clear(hanse_network *network)
{
    hanse_budget *budget = network->budget;
    hanse_free(budget, network->starts, network->n_rows + 1,
               sizeof *network->starts);
    hanse_free(budget, network->sources, network->n_links,
               sizeof *network->sources);
    hanse_free(budget, network->weights, network->n_links,
               sizeof *network->weights);
    *network = (hanse_network){0};
}

/* ---- Checks ------------------------------------------------------------- */

typedef struct checker {
    const hanse_links *links;
    size_t n_rows;
    _Atomic size_t first_bad; /* SIZE_MAX: none */
} checker;

static inline bool is_good(const checker *c, size_t k)
{
    const hanse_links *links = c->links;
    return links->sources[k] < c->n_rows && links->targets[k] < c->n_rows &&
           (links->weights == NULL ||
            (links->weights[k] >= 0.0 && links->weights[k] < INFINITY));
}

static hanse_status check_part(void *context, size_t part, hanse_error *error)
{
    checker *c = context;
    const size_t begin = part * CHECK_LINKS;
    const size_t left = c->links->n - begin;
    const size_t end = begin + (left < CHECK_LINKS ? left : CHECK_LINKS);
    (void)error;
    for (size_t k = begin; k < end; k++) {
        if (is_good(c, k))
            continue;
        size_t first = atomic_load(&c->first_bad);
        while (k < first &&
               !atomic_compare_exchange_weak(&c->first_bad, &first, k)) {
        }
        return HANSE_OK;
    }
    return HANSE_OK;
}

static hanse_status fail_link(const checker *c, size_t k, hanse_error *error)
{
    const hanse_links *links = c->links;
    const uint32_t ends[2] = {links->sources[k], links->targets[k]};
    for (size_t i = 0; i < 2; i++)
        if (ends[i] >= c->n_rows)
            return hanse_fail(error, HANSE_ERR_ARGUMENT,
                              "link %zu: its %s is row %u, but there are %zu "
                              "rows, numbered from 0",
                              k, i == 0 ? "source" : "target", ends[i],
                              c->n_rows);
    return hanse_fail(error, HANSE_ERR_ARGUMENT,
                      "link %zu, from row %u to row %u: its weight is %g, it "
                      "must be 0 or more and finite",
                      k, ends[0], ends[1], links->weights[k]);
}

hanse_status hanse_links_check(const hanse_links *links, size_t n_rows,
                               size_t n_threads, hanse_error *error)
{
    checker c = {links, n_rows, SIZE_MAX};
    if (n_rows >= UINT32_MAX)
        return hanse_fail(error, HANSE_ERR_LIMIT,
                          "a network over %zu rows, the most is %u", n_rows,
                          UINT32_MAX - 1);
    HANSE_TRY(hanse_parallel_for(n_threads,
                                 (links->n + CHECK_LINKS - 1) / CHECK_LINKS,
                                 check_part, &c, error));
    const size_t first_bad = atomic_load(&c.first_bad);
    return first_bad == SIZE_MAX ? HANSE_OK : fail_link(&c, first_bad, error);
}

/* ---- Directed networks -------------------------------------------------- */

typedef struct totals {
    const hanse_network *by_source;
    double *sums; /* [row] */
} totals;

static hanse_status add_up_rows(void *context, size_t task, hanse_error *error)
{
    const totals *t = context;
    const hanse_network *network = t->by_source;
    const size_t end = hanse_network_task_row(network, task + 1);
    (void)error;
    for (size_t row = hanse_network_task_row(network, task); row < end; row++) {
        const size_t n = hanse_network_degree(network, row);
        t->sums[row] =
            network->weights == NULL
                ? (double)n
                : hanse_sparse_dot(
                      NULL, network->weights + network->starts[row], NULL, n);
    }
    return HANSE_OK;
}

/* sums[i] = sum of the weights of the links from row i. */
static hanse_status sum_by_source(const hanse_links *links, size_t n_rows,
                                  const hanse_network_options *options,
                                  double *sums, hanse_error *error)
{
    const hanse_arrangement by_source = {
        .n_rows = n_rows,
        .n = links->n,
        .keys = links->sources,
        .others = links->targets,
        .values = links->weights,
        .keep = options->keep,
    };
    hanse_network network;
    HANSE_TRY(hanse_arrange(&by_source, options->n_threads, options->budget,
                            &network, error));
    totals t = {&network, sums};
    const hanse_status status =
        hanse_parallel_for(options->n_threads, hanse_network_n_tasks(&network),
                           add_up_rows, &t, error);
    hanse_network_clear(&network);
    return status;
}

static hanse_status arrange_normalised(hanse_arrangement *by_target,
                                       const hanse_links *links,
                                       const hanse_network_options *options,
                                       hanse_network *out, hanse_error *error)
{
    const size_t n_rows = by_target->n_rows;
    double *sums = hanse_allocate(options->budget, n_rows, sizeof *sums);
    if (sums == NULL)
        return hanse_fail_budget(error, options->budget,
                                 "sums of the weights of rows", n_rows,
                                 sizeof *sums);
    hanse_status status = sum_by_source(links, n_rows, options, sums, error);
    by_target->divisors = sums;
    if (status == HANSE_OK)
        status = hanse_arrange(by_target, options->n_threads, options->budget,
                               out, error);
    hanse_free(options->budget, sums, n_rows, sizeof *sums);
    return status;
}

hanse_status hanse_network_build(const hanse_links *links, size_t n_rows,
                                 const hanse_network_options *options,
                                 hanse_network *out, hanse_error *error)
{
    HANSE_TRY(hanse_links_check(links, n_rows, options->n_threads, error));
    hanse_arrangement by_target = {
        .n_rows = n_rows,
        .n = links->n,
        .keys = links->targets,
        .others = links->sources,
        .values = links->weights,
        .keep = options->keep,
        .with_others = true,
    };
    if (options->normalise)
        return arrange_normalised(&by_target, links, options, out, error);
    return hanse_arrange(&by_target, options->n_threads, options->budget, out,
                         error);
}

/* ---- Sizes -------------------------------------------------------------- */

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

hanse_network_size hanse_network_bytes(size_t n_rows, size_t n_links,
                                       bool has_weights, bool normalise,
                                       size_t n_threads)
{
    const uint64_t rows = hanse_block_bytes(n_rows + 1, sizeof(uint64_t));
    const uint64_t weights = hanse_block_bytes(n_links, sizeof(double));
    const uint64_t extra = hanse_arrange_bytes(n_rows, n_links, n_threads);
    uint64_t kept = rows + hanse_block_bytes(n_links, sizeof(uint32_t));
    if (has_weights || normalise)
        kept += weights;
    uint64_t peak = kept + extra;
    if (normalise) {
        const uint64_t sums = hanse_block_bytes(n_rows, sizeof(double));
        peak = sums + larger(peak, rows + (has_weights ? weights : 0) + extra);
    }
    return (hanse_network_size){kept, peak};
}
