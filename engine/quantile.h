/* SPDX-License-Identifier: Apache-2.0
 *
 * Exact quantiles. While they fit in memory the values of all groups are kept;
 * when they do not, they are dropped and the table is read again (passes.h).
 * Values are kept as order-preserving integers (hanse_order_*).
 *
 * The quantile q of n values lies at h = (n - 1) q, between the values of rank
 * floor(h) and the next (from 0), and is interpolated between them, as numpy
 * and R do by default, exactly and rounded once.
 *
 * A grouping whose groups are unions of another one's keeps no values of its
 * own: the total of all rows and every grouping by the leading keys of another
 * one take theirs.
 */
#ifndef HANSE_ENGINE_QUANTILE_H
#define HANSE_ENGINE_QUANTILE_H

#include "engine/fold.h"
#include "engine/select.h"
#include "engine/value_order.h"

typedef struct hanse_quantiles hanse_quantiles; /* of one grouping */

/* Number of quantiles asked for, the median first, and where one lies: the
 * lower rank among n > 0 values, and the weight of the next in millionths. */
size_t hanse_quantiles_count(const hanse_plan *plan);
uint64_t hanse_quantile_rank(const hanse_plan *plan, size_t quantile,
                             uint64_t n, uint32_t *weight);

/* The number between two values as stored; weight in millionths of the upper.
 */
double hanse_quantile_between(int64_t lower, int64_t upper, uint32_t weight,
                              hanse_number number);

/* A value as it is stored. */
static inline int64_t hanse_quantile_stored(int64_t value, hanse_number number)
{
    return hanse_order_value(value, number);
}

/* The grouping that keeps the values of `grouping`, perhaps itself. */
size_t hanse_quantiles_keeper(const hanse_plan *plan, size_t grouping);

/* About how many bytes the values of n_rows rows take, and whether so much may
 * be kept with a limit of memory (0: none). */
uint64_t hanse_quantiles_bytes(const hanse_plan *plan, uint64_t n_rows);
bool hanse_quantiles_may_keep(uint64_t size_bytes, uint64_t limit_bytes);

/* Quantiles of a grouping of a fold, NULL when none were asked for. */
hanse_quantiles *hanse_quantiles_of(const hanse_fold *fold, size_t grouping);

/* Whether the values did not fit and were dropped. */
bool hanse_quantiles_dropped(const hanse_quantiles *quantiles);

/* Room for all quantiles of n_groups groups, which the columns then take; from
 * then on nothing else is looked at. NULL without memory. */
double *hanse_quantiles_results(hanse_quantiles *quantiles, size_t n_groups,
                                hanse_error *error);

/* Where the quantile of a group is in the results. */
size_t hanse_quantiles_place(const hanse_quantiles *quantiles, size_t measure,
                             size_t quantile, size_t group);

/* Gives the memory of kept values back. */
void hanse_quantiles_release(hanse_quantiles *quantiles);

/* ---- From kept values --------------------------------------------------- */

/* The groups of a keeper that make up the groups of a grouping: those of group
 * g are groups[start[g] .. start[g + 1] - 1]. */
typedef struct hanse_members {
    size_t *start;
    uint32_t *groups;
} hanse_members;

hanse_status hanse_members_init(hanse_members *members, const hanse_fold *fold,
                                size_t grouping, hanse_error *error);
void hanse_members_clear(hanse_members *members);

/* Number of values of a measure in a group. */
uint64_t hanse_members_count(const hanse_members *members,
                             const hanse_fold *fold, size_t grouping,
                             size_t measure, size_t group);

/* Number of groups of a grouping, with those that have no row. */
size_t hanse_quantiles_groups(const hanse_fold *fold, size_t grouping);

/* What one thread needs to find quantiles. */
typedef struct hanse_finder {
    hanse_selection selection;
    hanse_piece *pieces;
    size_t n_pieces; /* that there is room for */
} hanse_finder;

void hanse_finder_init(hanse_finder *finder, hanse_budget *budget);
void hanse_finder_clear(hanse_finder *finder);

/* Quantiles of a measure in a group, out[i * stride] each. */
hanse_status hanse_finder_find(hanse_finder *finder, const hanse_fold *fold,
                               size_t grouping, size_t measure, size_t group,
                               const hanse_members *members, double *out,
                               size_t stride, hanse_error *error);

#endif
