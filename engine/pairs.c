/* SPDX-License-Identifier: Apache-2.0
 *
 * Covariance and correlation of each two measures, over the rows that have
 * both. From the exact sums Sx, Sy, Sxx, Syy, Sxy of n rows
 *
 *   cov  = (n Sxy - Sx Sy) / (n (n - 1))
 *   corr = (n Sxy - Sx Sy) / sqrt((n Sxx - Sx^2) (n Syy - Sy^2))
 *
 * each rounded once: the correlation as the root of an exact quotient.
 */
#include "engine/extras.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/pair_sums.h"
#include "engine/ratio.h"

/* Rows of a group that did not come by batches. */
typedef struct pair_count {
    uint64_t n;
    bool infinite; /* one of the values was */
} pair_count;

typedef struct pair {
    size_t x, y; /* measures */
    hanse_pair_sums sums;
    hanse_group_array counts; /* of pair_count */
} pair;

typedef struct pairs {
    const hanse_plan *plan;
    hanse_budget *budget;
    pair *pairs;
    size_t n_pairs;
    hanse_pair_batch batch;
} pairs;

static bool needed(const hanse_plan *plan)
{
    return (plan->statistics & (HANSE_STAT_COV | HANSE_STAT_CORR)) != 0;
}

static void destroy(void *state)
{
    pairs *p = state;
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->n_pairs; i++) {
        hanse_pair_sums_clear(&p->pairs[i].sums);
        hanse_group_array_clear(&p->pairs[i].counts, p->budget,
                                sizeof(pair_count));
    }
    hanse_pair_batch_clear(&p->batch);
    free(p->pairs);
    free(p);
}

static hanse_status create(const hanse_plan *plan, size_t grouping,
                           hanse_budget *budget, void **state,
                           hanse_error *error)
{
    (void)grouping;
    const size_t n_pairs = plan->n_measures * (plan->n_measures - 1) / 2;
    pairs *p = calloc(1, sizeof *p);
    pair *all = calloc(n_pairs, sizeof *all);
    if (p == NULL || all == NULL) {
        free(p);
        free(all);
        return hanse_fail_nomem(error, "sums of pairs", n_pairs * sizeof *all);
    }
    *p = (pairs){plan, budget, all, n_pairs, {0}};
    const size_t n_sums = (plan->statistics & HANSE_STAT_CORR) == 0
                              ? HANSE_PAIR_XX
                              : HANSE_PAIR_SUMS;
    size_t i = 0;
    for (size_t x = 0; x < plan->n_measures; x++)
        for (size_t y = x + 1; y < plan->n_measures; y++, i++) {
            all[i].x = x;
            all[i].y = y;
            hanse_pair_sums_init(&all[i].sums, n_sums, budget);
        }
    *state = p;
    return HANSE_OK;
}

static hanse_status grow(pairs *p, size_t n_groups, hanse_error *error)
{
    for (size_t i = 0; i < p->n_pairs; i++) {
        HANSE_TRY(hanse_pair_sums_grow(&p->pairs[i].sums, n_groups, error));
        HANSE_TRY(hanse_group_array_grow(&p->pairs[i].counts, p->budget,
                                         n_groups, sizeof(pair_count), NULL,
                                         error));
    }
    return HANSE_OK;
}

/* ---- Adding ------------------------------------------------------------- */

/* What is the matter with a row. */
enum {
    LACKS = 1, /* it has only one of the values, or none */
    ALONE = 2  /* infinite, or an integer that float64 does not hold */
};

/* Integers up to this are float64 as well. */
static const int64_t most_exact = (int64_t)1 << 53;

/* Values first to first + n - 1 of a measure as float64, and what is the
 * matter with them; returns what is with any of them. */
static uint8_t load_floats(const int64_t *values, size_t n, double *out,
                           uint8_t *flags)
{
    const int64_t infinity = (int64_t)0x7ff << 52;
    uint8_t any = 0;
    memcpy(out, values, n * sizeof *out);
    for (size_t i = 0; i < n; i++) {
        const int64_t size = values[i] & INT64_MAX;
        flags[i] |= (uint8_t)((size > infinity ? LACKS : 0) |
                              (size == infinity ? ALONE : 0));
        any |= flags[i];
    }
    return any;
}

static uint8_t load_integers(const int64_t *values, const uint8_t *absent,
                             bool is_unsigned, size_t n, double *out,
                             uint8_t *flags)
{
    const int64_t least = is_unsigned ? 0 : -most_exact;
    uint8_t any = 0;
    for (size_t i = 0; i < n; i++) {
        const bool is_exact = values[i] >= least && values[i] <= most_exact;
        out[i] = (double)values[i];
        flags[i] |= (uint8_t)((is_exact ? 0 : ALONE) |
                              (absent != NULL && absent[i] ? LACKS : 0));
        any |= flags[i];
    }
    return any;
}

