/* SPDX-License-Identifier: Apache-2.0
 *
 * Quantiles of a group from the values that were kept: ranks, selection,
 * interpolation.
 */
#include "engine/quantile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/quantile_state.h"
#include "engine/statistics.h"
#include "engine/wide.h"

/* ---- Ranks and interpolation -------------------------------------------- */

size_t hanse_quantiles_count(const hanse_plan *plan)
{
    return plan->set.n_quantiles +
           ((plan->statistics & HANSE_STAT_MEDIAN) != 0);
}

uint32_t hanse_quantile_of(const hanse_plan *plan, size_t quantile)
{
    if ((plan->statistics & HANSE_STAT_MEDIAN) == 0)
        return plan->set.quantiles[quantile];
    return quantile == 0 ? HANSE_QUANTILE_UNIT / 2
                         : plan->set.quantiles[quantile - 1];
}

uint64_t hanse_quantile_rank(const hanse_plan *plan, size_t quantile,
                             uint64_t n, uint32_t *weight)
{
    const unsigned __int128 place =
        (unsigned __int128)(n - 1) * hanse_quantile_of(plan, quantile);
    *weight = (uint32_t)(place % HANSE_QUANTILE_UNIT);
    return (uint64_t)(place / HANSE_QUANTILE_UNIT);
}

/* The stored form is its own inverse. */
static double to_float(int64_t stored, hanse_number number)
{
    const int64_t value = hanse_quantile_stored(stored, number);
    double x;
    if (number == HANSE_NUMBER_INT)
        return (double)value;
    if (number == HANSE_NUMBER_UINT)
        return (double)(uint64_t)value;
    memcpy(&x, &value, sizeof x);
    return x;
}

static void to_wide(int64_t stored, hanse_number number, hanse_wide *out)
{
    const int64_t value = hanse_quantile_stored(stored, number);
    if (number == HANSE_NUMBER_FLOAT) {
        hanse_wide_from_double(out, to_float(stored, number));
        return;
    }
    const bool negative = number == HANSE_NUMBER_INT && value < 0;
    const uint64_t magnitude = negative ? 0 - (uint64_t)value : (uint64_t)value;
    hanse_wide_from_words(out, &magnitude, 1, 0, negative);
}

double hanse_quantile_between(int64_t lower, int64_t upper, uint32_t weight,
                              hanse_number number)
{
    const double low = to_float(lower, number);
    if (weight == 0 || lower == upper)
        return low;
    if (!isfinite(low) || !isfinite(to_float(upper, number)))
        return (double)NAN;
    hanse_wide a, b;
    to_wide(lower, number, &a);
    to_wide(upper, number, &b);
    hanse_wide_scale(&a, HANSE_QUANTILE_UNIT - weight);
    hanse_wide_scale(&b, weight);
    hanse_wide_add(&a, &b);
    return hanse_wide_divide(&a, HANSE_QUANTILE_UNIT, 1);
}

/* ---- Which grouping keeps the values ------------------------------------ */

/* Whether the groups of node `upper` are unions of those of `lower`. */
static bool is_above(const hanse_plan *plan, size_t upper, size_t lower)
{
    while (lower != SIZE_MAX) {
        lower = plan->nodes[lower].parent;
        if (lower == upper)
            return true;
    }
    return false;
}

/* The first grouping that is below it and has none below itself. */
size_t hanse_quantiles_keeper(const hanse_plan *plan, size_t grouping)
{
    size_t keeper = grouping;
    for (size_t g = 0; g < plan->n_groupings; g++)
        if (is_above(plan, plan->groupings[keeper].node,
                     plan->groupings[g].node)) {
            keeper = g;
            g = SIZE_MAX; /* from the start */
        }
    return keeper;
}

/* Chunks that are not full, and their heads, add a sixteenth. */
uint64_t hanse_quantiles_bytes(const hanse_plan *plan, uint64_t n_rows)
{
    uint64_t n_kept = 0;
    for (size_t g = 0; g < plan->n_groupings; g++)
        n_kept += hanse_quantiles_keeper(plan, g) == g;
    const uint64_t n_values = n_rows * n_kept * plan->n_measures;
    return n_values * sizeof(int64_t) / 16 * 17;
}

bool hanse_quantiles_may_keep(uint64_t size_bytes, uint64_t limit_bytes)
{
    return limit_bytes == 0 || size_bytes <= limit_bytes / 4 * 3;
}

/* The group of `grouping` that holds group `group` of its keeper. */
static size_t group_above(const hanse_fold *fold, size_t grouping,
                          size_t keeper, size_t group)
{
    const hanse_plan_grouping *groupings = fold->plan->groupings;
    return hanse_fold_group_above(fold, groupings[keeper].node,
                                  groupings[grouping].node, group);
}

