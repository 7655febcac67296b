/* SPDX-License-Identifier: Apache-2.0
 *
 * Intervals: choosing what a pass does, adding, and what follows from it.
 */
#include "engine/narrow.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* Counting pays while it divides an interval by this many at least. */
    FEWEST_RANGE_BITS = 6,
    MOST_RANGE_BITS = 16
};

static hanse_budget *budget_of(const hanse_narrow *narrow)
{
    return narrow->fold->budget;
}

/* ---- The beginning ------------------------------------------------------ */

static int compare_queries(const void *a, const void *b)
{
    const hanse_query *x = a, *y = b;
    return (x->rank > y->rank) - (x->rank < y->rank);
}

/* Appends the ranks that the quantiles of a group with n values need. */
static void add_queries(hanse_narrow *narrow, uint64_t n)
{
    const hanse_plan *plan = narrow->fold->plan;
    const size_t first = narrow->n_queries;
    for (size_t i = 0; i < hanse_quantiles_count(plan); i++) {
        uint32_t weight;
        const uint64_t rank = hanse_quantile_rank(plan, i, n, &weight);
        narrow->queries[narrow->n_queries++] =
            (hanse_query){rank, 0, (uint32_t)i, false};
        if (weight != 0)
            narrow->queries[narrow->n_queries++] =
                (hanse_query){rank + 1, 0, (uint32_t)i, true};
    }
    qsort(narrow->queries + first, narrow->n_queries - first,
          sizeof *narrow->queries, compare_queries);
}

static void first_intervals(hanse_narrow *narrow, const hanse_members *members)
{
    for (size_t g = 0; g < narrow->n_groups; g++) {
        const uint64_t n = hanse_members_count(
            members, narrow->fold, narrow->grouping, narrow->measure, g);
        const size_t first = narrow->n_queries;
        narrow->first[g] = narrow->n_intervals;
        narrow->counts[g] = n;
        if (n == 0)
            continue;
        add_queries(narrow, n);
        narrow->intervals[narrow->n_intervals++] =
            (hanse_interval){.low = INT64_MIN,
                             .high = INT64_MAX,
                             .n = n,
                             .first_query = first,
                             .n_queries = narrow->n_queries - first,
                             .group = (uint32_t)g};
    }
    narrow->first[narrow->n_groups] = narrow->n_intervals;
}

/* Room for as many intervals as there can ever be, one a query. */
static size_t most_queries(const hanse_narrow *narrow)
{
    return narrow->n_groups * 2 * hanse_quantiles_count(narrow->fold->plan);
}

hanse_status hanse_narrow_init(hanse_narrow *narrow, const hanse_fold *fold,
                               size_t grouping, size_t measure,
                               const hanse_members *members, hanse_error *error)
{
    *narrow =
        (hanse_narrow){.fold = fold,
                       .grouping = grouping,
                       .measure = measure,
                       .n_groups = hanse_quantiles_groups(fold, grouping)};
    const size_t n = most_queries(narrow);
    narrow->queries = hanse_allocate(fold->budget, n, sizeof *narrow->queries);
    narrow->intervals =
        hanse_allocate(fold->budget, n, sizeof *narrow->intervals);
    narrow->first = hanse_allocate(fold->budget, narrow->n_groups + 1,
                                   sizeof *narrow->first);
    narrow->counts =
        hanse_allocate(fold->budget, narrow->n_groups, sizeof *narrow->counts);
    if (narrow->counts == NULL || narrow->queries == NULL ||
        narrow->intervals == NULL || narrow->first == NULL) {
        hanse_narrow_clear(narrow);
        return hanse_fail_budget(error, fold->budget, "intervals of quantiles",
                                 n, sizeof *narrow->intervals);
    }
    first_intervals(narrow, members);
    return HANSE_OK;
}

void hanse_narrow_abandon(hanse_narrow *narrow)
{
    hanse_budget *budget = budget_of(narrow);
    hanse_free(budget, narrow->counters, narrow->n_counters,
               sizeof *narrow->counters);
    hanse_free(budget, narrow->values, narrow->n_values,
               sizeof *narrow->values);
    hanse_free(budget, narrow->used, narrow->n_used, sizeof *narrow->used);
    narrow->counters = NULL;
    narrow->values = NULL;
    narrow->used = NULL;
}

