/* SPDX-License-Identifier: Apache-2.0
 *
 * Different values as a module of the fold: keeping them, merging, columns.
 */
#include "engine/distinct.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/seed.h"
#include "engine/quantile.h"

enum {
    FIRST_SLOTS = 256,
    N_ARRIVALS = 64
};

/* Of one measure. */
typedef struct kept {
    hanse_value_counts counts;
    bool dropped;
    hanse_value_summary *results; /* [group]; NULL: not found yet */
    size_t n_groups;              /* of the results */
} kept;

struct hanse_distinct {
    const hanse_plan *plan;
    hanse_budget *budget;
    kept *measures;
};

bool hanse_distinct_needed(const hanse_plan *plan)
{
    return (plan->statistics & (HANSE_STAT_NUNIQUE | HANSE_STAT_MODE)) != 0;
}

void hanse_distinct_release(hanse_distinct *d, size_t measure)
{
    hanse_value_counts *counts = &d->measures[measure].counts;
    hanse_free(d->budget, counts->slots, counts->n_slots,
               sizeof *counts->slots);
    hanse_group_array_clear(&counts->large, d->budget,
                            sizeof(hanse_value_item));
    counts->slots = NULL;
    counts->n_slots = counts->n = 0;
}

static void destroy(void *state)
{
    hanse_distinct *d = state;
    if (d == NULL)
        return;
    for (size_t m = 0; d->measures != NULL && m < d->plan->n_measures; m++) {
        kept *k = &d->measures[m];
        hanse_distinct_release(d, m);
        hanse_free(d->budget, k->results, k->n_groups, sizeof *k->results);
    }
    free(d->measures);
    free(d);
}

static hanse_status create(const hanse_plan *plan, size_t grouping,
                           hanse_budget *budget, void **state,
                           hanse_error *error)
{
    (void)grouping;
    hanse_distinct *d = calloc(1, sizeof *d);
    if (d == NULL)
        return hanse_fail_nomem(error, "different values", sizeof *d);
    d->plan = plan;
    d->budget = budget;
    d->measures = calloc(plan->n_measures, sizeof *d->measures);
    if (d->measures == NULL) {
        destroy(d);
        return hanse_fail_nomem(error, "different values", plan->n_measures);
    }
    for (size_t m = 0; m < plan->n_measures; m++)
        d->measures[m].counts =
            (hanse_value_counts){.budget = budget, .seed = hanse_hash_seed()};
    *state = d;
    return HANSE_OK;
}

/* ---- The table ---------------------------------------------------------- */

/* Room for one more: tables are filled to three quarters at the most, and take,
 * with the larger one that follows, three quarters of a budget, to leave room
 * for other states. False without memory. */
static bool make_room(hanse_value_counts *t)
{
    if (4 * (t->n + 1) <= 3 * t->n_slots)
        return true;
    hanse_value_counts larger = *t;
    larger.n_slots = t->n_slots == 0 ? FIRST_SLOTS : 2 * t->n_slots;
    const uint64_t size_bytes = larger.n_slots * sizeof *larger.slots;
    if (t->budget != NULL &&
        !hanse_distinct_may_keep(atomic_load(&t->budget->used_bytes) +
                                     size_bytes,
                                 t->budget->limit_bytes))
        return false;
    larger.slots =
        hanse_allocate_zero(t->budget, larger.n_slots, sizeof *larger.slots);
    if (larger.slots == NULL)
        return false;
    for (size_t i = 0; i < t->n_slots; i++) {
        const hanse_value_slot *s = &t->slots[i];
        if (s->count != 0)
            *hanse_value_counts_find(
                &larger, s->value, s->group,
                hanse_value_hash(s->value, s->group, t->seed)) = *s;
    }
    hanse_free(t->budget, t->slots, t->n_slots, sizeof *t->slots);
    *t = larger;
    return true;
}

/* With a limit of memory the table can be read again (passes.h). Without one,
 * as in situ, memory is exhausted. */
static hanse_status drop_or_fail(hanse_distinct *d, size_t measure,
                                 hanse_error *error)
{
    if (d->budget == NULL || d->budget->limit_bytes == 0)
        return hanse_fail(error, HANSE_ERR_NOMEM,
                          "out of memory: different values of all groups "
                          "(nunique, mode)");
    hanse_distinct_release(d, measure);
    d->measures[measure].dropped = true;
    return HANSE_OK;
}

/* Values on their way into a table: all their places are fetched from memory
 * before the first is looked at. */
typedef struct arrivals {
    size_t n;
    hanse_value_item items[N_ARRIVALS];
    uint64_t hashes[N_ARRIVALS];
} arrivals;