size_t hanse_quantiles_groups(const hanse_fold *fold, size_t grouping)
{
    return hanse_fold_node_groups(fold, fold->plan->groupings[grouping].node);
}

hanse_status hanse_members_init(hanse_members *members, const hanse_fold *fold,
                                size_t grouping, hanse_error *error)
{
    const size_t keeper = hanse_quantiles_keeper(fold->plan, grouping);
    const size_t n_groups = hanse_quantiles_groups(fold, grouping);
    const size_t n_kept = hanse_quantiles_groups(fold, keeper);
    members->start = calloc(n_groups + 2, sizeof *members->start);
    members->groups = malloc((n_kept + 1) * sizeof *members->groups);
    if (members->start == NULL || members->groups == NULL) {
        hanse_members_clear(members);
        return hanse_fail_nomem(error, "groups of quantiles", n_kept);
    }
    /* Counting sort; start[g + 2] counts, start[g + 1] becomes the place. */
    size_t *start = members->start;
    for (size_t k = 0; k < n_kept; k++)
        start[group_above(fold, grouping, keeper, k) + 2]++;
    for (size_t g = 0; g < n_groups; g++)
        start[g + 2] += start[g + 1];
    for (size_t k = 0; k < n_kept; k++)
        members->groups[start[group_above(fold, grouping, keeper, k) + 1]++] =
            (uint32_t)k;
    return HANSE_OK;
}

void hanse_members_clear(hanse_members *members)
{
    free(members->start);
    free(members->groups);
    *members = (hanse_members){0};
}

uint64_t hanse_members_count(const hanse_members *members,
                             const hanse_fold *fold, size_t grouping,
                             size_t measure, size_t group)
{
    const size_t keeper = hanse_quantiles_keeper(fold->plan, grouping);
    const hanse_statistic_input input = {fold, keeper, measure, NULL, 0};
    uint64_t n = 0;
    for (size_t i = members->start[group]; i < members->start[group + 1]; i++)
        if (members->groups[i] < fold->states[keeper].n_groups)
            n += hanse_statistic_count(&input, members->groups[i]);
    return n;
}

/* ---- Finding ------------------------------------------------------------ */

void hanse_finder_init(hanse_finder *finder, hanse_budget *budget)
{
    hanse_selection_init(&finder->selection, budget);
    finder->pieces = NULL;
    finder->n_pieces = 0;
}

void hanse_finder_clear(hanse_finder *finder)
{
    hanse_selection_clear(&finder->selection);
    free(finder->pieces);
}

/* The pieces of all members of a group. */
static hanse_status gather(hanse_finder *f, const hanse_kept_values *values,
                           const hanse_members *members, size_t group,
                           size_t *n_pieces, hanse_error *error)
{
    const uint32_t *groups = members->groups + members->start[group];
    const size_t n = members->start[group + 1] - members->start[group];
    *n_pieces = 0;
    for (size_t i = 0; i < n;) {
        const size_t n_here = hanse_kept_values_pieces(
            values, groups[i], f->pieces + *n_pieces, f->n_pieces - *n_pieces);
        if (*n_pieces + n_here <= f->n_pieces) {
            *n_pieces += n_here;
            i++;
            continue;
        }
        const size_t wanted = 2 * (*n_pieces + n_here);
        hanse_piece *larger = realloc(f->pieces, wanted * sizeof *larger);
        if (larger == NULL)
            return hanse_fail_nomem(error, "quantiles", wanted);
        f->pieces = larger;
        f->n_pieces = wanted;
    }
    return HANSE_OK;
}

hanse_status hanse_finder_find(hanse_finder *f, const hanse_fold *fold,
                               size_t grouping, size_t measure, size_t group,
                               const hanse_members *members, double *out,
                               size_t stride, hanse_error *error)
{
    const hanse_plan *plan = fold->plan;
    const size_t n_quantiles = hanse_quantiles_count(plan);
    const hanse_number number = plan->measures[measure].number;
    const hanse_quantiles *keeper =
        hanse_quantiles_of(fold, hanse_quantiles_keeper(plan, grouping));
    size_t n_pieces = 0;
    HANSE_TRY(gather(f, &keeper->measures[measure], members, group, &n_pieces,
                     error));
    const size_t n =
        hanse_selection_begin(&f->selection, f->pieces, n_pieces, n_quantiles);
    for (size_t i = 0; i < n_quantiles; i++) {
        uint32_t weight;
        int64_t lower, upper = 0;
        if (n == 0) {
            out[i * stride] = (double)NAN;
            continue;
        }
        const uint64_t rank = hanse_quantile_rank(plan, i, n, &weight);
        HANSE_TRY(hanse_selection_find(&f->selection, (size_t)rank, &lower,
                                       weight != 0 ? &upper : NULL, error));
        out[i * stride] = hanse_quantile_between(lower, upper, weight, number);
    }
    return HANSE_OK;
}