static uint8_t load(const pairs *p, const hanse_extra_rows *rows,
                    size_t measure, size_t first, size_t n, double *out,
                    uint8_t *flags)
{
    const hanse_number number = p->plan->measures[measure].number;
    const int64_t *values = rows->values[measure] + first;
    const uint8_t *absent = rows->absent[measure];
    if (number == HANSE_NUMBER_FLOAT)
        return load_floats(values, n, out, flags);
    return load_integers(values, absent == NULL ? NULL : absent + first,
                         number == HANSE_NUMBER_UINT, n, out, flags);
}

static hanse_status add_alone(const pairs *p, pair *to,
                              const hanse_extra_rows *rows, size_t row,
                              hanse_error *error)
{
    const size_t group = hanse_extra_group(rows, row);
    pair_count *count = (pair_count *)to->counts.items + group;
    hanse_factor x, y;
    count->n++;
    if (hanse_factor_of(rows->values[to->x][row],
                        p->plan->measures[to->x].number, &x) &&
        hanse_factor_of(rows->values[to->y][row],
                        p->plan->measures[to->y].number, &y))
        return hanse_pair_sums_add_one(&to->sums, group, &x, &y, error);
    count->infinite = true;
    return HANSE_OK;
}

/* Takes the rows with flags out of the batch, and adds those that go alone. */
static hanse_status sort_out(pairs *p, pair *to, const hanse_extra_rows *rows,
                             size_t first, const uint8_t *flags,
                             hanse_error *error)
{
    hanse_pair_batch *batch = &p->batch;
    const size_t n = batch->n;
    batch->n = 0;
    for (size_t i = 0; i < n; i++) {
        if (flags[i] == ALONE)
            HANSE_TRY(add_alone(p, to, rows, first + i, error));
        if (flags[i] != 0)
            continue;
        batch->x[batch->n] = batch->x[i];
        batch->y[batch->n] = batch->y[i];
        batch->groups[batch->n++] = batch->groups[i];
    }
    return HANSE_OK;
}

static hanse_status add_part(pairs *p, pair *to, const hanse_extra_rows *rows,
                             size_t first, size_t n, hanse_error *error)
{
    hanse_pair_batch *batch = &p->batch;
    uint8_t flags[HANSE_LIMB_BATCH] = {0};
    batch->n = n;
    batch->is_one_group = rows->groups == NULL;
    if (!batch->is_one_group)
        memcpy(batch->groups, rows->groups + first, n * sizeof *batch->groups);
    const uint8_t any = load(p, rows, to->x, first, n, batch->x, flags) |
                        load(p, rows, to->y, first, n, batch->y, flags);
    if (any != 0)
        HANSE_TRY(sort_out(p, to, rows, first, flags, error));
    return hanse_pair_sums_add(&to->sums, batch, error);
}

static hanse_status add(void *state, const hanse_extra_rows *rows,
                        hanse_error *error)
{
    pairs *p = state;
    if (p->batch.lanes == NULL)
        HANSE_TRY(hanse_pair_batch_init(&p->batch, p->budget, error));
    HANSE_TRY(grow(p, rows->n_groups, error));
    for (size_t i = 0; i < p->n_pairs; i++)
        for (size_t first = 0; first < rows->n; first += HANSE_LIMB_BATCH) {
            const size_t left = rows->n - first;
            HANSE_TRY(add_part(
                p, &p->pairs[i], rows, first,
                left < HANSE_LIMB_BATCH ? left : HANSE_LIMB_BATCH, error));
        }
    return HANSE_OK;
}

static hanse_status merge(void *state, size_t n_groups, void *from,
                          size_t n_from, const uint32_t *map, bool take,
                          hanse_error *error)
{
    pairs *p = state;
    const pairs *others = from;
    (void)take;
    HANSE_TRY(grow(p, n_groups, error));
    for (size_t i = 0; i < p->n_pairs; i++) {
        pair *to = &p->pairs[i];
        const pair *other = &others->pairs[i];
        pair_count *counts = to->counts.items;
        for (size_t g = 0; g < n_from && g < other->counts.n; g++) {
            const size_t target = map == NULL ? 0 : map[g];
            const pair_count *count =
                (const pair_count *)other->counts.items + g;
            counts[target].n += count->n;
            counts[target].infinite |= count->infinite;
            HANSE_TRY(hanse_pair_sums_merge(&to->sums, target, &other->sums, g,
                                            error));
        }
    }
    return HANSE_OK;
}

