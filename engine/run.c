/* SPDX-License-Identifier: Apache-2.0
 *
 * A run on all threads. A thread takes the next free morsel, reads and folds
 * it, and takes another; at the end the folds are merged two by two.
 */
#include "engine/run.h"

#include <omp.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "engine/fold.h"
#include "engine/parallel.h"
#include "engine/partitions.h"
#include "engine/passes.h"
#include "engine/result.h"
#include "engine/run_parts.h"
#include "engine/scan.h"

/* What the threads of a run share. */
typedef struct run {
    const hanse_plan *plan;
    hanse_source *source;
    const hanse_run_options *options;
    hanse_budget *budget;
    hanse_fold **folds; /* [thread] */
    hanse_shared shared;
    size_t n_threads;
    size_t n_morsels;
    _Atomic size_t next_morsel;
    _Atomic uint64_t n_rows_done;
    _Atomic uint64_t n_bytes_done;
    _Atomic bool stop;
    hanse_window *windows; /* [addend], chosen by the first to fold a block */
    bool windows_chosen;
    hanse_part part;
    hanse_fold **keep; /* gets the merged fold; NULL: destroy it */
    hanse_error error; /* of the thread that failed first */
} run;

/* Keeps the first failure and stops the other threads. */
static void fail(run *r, hanse_status status, const hanse_error *error)
{
#pragma omp critical(hanse_run_error)
    {
        if (r->error.status == HANSE_OK) {
            r->error = *error;
            r->error.status = status;
        }
    }
    atomic_store(&r->stop, true);
}

/* One thread reports at a time; one that finds another reporting goes on. */
static hanse_status report_progress(run *r, hanse_error *error)
{
    if (r->options->progress == NULL || omp_get_thread_num() != 0)
        return HANSE_OK;
    if (r->options->progress(
            r->options->progress_context, atomic_load(&r->n_rows_done),
            r->source->ops->n_rows(r->source), atomic_load(&r->n_bytes_done)))
        return HANSE_OK;
    return hanse_fail(error, HANSE_ERR_INTERRUPTED, "interrupted");
}

/* A thread's first batch. Whoever comes first folds a block, which chooses the
 * windows; the others wait for those microseconds and take the same. */
static hanse_status fold_first(run *r, hanse_fold *fold,
                               const hanse_batch *batch, hanse_error *error)
{
    hanse_status status = HANSE_OK;
    size_t n_done = 0;
#pragma omp critical(hanse_run_windows)
    {
        if (r->windows_chosen) {
            status = hanse_fold_adopt_windows(fold, r->windows, error);
        } else {
            n_done = batch->n_rows < HANSE_BLOCK_ROWS ? batch->n_rows
                                                      : HANSE_BLOCK_ROWS;
            status = hanse_fold_add_rows(fold, batch, 0, n_done, error);
            for (size_t a = 0; a < fold->layout.n_addends; a++)
                r->windows[a] = fold->layout.addends[a].window;
            r->windows_chosen = true;
        }
    }
    if (status != HANSE_OK)
        return status;
    return hanse_fold_add_rows(fold, batch, n_done, batch->n_rows - n_done,
                               error);
}

/* Reads the fields listed, on top of those of the morsel that are there. */
static hanse_status read_fields(run *r, hanse_reader *reader, size_t morsel,
                                const size_t *fields, size_t n_fields,
                                hanse_morsel *rows, hanse_error *error)
{
    HANSE_TRY(
        r->source->ops->read(reader, morsel, fields, n_fields, rows, error));
    atomic_fetch_add(&r->n_bytes_done, rows->n_bytes);
    return HANSE_OK;
}

/* Reads a morsel; with a filter its columns first, and the others only if it
 * keeps a row: *any says so. */
static hanse_status read_morsel(run *r, hanse_fold *fold, hanse_reader *reader,
                                size_t morsel, hanse_morsel *rows, bool *any,
                                hanse_error *error)
{
    const hanse_plan *plan = r->plan;
    size_t n_fields;
    *any = true;
    if (plan->filter == NULL || r->source->rows_together)
        return read_fields(r, reader, morsel, plan->used, plan->n_used, rows,
                           error);
    const size_t *fields = hanse_formula_fields(plan->filter, &n_fields);
    HANSE_TRY(read_fields(r, reader, morsel, fields, n_fields, rows, error));
    HANSE_TRY(hanse_fold_filter(fold, &rows->batch, any, error));
    if (!*any || plan->n_rest == 0)
        return HANSE_OK;
    return read_fields(r, reader, morsel, plan->rest, plan->n_rest, rows,
                       error);
}

