/* SPDX-License-Identifier: Apache-2.0
 *
 * Quantiles as a module of the fold: keeping values, merging, columns.
 */
#include "engine/quantile.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/quantile_state.h"

static bool needed(const hanse_plan *plan)
{
    return hanse_quantiles_count(plan) != 0;
}

static size_t results_size(const hanse_quantiles *q)
{
    return q->plan->n_measures * hanse_quantiles_count(q->plan) * q->n_groups;
}

void hanse_quantiles_release(hanse_quantiles *q)
{
    for (size_t m = 0; q->measures != NULL && m < q->plan->n_measures; m++)
        hanse_kept_values_clear(&q->measures[m]);
}

static void destroy(void *state)
{
    hanse_quantiles *q = state;
    if (q == NULL)
        return;
    hanse_quantiles_release(q);
    hanse_free(q->budget, q->results, results_size(q), sizeof *q->results);
    free(q->measures);
    free(q);
}

static hanse_status create(const hanse_plan *plan, size_t grouping,
                           hanse_budget *budget, void **state,
                           hanse_error *error)
{
    hanse_quantiles *q = calloc(1, sizeof *q);
    if (q == NULL)
        return hanse_fail_nomem(error, "quantiles", sizeof *q);
    q->plan = plan;
    q->budget = budget;
    if (hanse_quantiles_keeper(plan, grouping) == grouping) {
        q->measures = calloc(plan->n_measures, sizeof *q->measures);
        if (q->measures == NULL) {
            destroy(q);
            return hanse_fail_nomem(error, "quantiles", plan->n_measures);
        }
        for (size_t m = 0; m < plan->n_measures; m++)
            hanse_kept_values_init(&q->measures[m], budget);
    }
    *state = q;
    return HANSE_OK;
}

/* ---- Adding and merging ------------------------------------------------- */

static hanse_status drop(hanse_quantiles *q)
{
    hanse_quantiles_release(q);
    q->dropped = true;
    return HANSE_OK;
}

/* With a limit of memory the table can be read again (passes.h). Without one,
 * as in situ, memory is exhausted. */
static hanse_status drop_or_fail(hanse_quantiles *q, hanse_error *error)
{
    if (q->budget != NULL && q->budget->limit_bytes != 0)
        return drop(q);
    return hanse_fail(error, HANSE_ERR_NOMEM,
                      "out of memory: values of all groups, for quantiles");
}

static hanse_status grow(hanse_quantiles *q, size_t n_groups,
                         hanse_error *error)
{
    for (size_t m = 0; m < q->plan->n_measures; m++)
        HANSE_TRY(hanse_kept_values_grow(&q->measures[m], n_groups, error));
    return HANSE_OK;
}

/* False without memory. */
static bool add_measure(hanse_quantiles *q, size_t measure,
                        const hanse_extra_rows *rows)
{
    const hanse_number number = q->plan->measures[measure].number;
    const int64_t *values = rows->values[measure];
    for (size_t i = 0; i < rows->n; i++)
        if (!hanse_extra_absent(rows, number, measure, i) &&
            !hanse_kept_values_add(&q->measures[measure],
                                   hanse_extra_group(rows, i),
                                   hanse_quantile_stored(values[i], number)))
            return false;
    return true;
}

static hanse_status add(void *state, const hanse_extra_rows *rows,
                        hanse_error *error)
{
    hanse_quantiles *q = state;
    if (q->dropped || q->measures == NULL)
        return HANSE_OK;
    HANSE_TRY(grow(q, rows->n_groups, error));
    for (size_t m = 0; m < q->plan->n_measures; m++)
        if (!add_measure(q, m, rows))
            return drop_or_fail(q, error);
    return HANSE_OK;
}

static hanse_status merge(void *state, size_t n_groups, void *from,
                          size_t n_from, const uint32_t *map, bool take,
                          hanse_error *error)
{
    hanse_quantiles *q = state;
    hanse_quantiles *other = from;
    if (q->measures == NULL)
        return HANSE_OK;
    if (q->dropped || other->dropped)
        return drop(q);
    HANSE_TRY(grow(q, n_groups, error));
    take = take && q->budget == other->budget;
    for (size_t m = 0; m < q->plan->n_measures; m++) {
        hanse_kept_values *to = &q->measures[m];
        for (size_t g = 0; g < n_from && g < other->measures[m].groups.n; g++) {
            const size_t target = map == NULL ? 0 : map[g];
            if (take)
                hanse_kept_values_link(to, target, &other->measures[m], g);
            else if (!hanse_kept_values_copy(to, target, &other->measures[m],
                                             g))
                return drop_or_fail(q, error);
        }
        if (take)
            hanse_kept_values_take(to, &other->measures[m]);
    }
    return HANSE_OK;
}

/* ---- Results ------------------------------------------------------------ */

hanse_quantiles *hanse_quantiles_of(const hanse_fold *fold, size_t grouping)
{
    return fold->extras == NULL ? NULL
                                : hanse_extras_state(&fold->extras[grouping],
                                                     HANSE_EXTRA_QUANTILES);
}

