/* SPDX-License-Identifier: Apache-2.0
 *
 * The weighted mean, (sum w x) / (sum w) over the rows that have both a value
 * and a weight; both sums are exact, and the quotient is rounded once.
 */
#include "engine/extras.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/ratio.h"
#include "engine/wide_sums.h"

typedef struct weighted {
    const hanse_plan *plan;
    hanse_budget *budget;
    hanse_wide_sums *products;    /* [measure] */
    hanse_wide_sums *weights;     /* [measure] */
    hanse_group_array *infinites; /* [measure]: a byte, an infinity was there */
} weighted;

static bool needed(const hanse_plan *plan)
{
    return (plan->statistics & HANSE_STAT_WMEAN) != 0;
}

static void destroy(void *state)
{
    weighted *w = state;
    if (w == NULL)
        return;
    for (size_t m = 0; m < w->plan->n_measures; m++) {
        if (w->products != NULL)
            hanse_wide_sums_clear(&w->products[m]);
        if (w->weights != NULL)
            hanse_wide_sums_clear(&w->weights[m]);
        if (w->infinites != NULL)
            hanse_group_array_clear(&w->infinites[m], w->budget, 1);
    }
    free(w->products);
    free(w->weights);
    free(w->infinites);
    free(w);
}

static hanse_status create(const hanse_plan *plan, size_t grouping,
                           hanse_budget *budget, void **state,
                           hanse_error *error)
{
    (void)grouping;
    weighted *w = calloc(1, sizeof *w);
    if (w == NULL)
        return hanse_fail_nomem(error, "weighted sums", sizeof *w);
    w->plan = plan;
    w->budget = budget;
    w->products = calloc(plan->n_measures, sizeof *w->products);
    w->weights = calloc(plan->n_measures, sizeof *w->weights);
    w->infinites = calloc(plan->n_measures, sizeof *w->infinites);
    for (size_t m = 0; m < plan->n_measures; m++) {
        if (w->products != NULL)
            hanse_wide_sums_init(&w->products[m], "weighted sums", budget);
        if (w->weights != NULL)
            hanse_wide_sums_init(&w->weights[m], "weighted sums", budget);
    }
    if (w->products == NULL || w->weights == NULL || w->infinites == NULL) {
        destroy(w);
        return hanse_fail_nomem(error, "weighted sums", plan->n_measures);
    }
    *state = w;
    return HANSE_OK;
}

static hanse_status grow(weighted *w, size_t n_groups, hanse_error *error)
{
    for (size_t m = 0; m < w->plan->n_measures; m++) {
        HANSE_TRY(hanse_wide_sums_grow(&w->products[m], n_groups, error));
        HANSE_TRY(hanse_wide_sums_grow(&w->weights[m], n_groups, error));
        HANSE_TRY(hanse_group_array_grow(&w->infinites[m], w->budget, n_groups,
                                         1, NULL, error));
    }
    return HANSE_OK;
}

static hanse_status add_row(weighted *w, size_t measure, size_t group,
                            int64_t value, int64_t weight, hanse_error *error)
{
    const hanse_plan_measure *measures = w->plan->measures;
    hanse_factor x, factor;
    if (!hanse_factor_of(value, measures[measure].number, &x) ||
        !hanse_factor_of(weight, measures[w->plan->weights].number, &factor)) {
        ((uint8_t *)w->infinites[measure].items)[group] = 1;
        return HANSE_OK;
    }
    const hanse_term product = hanse_term_product(&x, &factor);
    const hanse_term single = hanse_term_single(&factor);
    HANSE_TRY(
        hanse_wide_sums_add(&w->products[measure], group, &product, error));
    return hanse_wide_sums_add(&w->weights[measure], group, &single, error);
}

static hanse_status add(void *state, const hanse_extra_rows *rows,
                        hanse_error *error)
{
    weighted *w = state;
    const size_t weights = w->plan->weights;
    const hanse_plan_measure *measures = w->plan->measures;
    HANSE_TRY(grow(w, rows->n_groups, error));
    for (size_t m = 0; m < w->plan->n_measures; m++)
        for (size_t i = 0; i < rows->n; i++)
            if (!hanse_extra_absent(rows, measures[m].number, m, i) &&
                !hanse_extra_absent(rows, measures[weights].number, weights, i))
                HANSE_TRY(add_row(w, m, hanse_extra_group(rows, i),
                                  rows->values[m][i], rows->values[weights][i],
                                  error));
    return HANSE_OK;
}

static hanse_status merge(void *state, size_t n_groups, void *from,
                          size_t n_from, const uint32_t *map, bool take,
                          hanse_error *error)
{
    weighted *w = state;
    const weighted *other = from;
    (void)take;
    HANSE_TRY(grow(w, n_groups, error));
    for (size_t m = 0; m < w->plan->n_measures; m++) {
        uint8_t *infinites = w->infinites[m].items;
        const uint8_t *others = other->infinites[m].items;
        for (size_t g = 0; g < n_from && g < other->infinites[m].n; g++) {
            const size_t to = map == NULL ? 0 : map[g];
            infinites[to] |= others[g];
            HANSE_TRY(hanse_wide_sums_merge(&w->products[m], to,
                                            &other->products[m], g, error));
            HANSE_TRY(hanse_wide_sums_merge(&w->weights[m], to,
                                            &other->weights[m], g, error));
        }
    }
    return HANSE_OK;
}

typedef struct one_measure {
    const weighted *weighted;
    size_t measure;
} one_measure;

static double mean_of(const void *context, size_t group)
{
    const one_measure *of = context;
    const weighted *w = of->weighted;
    hanse_wide product, weight;
    if (group >= w->infinites[of->measure].n ||
        ((const uint8_t *)w->infinites[of->measure].items)[group] != 0)
        return (double)NAN;
    hanse_wide_sums_get(&w->products[of->measure], group, &product);
    hanse_wide_sums_get(&w->weights[of->measure], group, &weight);
    return weight.n == 0 ? (double)NAN : hanse_ratio_round(&product, &weight);
}

static hanse_status emit(const void *state, const hanse_extra_target *target,
                         uint32_t statistic, size_t measure, hanse_error *error)
{
    const weighted *w = state;
    const hanse_plan_measure *plan_measure = &w->plan->measures[measure];
    const one_measure of = {w, measure};
    char name[256], words[256];
    (void)statistic;
    snprintf(name, sizeof name, "%s_wmean", plan_measure->name);
    snprintf(words, sizeof words, "mean weighted by %.200s",
             w->plan->measures[w->plan->weights].text);
    const hanse_extra_column column = {.name = name,
                                       .about = plan_measure->long_name,
                                       .words = words,
                                       .units = plan_measure->units,
                                       .cell_methods = "enterprise: mean"};
    return hanse_emit_floats(target, &column, mean_of, &of, error);
}

const hanse_extra_ops hanse_weighted_ops = {
    .needed = needed,
    .create = create,
    .destroy = destroy,
    .add = add,
    .merge = merge,
    .emit = emit,
    .statistics = HANSE_STAT_WMEAN,
};
