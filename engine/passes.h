/* SPDX-License-Identifier: Apache-2.0
 *
 * What a run does after its first pass over the table: quantiles, different
 * values and modes, from the values that were kept, or, where those did not fit
 * in memory, by reading the table again.
 */
#ifndef HANSE_ENGINE_PASSES_H
#define HANSE_ENGINE_PASSES_H

#include "engine/fold.h"

typedef struct hanse_passes {
    hanse_fold *fold; /* of all rows */
    hanse_source *source;
    const hanse_run_options *options;
    size_t n_threads;
    uint64_t n_bytes; /* column values read so far; grows */
} hanse_passes;

/* Completes the fold's statistics that the first pass left open. */
hanse_status hanse_passes_run(hanse_passes *passes, hanse_error *error);

#endif