void hanse_narrow_clear(hanse_narrow *narrow)
{
    if (narrow->fold == NULL)
        return;
    hanse_budget *budget = budget_of(narrow);
    const size_t n = most_queries(narrow);
    hanse_narrow_abandon(narrow);
    hanse_free(budget, narrow->queries, n, sizeof *narrow->queries);
    hanse_free(budget, narrow->intervals, n, sizeof *narrow->intervals);
    hanse_free(budget, narrow->first, narrow->n_groups + 1,
               sizeof *narrow->first);
    hanse_free(budget, narrow->counts, narrow->n_groups,
               sizeof *narrow->counts);
    *narrow = (hanse_narrow){0};
}

bool hanse_narrow_is_done(const hanse_narrow *narrow)
{
    for (size_t i = 0; i < narrow->n_intervals; i++)
        if (narrow->intervals[i].use != HANSE_INTERVAL_DONE)
            return false;
    return true;
}

/* ---- What a pass does --------------------------------------------------- */

static size_t n_ranges(const hanse_interval *t)
{
    return (size_t)(((uint64_t)t->high - (uint64_t)t->low) >> t->shift) + 1;
}

static void let_count(hanse_narrow *narrow, hanse_interval *t, int bits)
{
    const uint64_t span = (uint64_t)t->high - (uint64_t)t->low;
    const int width = span == 0 ? 0 : 64 - __builtin_clzll(span);
    t->use = HANSE_INTERVAL_COUNTS;
    t->shift = width > bits ? width - bits : 0;
    t->place = narrow->n_counters;
    narrow->n_counters += n_ranges(t);
}

static void let_collect(hanse_narrow *narrow, hanse_interval *t)
{
    t->use = HANSE_INTERVAL_COLLECTS;
    t->place = narrow->n_values;
    narrow->n_values += (size_t)t->n;
}

/* Bits of the ranges for which counters of n intervals fit. */
static int range_bits(uint64_t room, size_t n)
{
    int bits = 0;
    while (bits < MOST_RANGE_BITS && (uint64_t)n << (bits + 1) <= room)
        bits++;
    return bits;
}

/* Collects all that is left if it fits; else counts everywhere if that narrows
 * enough; else collects, or counts, in as many intervals as fit, and leaves the
 * others for later passes. `room`: counters or values that fit, at least 1. */
static void choose(hanse_narrow *narrow, uint64_t room)
{
    uint64_t n_left = 0;
    size_t n_open = 0, n_chosen = 0;
    for (size_t i = 0; i < narrow->n_intervals; i++)
        if (narrow->intervals[i].use != HANSE_INTERVAL_DONE) {
            n_left += narrow->intervals[i].n;
            n_open++;
        }
    const int bits = range_bits(room, n_open);
    const bool collects = n_left <= room;
    const bool counts = !collects && bits >= FEWEST_RANGE_BITS;
    for (size_t i = 0; i < narrow->n_intervals; i++) {
        hanse_interval *t = &narrow->intervals[i];
        if (t->use == HANSE_INTERVAL_DONE)
            continue;
        t->use = HANSE_INTERVAL_WAITS;
        if (counts)
            let_count(narrow, t, bits);
        else if (t->n <= room - narrow->n_values && narrow->n_counters == 0)
            let_collect(narrow, t);
        n_chosen += t->use != HANSE_INTERVAL_WAITS;
    }
    if (n_chosen != 0)
        return;
    /* None fits by itself: the first ones are counted. */
    const int few_bits = range_bits(room, 1);
    for (size_t i = 0; i < narrow->n_intervals; i++)
        if (narrow->intervals[i].use == HANSE_INTERVAL_WAITS &&
            (narrow->n_counters == 0 ||
             narrow->n_counters + ((size_t)1 << few_bits) <= room))
            let_count(narrow, &narrow->intervals[i], few_bits);
}