static hanse_status count_all(hanse_distinct *d, size_t measure, arrivals *a,
                              hanse_error *error)
{
    kept *k = &d->measures[measure];
    hanse_value_counts *t = &k->counts;
    for (size_t i = 0; i < a->n && t->n_slots != 0; i++)
        hanse_value_counts_prefetch(t, a->hashes[i]);
    for (size_t i = 0; i < a->n && !k->dropped; i++) {
        if (!make_room(t))
            HANSE_TRY(drop_or_fail(d, measure, error));
        else
            HANSE_TRY(
                hanse_value_counts_add(t, &a->items[i], a->hashes[i], error));
    }
    a->n = 0;
    return HANSE_OK;
}

static inline hanse_status count(hanse_distinct *d, size_t measure, arrivals *a,
                                 hanse_value_item item, hanse_error *error)
{
    a->hashes[a->n] = hanse_value_hash(item.value, item.group,
                                       d->measures[measure].counts.seed);
    a->items[a->n++] = item;
    return a->n == N_ARRIVALS ? count_all(d, measure, a, error) : HANSE_OK;
}

/* ---- Adding and merging ------------------------------------------------- */

static hanse_status add_measure(hanse_distinct *d, size_t measure,
                                const hanse_extra_rows *rows,
                                hanse_error *error)
{
    const hanse_number number = d->plan->measures[measure].number;
    arrivals a;
    a.n = 0;
    for (size_t i = 0; i < rows->n && !d->measures[measure].dropped; i++) {
        int64_t value = rows->values[measure][i];
        if (hanse_extra_absent(rows, number, measure, i))
            continue;
        if (number == HANSE_NUMBER_FLOAT && value == INT64_MIN)
            value = 0; /* -0.0 */
        const uint32_t group = (uint32_t)hanse_extra_group(rows, i);
        HANSE_TRY(
            count(d, measure, &a, (hanse_value_item){value, 1, group}, error));
    }
    return count_all(d, measure, &a, error);
}

static hanse_status add(void *state, const hanse_extra_rows *rows,
                        hanse_error *error)
{
    hanse_distinct *d = state;
    for (size_t m = 0; m < d->plan->n_measures; m++)
        HANSE_TRY(add_measure(d, m, rows, error));
    return HANSE_OK;
}

static hanse_status merge_measure(hanse_distinct *d, size_t measure,
                                  const hanse_value_counts *from,
                                  const uint32_t *map, hanse_error *error)
{
    const hanse_value_item *large = from->large.items;
    arrivals a;
    a.n = 0;
    for (size_t i = 0; i < from->n_slots && !d->measures[measure].dropped;
         i++) {
        const hanse_value_slot *s = &from->slots[i];
        const uint32_t group = map == NULL ? 0 : map[s->group];
        if (s->count != 0)
            HANSE_TRY(count(d, measure, &a,
                            (hanse_value_item){s->value, s->count, group},
                            error));
    }
    for (size_t i = 0; i < from->large.n; i++) {
        hanse_value_item item = large[i];
        item.group = map == NULL ? 0 : map[item.group];
        HANSE_TRY(count(d, measure, &a, item, error));
    }
    return count_all(d, measure, &a, error);
}

static hanse_status merge(void *state, size_t n_groups, void *from,
                          size_t n_from, const uint32_t *map, bool take,
                          hanse_error *error)
{
    hanse_distinct *d = state;
    hanse_distinct *other = from;
    (void)n_groups;
    (void)n_from;
    for (size_t m = 0; m < d->plan->n_measures; m++) {
        kept *k = &d->measures[m];
        if (k->dropped || other->measures[m].dropped) {
            hanse_distinct_release(d, m);
            k->dropped = true;
        } else {
            HANSE_TRY(
                merge_measure(d, m, &other->measures[m].counts, map, error));
        }
        if (take)
            hanse_distinct_release(other, m);
    }
    return HANSE_OK;
}

/* ---- Results ------------------------------------------------------------ */

uint64_t hanse_distinct_bytes(const hanse_plan *plan, uint64_t n_rows)
{
    uint64_t n_kept = 0;
    for (size_t g = 0; g < plan->n_groupings; g++)
        n_kept += hanse_quantiles_keeper(plan, g) == g;
    /* A table that has just grown is filled to three eighths. */
    return n_rows * n_kept * plan->n_measures * sizeof(hanse_value_slot) / 3 *
           8;
}

bool hanse_distinct_may_keep(uint64_t size_bytes, uint64_t limit_bytes)
{
    return limit_bytes == 0 || size_bytes <= limit_bytes / 4 * 3;
}

