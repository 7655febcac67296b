/* SPDX-License-Identifier: Apache-2.0
 *
 * The last pass of a run of models, and the columns that are computed from its
 * tables.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/memory.h"
#include "engine/models/models.h"
#include "engine/models/status.h"
#include "engine/result.h"
#include "engine/spec.h"

/* A column of a table, with its status; *values and *status are its rows. */
static hanse_status add_column(hanse_owned_table *table,
                               const hanse_table_column *column, void **values,
                               int8_t **status, hanse_error *error)
{
    char name[256];
    *status = NULL;
    HANSE_TRY(hanse_result_add_column(table, column->name, column->long_name,
                                      column->units, NULL, column->type, values,
                                      error));
    if (!column->has_status)
        return HANSE_OK;
    (void)snprintf(name, sizeof name, "%s_status", column->name);
    HANSE_TRY(hanse_result_add_column(
        table, name, "why the value is not defined", NULL, NULL, HANSE_INT8,
        (void **)status, error));
    hanse_model_status_flags(&table->columns[table->n_columns - 1]);
    return HANSE_OK;
}

static hanse_status fill_columns(const hanse_table_columns *set,
                                 hanse_owned_table *table,
                                 const hanse_table *sums, hanse_error *error)
{
    void **values = calloc(set->n_columns + 1, sizeof *values);
    int8_t **status = calloc(set->n_columns + 1, sizeof *status);
    hanse_status outcome = HANSE_OK;
    if (values == NULL || status == NULL)
        outcome = hanse_fail_nomem(error, "models", set->n_columns);
    for (size_t c = 0; outcome == HANSE_OK && c < set->n_columns; c++)
        outcome =
            add_column(table, &set->columns[c], &values[c], &status[c], error);
    if (outcome == HANSE_OK)
        outcome = set->fill(set->context, table, sums, values, status, error);
    free(values);
    free(status);
    return outcome;
}

static bool applies(const hanse_table_columns *set, const hanse_table *table)
{
    return set->applies == NULL || set->applies(set->context, table);
}

static hanse_status extend_table(const hanse_model_run *run,
                                 hanse_result *result, size_t index,
                                 const hanse_table *sums, hanse_error *error)
{
    hanse_owned_table *table = &result->tables[index];
    size_t n_more = 0;
    for (size_t i = 0; i < run->n_table_columns; i++)
        if (applies(&run->table_columns[i], &table->view))
            n_more += 2 * run->table_columns[i].n_columns;
    if (n_more == 0)
        return HANSE_OK;
    HANSE_TRY(hanse_result_table_extend(table, n_more, run->source->budget,
                                        run->tuning->spill, error));
    for (size_t i = 0; i < run->n_table_columns; i++)
        if (applies(&run->table_columns[i], &table->view))
            HANSE_TRY(fill_columns(&run->table_columns[i], table, sums, error));
    return HANSE_OK;
}

static hanse_status extend_tables(const hanse_model_run *run,
                                  hanse_result *result,
                                  const hanse_result *sums, hanse_error *error)
{
    for (size_t i = 0; i < result->n_tables; i++)
        HANSE_TRY(extend_table(
            run, result, i, sums != NULL ? hanse_result_table(sums, i) : NULL,
            error));
    return HANSE_OK;
}

/* ---- One pass for measures and sums ------------------------------------- */

enum {
    /* Statistics that sums give for nothing. */
    CHEAP = HANSE_STAT_COUNT | HANSE_STAT_MISSING | HANSE_STAT_TOTAL |
            HANSE_STAT_MEAN
};

static bool has_measure(const hanse_spec *spec, const char *name)
{
    for (size_t m = 0; m < spec->n_measures; m++)
        if (strcasecmp(spec->measures[m].name, name) == 0)
            return true;
    return false;
}

/* Whether the sums cost little when they are measures of the last pass. */
static bool may_join(const hanse_model_run *run)
{
    for (size_t m = 0; m < run->sums->n_measures; m++)
        if (has_measure(run->last, run->sums->measures[m].name))
            return false;
    const hanse_statistic_set *set = &run->last->statistics;
    return run->n_table_columns > 0 && run->sums->n_measures > 0 &&
           (set->mask & ~(uint32_t)CHEAP) == 0 && set->n_top == 0 &&
           set->n_quantiles == 0;
}

