/* SPDX-License-Identifier: Apache-2.0
 *
 * The passes of a composite indicator.
 */
#include "engine/models/evaluate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/models/evaluate_internal.h"
#include "engine/result.h"
#include "engine/spec.h"

enum {
    NAME_SIZE = 96 /* prefix and a number */
};

/* ---- Specification ------------------------------------------------------ */

void hanse_evaluate_spec_init(hanse_evaluate_spec *spec)
{
    *spec = (hanse_evaluate_spec){.b = 1.0};
}

hanse_status hanse_evaluate_spec_add(hanse_evaluate_spec *spec,
                                     const hanse_indicator *indicator,
                                     hanse_error *error)
{
    hanse_indicator *larger =
        realloc(spec->indicators, (spec->n_indicators + 1) * sizeof *larger);
    if (larger == NULL) {
        free(indicator->name);
        free(indicator->formula);
        return hanse_fail_nomem(error, "indicators", sizeof *larger);
    }
    spec->indicators = larger;
    larger[spec->n_indicators++] = *indicator;
    for (size_t j = 0; j + 1 < spec->n_indicators; j++)
        if (strcmp(larger[j].name, indicator->name) == 0)
            return hanse_fail(error, HANSE_ERR_SPEC,
                              "evaluate: indicator '%s' stands twice",
                              indicator->name);
    if (spec->n_indicators > HANSE_INDICATORS_MAX)
        return hanse_fail(error, HANSE_ERR_SPEC,
                          "evaluate: more than %d indicators",
                          (int)HANSE_INDICATORS_MAX);
    return HANSE_OK;
}

void hanse_evaluate_spec_clear(hanse_evaluate_spec *spec)
{
    for (size_t j = 0; j < spec->n_indicators; j++) {
        free(spec->indicators[j].name);
        free(spec->indicators[j].formula);
    }
    free(spec->indicators);
    hanse_evaluate_spec_init(spec);
}

/* ---- Constants ---------------------------------------------------------- */

static void destroy_scales(void *object)
{
    hanse_scales *s = object;
    const size_t n = s->n_scopes * s->n_indicators;
    hanse_free(s->budget, s->scaling, n, sizeof *s->scaling);
    hanse_free(s->budget, s->bounds, n, sizeof *s->bounds);
    hanse_free(s->budget, s->n, s->n_scopes, sizeof *s->n);
    hanse_free(s->budget, s->status, s->n_scopes, sizeof *s->status);
    free(s);
}

static hanse_status make_scales(hanse_model_run *run, size_t n_indicators,
                                hanse_scales **out, hanse_error *error)
{
    hanse_cpu cpu;
    HANSE_TRY(hanse_cpu_choose(&cpu, error));
    hanse_scales *s = calloc(1, sizeof *s);
    if (s == NULL)
        return hanse_fail_nomem(error, "indicators", sizeof *s);
    s->n_indicators = n_indicators;
    s->loops = hanse_evaluate_loops_of(cpu);
    s->budget = run->source->budget;
    HANSE_TRY(hanse_model_keep(run, s, destroy_scales, error));
    *out = s;
    return HANSE_OK;
}

static hanse_status allocate_scales(hanse_scales *s, size_t n_scopes,
                                    hanse_error *error)
{
    const size_t n = n_scopes * s->n_indicators;
    s->n_scopes = n_scopes;
    s->scaling = hanse_allocate(s->budget, n, sizeof *s->scaling);
    s->bounds = hanse_allocate(s->budget, n, sizeof *s->bounds);
    s->n = hanse_allocate(s->budget, n_scopes, sizeof *s->n);
    s->status = hanse_allocate(s->budget, n_scopes, sizeof *s->status);
    if (s->scaling == NULL || s->bounds == NULL || s->n == NULL ||
        s->status == NULL)
        return hanse_fail_budget(error, s->budget, "scales of indicators", n,
                                 sizeof *s->scaling + sizeof *s->bounds);
    return HANSE_OK;
}

/* Min-max; NaN where the bounds are not finite. */
static void set_minmax(const hanse_evaluate_spec *spec,
                       const hanse_indicator *indicator,
                       const hanse_bounds *bounds, hanse_scaling *out)
{
    const double low = indicator->has_bounds ? indicator->low : bounds->min;
    const double high = indicator->has_bounds ? indicator->high : bounds->max;
    *out = (hanse_scaling){.range = 1.0};
    if (high == low)
        return;
    const bool is_finite = isfinite(bounds->max - bounds->min);
    out->low = indicator->is_cost ? high : low;
    out->range = indicator->is_cost ? low - high : high - low;
    out->base = is_finite ? spec->a : (double)NAN;
    out->span = spec->b - spec->a;
}

