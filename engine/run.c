/* SPDX-License-Identifier: Apache-2.0
 *
 * A run on all threads. A thread takes the next free morsel, reads and folds
 * it, and takes another; at the end the folds are merged two by two.
 */
#include "engine/run.h"

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
    hanse_part part;
    hanse_fold **folds; /* [n_threads] of the threads, in no order */
    _Atomic size_t n_folds;
    hanse_shared shared;
    size_t n_threads;
    uint64_t n_bytes;
    hanse_window *windows; /* [addend], chosen by the first to fold a block */
    bool windows_chosen;
} run;

/* One thread's part. */
typedef struct folding {
    hanse_fold *fold;
    bool is_first; /* nothing has been folded yet */
    bool any;      /* the filter keeps a row of the morsel */
} folding;

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

/* Reads a morsel; with a filter its columns first, and the others only if it
 * keeps a row. */
static hanse_status read_morsel(void *context, void *own, hanse_reader *reader,
                                size_t morsel, hanse_morsel *rows,
                                hanse_error *error)
{
    const run *r = context;
    folding *f = own;
    const hanse_plan *plan = r->plan;
    const hanse_source_ops *ops = r->source->ops;
    size_t n_fields;
    f->any = true;
    if (plan->filter == NULL || r->source->rows_together)
        return ops->read(reader, morsel, plan->used, plan->n_used, rows, error);
    const size_t *fields = hanse_formula_fields(plan->filter, &n_fields);
    HANSE_TRY(ops->read(reader, morsel, fields, n_fields, rows, error));
    HANSE_TRY(hanse_fold_filter(f->fold, &rows->batch, &f->any, error));
    if (!f->any || plan->n_rest == 0)
        return HANSE_OK;
    const uint64_t n_bytes = rows->n_bytes;
    HANSE_TRY(ops->read(reader, morsel, plan->rest, plan->n_rest, rows, error));
    rows->n_bytes += n_bytes;
    return HANSE_OK;
}

static hanse_status take_morsel(void *context, void *own,
                                const hanse_morsel *rows, hanse_error *error)
{
    folding *f = own;
    hanse_fold *fold = f->fold;
    fold->batch_first_row = rows->first_row;
    fold->block.may_borrow = !rows->is_volatile;
    if (f->any)
        HANSE_TRY(f->is_first ? fold_first(context, fold, &rows->batch, error)
                              : hanse_fold_add(fold, &rows->batch, error));
    else
        hanse_fold_skip(fold, rows->batch.n_rows);
    f->is_first = f->is_first && !f->any;
    hanse_fold_forget_filter(fold);
    return HANSE_OK;
}

static hanse_status open_fold(void *context, void **own, hanse_error *error)
{
    run *r = context;
    folding *f = calloc(1, sizeof *f);
    if (f == NULL)
        return hanse_fail_nomem(error, "threads", sizeof *f);
    *own = f;
    f->is_first = true;
    HANSE_TRY(hanse_fold_create(r->plan, r->budget, &f->fold, error));
    f->fold->part = r->part;
    r->folds[atomic_fetch_add(&r->n_folds, 1)] = f->fold;
    return hanse_fold_join(f->fold, &r->shared, error);
}

/* The folds are the run's. */
static void close_fold(void *own)
{
    free(own);
}

static hanse_status flush_fold(void *context, void *own, hanse_error *error)
{
    (void)context;
    return hanse_fold_flush(((folding *)own)->fold, error);
}

/* Merges one of the folds at a distance of `step` into its neighbour. */
typedef struct merging {
    const run *r;
    size_t step;
} merging;

static hanse_status merge_pair(void *context, size_t pair, hanse_error *error)
{
    const merging *m = context;
    hanse_fold **to = &m->r->folds[2 * m->step * pair], **from = to + m->step;
    (*from)->is_spent = true;
    const hanse_status status = hanse_fold_merge(*to, *from, error);
    hanse_fold_destroy(*from);
    *from = NULL;
    return status;
}

