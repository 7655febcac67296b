/* SPDX-License-Identifier: Apache-2.0
 *
 * From links dealt out to networks: directed ones with weights as they are or
 * divided, undirected ones.
 */
#include "engine/models/network_build.h"

#include "engine/models/network_work.h"
#include "engine/models/term_sum.h"
#include "engine/parallel.h"

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

static hanse_link_dealing dealing_of(size_t n_rows, uint64_t n_links,
                                     bool has_weights,
                                     const hanse_network_options *options)
{
    return (hanse_link_dealing){
        .n_rows = n_rows,
        .n_links = n_links,
        .n_threads = options->n_threads,
        .budget = options->budget,
        .has_weights = has_weights && !options->undirected,
        .has_sources = true,
        .both_ways = options->undirected,
        .keep = options->keep,
    };
}

hanse_status hanse_network_begin(size_t n_rows, uint64_t n_links,
                                 bool has_weights,
                                 const hanse_network_options *options,
                                 hanse_link_dealer **out, hanse_error *error)
{
    const hanse_link_dealing how =
        dealing_of(n_rows, n_links, has_weights, options);
    return hanse_link_dealer_create(&how, out, error);
}

/* ---- Weights divided by their sums -------------------------------------- */

/* Links from a row, without their other ends: of a network, as they are needed
 * for sums. */
static hanse_link_dealing by_source_of(size_t n_rows, uint64_t n_links,
                                       bool has_weights,
                                       const hanse_network_options *options)
{
    return (hanse_link_dealing){.n_rows = n_rows,
                                .n_links = n_links,
                                .n_threads = options->n_threads,
                                .budget = options->budget,
                                .has_weights = has_weights};
}

typedef struct normaliser {
    hanse_network *network;
    hanse_link_dealer *dealer;
    size_t n_slices;
    hanse_network by_source; /* without sources */
    double *sums;            /* [row], of the weights of the links from it */
    bool has_weights;        /* else all are 1 so far */
} normaliser;

static size_t slice_begin(const normaliser *n, size_t slice)
{
    return (size_t)((unsigned __int128)n->network->n_links * slice /
                    n->n_slices);
}

static hanse_status deal_slice(void *context, size_t slice, hanse_error *error)
{
    const normaliser *n = context;
    const hanse_network *network = n->network;
    const size_t begin = slice_begin(n, slice);
    const hanse_links links = {
        .n = slice_begin(n, slice + 1) - begin,
        .targets = network->sources + begin,
        .weights = network->weights == NULL ? NULL : network->weights + begin};
    hanse_link_part *part;
    HANSE_TRY(hanse_link_dealer_open(n->dealer, &part, error));
    return hanse_link_part_deal(part, &links, begin, error);
}

static hanse_status add_up_rows(void *context, size_t task, hanse_error *error)
{
    const normaliser *n = context;
    const hanse_network *by_source = &n->by_source;
    const size_t end = hanse_network_task_row(by_source, task + 1);
    (void)error;
    for (size_t row = hanse_network_task_row(by_source, task); row < end;
         row++) {
        const size_t degree = hanse_network_degree(by_source, row);
        n->sums[row] =
            by_source->weights == NULL
                ? (double)degree
                : hanse_sparse_dot(NULL,
                                   by_source->weights + by_source->starts[row],
                                   NULL, degree);
    }
    return HANSE_OK;
}

static hanse_status sum_by_source(normaliser *n,
                                  const hanse_network_options *options,
                                  hanse_error *error)
{
    const hanse_link_dealing how =
        by_source_of(n->network->n_rows, n->network->n_links,
                     n->network->weights != NULL, options);
    HANSE_TRY(hanse_link_dealer_create(&how, &n->dealer, error));
    hanse_status status = hanse_parallel_for(options->n_threads, n->n_slices,
                                             deal_slice, n, error);
    if (status == HANSE_OK)
        status = hanse_link_dealer_gather(n->dealer, &n->by_source, error);
    hanse_link_dealer_destroy(n->dealer);
    if (status != HANSE_OK)
        return status;
    status = hanse_parallel_for(options->n_threads,
                                hanse_network_n_tasks(&n->by_source),
                                add_up_rows, n, error);
    hanse_network_clear(&n->by_source);
    return status;
}

static hanse_status divide_slice(void *context, size_t slice,
                                 hanse_error *error)
{
    const normaliser *n = context;
    const hanse_network *network = n->network;
    const size_t end = slice_begin(n, slice + 1);
    (void)error;
    for (size_t k = slice_begin(n, slice); k < end; k++) {
        const double sum = n->sums[network->sources[k]];
        const double weight = n->has_weights ? network->weights[k] : 1.0;
        network->weights[k] = sum == 0.0 ? 0.0 : weight / sum;
    }
    return HANSE_OK;
}