/* Takes the next morsels that go together; false when none is left. */
static bool take_span(run *r, size_t *morsel, size_t *end)
{
    size_t next = atomic_load(&r->next_morsel);
    do {
        if (next >= r->n_morsels)
            return false;
        *end = hanse_source_span_end(r->source, next);
    } while (!atomic_compare_exchange_weak(&r->next_morsel, &next, *end));
    *morsel = next;
    return true;
}

/* Reads and folds a morsel; *first: none has been folded yet. */
static hanse_status fold_morsel(run *r, hanse_fold *fold, hanse_reader *reader,
                                size_t morsel, bool *first, hanse_error *error)
{
    hanse_morsel rows;
    bool any;
    HANSE_TRY(read_morsel(r, fold, reader, morsel, &rows, &any, error));
    fold->batch_first_row = rows.first_row;
    fold->block.may_borrow = !rows.is_volatile;
    if (any)
        HANSE_TRY(*first ? fold_first(r, fold, &rows.batch, error)
                         : hanse_fold_add(fold, &rows.batch, error));
    else
        hanse_fold_skip(fold, rows.batch.n_rows);
    *first = *first && !any;
    hanse_fold_forget_filter(fold);
    atomic_fetch_add(&r->n_rows_done, rows.batch.n_rows);
    return report_progress(r, error);
}

static hanse_status fold_morsels(run *r, hanse_fold *fold, hanse_reader *reader,
                                 hanse_error *error)
{
    bool first = true;
    size_t morsel, end;
    while (take_span(r, &morsel, &end)) {
        for (; morsel < end; morsel++) {
            if (atomic_load(&r->stop))
                return HANSE_OK;
            HANSE_TRY(fold_morsel(r, fold, reader, morsel, &first, error));
        }
    }
    return HANSE_OK;
}

/* All of one thread's part. */
static hanse_status work(run *r, size_t thread, hanse_error *error)
{
    hanse_reader *reader = NULL;
    HANSE_TRY(hanse_fold_create(r->plan, r->budget, &r->folds[thread], error));
    r->folds[thread]->part = r->part;
    HANSE_TRY(hanse_fold_join(r->folds[thread], &r->shared, error));
    HANSE_TRY(r->source->ops->open_reader(r->source, &reader, error));
    const hanse_source_ops *ops = r->source->ops;
    hanse_status status = fold_morsels(r, r->folds[thread], reader, error);
    if (status == HANSE_OK && ops->finish_reader != NULL)
        status = ops->finish_reader(reader, error);
    ops->close_reader(reader);
    return status == HANSE_OK ? hanse_fold_flush(r->folds[thread], error)
                              : status;
}

/* Merges fold 2k+1 into fold 2k, then those that are left, until one is. */
static void merge_folds(run *r)
{
    for (size_t step = 1; step < r->n_threads; step *= 2) {
        const size_t n = r->n_threads;
#pragma omp parallel for schedule(dynamic, 1) num_threads((int)n)
        for (size_t i = 0; i < n; i += 2 * step) {
            hanse_error error = {0};
            if (i + step >= n || atomic_load(&r->stop))
                continue;
            r->folds[i + step]->is_spent = true;
            const hanse_status status =
                hanse_fold_merge(r->folds[i], r->folds[i + step], &error);
            hanse_fold_destroy(r->folds[i + step]);
            r->folds[i + step] = NULL;
            if (status != HANSE_OK)
                fail(r, status, &error);
        }
    }
}

static hanse_status leave(void *context, size_t thread, hanse_error *error)
{
    const run *r = context;
    return hanse_fold_leave(r->folds[thread], error);
}

static hanse_status finish(run *r, hanse_result **out, hanse_error *error)
{
    hanse_passes passes = {r->folds[0], r->source, r->options, r->n_threads,
                           atomic_load(&r->n_bytes_done)};
    HANSE_TRY(hanse_passes_run(&passes, error));
    atomic_store(&r->n_bytes_done, passes.n_bytes);
    return hanse_fold_finish(r->folds[0], r->n_threads, out, error);
}

static hanse_status fold_all(run *r, hanse_result **out, hanse_error *error)
{
    const int n_threads = (int)r->n_threads;
    r->folds = calloc(r->n_threads, sizeof *r->folds);
    /* At most a window for the values and one for the squares. */
    r->windows = calloc(2 * r->plan->n_measures, sizeof *r->windows);
    if (r->folds == NULL || r->windows == NULL) {
        free(r->folds);
        free(r->windows);
        return hanse_fail_nomem(error, "threads", r->n_threads);
    }
#pragma omp parallel num_threads(n_threads)
    {
#pragma omp single
        r->n_threads = (size_t)omp_get_num_threads();
        hanse_error own = {0};
        const hanse_status status = work(r, (size_t)omp_get_thread_num(), &own);
        if (status != HANSE_OK)
            fail(r, status, &own);
    }
    hanse_error late = {0};
    if (!atomic_load(&r->stop) &&
        hanse_parallel_for(r->n_threads, r->n_threads, leave, r, &late) !=
            HANSE_OK)
        fail(r, late.status, &late);
    if (!atomic_load(&r->stop))
        merge_folds(r);
    hanse_status status = r->error.status;
    if (status == HANSE_OK)
        status = finish(r, out, error);
    else if (error != NULL)
        *error = r->error;
    if (status == HANSE_OK && r->keep != NULL) {
        *r->keep = r->folds[0];
        r->folds[0]->shared = NULL;
        r->folds[0] = NULL;
    }
    for (int t = 0; t < n_threads; t++)
        hanse_fold_destroy(r->folds[t]);
    free(r->folds);
    free(r->windows);
    return status;
}