/* Fold 2k+1 into fold 2k, then those that are left, until one is. */
static hanse_status merge_folds(const run *r, hanse_error *error)
{
    const size_t n = r->n_folds;
    for (size_t step = 1; step < n; step *= 2) {
        merging m = {r, step};
        HANSE_TRY(hanse_parallel_for(n, (n + step - 1) / (2 * step), merge_pair,
                                     &m, error));
    }
    return HANSE_OK;
}

static hanse_status leave(void *context, size_t index, hanse_error *error)
{
    const run *r = context;
    return hanse_fold_leave(r->folds[index], error);
}

static hanse_status finish(run *r, hanse_result **out, hanse_error *error)
{
    hanse_passes passes = {r->folds[0], r->source, r->options, r->n_threads,
                           r->n_bytes};
    HANSE_TRY(hanse_passes_run(&passes, error));
    r->n_bytes = passes.n_bytes;
    return hanse_fold_finish(r->folds[0], r->n_threads, out, error);
}

static hanse_status fold_rows(run *r, hanse_result **out, hanse_error *error)
{
    const hanse_scan scan = {
        .source = r->source,
        .options = r->options,
        .n_threads = r->n_threads,
        .context = r,
        .open = open_fold,
        .close = close_fold,
        .read = read_morsel,
        .take = take_morsel,
        .finish = flush_fold,
    };
    HANSE_TRY(hanse_scan_run(&scan, &r->n_bytes, error));
    r->n_threads = r->n_folds;
    HANSE_TRY(hanse_parallel_for(r->n_threads, r->n_threads, leave, r, error));
    HANSE_TRY(merge_folds(r, error));
    return finish(r, out, error);
}

/* The fold goes to *keep unless that is NULL. */
static hanse_status fold_all(run *r, hanse_fold **keep, hanse_result **out,
                             hanse_error *error)
{
    hanse_status status = HANSE_OK;
    const size_t n_threads = r->n_threads;
    r->folds = calloc(n_threads, sizeof *r->folds);
    /* At most a window for the values and one for the squares. */
    r->windows = calloc(2 * r->plan->n_measures, sizeof *r->windows);
    if (r->folds == NULL || r->windows == NULL)
        status = hanse_fail_nomem(error, "threads", n_threads);
    if (status == HANSE_OK)
        status = fold_rows(r, out, error);
    if (status == HANSE_OK && keep != NULL) {
        *keep = r->folds[0];
        r->folds[0]->shared = NULL;
        r->folds[0] = NULL;
    }
    for (size_t t = 0; r->folds != NULL && t < n_threads; t++)
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
             .n_threads = hanse_scan_threads(source, options),
             .part = tuning->part};
    hanse_status status =
        hanse_shared_init(&r.shared, plan, budget, source->ops->n_rows(source),
                          r.n_threads, error);
    if (tuning->share_bytes != 0)
        r.shared.share_bytes = tuning->share_bytes;
    if (tuning->page_bytes != 0)
        r.shared.page_bytes = tuning->page_bytes;
    r.shared.hash_only = tuning->hash_only;
    r.shared.defers_rows = tuning->defers_rows && source->budget != NULL;
    r.shared.spill = tuning->spill;
    r.shared.most_bytes =
        tuning->most_bytes != 0 ? tuning->most_bytes : budget->limit_bytes / 2;
    if (status == HANSE_OK)
        status = fold_all(&r, keep, out, error);
    hanse_shared_clear(&r.shared);
    if (status == HANSE_OK && (!tuning->is_temporary || source->budget == NULL))
        hanse_result_detach(*out);
    if (report != NULL)
        *report = (hanse_run_report){.n_threads = r.n_threads,
                                     .n_bytes = r.n_bytes,
                                     .peak_budget_bytes =
                                         atomic_load(&budget->peak_bytes)};
    return status;
}

static const hanse_run_options default_options = {0};

static bool has_deferred_rows(const hanse_result *result)
{
    for (size_t t = 0; t < result->n_tables; t++)
        if (result->tables[t].view.deferred != NULL)
            return true;
    return false;
}

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
    if (status == HANSE_OK && has_deferred_rows(*out))
        (*out)->plan = plan;
    else
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
