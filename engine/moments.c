/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums of cubes and fourth powers, for skewness and kurtosis. With S1 .. S4 the
 * exact sums of powers of n values,
 *
 *   N2 = n S2 - S1^2                                     n   sum (x - mean)^2
 *   N3 = n^2 S3 - 3 n S1 S2 + 2 S1^3                     n^2 sum (x - mean)^3
 *   N4 = n^3 S4 - 4 n^2 S1 S3 + 6 n S1^2 S2 - 3 S1^4     n^3 sum (x - mean)^4
 *
 * are integers times a power of two, and the bias-corrected skewness (G1) and
 * excess kurtosis (G2), as pandas computes them, are
 *
 *   skew     = sqrt(n (n - 1)) / (n - 2) * N3 / N2^1.5
 *   kurtosis = (n - 1) / ((n - 2) (n - 3)) * ((n + 1) N4 / N2^2 - 3 (n - 1))
 *
 * The kurtosis is a quotient of integers, the skewness the root of one: both
 * are rounded once. Where all values are equal (N2 = 0) both are 0.
 */
#include "engine/extras.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/ratio.h"
#include "engine/statistics.h"
#include "engine/wide_sums.h"

typedef struct moments {
    const hanse_plan *plan;
    hanse_wide_sums *sums; /* cubes of measure m at [m], then fourth powers */
    size_t n_sums;
} moments;

static bool needs_fourths(const hanse_plan *plan)
{
    return (plan->statistics & HANSE_STAT_KURTOSIS) != 0;
}

static bool needed(const hanse_plan *plan)
{
    return (plan->statistics & HANSE_STAT_SKEW) != 0 || needs_fourths(plan);
}

static void destroy(void *state)
{
    moments *m = state;
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->n_sums; i++)
        hanse_wide_sums_clear(&m->sums[i]);
    free(m->sums);
    free(m);
}

static hanse_status create(const hanse_plan *plan, size_t grouping,
                           hanse_budget *budget, void **state,
                           hanse_error *error)
{
    (void)grouping;
    moments *m = calloc(1, sizeof *m);
    if (m == NULL)
        return hanse_fail_nomem(error, "sums of powers", sizeof *m);
    const size_t n_sums = (needs_fourths(plan) ? 2 : 1) * plan->n_measures;
    m->plan = plan;
    m->sums = calloc(n_sums, sizeof *m->sums);
    if (m->sums == NULL) {
        destroy(m);
        return hanse_fail_nomem(error, "sums of powers", n_sums);
    }
    m->n_sums = n_sums;
    for (size_t i = 0; i < n_sums; i++)
        hanse_wide_sums_init(&m->sums[i], "sums of powers", budget);
    *state = m;
    return HANSE_OK;
}

static hanse_status grow(moments *m, size_t n_groups, hanse_error *error)
{
    for (size_t i = 0; i < m->n_sums; i++)
        HANSE_TRY(hanse_wide_sums_grow(&m->sums[i], n_groups, error));
    return HANSE_OK;
}

typedef unsigned __int128 u128;

/* square * factor, a square of two words. */
static void multiply_word(uint64_t *out, u128 square, uint64_t factor)
{
    const u128 low = (u128)(uint64_t)square * factor;
    const u128 high =
        (u128)(uint64_t)(square >> 64) * factor + (uint64_t)(low >> 64);
    out[0] = (uint64_t)low;
    out[1] = (uint64_t)high;
    out[2] = (uint64_t)(high >> 64);
}

static hanse_term cube_of(const hanse_factor *x)
{
    hanse_term term = {{0}, 3 * x->exponent, x->negative};
    multiply_word(term.word, (u128)x->magnitude * x->magnitude, x->magnitude);
    return term;
}