bool hanse_quantiles_dropped(const hanse_quantiles *q)
{
    return q->dropped;
}

double *hanse_quantiles_results(hanse_quantiles *q, size_t n_groups,
                                hanse_error *error)
{
    hanse_free(q->budget, q->results, results_size(q), sizeof *q->results);
    q->n_groups = n_groups;
    q->results = hanse_allocate(q->budget, results_size(q), sizeof *q->results);
    if (q->results == NULL)
        hanse_fail_budget(error, q->budget, "quantiles", results_size(q),
                          sizeof *q->results);
    return q->results;
}

size_t hanse_quantiles_place(const hanse_quantiles *q, size_t measure,
                             size_t quantile, size_t group)
{
    return (measure * hanse_quantiles_count(q->plan) + quantile) * q->n_groups +
           group;
}

/* All quantiles of a measure where no pass has found them, as in situ:
 * *out[quantile][row]. */
static hanse_status find_all(const hanse_extra_target *target, size_t measure,
                             double **out, hanse_error *error)
{
    const hanse_fold *fold = target->fold;
    const size_t n_quantiles = hanse_quantiles_count(fold->plan);
    const size_t keeper = hanse_quantiles_keeper(fold->plan, target->grouping);
    hanse_members members;
    hanse_finder finder;
    if (hanse_quantiles_of(fold, keeper)->dropped)
        return hanse_fail(error, HANSE_ERR_LIMIT,
                          "the values for quantiles do not fit in memory");
    HANSE_TRY(hanse_members_init(&members, fold, target->grouping, error));
    hanse_finder_init(&finder, fold->budget);
    double *found = malloc((target->n * n_quantiles + 1) * sizeof *found);
    hanse_status status = HANSE_OK;
    if (found == NULL)
        status = hanse_fail_nomem(error, "quantiles", target->n * n_quantiles);
    for (size_t r = 0; r < target->n && status == HANSE_OK; r++)
        status = hanse_finder_find(&finder, fold, target->grouping, measure,
                                   target->groups[r], &members, found + r,
                                   target->n, error);
    hanse_finder_clear(&finder);
    hanse_members_clear(&members);
    if (status != HANSE_OK) {
        free(found);
        return status;
    }
    *out = found;
    return HANSE_OK;
}

static hanse_status emit_one(const hanse_quantiles *q, size_t measure,
                             size_t quantile, const double *found,
                             const hanse_extra_target *target,
                             hanse_error *error)
{
    const hanse_plan_measure *m = &q->plan->measures[measure];
    const bool is_median =
        quantile == 0 && (q->plan->statistics & HANSE_STAT_MEDIAN) != 0;
    const uint32_t at = hanse_quantile_of(q->plan, quantile);
    char suffix[HANSE_STATISTIC_NAME] = "median", shown[HANSE_STATISTIC_NAME];
    char name[256], words[128] = "median";
    if (!is_median) {
        hanse_quantile_name(at, '_', suffix);
        hanse_quantile_name(at, '.', shown);
        snprintf(words, sizeof words, "percentile %s, interpolated linearly",
                 shown + 1);
    }
    snprintf(name, sizeof name, "%s_%s", m->name, suffix);
    const hanse_extra_column column = {
        .name = name,
        .about = m->long_name,
        .words = words,
        .units = m->units,
        .cell_methods = is_median ? "enterprise: median" : NULL};
    void *values;
    HANSE_TRY(
        hanse_emit_column(target, &column, HANSE_FLOAT64, &values, error));
    for (size_t r = 0; r < target->n; r++)
        ((double *)values)[r] =
            found != NULL ? found[quantile * target->n + r]
                          : q->results[hanse_quantiles_place(
                                q, measure, quantile, target->groups[r])];
    return HANSE_OK;
}

static hanse_status emit(const void *state, const hanse_extra_target *target,
                         uint32_t statistic, size_t measure, hanse_error *error)
{
    /* What was found is with the rows' fold, also for derived groupings. */
    const hanse_quantiles *q =
        hanse_quantiles_of(target->fold, target->grouping);
    (void)state;
    const bool has_median = (q->plan->statistics & HANSE_STAT_MEDIAN) != 0;
    double *found = NULL;
    hanse_status status = HANSE_OK;
    size_t first = 0, end = 1;
    if (statistic == HANSE_EXTRA_QUANTILES) {
        first = has_median;
        end = hanse_quantiles_count(q->plan);
    }
    if (q->results == NULL)
        HANSE_TRY(find_all(target, measure, &found, error));
    for (size_t i = first; i < end && status == HANSE_OK; i++)
        status = emit_one(q, measure, i, found, target, error);
    free(found);
    return status;
}

const hanse_extra_ops hanse_quantile_ops = {
    .needed = needed,
    .create = create,
    .destroy = destroy,
    .add = add,
    .merge = merge,
    .emit = emit,
    .statistics = HANSE_STAT_MEDIAN | HANSE_EXTRA_QUANTILES,
};
