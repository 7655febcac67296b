/* SPDX-License-Identifier: Apache-2.0
 *
 * Further passes.
 */
#include "engine/passes.h"

#include <omp.h>
#include <stdlib.h>

#include "engine/distinct_find.h"
#include "engine/narrow.h"
#include "engine/scan.h"

enum {
    TASK_GROUPS = 64,
    LEAST_ROOM = 1 << 14 /* bytes of one grouping and measure in a pass */
};

/* The first failure of any thread, which stops the others. */
typedef struct failure {
    _Atomic bool stop;
    hanse_error error;
} failure;

static void fail(failure *f, hanse_status status, const hanse_error *error)
{
#pragma omp critical(hanse_passes_error)
    {
        if (f->error.status == HANSE_OK) {
            f->error = *error;
            f->error.status = status;
        }
    }
    atomic_store(&f->stop, true);
}

static hanse_status outcome(const failure *f, hanse_error *error)
{
    if (f->error.status != HANSE_OK && error != NULL)
        *error = f->error;
    return f->error.status;
}

/* ---- From kept values --------------------------------------------------- */

/* A few groups of one grouping and measure, for one thread. */
typedef struct task {
    size_t grouping;
    size_t measure;
    size_t first;
    size_t end;
} task;

static bool is_kept(const hanse_fold *fold, size_t grouping)
{
    const size_t keeper = hanse_quantiles_keeper(fold->plan, grouping);
    return !hanse_quantiles_dropped(hanse_quantiles_of(fold, keeper));
}

static size_t n_tasks_of(const hanse_fold *fold, size_t grouping)
{
    if (!is_kept(fold, grouping))
        return 0;
    return (hanse_quantiles_groups(fold, grouping) + TASK_GROUPS - 1) /
           TASK_GROUPS;
}

static void make_tasks(const hanse_fold *fold, size_t grouping, task **next)
{
    const size_t n_groups = hanse_quantiles_groups(fold, grouping);
    for (size_t m = 0; m < fold->plan->n_measures; m++)
        for (size_t i = 0; i < n_tasks_of(fold, grouping); i++) {
            const size_t first = i * TASK_GROUPS;
            const size_t end =
                first + TASK_GROUPS < n_groups ? first + TASK_GROUPS : n_groups;
            *(*next)++ = (task){grouping, m, first, end};
        }
}

/* All tasks, those of few groups, which are the largest, first. */
static task *list_tasks(const hanse_fold *fold, size_t *n_tasks)
{
    const size_t n_groupings = fold->plan->n_groupings;
    *n_tasks = 0;
    for (size_t g = 0; g < n_groupings; g++)
        *n_tasks += n_tasks_of(fold, g) * fold->plan->n_measures;
    task *tasks = malloc((*n_tasks + 1) * sizeof *tasks);
    if (tasks == NULL)
        return NULL;
    task *next = tasks;
    for (size_t g = 0; g < n_groupings; g++)
        if (n_tasks_of(fold, g) == 1)
            make_tasks(fold, g, &next);
    for (size_t g = 0; g < n_groupings; g++)
        if (n_tasks_of(fold, g) > 1)
            make_tasks(fold, g, &next);
    return tasks;
}

static hanse_status do_task(const hanse_fold *fold, const task *t,
                            const hanse_members *members,
                            double *const *results, hanse_finder *finder,
                            hanse_error *error)
{
    const hanse_quantiles *q = hanse_quantiles_of(fold, t->grouping);
    const size_t stride = hanse_quantiles_groups(fold, t->grouping);
    for (size_t g = t->first; g < t->end; g++)
        HANSE_TRY(hanse_finder_find(
            finder, fold, t->grouping, t->measure, g, &members[t->grouping],
            results[t->grouping] + hanse_quantiles_place(q, t->measure, 0, g),
            stride, error));
    return HANSE_OK;
}

static hanse_status find_kept(const hanse_passes *p,
                              const hanse_members *members,
                              double *const *results, hanse_error *error)
{
    size_t n_tasks;
    failure f = {0};
    task *tasks = list_tasks(p->fold, &n_tasks);
    if (tasks == NULL)
        return hanse_fail_nomem(error, "quantiles", sizeof *tasks);
#pragma omp parallel num_threads((int)p->n_threads)
    {
        hanse_finder finder;
        hanse_finder_init(&finder, p->fold->budget);
#pragma omp for schedule(dynamic, 1)
        for (size_t i = 0; i < n_tasks; i++) {
            hanse_error own = {0};
            if (atomic_load(&f.stop))
                continue;
            const hanse_status status =
                do_task(p->fold, &tasks[i], members, results, &finder, &own);
            if (status != HANSE_OK)
                fail(&f, status, &own);
        }
        hanse_finder_clear(&finder);
    }
    free(tasks);
    return outcome(&f, error);
}

