/* SPDX-License-Identifier: Apache-2.0
 *
 * The information model as steps of a run.
 */
#include "engine/models/information.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/formula.h"
#include "engine/models/information_state.h"
#include "engine/models/status.h"
#include "engine/result.h"
#include "engine/spec.h"

/* ---- Specification ------------------------------------------------------ */

hanse_status hanse_information_spec_create(hanse_information_spec **out,
                                           hanse_error *error)
{
    hanse_information_spec *spec = calloc(1, sizeof *spec);
    if (spec == NULL)
        return hanse_fail_nomem(error, "information model", sizeof *spec);
    spec->n_within = SIZE_MAX;
    spec->walk =
        (hanse_walk_spec){.hops = 1, .tolerance = 1e-12, .most_steps = 1000};
    *out = spec;
    return HANSE_OK;
}

void hanse_information_spec_destroy(hanse_information_spec *spec)
{
    if (spec == NULL)
        return;
    for (size_t k = 0; k < spec->n_conditions; k++) {
        free(spec->conditions[k].name);
        free(spec->conditions[k].text);
        free(spec->conditions[k].now);
        free(spec->conditions[k].before);
    }
    for (size_t k = 0; spec->n_within != SIZE_MAX && k < spec->n_within; k++)
        free(spec->within[k]);
    free(spec->conditions);
    free(spec->within);
    free(spec->linkages_total);
    hanse_link_spec_clear(&spec->links);
    hanse_link_spec_clear(&spec->flows);
    free(spec);
}

/* ---- State -------------------------------------------------------------- */

static void destroy_information(void *object)
{
    hanse_information *info = object;
    for (size_t k = 0; info->outliers != NULL && k < info->spec->n_conditions;
         k++)
        hanse_free(info->budget, info->outliers[k], info->n_rows,
                   sizeof *info->outliers[k]);
    free(info->outliers);
    hanse_free(info->budget, info->received, info->n_rows,
               sizeof *info->received);
    free(info);
}

static hanse_status make_information(const hanse_information_spec *spec,
                                     hanse_model_run *run,
                                     hanse_information **out,
                                     hanse_error *error)
{
    hanse_information *info = calloc(1, sizeof *info);
    if (info == NULL)
        return hanse_fail_nomem(error, "information model", sizeof *info);
    *info = (hanse_information){.spec = spec,
                                .run = run,
                                .budget = run->source->budget,
                                .n_rows = run->n_rows,
                                .has_converged = true};
    info->outliers = calloc(spec->n_conditions + 1, sizeof *info->outliers);
    if (info->outliers == NULL) {
        free(info);
        return hanse_fail_nomem(error, "information model", sizeof *info);
    }
    HANSE_TRY(hanse_model_keep(run, info, destroy_information, error));
    *out = info;
    return HANSE_OK;
}

const char *hanse_information_quantity(const hanse_model_run *run)
{
    for (size_t m = 0; m < run->spec->n_measures; m++)
        if (strcmp(run->spec->measures[m].name, "information") == 0)
            return run->spec->measures[m].formula;
    return "information";
}

/* Which rows the job's filter keeps, where steps need to know beforehand. */
static hanse_status find_used(hanse_information *info, hanse_error *error)
{
    hanse_result *result;
    hanse_groups *groups;
    bool is_needed = info->spec->transmits;
    for (size_t k = 0; k < info->spec->n_conditions; k++)
        is_needed = is_needed || info->spec->conditions[k].now != NULL;
    if (info->run->spec->filter == NULL || !is_needed)
        return HANSE_OK;
    HANSE_TRY(hanse_model_pass(info->run, NULL, 0, NULL, 0, 0, &groups, &result,
                               error));
    hanse_result_destroy(result);
    info->used = groups;
    return HANSE_OK;
}

hanse_status hanse_information_used(const hanse_information *info,
                                    uint32_t **out, hanse_error *error)
{
    if (info->used == NULL)
        return HANSE_OK;
    uint32_t *numbers =
        hanse_allocate(info->budget, info->n_rows, sizeof *numbers);
    if (numbers == NULL)
        return hanse_fail_budget(error, info->budget, "rows that are used",
                                 info->n_rows, sizeof *numbers);
    const hanse_status status =
        hanse_groups_collect(info->used, info->run->options, numbers, error);
    if (status != HANSE_OK)
        hanse_free(info->budget, numbers, info->n_rows, sizeof *numbers);
    else
        *out = numbers;
    return status;
}