hanse_status hanse_narrow_begin(hanse_narrow *narrow, uint64_t n_bytes,
                                hanse_error *error)
{
    hanse_budget *budget = budget_of(narrow);
    const uint64_t overhead = narrow->n_intervals * sizeof *narrow->used;
    uint64_t room = n_bytes > overhead ? (n_bytes - overhead) / 8 : 0;
    narrow->n_counters = narrow->n_values = 0;
    narrow->n_used = narrow->n_intervals;
    choose(narrow, room < 2 ? 2 : room);
    narrow->counters = (_Atomic uint64_t *)hanse_allocate_zero(
        budget, narrow->n_counters, sizeof *narrow->counters);
    narrow->values =
        hanse_allocate(budget, narrow->n_values, sizeof *narrow->values);
    narrow->used = (_Atomic uint64_t *)hanse_allocate_zero(
        budget, narrow->n_used, sizeof *narrow->used);
    if (narrow->counters != NULL && narrow->values != NULL &&
        narrow->used != NULL)
        return HANSE_OK;
    hanse_narrow_abandon(narrow);
    return hanse_fail_budget(error, budget, "counters of quantiles",
                             narrow->n_counters + narrow->n_values,
                             sizeof(uint64_t));
}

/* ---- Adding ------------------------------------------------------------- */

static inline void add_value(hanse_narrow *narrow, size_t interval,
                             int64_t value)
{
    hanse_interval *t = &narrow->intervals[interval];
    if (t->use == HANSE_INTERVAL_COUNTS) {
        const size_t range =
            (size_t)(((uint64_t)value - (uint64_t)t->low) >> t->shift);
        atomic_fetch_add_explicit(&narrow->counters[t->place + range], 1,
                                  memory_order_relaxed);
    } else if (t->use == HANSE_INTERVAL_COLLECTS) {
        const uint64_t at = atomic_fetch_add_explicit(&narrow->used[interval],
                                                      1, memory_order_relaxed);
        if (at < t->n) /* more only if the table changes while it is read */
            narrow->values[t->place + at] = value;
    }
}

void hanse_narrow_add(hanse_narrow *narrow, const hanse_block *block)
{
    const hanse_plan *plan = narrow->fold->plan;
    const size_t node = plan->groupings[narrow->grouping].node;
    const uint32_t *groups = node == SIZE_MAX ? NULL : block->node_codes[node];
    const size_t m = narrow->measure;
    const hanse_number number = plan->measures[m].number;
    for (size_t i = 0; i < block->n; i++) {
        const int64_t value = block->values[m][i];
        if (number == HANSE_NUMBER_FLOAT
                ? hanse_value_is_nan(value)
                : block->any_absent[m] && block->absent[m][i] != 0)
            continue;
        const int64_t stored = hanse_quantile_stored(value, number);
        const size_t group = groups == NULL ? 0 : groups[i];
        for (size_t t = narrow->first[group];
             group < narrow->n_groups && t < narrow->first[group + 1]; t++)
            if (narrow->intervals[t].low <= stored &&
                stored <= narrow->intervals[t].high) {
                add_value(narrow, t, stored);
                break;
            }
    }
}

/* ---- What follows ------------------------------------------------------- */

static hanse_status fail_changed(hanse_error *error)
{
    return hanse_fail(error, HANSE_ERR_IO,
                      "the table changed while it was read several times, for "
                      "quantiles; run the job again");
}

/* Replaces a counted interval by those of its ranges that hold a rank. */
static hanse_status split(hanse_narrow *narrow, const hanse_interval *t,
                          hanse_interval *out, size_t *n_out,
                          hanse_error *error)
{
    const size_t n = n_ranges(t);
    uint64_t below = t->below;
    size_t query = t->first_query;
    const size_t end = t->first_query + t->n_queries;
    for (size_t r = 0; r < n && query < end; r++) {
        const uint64_t count = narrow->counters[t->place + r];
        const size_t first = query;
        while (query < end && narrow->queries[query].rank < below + count)
            query++;
        if (query != first) {
            const int64_t low =
                (int64_t)((uint64_t)t->low + ((uint64_t)r << t->shift));
            const uint64_t length = ((uint64_t)1 << t->shift) - 1;
            const int64_t high = length < (uint64_t)t->high - (uint64_t)low
                                     ? (int64_t)((uint64_t)low + length)
                                     : t->high;
            out[*n_out] = (hanse_interval){.low = low,
                                           .high = high,
                                           .below = below,
                                           .n = count,
                                           .first_query = first,
                                           .n_queries = query - first,
                                           .group = t->group};
            if (low == high) {
                out[*n_out].use = HANSE_INTERVAL_DONE;
                for (size_t q = first; q < query; q++)
                    narrow->queries[q].value = low;
            }
            ++*n_out;
        }
        below += count;
    }
    return query == end ? HANSE_OK : fail_changed(error);
}

