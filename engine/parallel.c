/* SPDX-License-Identifier: Apache-2.0
 *
 * Tasks through OpenMP's dynamic schedule.
 */
#include "engine/parallel.h"

#include <stdatomic.h>

hanse_status hanse_parallel_for(size_t n_threads, size_t n, hanse_task *task,
                                void *context, hanse_error *error)
{
    hanse_error first = {0};
    size_t first_index = SIZE_MAX;
    _Atomic bool stop = false;
    if (n_threads > n)
        n_threads = n == 0 ? 1 : n;
#pragma omp parallel for schedule(dynamic, 1) num_threads((int)n_threads)
    for (size_t i = 0; i < n; i++) {
        hanse_error own = {0};
        if (atomic_load(&stop))
            continue;
        const hanse_status status = task(context, i, &own);
        if (status == HANSE_OK)
            continue;
        own.status = status;
        atomic_store(&stop, true);
#pragma omp critical(hanse_parallel_error)
        if (i < first_index) {
            first = own;
            first_index = i;
        }
    }
    if (first_index == SIZE_MAX)
        return HANSE_OK;
    if (error != NULL)
        *error = first;
    return first.status;
}
