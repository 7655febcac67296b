/* SPDX-License-Identifier: Apache-2.0
 *
 * The last pass of a run of models, and the columns that are computed from its
 * tables.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static hanse_status extend_all(hanse_model_run *run, hanse_result *result,
                               hanse_error *error)
{
    hanse_result *sums = NULL;
    hanse_run_report report = {0};
    hanse_run_tuning tuning = *run->tuning;
    tuning.is_temporary = true;
    if (run->n_table_columns == 0)
        return HANSE_OK;
    if (run->sums->n_measures > 0)
        HANSE_TRY(hanse_run_tuned(run->sums, hanse_columns_source(run->columns),
                                  run->options, &tuning, &report, &sums,
                                  error));
    run->n_bytes += report.n_bytes;
    hanse_status status = HANSE_OK;
    for (size_t i = 0; status == HANSE_OK && i < result->n_tables; i++)
        status = extend_table(run, result, i,
                              sums != NULL ? hanse_result_table(sums, i) : NULL,
                              error);
    hanse_result_destroy(sums);
    return status;
}

hanse_status hanse_model_run_finish(hanse_model_run *run,
                                    hanse_run_report *report,
                                    hanse_result **out, hanse_error *error)
{
    hanse_result *result;
    hanse_run_report own = {0};
    HANSE_TRY(hanse_run_tuned(run->last, hanse_columns_source(run->columns),
                              run->options, run->tuning, &own, &result, error));
    run->n_bytes += own.n_bytes;
    const hanse_status status = extend_all(run, result, error);
    if (status != HANSE_OK) {
        hanse_result_destroy(result);
        return status;
    }
    if (!run->tuning->is_temporary)
        hanse_result_detach(result);
    own.n_bytes = run->n_bytes;
    own.peak_budget_bytes = atomic_load(&run->source->budget->peak_bytes);
    if (report != NULL)
        *report = own;
    *out = result;
    return HANSE_OK;
}