/* ---- By reading again --------------------------------------------------- */

/* What the passes do together. */
typedef struct pass {
    const hanse_fold *fold;
    hanse_narrow *narrows; /* quantiles that are not known yet */
    size_t n_narrows;
    hanse_tally *tallies; /* different values that are not counted yet */
    size_t n_tallies;
} pass;

static hanse_status open_view(void *context, void **own, hanse_error *error)
{
    const pass *p = context;
    hanse_fold *view = malloc(sizeof *view);
    if (view == NULL)
        return hanse_fail_nomem(error, "pass", sizeof *view);
    *own = view;
    return hanse_fold_view_open(view, p->fold, error);
}

static void close_view(void *own)
{
    if (own != NULL)
        hanse_fold_view_close(own);
    free(own);
}

/* The rows have the groups that the fold has given them: all their keys are
 * known, so that its maps are only looked into. */
static hanse_status take_morsel(void *context, void *own,
                                const hanse_morsel *rows, hanse_error *error)
{
    const pass *p = context;
    hanse_fold *view = own;
    const hanse_batch *batch = &rows->batch;
    view->batch_first_row = rows->first_row;
    for (size_t first = 0; first < batch->n_rows; first += HANSE_BLOCK_ROWS) {
        size_t n = batch->n_rows - first;
        n = n < HANSE_BLOCK_ROWS ? n : HANSE_BLOCK_ROWS;
        hanse_block_filter(view, batch, first, n);
        if (view->block.n == 0)
            continue;
        HANSE_TRY(hanse_block_keys(view, batch, first, n, error));
        hanse_block_measures(&view->block, view->plan, batch, first, n);
        for (size_t i = 0; i < p->n_narrows; i++)
            hanse_narrow_add(&p->narrows[i], &view->block);
        for (size_t i = 0; i < p->n_tallies; i++)
            if (!p->tallies[i].is_done)
                HANSE_TRY(hanse_tally_add(&p->tallies[i], &view->block, error));
    }
    return HANSE_OK;
}

static hanse_status read_table(hanse_passes *passes, pass *p,
                               hanse_error *error)
{
    const hanse_plan *plan = passes->fold->plan;
    const hanse_scan scan = {
        .source = passes->source,
        .fields = plan->used,
        .n_fields = plan->n_used,
        .options = passes->options,
        .n_threads = passes->n_threads,
        .context = p,
        .open = open_view,
        .close = close_view,
        .take = take_morsel,
    };
    return hanse_scan_run(&scan, &passes->n_bytes, error);
}

static size_t count_open(const pass *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n_narrows; i++)
        n += !hanse_narrow_is_done(&p->narrows[i]);
    for (size_t i = 0; i < p->n_tallies; i++)
        n += !p->tallies[i].is_done;
    return n;
}

/* Room for each of those that are open; the selection of quantiles takes as
 * much as their values again. */
static hanse_status begin_pass(hanse_passes *passes, pass *p, uint64_t room,
                               hanse_error *error)
{
    for (size_t i = 0; i < p->n_narrows; i++)
        HANSE_TRY(hanse_narrow_begin(&p->narrows[i], room / 3 * 2, error));
    for (size_t i = 0; i < p->n_tallies; i++)
        if (!p->tallies[i].is_done)
            HANSE_TRY(hanse_tally_begin(&p->tallies[i], room,
                                        passes->fold->rows.kept,
                                        passes->n_threads, error));
    return HANSE_OK;
}

static hanse_status end_pass(pass *p, hanse_error *error)
{
    for (size_t i = 0; i < p->n_narrows; i++)
        HANSE_TRY(hanse_narrow_end(&p->narrows[i], error));
    for (size_t i = 0; i < p->n_tallies; i++)
        if (!p->tallies[i].is_done)
            HANSE_TRY(hanse_tally_end(&p->tallies[i], error));
    return HANSE_OK;
}

static void abandon_pass(pass *p)
{
    for (size_t i = 0; i < p->n_narrows; i++)
        hanse_narrow_abandon(&p->narrows[i]);
    for (size_t i = 0; i < p->n_tallies; i++)
        hanse_tally_clear(&p->tallies[i]);
}