/* ---- Finishing ---------------------------------------------------------- */

static uint64_t count_of(const pair *p, size_t group)
{
    return ((const pair_count *)p->counts.items)[group].n +
           hanse_pair_sums_count(&p->sums, group);
}

/* n times the sum `product` minus the product of the sums x and y. */
static void cross(const pair *p, size_t group, hanse_pair_sum product,
                  hanse_pair_sum x, hanse_pair_sum y, hanse_wide *out)
{
    hanse_wide a, b, both;
    hanse_pair_sums_get(&p->sums, x, group, &a);
    hanse_pair_sums_get(&p->sums, y, group, &b);
    hanse_wide_multiply(&both, &a, &b);
    hanse_pair_sums_get(&p->sums, product, group, out);
    hanse_wide_scale(out, count_of(p, group));
    hanse_wide_subtract(out, &both);
}

static bool is_defined(const pair *p, size_t group)
{
    return group < p->counts.n &&
           !((const pair_count *)p->counts.items)[group].infinite &&
           count_of(p, group) >= 2;
}

static double covariance_of(const void *context, size_t group)
{
    const pair *p = context;
    hanse_wide numerator;
    if (!is_defined(p, group))
        return (double)NAN;
    const uint64_t n = count_of(p, group);
    cross(p, group, HANSE_PAIR_XY, HANSE_PAIR_X, HANSE_PAIR_Y, &numerator);
    return hanse_wide_divide(&numerator, n, n - 1);
}

static double correlation_of(const void *context, size_t group)
{
    const pair *p = context;
    hanse_wide numerator, x, y, square, denominator;
    if (!is_defined(p, group))
        return (double)NAN;
    cross(p, group, HANSE_PAIR_XX, HANSE_PAIR_X, HANSE_PAIR_X, &x);
    cross(p, group, HANSE_PAIR_YY, HANSE_PAIR_Y, HANSE_PAIR_Y, &y);
    if (x.n == 0 || y.n == 0) /* one of them is constant */
        return (double)NAN;
    cross(p, group, HANSE_PAIR_XY, HANSE_PAIR_X, HANSE_PAIR_Y, &numerator);
    hanse_wide_square(&square, &numerator);
    hanse_wide_multiply(&denominator, &x, &y);
    const double root = hanse_ratio_root(&square, &denominator);
    return numerator.negative && numerator.n != 0 ? -root : root;
}

/* "(a)(b)", where both are known and have units. */
static const char *units_of(const char *a, const char *b, char *out,
                            size_t size)
{
    if (a == NULL || b == NULL)
        return NULL;
    if (strcmp(a, "1") == 0 || strcmp(b, "1") == 0)
        return strcmp(a, "1") == 0 ? b : a;
    const int n = strcmp(a, b) == 0 ? snprintf(out, size, "(%s)2", a)
                                    : snprintf(out, size, "(%s).(%s)", a, b);
    return n < (int)size ? out : NULL;
}

static hanse_status emit_pair(const pairs *p, const pair *of,
                              const hanse_extra_target *target, bool is_corr,
                              hanse_error *error)
{
    const hanse_plan_measure *x = &p->plan->measures[of->x];
    const hanse_plan_measure *y = &p->plan->measures[of->y];
    char name[512], about[512], units[256];
    snprintf(name, sizeof name, "%s_%s_%s", x->name, y->name,
             is_corr ? "corr" : "cov");
    snprintf(about, sizeof about, "%.200s and %.200s", x->long_name,
             y->long_name);
    const hanse_extra_column column = {
        .name = name,
        .about = about,
        .words = is_corr ? "correlation" : "covariance, divisor n - 1",
        .units =
            is_corr ? "1" : units_of(x->units, y->units, units, sizeof units)};
    return hanse_emit_floats(
        target, &column, is_corr ? correlation_of : covariance_of, of, error);
}

static hanse_status emit(const void *state, const hanse_extra_target *target,
                         uint32_t statistic, size_t measure, hanse_error *error)
{
    const pairs *p = state;
    (void)measure;
    for (size_t i = 0; i < p->n_pairs; i++)
        HANSE_TRY(emit_pair(p, &p->pairs[i], target,
                            statistic == HANSE_STAT_CORR, error));
    return HANSE_OK;
}

const hanse_extra_ops hanse_pairs_ops = {
    .needed = needed,
    .create = create,
    .destroy = destroy,
    .add = add,
    .merge = merge,
    .emit = emit,
    .statistics = HANSE_STAT_COV | HANSE_STAT_CORR,
};