static hanse_term fourth_of(const hanse_factor *x)
{
    hanse_term term = {{0}, 4 * x->exponent, false};
    const u128 square = (u128)x->magnitude * x->magnitude;
    uint64_t upper[3];
    multiply_word(term.word, square, (uint64_t)square);
    multiply_word(upper, square, (uint64_t)(square >> 64));
    u128 sum = (u128)term.word[1] + upper[0];
    term.word[1] = (uint64_t)sum;
    sum = (sum >> 64) + term.word[2] + upper[1];
    term.word[2] = (uint64_t)sum;
    term.word[3] = (uint64_t)(sum >> 64) + upper[2];
    return term;
}

/* Infinities are known from the sums of the fold; here they add nothing. */
static hanse_status add_measure(moments *m, size_t measure,
                                const hanse_extra_rows *rows,
                                hanse_error *error)
{
    const hanse_number number = m->plan->measures[measure].number;
    const bool fourths = needs_fourths(m->plan);
    hanse_wide_sums *cubes = &m->sums[measure];
    for (size_t i = 0; i < rows->n; i++) {
        hanse_factor x;
        if (hanse_extra_absent(rows, number, measure, i) ||
            !hanse_factor_of(rows->values[measure][i], number, &x) ||
            x.magnitude == 0)
            continue;
        const size_t group = hanse_extra_group(rows, i);
        const hanse_term cube = cube_of(&x);
        HANSE_TRY(hanse_wide_sums_add(cubes, group, &cube, error));
        if (!fourths)
            continue;
        const hanse_term fourth = fourth_of(&x);
        HANSE_TRY(hanse_wide_sums_add(cubes + m->plan->n_measures, group,
                                      &fourth, error));
    }
    return HANSE_OK;
}

static hanse_status add(void *state, const hanse_extra_rows *rows,
                        hanse_error *error)
{
    moments *m = state;
    HANSE_TRY(grow(m, rows->n_groups, error));
    for (size_t i = 0; i < m->plan->n_measures; i++)
        HANSE_TRY(add_measure(m, i, rows, error));
    return HANSE_OK;
}

static hanse_status merge(void *state, size_t n_groups, void *from,
                          size_t n_from, const uint32_t *map, bool take,
                          hanse_error *error)
{
    moments *m = state;
    const moments *other = from;
    (void)take;
    HANSE_TRY(grow(m, n_groups, error));
    for (size_t i = 0; i < m->n_sums; i++) {
        const hanse_wide_sums *sums = &other->sums[i];
        for (size_t g = 0; g < n_from && g < sums->n_groups; g++)
            HANSE_TRY(hanse_wide_sums_merge(
                &m->sums[i], map == NULL ? 0 : map[g], sums, g, error));
    }
    return HANSE_OK;
}

/* ---- Finishing ---------------------------------------------------------- */

typedef struct shape {
    hanse_statistic_input input;
    const hanse_wide_sums *cubes;
    const hanse_wide_sums *fourths;
} shape;

/* *sum += factor^power * x * y * z (NULL: 1) */
static void add_product(hanse_wide *sum, int64_t factor, uint64_t n, int power,
                        const hanse_wide *x, const hanse_wide *y)
{
    hanse_wide product;
    if (y == NULL)
        hanse_wide_copy(&product, x);
    else
        hanse_wide_multiply(&product, x, y);
    hanse_wide_scale(&product, (uint64_t)(factor < 0 ? -factor : factor));
    for (int i = 0; i < power; i++)
        hanse_wide_scale(&product, n);
    if (factor < 0)
        hanse_wide_subtract(sum, &product);
    else
        hanse_wide_add(sum, &product);
}

static void zero(hanse_wide *x)
{
    hanse_wide_from_words(x, NULL, 0, 0, false);
}

/* N2; false when it is zero. */
static bool second(const shape *s, size_t group, uint64_t n, hanse_wide *s1,
                   hanse_wide *s2, hanse_wide *out)
{
    hanse_statistic_sum(&s->input, false, group, s1);
    hanse_statistic_sum(&s->input, true, group, s2);
    zero(out);
    add_product(out, 1, n, 1, s2, NULL);
    add_product(out, -1, n, 0, s1, s1);
    return out->n != 0;
}