static void set_zscore(const hanse_indicator *indicator,
                       const hanse_bounds *bounds, hanse_scaling *out)
{
    *out = (hanse_scaling){.range = 1.0, .weight = out->weight};
    if (bounds->max == bounds->min)
        return;
    if (!isfinite(bounds->max - bounds->min))
        out->base = (double)NAN;
    out->low = bounds->mean;
    out->range = indicator->is_cost ? -bounds->sd : bounds->sd;
    out->span = 1.0;
}

/* ---- Passes ------------------------------------------------------------- */

typedef struct passes {
    hanse_model_run *run;
    const hanse_evaluation *evaluation;
    const hanse_evaluate_spec *spec;
    size_t m;
    hanse_scales *scales;
    hanse_groups *groups; /* of the scopes; NULL: there is one for all rows */
    const char *formulas[HANSE_INDICATORS_MAX];
    char names[2 * HANSE_INDICATORS_MAX][NAME_SIZE];
    const char *name[2 * HANSE_INDICATORS_MAX]; /* pointers to these */
    hanse_model_measure measures[2 * HANSE_INDICATORS_MAX];
    const hanse_column **pairs; /* [j m + k], j < k: their correlations */
} passes;

static void set_names(passes *p, const char *kind, size_t first)
{
    for (size_t j = 0; j < p->m; j++) {
        char *name = p->names[first + j];
        (void)snprintf(name, NAME_SIZE, "%s_%s%zu", p->evaluation->prefix, kind,
                       j + 1);
        p->name[first + j] = name;
        p->measures[first + j] = (hanse_model_measure){name, name};
    }
}

static hanse_status add_columns(passes *p, const char *const *names,
                                size_t n_columns, hanse_rows_fill *fill,
                                hanse_error *error)
{
    const hanse_groups *groups = p->groups;
    const hanse_column_set set = {.names = names,
                                  .n_columns = n_columns,
                                  .formulas = p->formulas,
                                  .n_formulas = p->m,
                                  .what = "step 'evaluate'",
                                  .groups = &groups,
                                  .n_groups = groups != NULL ? 1 : 0,
                                  .fill = fill,
                                  .context = p->scales};
    return hanse_columns_add(p->run->columns, &set, error);
}

static hanse_status run_pass(passes *p, size_t n_measures, uint32_t statistics,
                             hanse_groups **groups, hanse_result **result,
                             hanse_error *error)
{
    const bool by_group = p->spec->by_group;
    return hanse_model_pass(p->run, p->evaluation->keys,
                            by_group ? p->evaluation->n_keys : 0, p->measures,
                            n_measures, statistics, groups, result, error);
}

/* Number of records, bounds, and whether all is finite. */
static void take_bounds(passes *p, const hanse_table *table, size_t scope)
{
    hanse_scales *s = p->scales;
    bool is_finite = true;
    s->n[scope] =
        (uint64_t)hanse_table_number(table, p->name[0], "count", scope);
    for (size_t j = 0; j < p->m; j++) {
        hanse_bounds *b = &s->bounds[scope * p->m + j];
        b->min = hanse_table_number(table, p->name[j], "min", scope);
        b->max = hanse_table_number(table, p->name[j], "max", scope);
        b->mean = hanse_table_number(table, p->name[j], "mean", scope);
        b->sd = hanse_table_number(table, p->name[j], "std", scope);
        is_finite = is_finite && isfinite(b->max - b->min);
        set_minmax(p->spec, &p->spec->indicators[j], b,
                   &s->scaling[scope * p->m + j]);
    }
    s->status[scope] = s->n[scope] == 0 ? HANSE_MODEL_EMPTY
                       : is_finite      ? HANSE_MODEL_OK
                                        : HANSE_MODEL_NOT_FINITE;
}

/* Of values outside fixed bounds no shares can be made. */
static bool is_outside(const passes *p, size_t scope)
{
    for (size_t j = 0; j < p->m; j++) {
        const hanse_indicator *indicator = &p->spec->indicators[j];
        const hanse_bounds *b = &p->scales->bounds[scope * p->m + j];
        if (indicator->has_bounds &&
            (b->min < indicator->low || b->max > indicator->high))
            return true;
    }
    return false;
}

/* Columns of correlations: those of pairs are many, so that each is looked up
 * once and not for each scope. */
static hanse_status find_pairs(passes *p, const hanse_table *table,
                               hanse_error *error)
{
    char name[2 * NAME_SIZE + 8];
    p->pairs = calloc(p->m * p->m, sizeof *p->pairs);
    if (p->pairs == NULL)
        return hanse_fail_nomem(error, "correlations", p->m * p->m);
    for (size_t j = 0; j < p->m; j++)
        for (size_t k = j + 1; k < p->m; k++) {
            (void)snprintf(name, sizeof name, "%s_%s", p->name[j], p->name[k]);
            p->pairs[j * p->m + k] = hanse_table_statistic(table, name, "corr");
        }
    return HANSE_OK;
}

