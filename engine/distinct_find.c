/* SPDX-License-Identifier: Apache-2.0
 *
 * A grouping that keeps its values has all of them in one table. One that takes
 * them from there needs a table of its own, which is made in as many passes
 * over the other as memory demands.
 */
#include "engine/distinct_find.h"

#include "engine/parallel.h"
#include "engine/quantile.h"

enum {
    TASK_SLOTS = 1 << 16
};

typedef struct deriving {
    hanse_tally *tally;
    size_t keeper;
    const hanse_value_counts *counts;
} deriving;

static hanse_status add_slots(void *context, size_t task, hanse_error *error)
{
    const deriving *d = context;
    const size_t first = task * TASK_SLOTS, left = d->counts->n_slots - first;
    return hanse_tally_add_counts(
        d->tally, d->keeper, d->counts, first,
        first + (left < TASK_SLOTS ? left : TASK_SLOTS), error);
}

/* One pass over the kept values. */
static hanse_status derive_once(deriving *d, size_t n_threads,
                                hanse_error *error)
{
    const size_t n_tasks = (d->counts->n_slots + TASK_SLOTS - 1) / TASK_SLOTS;
    hanse_tally *t = d->tally;
    HANSE_TRY(hanse_tally_begin(t, hanse_tally_room(t->fold->budget),
                                d->counts->n, n_threads, error));
    HANSE_TRY(hanse_parallel_for(n_threads, n_tasks, add_slots, d, error));
    HANSE_TRY(hanse_tally_add_large(t, d->keeper, d->counts, error));
    return hanse_tally_end(t, error);
}

static hanse_status derive(hanse_tally *tally, size_t keeper,
                           const hanse_value_counts *counts, size_t n_threads,
                           hanse_error *error)
{
    deriving d = {tally, keeper, counts};
    hanse_status status = HANSE_OK;
    while (status == HANSE_OK && !tally->is_done)
        status = derive_once(&d, n_threads, error);
    hanse_tally_clear(tally);
    return status;
}

static hanse_status find_one(hanse_fold *fold, size_t grouping, size_t measure,
                             size_t n_threads, hanse_tally *tallies, size_t *n,
                             hanse_error *error)
{
    const size_t keeper = hanse_quantiles_keeper(fold->plan, grouping);
    const hanse_value_counts *counts =
        hanse_distinct_counts(hanse_distinct_of(fold, keeper), measure);
    hanse_value_summary *results =
        hanse_distinct_results(hanse_distinct_of(fold, grouping), measure,
                               hanse_quantiles_groups(fold, grouping), error);
    if (results == NULL)
        return error->status;
    if (counts != NULL && keeper == grouping) {
        (void)hanse_value_counts_summarise(
            counts, UINT64_MAX, fold->plan->measures[measure].number, results);
        return HANSE_OK;
    }
    hanse_tally tally;
    hanse_tally_init(&tally, fold, grouping, measure, results);
    if (counts != NULL)
        return derive(&tally, keeper, counts, n_threads, error);
    tallies[(*n)++] = tally;
    return HANSE_OK;
}

hanse_status hanse_distinct_find(hanse_fold *fold, size_t n_threads,
                                 hanse_tally *tallies, size_t *n,
                                 hanse_error *error)
{
    const hanse_plan *plan = fold->plan;
    hanse_error own = {0};
    hanse_status status = HANSE_OK;
    for (size_t m = 0; status == HANSE_OK && m < plan->n_measures; m++) {
        for (size_t g = 0; status == HANSE_OK && g < plan->n_groupings; g++)
            status = find_one(fold, g, m, n_threads, tallies, n, &own);
        for (size_t g = 0; g < plan->n_groupings; g++)
            hanse_distinct_release(hanse_distinct_of(fold, g), m);
    }
    if (status != HANSE_OK && error != NULL)
        *error = own;
    return status;
}