hanse_distinct *hanse_distinct_of(const hanse_fold *fold, size_t grouping)
{
    return fold->extras == NULL ? NULL
                                : hanse_extras_state(&fold->extras[grouping],
                                                     HANSE_STAT_NUNIQUE);
}

const hanse_value_counts *hanse_distinct_counts(const hanse_distinct *d,
                                                size_t measure)
{
    const kept *k = &d->measures[measure];
    return k->dropped ? NULL : &k->counts;
}

hanse_value_summary *hanse_distinct_results(hanse_distinct *d, size_t measure,
                                            size_t n_groups, hanse_error *error)
{
    kept *k = &d->measures[measure];
    hanse_free(d->budget, k->results, k->n_groups, sizeof *k->results);
    k->n_groups = n_groups;
    k->results = hanse_allocate_zero(d->budget, n_groups, sizeof *k->results);
    if (k->results == NULL)
        (void)hanse_fail_budget(error, d->budget, "different values", n_groups,
                                sizeof *k->results);
    return k->results;
}

static bool get_mode(const void *context, size_t group, int64_t *value)
{
    const hanse_value_summary *of =
        (const hanse_value_summary *)context + group;
    *value = of->mode;
    return of->count != 0;
}

static hanse_status emit_nunique(const hanse_extra_target *target,
                                 const hanse_extra_column *column,
                                 const hanse_value_summary *summaries,
                                 hanse_error *error)
{
    void *values;
    HANSE_TRY(hanse_emit_column(target, column, HANSE_INT64, &values, error));
    for (size_t r = 0; r < target->n; r++)
        ((int64_t *)values)[r] = (int64_t)summaries[target->groups[r]].n_values;
    return HANSE_OK;
}

static hanse_status emit_column(const hanse_extra_target *target,
                                uint32_t statistic,
                                const hanse_plan_measure *measure,
                                const hanse_value_summary *summaries,
                                hanse_error *error)
{
    const bool is_mode = statistic == HANSE_STAT_MODE;
    char name[256];
    snprintf(name, sizeof name, "%s_%s", measure->name,
             hanse_statistic_name((hanse_statistic)statistic));
    const hanse_extra_column column = {
        .name = name,
        .about = measure->long_name,
        .words = is_mode ? "most frequent value, the smallest of several"
                         : "number of different values",
        .units = is_mode ? measure->units : "1",
        .cell_methods = is_mode ? "enterprise: mode" : NULL};
    return is_mode ? hanse_emit_values(target, &column, measure->number,
                                       get_mode, summaries, error)
                   : emit_nunique(target, &column, summaries, error);
}

/* Where no pass has made summaries, as in situ. */
static hanse_status emit_kept(const hanse_distinct *d,
                              const hanse_extra_target *target,
                              uint32_t statistic, size_t measure,
                              hanse_error *error)
{
    const hanse_plan_measure *plan_measure = &d->plan->measures[measure];
    const kept *k = &d->measures[measure];
    const size_t n_groups =
        hanse_quantiles_groups(target->fold, target->grouping);
    if (k->dropped)
        return hanse_fail(error, HANSE_ERR_LIMIT,
                          "the different values do not fit in memory");
    hanse_value_summary *summaries =
        hanse_allocate_zero(d->budget, n_groups, sizeof *summaries);
    if (summaries == NULL)
        return hanse_fail_budget(error, d->budget, "different values", n_groups,
                                 sizeof *summaries);
    (void)hanse_value_counts_summarise(&k->counts, UINT64_MAX,
                                       plan_measure->number, summaries);
    const hanse_status status =
        emit_column(target, statistic, plan_measure, summaries, error);
    hanse_free(d->budget, summaries, n_groups, sizeof *summaries);
    return status;
}

static hanse_status emit(const void *state, const hanse_extra_target *target,
                         uint32_t statistic, size_t measure, hanse_error *error)
{
    /* What was found is with the rows' fold, also for derived groupings. */
    const hanse_distinct *d = hanse_distinct_of(target->fold, target->grouping);
    const hanse_value_summary *results = d->measures[measure].results;
    return results != NULL
               ? emit_column(target, statistic, &d->plan->measures[measure],
                             results, error)
               : emit_kept(state, target, statistic, measure, error);
}

const hanse_extra_ops hanse_distinct_ops = {
    .needed = hanse_distinct_needed,
    .create = create,
    .destroy = destroy,
    .add = add,
    .merge = merge,
    .emit = emit,
    .statistics = HANSE_STAT_NUNIQUE | HANSE_STAT_MODE,
};
