/* SPDX-License-Identifier: Apache-2.0
 *
 * A run: folds the morsels of a source on all threads, merges the threads'
 * states and finishes the result. Of the engine only this, passes.c and
 * parallel.c know OpenMP.
 */
#ifndef HANSE_ENGINE_RUN_H
#define HANSE_ENGINE_RUN_H

#include "engine/base/memory.h"
#include "engine/part.h"
#include "engine/source.h"
#include "engine/spill.h"

/* Counts of a finished run. */
typedef struct hanse_run_report {
    size_t n_threads;
    uint64_t n_bytes;           /* column values that the source delivered */
    uint64_t peak_budget_bytes; /* readers and states, as allocated */
} hanse_run_report;

struct hanse_fold;
struct hanse_plan;

/* Folds all rows of `source` by `spec`, which must be complete. `options` may
 * be NULL, `report` too; memory_bytes counts only for a source without a
 * budget of its own. The first error of any thread stops the others and
 * is the one returned. */
hanse_status hanse_run(const hanse_spec *spec, hanse_source *source,
                       const hanse_run_options *options,
                       hanse_run_report *report, hanse_result **out,
                       hanse_error *error);

/* When groupings are shared and how they are cut; zero: the default. The result
 * does not depend on it; tests do. */
typedef struct hanse_run_tuning {
    size_t share_bytes; /* states of a grouping in one thread beyond which the
                           threads share it */
    size_t page_bytes;  /* states of a partition */
    bool hash_only;     /* no places by arithmetic */
    hanse_spill *spill; /* for what memory lacks; NULL: none. Borrowed */
    /* In use, beyond which new groups go there; default: half the limit,
     * the rest is for wider windows, buffers and results. */
    uint64_t most_bytes;
    uint32_t n_parts;  /* reads the table once for each of so many parts of the
                          groups (run_parts.h); 0: where memory demands it */
    hanse_part part;   /* only these groups; for one grouping */
    bool defers_rows;  /* tables may have deferred rows (deferred.h); they need
                          the source's budget until they are made */
    bool is_temporary; /* the result gives its memory back to the source's
                          budget, which outlives it */
} hanse_run_tuning;

/* The same, and keeps what numbers the rows for later passes: the fold, whose
 * groupings are all in it, and its plan, which outlives it. The result is
 * temporary (hanse_run_tuning). */
hanse_status hanse_run_keep(const hanse_spec *spec, hanse_source *source,
                            const hanse_run_options *options,
                            struct hanse_plan **plan, struct hanse_fold **fold,
                            hanse_result **out, hanse_error *error);

/* The same with given tuning. */
hanse_status hanse_run_tuned(const hanse_spec *spec, hanse_source *source,
                             const hanse_run_options *options,
                             const hanse_run_tuning *tuning,
                             hanse_run_report *report, hanse_result **out,
                             hanse_error *error);

#endif
