/* SPDX-License-Identifier: Apache-2.0
 *
 * The filter: conditions one after another, for every row whenever it is read.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/models/information_state.h"
#include "engine/models/information_tables.h"

enum {
    NAME_SIZE = 64
};

/* Columns of the set, the conditions' first rejections behind these. */
enum {
    KEPT,
    SENT,
    N_COLUMNS
};

static void fill_rows(const void *context, const hanse_rows *rows,
                      double *const *out)
{
    const hanse_information *info = context;
    const size_t n_conditions = info->spec->n_conditions;
    const double *quantity = rows->numbers[n_conditions];
    for (size_t i = 0; i < rows->n; i++) {
        size_t k = 0;
        for (; k < n_conditions; k++) {
            const uint8_t *outliers = info->outliers[k];
            const bool holds = outliers != NULL
                                   ? outliers[rows->first_row + i] == 0
                                   : rows->numbers[k][i] == 1.0;
            out[N_COLUMNS + k][i] = holds ? 0.0 : 1.0;
            if (!holds)
                break;
        }
        for (size_t j = k + 1; j < n_conditions; j++)
            out[N_COLUMNS + j][i] = 0.0;
        const bool is_kept = k == n_conditions;
        out[KEPT][i] = is_kept ? 1.0 : 0.0;
        /* What is not kept sends nothing, whether it is there or not. */
        out[SENT][i] = is_kept ? quantity[i] : 0.0;
    }
}

/* ---- Outliers ----------------------------------------------------------- */

/* The ratios of rows that the job does not use are not looked at. */
static void hide_unused(const uint32_t *used, size_t n, double *values)
{
    for (size_t i = 0; used != NULL && i < n; i++)
        if (used[i] == HANSE_NO_GROUP)
            values[i] = NAN;
}

static hanse_status collect_outliers(hanse_information *info, size_t k,
                                     const uint32_t *used, double *values,
                                     hanse_error *error)
{
    const hanse_filter_condition *condition = &info->spec->conditions[k];
    const char *const formulas[2] = {condition->now, condition->before};
    double *const out[2] = {values, values + info->n_rows};
    char what[NAME_SIZE];
    hanse_outlier_bounds bounds;
    (void)snprintf(what, sizeof what, "step '%s'", condition->name);
    HANSE_TRY(hanse_columns_collect(info->run->columns, formulas, 2, what,
                                    info->run->options, out, error));
    hide_unused(used, info->n_rows, out[0]);
    return hanse_outliers_find(out[0], out[1], info->n_rows, &condition->test,
                               hanse_model_threads(info->run), info->budget,
                               info->outliers[k], &bounds, error);
}

static hanse_status find_outliers(hanse_information *info, size_t k,
                                  hanse_error *error)
{
    hanse_budget *budget = info->budget;
    const size_t n = info->n_rows;
    uint32_t *used = NULL;
    info->outliers[k] = hanse_allocate(budget, n, sizeof *info->outliers[k]);
    if (info->outliers[k] == NULL)
        return hanse_fail_budget(error, budget, "outliers", n,
                                 sizeof *info->outliers[k]);
    HANSE_TRY(hanse_information_used(info, &used, error));
    double *values = hanse_allocate(budget, 2 * n, sizeof *values);
    const hanse_status status =
        values != NULL ? collect_outliers(info, k, used, values, error)
                       : hanse_fail_budget(error, budget, "ratios of periods",
                                           2 * n, sizeof *values);
    hanse_free(budget, values, 2 * n, sizeof *values);
    hanse_free(budget, used, n, sizeof *used);
    return status;
}

/* ---- Columns ------------------------------------------------------------ */

/* Formulas of conditions give 0, 1 or missing as numbers. */
typedef struct column_names {
    const char **names;
    char (*rejected)[NAME_SIZE]; /* of the columns of conditions */
    const char **formulas;
} column_names;