/* ---- Columns of tables -------------------------------------------------- */

enum {
    TABLE_KEPT,
    TABLE_SENT,
    TABLE_SHARE,
    TABLE_MULTIPLIER,
    TABLE_STATUS
};

static const hanse_table_column table_columns[HANSE_INFORMATION_COLUMNS] = {
    [TABLE_KEPT] = {"information_kept", "records that the filter keeps", NULL,
                    HANSE_INT64, false},
    [TABLE_SENT] = {"information_sent",
                    "information of the records that the filter keeps", NULL,
                    HANSE_FLOAT64, false},
    [TABLE_SHARE] = {"information_kept_share",
                     "share of records that the filter keeps", NULL,
                     HANSE_FLOAT64, true},
    [TABLE_MULTIPLIER] = {"information_multiplier",
                          "information after transmission over before", NULL,
                          HANSE_FLOAT64, true},
    [TABLE_STATUS] = {"information_status", "why the total is not defined",
                      NULL, HANSE_INT8, false},
};

#define IS_UNDEFINED HANSE_IN_QUOTES(HANSE_RECEIVED_CODE) " == 8"

/* Name of the number of records whose quantity is not finite, among the sums.
 */
static const char undefined_sum[] = "information_undefined";
/* Of these, those that totals would leave out. */
static const char lost_sum[] = "information_lost";

/* numerator / denominator, or why there is none. */
static double divide(double numerator, double denominator, bool is_empty,
                     int8_t *status)
{
    *status = HANSE_MODEL_OK;
    if (is_empty)
        *status = HANSE_MODEL_EMPTY;
    else if (!isfinite(numerator) || !isfinite(denominator))
        *status = HANSE_MODEL_NOT_FINITE;
    else if (denominator == 0.0)
        *status = HANSE_MODEL_ZERO;
    return *status == HANSE_MODEL_OK ? numerator / denominator : NAN;
}

/* Whether a column is a statistic of the measure "information", and not of
 * another whose name begins so. */
static bool is_statistic(const hanse_information *info,
                         const hanse_column *column)
{
    static const char name[] = "information_";
    const hanse_spec *spec = info->run->spec;
    if (strncmp(column->name, name, sizeof name - 1) != 0 ||
        column->type != HANSE_FLOAT64)
        return false;
    for (size_t i = 0; i < HANSE_INFORMATION_COLUMNS; i++)
        if (strcmp(column->name, table_columns[i].name) == 0)
            return false;
    for (size_t m = 0; m < spec->n_measures; m++) {
        const char *other = spec->measures[m].name;
        const size_t n = strlen(other);
        if (strncmp(other, name, sizeof name - 1) == 0 &&
            strncmp(column->name, other, n) == 0 && column->name[n] == '_')
            return false;
    }
    return true;
}

/* Totals of what was not found are no totals of nothing. */
static void undo_statistics(const hanse_information *info,
                            const hanse_owned_table *table)
{
    for (size_t c = 0; c < table->view.n_columns; c++) {
        const hanse_column *column = &table->view.columns[c];
        double *values = (double *)(uintptr_t)column->values;
        if (!is_statistic(info, column))
            continue;
        for (size_t row = 0; row < table->view.n_rows; row++)
            values[row] = NAN;
    }
}