static hanse_status find_collected(hanse_narrow *narrow, hanse_interval *t,
                                   size_t interval, hanse_selection *selection,
                                   hanse_error *error)
{
    const hanse_piece piece = {narrow->values + t->place, (size_t)t->n};
    if (narrow->used[interval] != t->n)
        return fail_changed(error);
    hanse_selection_begin(selection, &piece, 1, t->n_queries);
    for (size_t q = t->first_query; q < t->first_query + t->n_queries; q++)
        HANSE_TRY(hanse_selection_find(
            selection, (size_t)(narrow->queries[q].rank - t->below),
            &narrow->queries[q].value, NULL, error));
    t->use = HANSE_INTERVAL_DONE;
    return HANSE_OK;
}

/* Intervals only grow in number, up to one a query: the new ones are made
 * behind those that are there, from a copy. */
hanse_status hanse_narrow_end(hanse_narrow *narrow, hanse_error *error)
{
    hanse_budget *budget = budget_of(narrow);
    const size_t n_old = narrow->n_intervals;
    hanse_interval *old = hanse_allocate(budget, n_old, sizeof *old);
    if (old == NULL)
        return hanse_fail_budget(error, budget, "intervals of quantiles", n_old,
                                 sizeof *old);
    if (n_old != 0)
        memcpy(old, narrow->intervals, n_old * sizeof *old);
    hanse_selection *selection = malloc(sizeof *selection);
    hanse_status status = HANSE_OK;
    if (selection == NULL)
        status = hanse_fail_nomem(error, "quantiles", sizeof *selection);
    else
        hanse_selection_init(selection, budget);
    size_t n_new = 0;
    for (size_t i = 0, g = 0; i < n_old && status == HANSE_OK; i++) {
        for (; g <= old[i].group; g++)
            narrow->first[g] = n_new;
        if (old[i].use == HANSE_INTERVAL_COUNTS) {
            status = split(narrow, &old[i], narrow->intervals, &n_new, error);
            continue;
        }
        if (old[i].use == HANSE_INTERVAL_COLLECTS)
            status = find_collected(narrow, &old[i], i, selection, error);
        narrow->intervals[n_new++] = old[i];
    }
    for (size_t g = n_old == 0 ? 0 : (size_t)old[n_old - 1].group + 1;
         g <= narrow->n_groups; g++)
        narrow->first[g] = n_new;
    narrow->n_intervals = n_new;
    hanse_free(budget, old, n_old, sizeof *old);
    if (selection != NULL)
        hanse_selection_clear(selection);
    free(selection);
    hanse_narrow_abandon(narrow);
    return status;
}

void hanse_narrow_results(const hanse_narrow *narrow,
                          const hanse_quantiles *quantiles, double *results)
{
    const hanse_plan *plan = narrow->fold->plan;
    const hanse_number number = plan->measures[narrow->measure].number;
    size_t query = 0;
    for (size_t g = 0; g < narrow->n_groups; g++) {
        const uint64_t n = narrow->counts[g];
        int64_t lower[HANSE_QUANTILES_MAX + 1] = {0};
        int64_t upper[HANSE_QUANTILES_MAX + 1] = {0};
        size_t n_expected = 0;
        for (size_t i = 0; i < hanse_quantiles_count(plan) && n != 0; i++) {
            uint32_t weight;
            hanse_quantile_rank(plan, i, n, &weight);
            n_expected += weight != 0 ? 2 : 1;
        }
        for (size_t end = query + n_expected; query < end; query++) {
            const hanse_query *q = &narrow->queries[query];
            (q->is_upper ? upper : lower)[q->quantile] = q->value;
        }
        for (size_t i = 0; i < hanse_quantiles_count(plan); i++) {
            uint32_t weight = 0;
            double *out = &results[hanse_quantiles_place(
                quantiles, narrow->measure, i, g)];
            if (n != 0)
                hanse_quantile_rank(plan, i, n, &weight);
            *out = n == 0 ? (double)NAN
                          : hanse_quantile_between(lower[i], upper[i], weight,
                                                   number);
        }
    }
}