/* Where readers need more than was left to them, the pass begins again with
 * two thirds for itself, and so do those that follow. */
static hanse_status read_until_done(hanse_passes *passes, pass *p,
                                    hanse_error *error)
{
    uint64_t share = 100;
    for (size_t n = count_open(p); n != 0; n = count_open(p)) {
        const uint64_t room =
            hanse_tally_room(passes->fold->budget) / 100 * share / n;
        hanse_status status = begin_pass(passes, p, room, error);
        if (status == HANSE_OK)
            status = read_table(passes, p, error);
        if (status == HANSE_ERR_LIMIT && room > LEAST_ROOM) {
            abandon_pass(p);
            share -= (share + 2) / 3;
            continue;
        }
        HANSE_TRY(status);
        HANSE_TRY(end_pass(p, error));
    }
    return HANSE_OK;
}

/* ---- All of it ---------------------------------------------------------- */

/* Quantiles of kept values; the narrows of the others. */
static hanse_status find_quantiles(hanse_passes *p, hanse_members *members,
                                   double **results, pass *rest,
                                   hanse_error *error)
{
    const hanse_plan *plan = p->fold->plan;
    for (size_t g = 0; g < plan->n_groupings; g++) {
        HANSE_TRY(hanse_members_init(&members[g], p->fold, g, error));
        results[g] =
            hanse_quantiles_results(hanse_quantiles_of(p->fold, g),
                                    hanse_quantiles_groups(p->fold, g), error);
        if (results[g] == NULL)
            return error->status;
    }
    HANSE_TRY(find_kept(p, members, results, error));
    for (size_t g = 0; g < plan->n_groupings; g++)
        hanse_quantiles_release(hanse_quantiles_of(p->fold, g));
    for (size_t g = 0; g < plan->n_groupings; g++)
        for (size_t m = 0; m < plan->n_measures && !is_kept(p->fold, g); m++)
            HANSE_TRY(hanse_narrow_init(&rest->narrows[rest->n_narrows++],
                                        p->fold, g, m, &members[g], error));
    return HANSE_OK;
}

static hanse_status find_all(hanse_passes *p, hanse_members *members,
                             double **results, pass *rest, hanse_error *error)
{
    const hanse_fold *fold = p->fold;
    if (hanse_quantiles_count(fold->plan) != 0)
        HANSE_TRY(find_quantiles(p, members, results, rest, error));
    if (hanse_distinct_needed(fold->plan))
        HANSE_TRY(hanse_distinct_find(p->fold, p->n_threads, rest->tallies,
                                      &rest->n_tallies, error));
    HANSE_TRY(read_until_done(p, rest, error));
    for (size_t i = 0; i < rest->n_narrows; i++) {
        const size_t g = rest->narrows[i].grouping;
        hanse_narrow_results(&rest->narrows[i], hanse_quantiles_of(fold, g),
                             results[g]);
    }
    return HANSE_OK;
}

static void clear_rest(pass *rest)
{
    for (size_t i = 0; i < rest->n_narrows; i++)
        hanse_narrow_clear(&rest->narrows[i]);
    for (size_t i = 0; i < rest->n_tallies; i++)
        hanse_tally_clear(&rest->tallies[i]);
    free(rest->narrows);
    free(rest->tallies);
}

hanse_status hanse_passes_run(hanse_passes *passes, hanse_error *error)
{
    const hanse_plan *plan = passes->fold->plan;
    const size_t n = plan->n_groupings * plan->n_measures;
    hanse_error own = {0};
    if (hanse_quantiles_count(plan) == 0 && !hanse_distinct_needed(plan))
        return HANSE_OK;
    hanse_members *members = calloc(plan->n_groupings, sizeof *members);
    double **results = calloc(plan->n_groupings, sizeof *results);
    pass rest = {.fold = passes->fold,
                 .narrows = calloc(n, sizeof *rest.narrows),
                 .tallies = calloc(n, sizeof *rest.tallies)};
    hanse_status status;
    if (members == NULL || results == NULL || rest.narrows == NULL ||
        rest.tallies == NULL)
        status = hanse_fail_nomem(&own, "passes", plan->n_groupings);
    else
        status = find_all(passes, members, results, &rest, &own);
    clear_rest(&rest);
    for (size_t g = 0; members != NULL && g < plan->n_groupings; g++)
        hanse_members_clear(&members[g]);
    free(members);
    free(results);
    if (status != HANSE_OK && error != NULL)
        *error = own;
    return status;
}