static hanse_status add_columns(hanse_information *info, column_names *names,
                                hanse_error *error)
{
    const hanse_information_spec *spec = info->spec;
    names->names[KEPT] = HANSE_KEPT_COLUMN;
    names->names[SENT] = HANSE_SENT_COLUMN;
    for (size_t k = 0; k < spec->n_conditions; k++) {
        (void)snprintf(names->rejected[k], NAME_SIZE,
                       "information.rejected.%zu", k + 1);
        names->names[N_COLUMNS + k] = names->rejected[k];
        names->formulas[k] =
            spec->conditions[k].now != NULL ? "0" : spec->conditions[k].text;
    }
    names->formulas[spec->n_conditions] = hanse_information_quantity(info->run);
    const hanse_column_set set = {.names = names->names,
                                  .n_columns = N_COLUMNS + spec->n_conditions,
                                  .formulas = names->formulas,
                                  .n_formulas = spec->n_conditions + 1,
                                  .what = "measure 'information'",
                                  .fill = fill_rows,
                                  .context = info};
    return hanse_columns_add(info->run->columns, &set, error);
}

/* ---- Counts ------------------------------------------------------------- */

static hanse_status read_counts(hanse_information *info,
                                const hanse_result *result, hanse_error *error)
{
    const hanse_information_spec *spec = info->spec;
    const hanse_table *table = hanse_result_table(result, 0);
    uint64_t *rejected = calloc(spec->n_conditions + 1, sizeof *rejected);
    if (rejected == NULL)
        return hanse_fail_nomem(error, "filter", spec->n_conditions);
    for (size_t k = 0; k < spec->n_conditions; k++) {
        char name[NAME_SIZE];
        (void)snprintf(name, sizeof name, "rejected%zu", k + 1);
        rejected[k] = (uint64_t)hanse_table_number(table, name, "total", 0);
    }
    const int64_t *n_rows = hanse_table_find(table, "count")->values;
    const hanse_status status = hanse_publish_filter(
        info->run, spec, (uint64_t)n_rows[0], rejected, error);
    free(rejected);
    return status;
}

static hanse_status count_rejected(hanse_information *info,
                                   const column_names *names,
                                   hanse_error *error)
{
    const size_t n = info->spec->n_conditions;
    hanse_model_measure *measures = calloc(n + 1, sizeof *measures);
    char(*texts)[2][NAME_SIZE] = calloc(n + 1, sizeof *texts);
    hanse_result *result = NULL;
    hanse_status status = HANSE_OK;
    if (measures == NULL || texts == NULL)
        status = hanse_fail_nomem(error, "filter", n);
    for (size_t k = 0; status == HANSE_OK && k < n; k++) {
        (void)snprintf(texts[k][0], NAME_SIZE, "rejected%zu", k + 1);
        (void)snprintf(texts[k][1], NAME_SIZE, "`%s`", names->rejected[k]);
        measures[k] = (hanse_model_measure){texts[k][0], texts[k][1]};
    }
    if (status == HANSE_OK)
        status = hanse_model_pass(info->run, NULL, 0, measures, n,
                                  HANSE_STAT_TOTAL, NULL, &result, error);
    if (status == HANSE_OK)
        status = read_counts(info, result, error);
    hanse_result_destroy(result);
    free(measures);
    free(texts);
    return status;
}

static hanse_status filter(hanse_information *info, column_names *names,
                           hanse_error *error)
{
    const hanse_information_spec *spec = info->spec;
    for (size_t k = 0; k < spec->n_conditions; k++)
        if (spec->conditions[k].now != NULL)
            HANSE_TRY(find_outliers(info, k, error));
    HANSE_TRY(add_columns(info, names, error));
    return spec->n_conditions > 0 ? count_rejected(info, names, error)
                                  : HANSE_OK;
}

hanse_status hanse_information_filter(hanse_information *info,
                                      hanse_error *error)
{
    const size_t n = info->spec->n_conditions;
    column_names names = {
        .names = calloc(n + N_COLUMNS, sizeof *names.names),
        .rejected = calloc(n + 1, sizeof *names.rejected),
        .formulas = calloc(n + 1, sizeof *names.formulas),
    };
    const hanse_status status =
        names.names != NULL && names.rejected != NULL && names.formulas != NULL
            ? filter(info, &names, error)
            : hanse_fail_nomem(error, "filter", n * NAME_SIZE);
    free(names.names);
    free(names.rejected);
    free(names.formulas);
    return status;
}