static hanse_status divide(normaliser *n, const hanse_network_options *options,
                           hanse_error *error)
{
    hanse_network *network = n->network;
    HANSE_TRY(sum_by_source(n, options, error));
    if (!n->has_weights)
        network->weights = hanse_allocate(network->budget, network->n_links,
                                          sizeof *network->weights);
    if (network->weights == NULL)
        return hanse_fail_budget(error, network->budget, "weights of links",
                                 network->n_links, sizeof *network->weights);
    return hanse_parallel_for(options->n_threads, n->n_slices, divide_slice, n,
                              error);
}

static hanse_status normalise(hanse_network *network,
                              const hanse_network_options *options,
                              hanse_error *error)
{
    normaliser n = {.network = network,
                    .has_weights = network->weights != NULL,
                    .n_slices = options->n_threads};
    hanse_budget *budget = network->budget;
    n.sums = hanse_allocate(budget, network->n_rows, sizeof *n.sums);
    if (n.sums == NULL)
        return hanse_fail_budget(error, budget, "sums of the weights of rows",
                                 network->n_rows, sizeof *n.sums);
    const hanse_status status = divide(&n, options, error);
    hanse_free(budget, n.sums, network->n_rows, sizeof *n.sums);
    return status;
}

/* ---- Whole -------------------------------------------------------------- */

hanse_status hanse_network_finish(hanse_link_dealer *dealer,
                                  const hanse_network_options *options,
                                  hanse_network *out, hanse_error *error)
{
    hanse_network network;
    HANSE_TRY(hanse_link_dealer_check(dealer, error));
    HANSE_TRY(hanse_link_dealer_gather(dealer, &network, error));
    hanse_status status = HANSE_OK;
    if (options->undirected)
        status = hanse_network_simplify(&network, options->n_threads, error);
    else if (options->normalise)
        status = normalise(&network, options, error);
    if (status != HANSE_OK)
        hanse_network_clear(&network);
    else
        *out = network;
    return status;
}

/* ---- Sizes -------------------------------------------------------------- */

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Starts, sources and weights, those that there are. */
static uint64_t network_bytes(size_t n_rows, uint64_t n_links, bool has_sources,
                              bool has_weights)
{
    return hanse_allocation_bytes((uint64_t)n_rows + 1, sizeof(uint64_t)) +
           (has_sources ? hanse_allocation_bytes(n_links, sizeof(uint32_t))
                        : 0) +
           (has_weights ? hanse_allocation_bytes(n_links, sizeof(double)) : 0);
}

/* Of normalise, with the network that it is given. */
static uint64_t normalise_bytes(size_t n_rows, uint64_t n_links,
                                bool has_weights,
                                const hanse_network_options *options)
{
    const hanse_link_dealing how =
        by_source_of(n_rows, n_links, has_weights, options);
    const uint64_t given = network_bytes(n_rows, n_links, true, has_weights);
    const uint64_t sums = hanse_allocation_bytes(n_rows, sizeof(double));
    return larger(given + sums + hanse_link_dealer_bytes(&how).most_bytes +
                      network_bytes(n_rows, n_links, false, has_weights),
                  network_bytes(n_rows, n_links, true, true) + sums);
}

hanse_network_size hanse_network_bytes(size_t n_rows, uint64_t n_links,
                                       bool has_weights,
                                       const hanse_network_options *options)
{
    const hanse_link_dealing how =
        dealing_of(n_rows, n_links, has_weights, options);
    const hanse_link_dealer_size dealt = hanse_link_dealer_bytes(&how);
    const uint64_t n = n_links * (options->undirected ? 2 : 1);
    const uint64_t gathered = network_bytes(n_rows, n, true, how.has_weights);
    const uint64_t rows =
        hanse_allocation_bytes((uint64_t)n_rows + 1, sizeof n);
    hanse_network_size size = {gathered, dealt.most_bytes,
                               dealt.most_bytes + gathered,
                               dealt.least_bytes + rows};
    if (options->undirected) {
        size.peak_bytes = larger(size.peak_bytes, 2 * gathered);
    } else if (options->normalise) {
        size.kept_bytes = network_bytes(n_rows, n, true, true);
        size.peak_bytes = larger(
            size.peak_bytes, normalise_bytes(n_rows, n, has_weights, options));
    }
    return size;
}
