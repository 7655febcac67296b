/* SPDX-License-Identifier: Apache-2.0
 *
 * A scan: reads all morsels of a source on several threads and hands each to a
 * function. What a pass does that is not a fold.
 */
#ifndef HANSE_ENGINE_SCAN_H
#define HANSE_ENGINE_SCAN_H

#include "engine/source.h"

typedef struct hanse_scan {
    hanse_source *source;
    const size_t *fields; /* that are read */
    size_t n_fields;
    const hanse_run_options *options; /* progress */
    size_t n_threads;
    void *context; /* of the functions */

    /* Each thread's own part, before its first morsel and after its last; close
     * is called when open failed, too. */
    hanse_status (*open)(void *context, void **own, hanse_error *error);
    void (*close)(void *own);

    /* Takes a morsel; called on several threads at a time. */
    hanse_status (*take)(void *context, void *own, const hanse_morsel *rows,
                         hanse_error *error);

    /* In place of `fields`: reads of the morsel what take needs, which may
     * depend on its values, and sets rows->n_bytes to all that was read. NULL:
     * the fields. */
    hanse_status (*read)(void *context, void *own, hanse_reader *reader,
                         size_t morsel, hanse_morsel *rows, hanse_error *error);

    /* After a thread's last morsel, unless a thread has failed. NULL: nothing
     * to do. */
    hanse_status (*finish)(void *context, void *own, hanse_error *error);

    /* A thread has failed: those that wait for it in `take` must return, with
     * any failure. NULL: none waits. */
    void (*stop)(void *context);
} hanse_scan;

/* The first failure of any thread stops the others and is the one returned.
 * *n_bytes (may be NULL) grows by the column values delivered. */
hanse_status hanse_scan_run(const hanse_scan *scan, uint64_t *n_bytes,
                            hanse_error *error);

/* Threads for a source: as the options say or as OpenMP decides, at most one a
 * morsel. */
size_t hanse_scan_threads(const hanse_source *source,
                          const hanse_run_options *options);

#endif