static void take_correlations(const passes *p, size_t scope,
                              double *correlations)
{
    for (size_t j = 0; j < p->m; j++)
        for (size_t k = j; k < p->m; k++) {
            const double r =
                j == k ? 1.0
                       : hanse_column_number(p->pairs[j * p->m + k], scope);
            correlations[j * p->m + k] = correlations[k * p->m + j] = r;
        }
}

/* `sums`: of y and y log y, for entropy. */
static void set_weights(passes *p, const hanse_table *sums, size_t scope)
{
    hanse_indicator_sums indicators[HANSE_INDICATORS_MAX] = {0};
    double correlations[HANSE_INDICATORS_MAX * HANSE_INDICATORS_MAX];
    double weights[HANSE_INDICATORS_MAX];
    hanse_scales *s = p->scales;
    const bool is_critic = p->spec->weighting == HANSE_WEIGHTS_CRITIC;
    for (size_t j = 0; j < p->m; j++) {
        const hanse_scaling *scaling = &s->scaling[scope * p->m + j];
        const hanse_bounds *b = &s->bounds[scope * p->m + j];
        indicators[j].given = p->spec->indicators[j].weight;
        indicators[j].is_constant =
            !p->spec->indicators[j].has_bounds && b->max == b->min;
        indicators[j].is_cost = p->spec->indicators[j].is_cost;
        indicators[j].sd = fabs(scaling->span * (b->sd / scaling->range));
        /* Without sums it has no weight, which is exact where all values are
         * the same. */
        if (sums == NULL || b->max == b->min)
            continue;
        indicators[j].sum_y =
            hanse_table_number(sums, p->name[j], "total", scope);
        indicators[j].sum_y_log_y =
            hanse_table_number(sums, p->name[p->m + j], "total", scope);
    }
    if (is_critic)
        take_correlations(p, scope, correlations);
    hanse_model_status status =
        hanse_weigh(p->spec->weighting, indicators, p->m, s->n[scope],
                    correlations, weights);
    if (sums != NULL && is_outside(p, scope))
        status = HANSE_MODEL_INFEASIBLE;
    if (s->status[scope] == HANSE_MODEL_NOT_FINITE)
        status = HANSE_MODEL_NOT_FINITE;
    const bool is_undefined =
        status == HANSE_MODEL_INFEASIBLE || status == HANSE_MODEL_NOT_FINITE;
    s->status[scope] = (int8_t)status;
    for (size_t j = 0; j < p->m; j++) {
        hanse_scaling *scaling = &s->scaling[scope * p->m + j];
        scaling->weight = is_undefined ? (double)NAN : weights[j];
        if (p->spec->scale == HANSE_SCALE_ZSCORE)
            set_zscore(&p->spec->indicators[j], &s->bounds[scope * p->m + j],
                       scaling);
    }
}

/* The first pass: bounds. */
static hanse_status find_bounds(passes *p, hanse_result **result,
                                hanse_error *error)
{
    const bool is_critic = p->spec->weighting == HANSE_WEIGHTS_CRITIC;
    uint32_t statistics = HANSE_STAT_COUNT | HANSE_STAT_MIN | HANSE_STAT_MAX |
                          HANSE_STAT_MEAN | HANSE_STAT_STD;
    if (is_critic && p->m > 1)
        statistics |= HANSE_STAT_CORR;
    set_names(p, "x", 0);
    HANSE_TRY(add_columns(p, p->name, p->m, hanse_fill_complete, error));
    p->scales->has_groups = p->spec->by_group || p->run->spec->filter != NULL;
    HANSE_TRY(run_pass(p, p->m, statistics,
                       p->scales->has_groups ? &p->groups : NULL, result,
                       error));
    if (p->groups != NULL)
        hanse_groups_remember(p->groups);
    const hanse_table *table = hanse_result_table(*result, 0);
    const hanse_status status =
        allocate_scales(p->scales, table->n_rows, error);
    for (size_t g = 0; status == HANSE_OK && g < table->n_rows; g++)
        take_bounds(p, table, g);
    return status;
}

/* The second pass, of entropy: sums of y and y log y. */
static hanse_status find_sums(passes *p, hanse_result **sums,
                              hanse_error *error)
{
    set_names(p, "y", 0);
    set_names(p, "l", p->m);
    HANSE_TRY(add_columns(p, p->name, 2 * p->m, hanse_fill_logarithms, error));
    return run_pass(p, 2 * p->m, HANSE_STAT_TOTAL, NULL, sums, error);
}

