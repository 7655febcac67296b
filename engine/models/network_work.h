/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of networks share: rows cut into tasks, and simple graphs.
 */
#ifndef HANSE_ENGINE_MODELS_NETWORK_WORK_H
#define HANSE_ENGINE_MODELS_NETWORK_WORK_H

#include "engine/models/network.h"

enum {
    HANSE_NETWORK_TASK = 1 << 15 /* links and rows of a task, about */
};

/* Makes a graph simple whose links, without weights, are entries of either end
 * and none from a row to itself: parallel and opposite links count once, and
 * the sources of a row are ascending. */
hanse_status hanse_network_simplify(hanse_network *network, size_t n_threads,
                                    hanse_error *error);

static inline size_t hanse_network_n_tasks(const hanse_network *network)
{
    return (network->n_links + network->n_rows) / HANSE_NETWORK_TASK + 1;
}

/* First row of a task; of the one after the last, the number of rows. */
static inline size_t hanse_network_task_row(const hanse_network *network,
                                            size_t task)
{
    const uint64_t wanted = (uint64_t)task * HANSE_NETWORK_TASK;
    size_t low = 0, high = network->n_rows;
    if (task == hanse_network_n_tasks(network))
        return high;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (network->starts[middle] + middle < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

#endif
