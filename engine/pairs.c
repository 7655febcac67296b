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

#include "engine/ratio.h"
#include "engine/wide_sums.h"

enum {
    SUM_X,
    SUM_Y,
    SUM_XY,
    SUM_XX, /* the last two only for correlations */
    SUM_YY,
    N_SUMS
};

typedef struct pair_count {
    uint64_t n;
    bool infinite; /* one of the values was */
} pair_count;

typedef struct pair {
    size_t x, y; /* measures */
    hanse_wide_sums sums[N_SUMS];
    hanse_group_array counts; /* of pair_count */
} pair;

typedef struct pairs {
    const hanse_plan *plan;
    hanse_budget *budget;
    pair *pairs;
    size_t n_pairs;
    size_t n_sums; /* in use of each pair */
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
        for (size_t s = 0; s < N_SUMS; s++)
            hanse_wide_sums_clear(&p->pairs[i].sums[s]);
        hanse_group_array_clear(&p->pairs[i].counts, p->budget,
                                sizeof(pair_count));
    }
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
    *p = (pairs){plan, budget, all, n_pairs, N_SUMS};
    if ((plan->statistics & HANSE_STAT_CORR) == 0)
        p->n_sums = SUM_XX;
    size_t i = 0;
    for (size_t x = 0; x < plan->n_measures; x++)
        for (size_t y = x + 1; y < plan->n_measures; y++, i++) {
            all[i].x = x;
            all[i].y = y;
            for (size_t s = 0; s < N_SUMS; s++)
                hanse_wide_sums_init(&all[i].sums[s], "sums of pairs", budget);
        }
    *state = p;
    return HANSE_OK;
}

static hanse_status grow(pairs *p, size_t n_groups, hanse_error *error)
{
    for (size_t i = 0; i < p->n_pairs; i++) {
        for (size_t s = 0; s < p->n_sums; s++)
            HANSE_TRY(
                hanse_wide_sums_grow(&p->pairs[i].sums[s], n_groups, error));
        HANSE_TRY(hanse_group_array_grow(&p->pairs[i].counts, p->budget,
                                         n_groups, sizeof(pair_count), NULL,
                                         error));
    }
    return HANSE_OK;
}

static hanse_status add_terms(const pairs *p, pair *to, size_t group,
                              const hanse_factor *x, const hanse_factor *y,
                              hanse_error *error)
{
    const hanse_term terms[N_SUMS] = {
        [SUM_X] = hanse_term_single(x),
        [SUM_Y] = hanse_term_single(y),
        [SUM_XY] = hanse_term_product(x, y),
        [SUM_XX] = hanse_term_product(x, x),
        [SUM_YY] = hanse_term_product(y, y),
    };
    for (size_t s = 0; s < p->n_sums; s++)
        HANSE_TRY(hanse_wide_sums_add(&to->sums[s], group, &terms[s], error));
    return HANSE_OK;
}

static hanse_status add_pair(const pairs *p, pair *to,
                             const hanse_extra_rows *rows, hanse_error *error)
{
    const hanse_number x_number = p->plan->measures[to->x].number;
    const hanse_number y_number = p->plan->measures[to->y].number;
    pair_count *counts = to->counts.items;
    for (size_t i = 0; i < rows->n; i++) {
        hanse_factor x, y;
        if (hanse_extra_absent(rows, x_number, to->x, i) ||
            hanse_extra_absent(rows, y_number, to->y, i))
            continue;
        const size_t group = hanse_extra_group(rows, i);
        counts[group].n++;
        if (hanse_factor_of(rows->values[to->x][i], x_number, &x) &&
            hanse_factor_of(rows->values[to->y][i], y_number, &y))
            HANSE_TRY(add_terms(p, to, group, &x, &y, error));
        else
            counts[group].infinite = true;
    }
    return HANSE_OK;
}

static hanse_status add(void *state, const hanse_extra_rows *rows,
                        hanse_error *error)
{
    pairs *p = state;
    HANSE_TRY(grow(p, rows->n_groups, error));
    for (size_t i = 0; i < p->n_pairs; i++)
        HANSE_TRY(add_pair(p, &p->pairs[i], rows, error));
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
            for (size_t s = 0; s < p->n_sums; s++)
                HANSE_TRY(hanse_wide_sums_merge(&to->sums[s], target,
                                                &other->sums[s], g, error));
        }
    }
    return HANSE_OK;
}

/* ---- Finishing ---------------------------------------------------------- */

/* n times the sum `product` minus the product of the sums x and y. */
static void cross(const pair *p, size_t group, int product, int x, int y,
                  hanse_wide *out)
{
    hanse_wide a, b, both;
    const uint64_t n = ((const pair_count *)p->counts.items)[group].n;
    hanse_wide_sums_get(&p->sums[x], group, &a);
    hanse_wide_sums_get(&p->sums[y], group, &b);
    hanse_wide_multiply(&both, &a, &b);
    hanse_wide_sums_get(&p->sums[product], group, out);
    hanse_wide_scale(out, n);
    hanse_wide_subtract(out, &both);
}

static bool is_defined(const pair *p, size_t group)
{
    if (group >= p->counts.n)
        return false;
    const pair_count *count = (const pair_count *)p->counts.items + group;
    return count->n >= 2 && !count->infinite;
}

static double covariance_of(const void *context, size_t group)
{
    const pair *p = context;
    hanse_wide numerator;
    if (!is_defined(p, group))
        return (double)NAN;
    const uint64_t n = ((const pair_count *)p->counts.items)[group].n;
    cross(p, group, SUM_XY, SUM_X, SUM_Y, &numerator);
    return hanse_wide_divide(&numerator, n, n - 1);
}

static double correlation_of(const void *context, size_t group)
{
    const pair *p = context;
    hanse_wide numerator, x, y, square, denominator;
    if (!is_defined(p, group))
        return (double)NAN;
    cross(p, group, SUM_XX, SUM_X, SUM_X, &x);
    cross(p, group, SUM_YY, SUM_Y, SUM_Y, &y);
    if (x.n == 0 || y.n == 0) /* one of them is constant */
        return (double)NAN;
    cross(p, group, SUM_XY, SUM_X, SUM_Y, &numerator);
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
