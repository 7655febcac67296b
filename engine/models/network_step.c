/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps of a walk on a network.
 */
#include "engine/models/network_work.h"
#include "engine/models/row_sums.h"
#include "engine/models/term_sum.h"
#include "engine/parallel.h"

enum {
    /* Rows have few links, and the values that these want lie anywhere: fetched
     * so many links ahead of their use. Measured on 3.2 million rows with 9.5
     * million links: 21 ns a row 16 links ahead, 15 with 64 to 128. */
    AHEAD_LINKS = 96,
    /* Of a block, whose products stay in the nearest cache. */
    BLOCK_ROWS = 64,
    BLOCK_LINKS = 1024
};

typedef struct walk_step {
    const hanse_network *network;
    const hanse_step *how;
    hanse_row_sums_function *row_sums; /* NULL: none */
} walk_step;

static inline void fetch_ahead(const hanse_network *network, const double *x,
                               uint64_t begin, uint64_t end)
{
    if (end + AHEAD_LINKS > network->n_links)
        return;
    for (uint64_t k = begin; k < end; k++)
        __builtin_prefetch(&x[network->sources[k + AHEAD_LINKS]]);
}

/* ---- Row by row --------------------------------------------------------- */

/* Inlined twice, so that a network without weights has no products. */
static inline __attribute__((always_inline)) void
step_range(const walk_step *s, const double *weights, size_t begin, size_t end)
{
    const hanse_network *network = s->network;
    const double *x = s->how->x;
    for (size_t row = begin; row < end; row++) {
        const uint64_t first = network->starts[row];
        const uint64_t last = network->starts[row + 1];
        fetch_ahead(network, x, first, last);
        s->how->out[row] =
            s->how->factor *
            hanse_sparse_dot_inline(weights == NULL ? NULL : weights + first, x,
                                    network->sources + first,
                                    (size_t)(last - first));
    }
}

/* ---- Blocks of rows ----------------------------------------------------- */

/* First row that is not in the block from `begin` on: at least one is. */
static size_t block_end(const hanse_network *network, size_t begin, size_t end)
{
    const uint64_t *starts = network->starts;
    size_t last = end - begin < BLOCK_ROWS ? end : begin + BLOCK_ROWS;
    while (last > begin + 1 && starts[last] - starts[begin] > BLOCK_LINKS)
        last = begin + (last - begin) / 2;
    return last;
}

static inline __attribute__((always_inline)) void
multiply_links(const walk_step *s, const double *weights, uint64_t begin,
               uint64_t end, double *products)
{
    const uint32_t *sources = s->network->sources;
    const double *x = s->how->x;
    uint64_t k = begin;
    for (; k < end && k + AHEAD_LINKS < s->network->n_links; k++) {
        __builtin_prefetch(&x[sources[k + AHEAD_LINKS]]);
        products[k - begin] = hanse_sparse_term(weights, x, sources, k);
    }
    for (; k < end; k++)
        products[k - begin] = hanse_sparse_term(weights, x, sources, k);
}

static inline __attribute__((always_inline)) void
step_block(const walk_step *s, const double *weights, size_t begin, size_t end)
{
    const hanse_network *network = s->network;
    const uint64_t *starts = network->starts;
    double products[BLOCK_LINKS];
    uint32_t undecided[BLOCK_ROWS];
    double *out = s->how->out;
    multiply_links(s, weights, starts[begin], starts[end], products);
    const size_t n_undecided = s->row_sums(products, starts + begin,
                                           end - begin, out + begin, undecided);
    for (size_t k = 0; k < n_undecided; k++) {
        const size_t row = begin + undecided[k];
        out[row] =
            hanse_sparse_dot(NULL, products + (starts[row] - starts[begin]),
                             NULL, hanse_network_degree(network, row));
    }
    for (size_t row = begin; row < end; row++)
        out[row] *= s->how->factor;
}

static inline __attribute__((always_inline)) void
step_blocks(const walk_step *s, const double *weights, size_t begin, size_t end)
{
    const uint64_t *starts = s->network->starts;
    for (size_t first = begin, last; first < end; first = last) {
        last = block_end(s->network, first, end);
        if (starts[last] - starts[first] > BLOCK_LINKS)
            step_range(s, weights, first, last);
        else
            step_block(s, weights, first, last);
    }
}

/* ---- Whole -------------------------------------------------------------- */

static hanse_status step_rows(void *context, size_t task, hanse_error *error)
{
    const walk_step *s = context;
    const hanse_network *network = s->network;
    const size_t begin = hanse_network_task_row(network, task);
    const size_t end = hanse_network_task_row(network, task + 1);
    (void)error;
    if (s->row_sums != NULL && network->weights != NULL)
        step_blocks(s, network->weights, begin, end);
    else if (s->row_sums != NULL)
        step_blocks(s, NULL, begin, end);
    else if (network->weights != NULL)
        step_range(s, network->weights, begin, end);
    else
        step_range(s, NULL, begin, end);
    if (s->how->then != NULL)
        s->how->then(s->how->then_context, begin, end);
    return HANSE_OK;
}

hanse_status hanse_network_step(const hanse_network *network,
                                const hanse_step *step, size_t n_threads,
                                hanse_error *error)
{
    hanse_cpu cpu;
    HANSE_TRY(hanse_cpu_choose(&cpu, error));
    walk_step s = {network, step, NULL};
    /* Up to three and a half links a row. With one it takes 0.6 of the time,
     * with three 0.8, with four rows one by one are as fast: many have more
     * terms than a register has lanes. */
    if (network->n_links / 7 <= network->n_rows / 2)
        s.row_sums = hanse_row_sums_of(cpu);
    return hanse_parallel_for(n_threads, hanse_network_n_tasks(network),
                              step_rows, &s, error);
}