static hanse_status fill_columns(const void *context,
                                 struct hanse_owned_table *table,
                                 const hanse_table *sums, void *const *values,
                                 int8_t *const *status, hanse_error *error)
{
    const hanse_information *info = context;
    int64_t *kept = values[TABLE_KEPT];
    double *sent = values[TABLE_SENT], *share = values[TABLE_SHARE];
    double *multiplier = values[TABLE_MULTIPLIER];
    int8_t *codes = values[TABLE_STATUS];
    double *totals = hanse_table_values(table, "information_total");
    (void)error;
    hanse_model_status_flags(&table->columns[table->n_columns - 1]);
    if (!info->has_converged)
        undo_statistics(info, table);
    for (size_t row = 0; row < sums->n_rows; row++) {
        const double n =
            (double)((const int64_t *)hanse_table_find(sums, "count")
                         ->values)[row];
        const double n_kept =
            hanse_table_number(sums, "information_kept", "total", row);
        kept[row] = (int64_t)n_kept;
        sent[row] = hanse_table_number(sums, "information_sent", "total", row);
        share[row] = divide(n_kept, n, n == 0.0, &status[TABLE_SHARE][row]);
        multiplier[row] =
            divide(hanse_table_number(sums, "information_now", "total", row),
                   sent[row], n == 0.0, &status[TABLE_MULTIPLIER][row]);
        if (hanse_table_number(sums, undefined_sum, "total", row) > 0.0) {
            multiplier[row] = NAN;
            status[TABLE_MULTIPLIER][row] = HANSE_MODEL_NOT_FINITE;
        }
        codes[row] = HANSE_MODEL_OK;
        if (isnan(hanse_table_number(sums, "information_now", "total", row)) ||
            hanse_table_number(sums, lost_sum, "total", row) > 0.0) {
            codes[row] = HANSE_MODEL_NOT_FINITE;
            if (totals != NULL)
                totals[row] = NAN;
        }
        if (!info->has_converged) {
            codes[row] = HANSE_MODEL_NOT_CONVERGED;
            multiplier[row] = NAN;
            status[TABLE_MULTIPLIER][row] = HANSE_MODEL_NOT_CONVERGED;
        }
    }
    return HANSE_OK;
}

/* ---- The steps ---------------------------------------------------------- */

/* The measure, and what is computed from its sums. */
static hanse_status integrate(hanse_information *info, hanse_error *error)
{
    hanse_model_run *run = info->run;
    const hanse_table_columns columns = {.columns = info->columns,
                                         .n_columns = HANSE_INFORMATION_COLUMNS,
                                         .fill = fill_columns,
                                         .context = info};
    memcpy(info->columns, table_columns, sizeof table_columns);
    info->columns[TABLE_SENT].units = info->units;
    hanse_columns_set_units(run->columns, HANSE_SENT_COLUMN, info->units);
    hanse_columns_set_units(run->columns, HANSE_RECEIVED_COLUMN, info->units);
    const bool transmits = info->spec->transmits;
    const char *now = transmits ? HANSE_IN_QUOTES(HANSE_RECEIVED_COLUMN)
                                : HANSE_IN_QUOTES(HANSE_SENT_COLUMN);
    HANSE_TRY(
        hanse_model_set_measure(run, HANSE_MODEL_INFORMATION, now, error));
    HANSE_TRY(hanse_model_add_sum(run, "information_kept",
                                  HANSE_IN_QUOTES(HANSE_KEPT_COLUMN), error));
    HANSE_TRY(hanse_model_add_sum(run, "information_sent",
                                  HANSE_IN_QUOTES(HANSE_SENT_COLUMN), error));
    HANSE_TRY(hanse_model_add_sum(run, "information_now", now, error));
    HANSE_TRY(hanse_model_add_table_columns(run, &columns, error));
    HANSE_TRY(hanse_information_records(info, error));
    if (!transmits)
        return HANSE_OK;
    HANSE_TRY(hanse_model_add_sum(run, undefined_sum, "0 + (" IS_UNDEFINED ")",
                                  error));
    return hanse_model_add_sum(
        run, lost_sum,
        "0 + (" IS_UNDEFINED
        " and isnan(" HANSE_IN_QUOTES(HANSE_RECEIVED_COLUMN) "))",
        error);
}

hanse_status hanse_information_run(const hanse_information_spec *spec,
                                   hanse_model_run *run, hanse_error *error)
{
    hanse_information *info = NULL;
    HANSE_TRY(make_information(spec, run, &info, error));
    HANSE_TRY(hanse_model_units(run, hanse_information_quantity(run),
                                "measure 'information'", &info->units, error));
    HANSE_TRY(find_used(info, error));
    HANSE_TRY(hanse_information_filter(info, error));
    HANSE_TRY(hanse_information_transmit(info, error));
    return integrate(info, error);
}