static double skew_of(const void *context, size_t group)
{
    const shape *s = context;
    const uint64_t n = hanse_statistic_count(&s->input, group);
    hanse_wide s1, s2, s3, n2, n3, square, denominator, power;
    if (n < 3 || hanse_statistic_has_infinity(&s->input, group))
        return (double)NAN;
    if (!second(s, group, n, &s1, &s2, &n2))
        return 0.0;
    hanse_wide_sums_get(s->cubes, group, &s3);
    zero(&n3);
    add_product(&n3, 1, n, 2, &s3, NULL);
    add_product(&n3, -3, n, 1, &s1, &s2);
    hanse_wide_square(&square, &s1);
    add_product(&n3, 2, n, 0, &square, &s1);

    hanse_wide_square(&square, &n3);
    hanse_wide_scale(&square, n);
    hanse_wide_scale(&square, n - 1);
    hanse_wide_square(&power, &n2);
    hanse_wide_multiply(&denominator, &power, &n2);
    hanse_wide_scale(&denominator, n - 2);
    hanse_wide_scale(&denominator, n - 2);
    const double skew = hanse_ratio_root(&square, &denominator);
    return n3.negative && n3.n != 0 ? -skew : skew;
}

static double kurtosis_of(const void *context, size_t group)
{
    const shape *s = context;
    const uint64_t n = hanse_statistic_count(&s->input, group);
    hanse_wide s1, s2, sum, n2, n4, s1_squared, n2_squared;
    if (n < 4 || hanse_statistic_has_infinity(&s->input, group))
        return (double)NAN;
    if (!second(s, group, n, &s1, &s2, &n2))
        return 0.0;
    zero(&n4);
    hanse_wide_sums_get(s->fourths, group, &sum);
    add_product(&n4, 1, n, 3, &sum, NULL);
    hanse_wide_sums_get(s->cubes, group, &sum);
    add_product(&n4, -4, n, 2, &s1, &sum);
    hanse_wide_square(&s1_squared, &s1);
    add_product(&n4, 6, n, 1, &s1_squared, &s2);
    add_product(&n4, -3, n, 0, &s1_squared, &s1_squared);

    /* ((n + 1) N4 - 3 (n - 1) N2^2) (n - 1) / (N2^2 (n - 2) (n - 3)) */
    hanse_wide_square(&n2_squared, &n2);
    hanse_wide_scale(&n4, n + 1);
    add_product(&n4, -3, n - 1, 1, &n2_squared, NULL);
    hanse_wide_scale(&n4, n - 1);
    hanse_wide_scale(&n2_squared, n - 2);
    hanse_wide_scale(&n2_squared, n - 3);
    return hanse_ratio_round(&n4, &n2_squared);
}

static hanse_status emit(const void *state, const hanse_extra_target *target,
                         uint32_t statistic, size_t measure, hanse_error *error)
{
    const moments *m = state;
    const hanse_plan_measure *plan_measure = &m->plan->measures[measure];
    const bool is_skew = statistic == HANSE_STAT_SKEW;
    const shape s = {
        {target->states, target->grouping, measure, target->groups, target->n},
        &m->sums[measure],
        needs_fourths(m->plan) ? &m->sums[m->plan->n_measures + measure]
                               : NULL};
    char name[256];
    snprintf(name, sizeof name, "%s_%s", plan_measure->name,
             hanse_statistic_name((hanse_statistic)statistic));
    const hanse_extra_column column = {
        .name = name,
        .about = plan_measure->long_name,
        .words = is_skew ? "skewness, bias-corrected"
                         : "excess kurtosis, bias-corrected",
        .units = "1"};
    return hanse_emit_floats(target, &column, is_skew ? skew_of : kurtosis_of,
                             &s, error);
}

const hanse_extra_ops hanse_moments_ops = {
    .needed = needed,
    .create = create,
    .destroy = destroy,
    .add = add,
    .merge = merge,
    .emit = emit,
    .statistics = HANSE_STAT_SKEW | HANSE_STAT_KURTOSIS,
};