/* The last pass with the sums as further measures. */
static hanse_status join(const hanse_model_run *run, hanse_spec **out,
                         hanse_error *error)
{
    hanse_spec *spec;
    HANSE_TRY(hanse_spec_copy(run->last, true, &spec, error));
    const uint32_t mask =
        spec->statistics.mask | HANSE_STAT_COUNT | HANSE_STAT_TOTAL;
    hanse_status status = hanse_spec_set_statistics(spec, mask, error);
    for (size_t m = 0; status == HANSE_OK && m < run->sums->n_measures; m++)
        status = hanse_spec_add_measure(spec, run->sums->measures[m].name,
                                        run->sums->measures[m].formula, error);
    if (status != HANSE_OK) {
        hanse_spec_destroy(spec);
        return status;
    }
    *out = spec;
    return HANSE_OK;
}

/* Whether a column is one of the statistics in `mask` of a measure. */
static bool is_of(const char *column, const hanse_spec *spec, uint32_t mask)
{
    for (size_t m = 0; m < spec->n_measures; m++)
        for (uint32_t bit = 1; bit < HANSE_STAT_ALL; bit <<= 1) {
            char name[256];
            if ((mask & bit) == 0)
                continue;
            (void)snprintf(name, sizeof name, "%s_%s", spec->measures[m].name,
                           hanse_statistic_name((hanse_statistic)bit));
            if (strcmp(name, column) == 0)
                return true;
        }
    return false;
}

/* Takes the sums, whose measures are the last ones, out of a table, and drops
 * the statistics that the job does not ask for. */
static hanse_status take_sums(const hanse_model_run *run,
                              hanse_owned_table *table, hanse_result *sums,
                              size_t index, hanse_error *error)
{
    const uint32_t asked = run->last->statistics.mask;
    size_t first = table->view.n_columns;
    while (first > 1 &&
           is_of(table->view.columns[first - 1].name, run->sums, CHEAP))
        first--;
    HANSE_TRY(hanse_result_split_table(table, first, sums, index, error));
    for (size_t c = table->view.n_columns; c-- > 1;)
        if (is_of(table->view.columns[c].name, run->last, CHEAP & ~asked))
            hanse_result_drop_column(table, c);
    return HANSE_OK;
}

static hanse_status finish_joined(hanse_model_run *run,
                                  hanse_run_report *report, hanse_result **out,
                                  hanse_error *error)
{
    hanse_spec *spec;
    hanse_result *sums = NULL;
    hanse_run_tuning tuning = *run->tuning;
    tuning.is_temporary = true; /* until the sums are taken out */
    HANSE_TRY(join(run, &spec, error));
    hanse_status status =
        hanse_run_tuned(spec, hanse_columns_source(run->columns), run->options,
                        &tuning, report, out, error);
    hanse_spec_destroy(spec);
    if (status == HANSE_OK)
        status = hanse_result_create((*out)->n_tables, &sums, error);
    for (size_t t = 0; status == HANSE_OK && t < (*out)->n_tables; t++)
        status = take_sums(run, &(*out)->tables[t], sums, t, error);
    if (status == HANSE_OK)
        status = extend_tables(run, *out, sums, error);
    hanse_result_destroy(sums);
    return status;
}

/* ---- The last pass ------------------------------------------------------ */

static hanse_status finish_apart(hanse_model_run *run, hanse_run_report *report,
                                 hanse_result **out, hanse_error *error)
{
    hanse_source *source = hanse_columns_source(run->columns);
    hanse_result *sums = NULL;
    hanse_run_report own = {0};
    hanse_run_tuning tuning = *run->tuning;
    tuning.is_temporary = true;
    HANSE_TRY(hanse_run_tuned(run->last, source, run->options, run->tuning,
                              report, out, error));
    hanse_status status = HANSE_OK;
    if (run->n_table_columns > 0 && run->sums->n_measures > 0)
        status = hanse_run_tuned(run->sums, source, run->options, &tuning, &own,
                                 &sums, error);
    report->n_bytes += own.n_bytes;
    if (status == HANSE_OK)
        status = extend_tables(run, *out, sums, error);
    hanse_result_destroy(sums);
    return status;
}

hanse_status hanse_model_run_finish(hanse_model_run *run,
                                    hanse_run_report *report,
                                    hanse_result **out, hanse_error *error)
{
    hanse_result *result = NULL;
    hanse_run_report own = {0};
    const hanse_status status = may_join(run)
                                    ? finish_joined(run, &own, &result, error)
                                    : finish_apart(run, &own, &result, error);
    if (status != HANSE_OK) {
        hanse_result_destroy(result);
        return status;
    }
    if (!run->tuning->is_temporary)
        hanse_result_detach(result);
    run->n_bytes += own.n_bytes;
    own.n_bytes = run->n_bytes;
    own.peak_budget_bytes = atomic_load(&run->source->budget->peak_bytes);
    if (report != NULL)
        *report = own;
    *out = result;
    return HANSE_OK;
}
