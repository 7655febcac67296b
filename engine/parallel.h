/* SPDX-License-Identifier: Apache-2.0
 *
 * Independent tasks on several threads.
 */
#ifndef HANSE_ENGINE_PARALLEL_H
#define HANSE_ENGINE_PARALLEL_H

#include "engine/base/error.h"

typedef hanse_status hanse_task(void *context, size_t index,
                                hanse_error *error);

/* Calls task(context, i) for all i < n, in any order, on up to n_threads
 * threads. After a failure no further task is begun; of several failures that
 * of the lowest index is returned. */
hanse_status hanse_parallel_for(size_t n_threads, size_t n, hanse_task *task,
                                void *context, hanse_error *error);

#endif