hanse_status hanse_run(const hanse_spec *spec, hanse_source *source,
                       const hanse_run_options *options,
                       hanse_run_report *report, hanse_result **out,
                       hanse_error *error)
{
    static const hanse_run_tuning defaults = {0};
    return hanse_run_tuned(spec, source, options, &defaults, report, out,
                           error);
}

/* Runs a plan; the fold goes to *keep unless that is NULL. */
static hanse_status run_plan(const hanse_plan *plan, hanse_source *source,
                             const hanse_run_options *options,
                             const hanse_run_tuning *tuning,
                             hanse_budget *budget, hanse_fold **keep,
                             hanse_run_report *report, hanse_result **out,
                             hanse_error *error)
{
    run r = {.plan = plan,
             .source = source,
             .options = options,
             .budget = budget,
             .n_morsels = source->ops->n_morsels(source),
             .n_threads = hanse_scan_threads(source, options),
             .part = tuning->part,
             .keep = keep};
    hanse_status status =
        hanse_shared_init(&r.shared, plan, budget, source->ops->n_rows(source),
                          r.n_threads, error);
    if (tuning->share_bytes != 0)
        r.shared.share_bytes = tuning->share_bytes;
    if (tuning->page_bytes != 0)
        r.shared.page_bytes = tuning->page_bytes;
    r.shared.hash_only = tuning->hash_only;
    r.shared.spill = tuning->spill;
    r.shared.most_bytes =
        tuning->most_bytes != 0 ? tuning->most_bytes : budget->limit_bytes / 2;
    if (status == HANSE_OK)
        status = fold_all(&r, out, error);
    hanse_shared_clear(&r.shared);
    if (status == HANSE_OK && (!tuning->is_temporary || source->budget == NULL))
        hanse_result_detach(*out);
    if (report != NULL)
        *report = (hanse_run_report){.n_threads = r.n_threads,
                                     .n_bytes = atomic_load(&r.n_bytes_done),
                                     .peak_budget_bytes =
                                         atomic_load(&budget->peak_bytes)};
    return status;
}

static const hanse_run_options default_options = {0};

hanse_status hanse_run_tuned(const hanse_spec *spec, hanse_source *source,
                             const hanse_run_options *options,
                             const hanse_run_tuning *tuning,
                             hanse_run_report *report, hanse_result **out,
                             hanse_error *error)
{
    hanse_plan *plan;
    if (options == NULL)
        options = &default_options;
    if (tuning->n_parts != 0 && tuning->part.n == 0)
        return hanse_run_in_parts(spec, source, options, tuning, report, out,
                                  error);
    hanse_budget own = {.limit_bytes = options->memory_bytes};
    hanse_budget *budget = source->budget != NULL ? source->budget : &own;
    HANSE_TRY(
        hanse_plan_create(spec, hanse_source_schema(source), &plan, error));
    const hanse_status status = run_plan(plan, source, options, tuning, budget,
                                         NULL, report, out, error);
    const bool is_parted = status == HANSE_ERR_LIMIT && tuning->part.n == 0 &&
                           hanse_extras_needed(plan);
    hanse_plan_destroy(plan);
    return is_parted ? hanse_run_in_parts(spec, source, options, tuning, report,
                                          out, error)
                     : status;
}

hanse_status hanse_run_keep(const hanse_spec *spec, hanse_source *source,
                            const hanse_run_options *options, hanse_plan **plan,
                            hanse_fold **fold, hanse_result **out,
                            hanse_error *error)
{
    const hanse_run_tuning tuning = {.share_bytes = SIZE_MAX,
                                     .is_temporary = true};
    hanse_plan *made;
    HANSE_REQUIRE(source->budget, error);
    HANSE_TRY(
        hanse_plan_create(spec, hanse_source_schema(source), &made, error));
    const hanse_status status =
        run_plan(made, source, options != NULL ? options : &default_options,
                 &tuning, source->budget, fold, NULL, out, error);
    if (status != HANSE_OK) {
        hanse_plan_destroy(made);
        return status;
    }
    *plan = made;
    return HANSE_OK;
}