static hanse_status find_scales(passes *p, hanse_error *error)
{
    hanse_result *result = NULL, *sums = NULL;
    hanse_status status = find_bounds(p, &result, error);
    if (status == HANSE_OK && p->spec->weighting == HANSE_WEIGHTS_ENTROPY)
        status = find_sums(p, &sums, error);
    if (status == HANSE_OK && p->spec->weighting == HANSE_WEIGHTS_CRITIC)
        status = find_pairs(p, hanse_result_table(result, 0), error);
    if (status == HANSE_OK) {
        const hanse_table *table = hanse_result_table(result, 0);
        for (size_t g = 0; g < table->n_rows; g++)
            set_weights(p, sums != NULL ? hanse_result_table(sums, 0) : NULL,
                        g);
        hanse_result *weights = NULL;
        if (p->evaluation->table != NULL)
            status = hanse_evaluate_table(p->evaluation, p->scales, table,
                                          &weights, error);
        if (weights != NULL)
            status = hanse_model_add_tables(p->run, weights, error);
    }
    hanse_result_destroy(result);
    hanse_result_destroy(sums);
    return status;
}

/* ---- Columns ------------------------------------------------------------ */

static hanse_status add_normalised(passes *p, hanse_error *error)
{
    char *names[HANSE_INDICATORS_MAX] = {NULL};
    hanse_status status = HANSE_OK;
    for (size_t j = 0; j < p->m; j++)
        if (asprintf(&names[j], "%s%s", p->evaluation->normalised,
                     p->spec->indicators[j].name) < 0) {
            names[j] = NULL;
            status = hanse_fail_nomem(error, "indicators", NAME_SIZE);
        }
    if (status == HANSE_OK)
        status = add_columns(p, (const char *const *)names, p->m,
                             hanse_fill_normalised, error);
    for (size_t j = 0; j < p->m; j++)
        free(names[j]);
    return status;
}

static hanse_status evaluate(passes *p, hanse_error *error)
{
    const hanse_evaluation *evaluation = p->evaluation;
    for (size_t j = 0; j < p->m; j++)
        p->formulas[j] = p->spec->indicators[j].formula;
    HANSE_TRY(make_scales(p->run, p->m, &p->scales, error));
    HANSE_TRY(find_scales(p, error));
    if (evaluation->normalised != NULL)
        HANSE_TRY(add_normalised(p, error));
    const char *names[] = {evaluation->score, evaluation->status};
    return add_columns(p, names, evaluation->status != NULL ? 2 : 1,
                       evaluation->status != NULL ? hanse_fill_score_status
                                                  : hanse_fill_score,
                       error);
}

hanse_status hanse_evaluate(hanse_model_run *run,
                            const hanse_evaluation *evaluation,
                            hanse_error *error)
{
    passes *p = calloc(1, sizeof *p);
    if (p == NULL)
        return hanse_fail_nomem(error, "indicators", sizeof *p);
    p->run = run;
    p->evaluation = evaluation;
    p->spec = evaluation->spec;
    p->m = evaluation->spec->n_indicators;
    const hanse_status status = evaluate(p, error);
    free(p->pairs);
    free(p);
    return status;
}

/* ---- Explaining --------------------------------------------------------- */

static char *list_indicators(const hanse_evaluate_spec *spec)
{
    const char *formulas[HANSE_INDICATORS_MAX];
    for (size_t j = 0; j < spec->n_indicators; j++)
        formulas[j] = spec->indicators[j].formula;
    return hanse_text_join(formulas, spec->n_indicators, ", ");
}

hanse_status hanse_evaluate_explain(const hanse_evaluation *evaluation,
                                    const char *step, hanse_pass_notes *notes,
                                    hanse_error *error)
{
    const hanse_evaluate_spec *spec = evaluation->spec;
    const char *scope = spec->by_group ? "each group" : "all records";
    char text[160];
    char *reads = list_indicators(spec);
    if (reads == NULL)
        return hanse_fail_nomem(error, "indicators", spec->n_indicators);
    (void)snprintf(text, sizeof text, "bounds of %zu indicators over %s%s",
                   spec->n_indicators, scope,
                   spec->weighting == HANSE_WEIGHTS_CRITIC
                       ? ", correlations for CRITIC weights"
                       : "");
    hanse_status status =
        hanse_pass_notes_add(notes, step, reads, text, NULL, 0, error);
    if (status == HANSE_OK && spec->weighting == HANSE_WEIGHTS_ENTROPY) {
        (void)snprintf(text, sizeof text,
                       "sums of y and y log y for entropy weights over %s",
                       scope);
        status = hanse_pass_notes_add(notes, step, reads, text, NULL, 0, error);
    }
    free(reads);
    return status;
}
