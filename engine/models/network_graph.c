/* SPDX-License-Identifier: Apache-2.0
 *
 * Simple undirected graphs of links, and Metropolis weights on them.
 */
#include "engine/models/network.h"

#include <string.h>

#include "engine/models/network_work.h"
#include "engine/models/term_sum.h"
#include "engine/parallel.h"

enum {
    N_SMALL = 32 /* sorted by insertion */
};

static void sink(uint32_t *values, size_t at, size_t n)
{
    const uint32_t value = values[at];
    for (size_t child = 2 * at + 1; child < n; child = 2 * at + 1) {
        if (child + 1 < n && values[child + 1] > values[child])
            child++;
        if (values[child] <= value)
            break;
        values[at] = values[child];
        at = child;
    }
    values[at] = value;
}

/* In place, and never slower than n log n: heap sort where it is long. */
static void sort_row(uint32_t *values, size_t n)
{
    if (n > N_SMALL) {
        for (size_t i = n / 2; i > 0; i--)
            sink(values, i - 1, n);
        for (size_t i = n - 1; i > 0; i--) {
            const uint32_t largest = values[0];
            values[0] = values[i];
            values[i] = largest;
            sink(values, 0, i);
        }
        return;
    }
    for (size_t i = 1; i < n; i++) {
        const uint32_t value = values[i];
        size_t k = i;
        for (; k > 0 && values[k - 1] > value; k--)
            values[k] = values[k - 1];
        values[k] = value;
    }
}

static size_t drop_repeated(uint32_t *values, size_t n)
{
    size_t m = 0;
    for (size_t i = 0; i < n; i++)
        if (m == 0 || values[m - 1] != values[i])
            values[m++] = values[i];
    return m;
}

/* From a graph with repeated links, rows of `degrees` entries at the front of
 * their ranges, to one without. */
typedef struct simplifier {
    hanse_network *network;
    uint64_t *starts;  /* of the new one; first the degrees, shifted by one */
    uint32_t *sources; /* of the new one */
} simplifier;

static hanse_status simplify_rows(void *context, size_t task,
                                  hanse_error *error)
{
    const simplifier *s = context;
    const hanse_network *network = s->network;
    const size_t end = hanse_network_task_row(network, task + 1);
    (void)error;
    for (size_t row = hanse_network_task_row(network, task); row < end; row++) {
        uint32_t *sources = network->sources + network->starts[row];
        const size_t n = hanse_network_degree(network, row);
        sort_row(sources, n);
        s->starts[row + 1] = drop_repeated(sources, n);
    }
    return HANSE_OK;
}

static hanse_status move_rows(void *context, size_t task, hanse_error *error)
{
    const simplifier *s = context;
    const hanse_network *network = s->network;
    const size_t end = hanse_network_task_row(network, task + 1);
    (void)error;
    for (size_t row = hanse_network_task_row(network, task); row < end; row++)
        memcpy(s->sources + s->starts[row],
               network->sources + network->starts[row],
               (s->starts[row + 1] - s->starts[row]) * sizeof *s->sources);
    return HANSE_OK;
}

/* The starts of *s are set to the degrees; makes them starts, and moves the
 * entries together. */
static hanse_status compact(simplifier *s, size_t n_threads, hanse_error *error)
{
    hanse_network *network = s->network;
    const size_t n_rows = network->n_rows;
    for (size_t row = 0; row < n_rows; row++)
        s->starts[row + 1] += s->starts[row];
    const size_t n = (size_t)s->starts[n_rows];
    if (n == network->n_links)
        return HANSE_OK;
    s->sources = hanse_allocate(network->budget, n, sizeof *s->sources);
    if (s->sources == NULL)
        return hanse_fail_budget(error, network->budget, "links of a network",
                                 n, sizeof *s->sources);
    HANSE_TRY(hanse_parallel_for(n_threads, hanse_network_n_tasks(network),
                                 move_rows, s, error));
    hanse_free(network->budget, network->sources, network->n_links,
               sizeof *network->sources);
    hanse_free(network->budget, network->starts, n_rows + 1,
               sizeof *network->starts);
    network->sources = s->sources;
    network->starts = s->starts;
    network->n_links = n;
    s->sources = NULL;
    s->starts = NULL;
    return HANSE_OK;
}

hanse_status hanse_network_simplify(hanse_network *network, size_t n_threads,
                                    hanse_error *error)
{
    const size_t n_rows = network->n_rows;
    hanse_budget *budget = network->budget;
    simplifier s = {.network = network};
    s.starts = hanse_allocate(budget, n_rows + 1, sizeof *s.starts);
    if (s.starts == NULL)
        return hanse_fail_budget(error, budget, "rows of a network", n_rows + 1,
                                 sizeof *s.starts);
    s.starts[0] = 0;
    hanse_status status = hanse_parallel_for(
        n_threads, hanse_network_n_tasks(network), simplify_rows, &s, error);
    if (status == HANSE_OK)
        status = compact(&s, n_threads, error);
    hanse_free(budget, s.starts, n_rows + 1, sizeof *s.starts);
    return status;
}

/* ---- Weights ------------------------------------------------------------ */

typedef struct mixing {
    hanse_network *network;
    double *own;
} mixing;

static hanse_status mix_rows(void *context, size_t task, hanse_error *error)
{
    const mixing *m = context;
    const hanse_network *network = m->network;
    const size_t end = hanse_network_task_row(network, task + 1);
    (void)error;
    for (size_t row = hanse_network_task_row(network, task); row < end; row++) {
        const size_t n = hanse_network_degree(network, row);
        const uint32_t *sources = network->sources + network->starts[row];
        double *weights = network->weights + network->starts[row];
        for (size_t k = 0; k < n; k++) {
            const size_t other = hanse_network_degree(network, sources[k]);
            weights[k] = 1.0 / (double)(1 + (n > other ? n : other));
        }
        m->own[row] = hanse_rest_of(1.0, weights, n);
    }
    return HANSE_OK;
}

hanse_status hanse_network_metropolis(hanse_network *network, double *own,
                                      size_t n_threads, hanse_error *error)
{
    const size_t n = network->n_links;
    if (network->weights == NULL)
        network->weights =
            hanse_allocate(network->budget, n, sizeof *network->weights);
    if (network->weights == NULL)
        return hanse_fail_budget(error, network->budget, "weights of links", n,
                                 sizeof *network->weights);
    mixing m = {network, own};
    return hanse_parallel_for(n_threads, hanse_network_n_tasks(network),
                              mix_rows, &m, error);
}
