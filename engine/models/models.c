/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs of models.
 */
#include "engine/models/models.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/formula.h"
#include "engine/plan.h"
#include "engine/result.h"
#include "engine/scan.h"
#include "engine/spec.h"

/* ---- Life --------------------------------------------------------------- */

hanse_status hanse_model_run_init(hanse_model_run *run, hanse_error *error)
{
    run->n_rows = run->source->ops->n_rows(run->source);
    run->n_threads = hanse_scan_threads(run->source, run->options);
    HANSE_TRY(hanse_columns_create(run->source, &run->columns, error));
    HANSE_TRY(hanse_spec_copy(run->spec, true, &run->last, error));
    HANSE_TRY(hanse_spec_copy(run->spec, false, &run->sums, error));
    return hanse_spec_set_statistics(
        run->sums, HANSE_STAT_COUNT | HANSE_STAT_TOTAL, error);
}

static void clear_record(hanse_record_column *record)
{
    free(record->name);
    free(record->column);
    free(record->long_name);
    free(record->units);
}

void hanse_model_run_clear(hanse_model_run *run)
{
    for (size_t i = 0; i < run->n_records; i++)
        clear_record(&run->records[i]);
    for (size_t i = 0; i < run->n_record_names; i++)
        free(run->record_names[i]);
    for (size_t i = 0; i < run->n_tables; i++)
        hanse_result_destroy(run->tables[i]);
    hanse_columns_destroy(run->columns);
    /* What came later may use what came before. */
    while (run->n_kept > 0) {
        run->n_kept--;
        run->destroy_kept[run->n_kept](run->kept[run->n_kept]);
    }
    hanse_spec_destroy(run->last);
    hanse_spec_destroy(run->sums);
    free(run->records);
    free(run->record_names);
    free(run->tables);
    free(run->table_columns);
    free(run->kept);
    free(run->destroy_kept);
    *run = (hanse_model_run){0};
}

/* Room for one more entry in a list of n; false when memory is exhausted. */
static bool make_room(void **list, size_t n, size_t size_bytes)
{
    void *larger = realloc(*list, (n + 1) * size_bytes);
    if (larger != NULL)
        *list = larger;
    return larger != NULL;
}

hanse_status hanse_model_keep(hanse_model_run *run, void *object,
                              void (*destroy)(void *object), hanse_error *error)
{
    if (!make_room((void **)&run->kept, run->n_kept, sizeof *run->kept) ||
        !make_room((void **)&run->destroy_kept, run->n_kept,
                   sizeof *run->destroy_kept)) {
        destroy(object);
        return hanse_fail_nomem(error, "models", sizeof object);
    }
    run->kept[run->n_kept] = object;
    run->destroy_kept[run->n_kept++] = destroy;
    return HANSE_OK;
}

bool hanse_model_go_on(void *context)
{
    const hanse_model_run *run = context;
    const hanse_run_options *options = run->options;
    return options->progress == NULL ||
           options->progress(options->progress_context, run->n_rows,
                             run->n_rows, run->n_bytes);
}

/* ---- Passes ------------------------------------------------------------- */

static void destroy_groups(void *groups)
{
    hanse_groups_destroy(groups);
}

static hanse_status make_spec(const hanse_model_run *run,
                              const char *const *keys, size_t n_keys,
                              const hanse_model_measure *measures,
                              size_t n_measures, uint32_t statistics,
                              hanse_spec **out, hanse_error *error)
{
    hanse_spec *spec;
    HANSE_TRY(hanse_spec_copy(run->spec, false, &spec, error));
    hanse_spec_clear_groupings(spec);
    hanse_status status = hanse_spec_add_grouping(spec, keys, n_keys, error);
    if (status == HANSE_OK)
        status = hanse_spec_set_statistics(
            spec, statistics != 0 ? statistics : HANSE_STAT_COUNT, error);
    for (size_t m = 0; status == HANSE_OK && m < n_measures; m++)
        status = hanse_spec_add_measure(spec, measures[m].name,
                                        measures[m].formula, error);
    /* A specification has a measure. */
    if (status == HANSE_OK && n_measures == 0)
        status = hanse_spec_add_measure(spec, "rows", "0", error);
    if (status != HANSE_OK) {
        hanse_spec_destroy(spec);
        return status;
    }
    *out = spec;
    return HANSE_OK;
}

hanse_status hanse_model_pass(hanse_model_run *run, const char *const *keys,
                              size_t n_keys,
                              const hanse_model_measure *measures,
                              size_t n_measures, uint32_t statistics,
                              hanse_groups **groups, hanse_result **result,
                              hanse_error *error)
{
    hanse_source *source = hanse_columns_source(run->columns);
    hanse_spec *spec;
    hanse_result *made = NULL;
    HANSE_TRY(make_spec(run, keys, n_keys, measures, n_measures, statistics,
                        &spec, error));
    hanse_run_report report = {0};
    hanse_run_tuning tuning = *run->tuning;
    tuning.is_temporary = true;
    hanse_groups *numbers = NULL;
    hanse_status status;
    if (groups == NULL)
        status = hanse_run_tuned(spec, source, run->options, &tuning, &report,
                                 &made, error);
    else
        status = hanse_groups_create(spec, source, run->options, &numbers,
                                     &made, error);
    hanse_spec_destroy(spec);
    run->n_bytes += report.n_bytes;
    if (status == HANSE_OK && groups != NULL) {
        status = hanse_model_keep(run, numbers, destroy_groups, error);
        if (status != HANSE_OK)
            hanse_result_destroy(made);
    }
    if (status != HANSE_OK)
        return status;
    if (groups != NULL)
        *groups = numbers;
    *result = made;
    return HANSE_OK;
}

hanse_status hanse_model_check_groups(const hanse_model_run *run,
                                      const char *const *keys, size_t n_keys,
                                      hanse_error *error)
{
    hanse_spec *spec;
    hanse_plan *plan;
    HANSE_TRY(make_spec(run, keys, n_keys, NULL, 0, 0, &spec, error));
    const hanse_status status =
        hanse_plan_create(spec, hanse_source_schema(run->source), &plan, error);
    hanse_spec_destroy(spec);
    if (status == HANSE_OK)
        hanse_plan_destroy(plan);
    return status;
}

void hanse_model_within(const hanse_model_run *run, const char *const **keys,
                        size_t *n_keys)
{
    if (*n_keys != SIZE_MAX)
        return;
    const hanse_spec_grouping *first = &run->spec->groupings[0];
    *keys = (const char *const *)first->keys;
    *n_keys = first->n_keys;
}

/* ---- Tables ------------------------------------------------------------- */

const hanse_column *hanse_table_find(const hanse_table *table, const char *name)
{
    for (size_t i = 0; i < table->n_columns; i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return &table->columns[i];
    return NULL;
}

const hanse_column *hanse_table_statistic(const hanse_table *table,
                                          const char *measure,
                                          const char *statistic)
{
    const size_t n = strlen(measure);
    for (size_t i = 0; i < table->n_columns; i++) {
        const hanse_column *column = &table->columns[i];
        if (strncmp(column->name, measure, n) == 0 && column->name[n] == '_' &&
            strcmp(column->name + n + 1, statistic) == 0)
            return column;
    }
    return NULL;
}

double hanse_table_number(const hanse_table *table, const char *measure,
                          const char *statistic, size_t row)
{
    return hanse_column_number(hanse_table_statistic(table, measure, statistic),
                               row);
}

double *hanse_table_values(struct hanse_owned_table *table, const char *name)
{
    const hanse_column *column = hanse_table_find(&table->view, name);
    return column != NULL && column->type == HANSE_FLOAT64
               ? (double *)(uintptr_t)column->values
               : NULL;
}

/* ---- What steps add ----------------------------------------------------- */

hanse_status hanse_model_filter_number(const hanse_model_run *run, char **out,
                                       hanse_error *error)
{
    const char *filter = run->spec->filter;
    *out = NULL;
    if (filter == NULL)
        return HANSE_OK;
    const size_t size = strlen(filter) + sizeof "0 + ()";
    char *text = malloc(size);
    if (text == NULL)
        return hanse_fail_nomem(error, "filter", size);
    (void)snprintf(text, size, "0 + (%s)", filter);
    *out = text;
    return HANSE_OK;
}

hanse_status hanse_model_set_measure(hanse_model_run *run, hanse_model model,
                                     const char *formula, hanse_error *error)
{
    return hanse_spec_replace_model(run->last, model, formula, error);
}

hanse_status hanse_model_units(const hanse_model_run *run, const char *formula,
                               const char *what, const char **units,
                               hanse_error *error)
{
    const hanse_schema *schema =
        hanse_source_schema(hanse_columns_source(run->columns));
    hanse_formula *compiled;
    size_t field;
    *units = NULL;
    HANSE_TRY(hanse_formula_compile(formula, what, schema, HANSE_WANT_NUMBER,
                                    &compiled, error));
    if (hanse_formula_is_field(compiled, &field))
        *units = schema->fields[field].units;
    hanse_formula_destroy(compiled);
    return HANSE_OK;
}

hanse_status hanse_model_add_sum(hanse_model_run *run, const char *name,
                                 const char *formula, hanse_error *error)
{
    return hanse_spec_add_measure(run->sums, name, formula, error);
}

hanse_status hanse_model_add_table_columns(hanse_model_run *run,
                                           const hanse_table_columns *columns,
                                           hanse_error *error)
{
    if (!make_room((void **)&run->table_columns, run->n_table_columns,
                   sizeof *run->table_columns))
        return hanse_fail_nomem(error, "models", sizeof *columns);
    run->table_columns[run->n_table_columns++] = *columns;
    return HANSE_OK;
}

hanse_status hanse_model_add_record(hanse_model_run *run,
                                    const hanse_record_column *column,
                                    hanse_error *error)
{
    hanse_record_column copy = {.name = hanse_text_copy(column->name),
                                .column = hanse_text_copy(column->column),
                                .long_name = hanse_text_copy(column->long_name),
                                .units = hanse_text_copy(column->units),
                                .is_status = column->is_status};
    if (!make_room((void **)&run->records, run->n_records,
                   sizeof *run->records) ||
        copy.name == NULL || copy.column == NULL ||
        (column->long_name != NULL && copy.long_name == NULL) ||
        (column->units != NULL && copy.units == NULL)) {
        clear_record(&copy);
        return hanse_fail_nomem(error, "models", sizeof copy);
    }
    run->records[run->n_records++] = copy;
    return HANSE_OK;
}

hanse_status hanse_model_name_record(hanse_model_run *run, const char *name,
                                     hanse_error *error)
{
    char *copy = hanse_text_copy(name);
    if (copy == NULL || !make_room((void **)&run->record_names,
                                   run->n_record_names, sizeof copy)) {
        free(copy);
        return hanse_fail_nomem(error, "models", sizeof *run->record_names);
    }
    run->record_names[run->n_record_names++] = copy;
    return HANSE_OK;
}

static bool is_among(const char *name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* "score, allocation" for a message, cut short where it is long. */
static void list_records(const hanse_model_run *run, char *out, size_t size)
{
    size_t length = 0;
    out[0] = '\0';
    for (size_t i = 0; i < run->n_record_names && length + 1 < size; i++)
        length += (size_t)snprintf(out + length, size - length, "%s%s",
                                   i > 0 ? ", " : "", run->record_names[i]);
}

hanse_status hanse_model_check_records(const hanse_model_run *run,
                                       const char *const *names, size_t n,
                                       hanse_error *error)
{
    for (size_t w = 0; w < n; w++) {
        const char *const *made = (const char *const *)run->record_names;
        char known[512];
        if (is_among(names[w], made, run->n_record_names))
            continue;
        const char *nearest =
            hanse_suggest(names[w], made, run->n_record_names);
        if (nearest != NULL)
            return hanse_fail(error, HANSE_ERR_SPEC,
                              "records: the job makes no '%s', did you mean "
                              "'%s'?",
                              names[w], nearest);
        list_records(run, known, sizeof known);
        return hanse_fail(error, HANSE_ERR_SPEC,
                          "records: the job makes no '%s'; it makes %s",
                          names[w], known[0] != '\0' ? known : "none");
    }
    return HANSE_OK;
}

void hanse_model_choose_records(hanse_model_run *run, const char *const *names,
                                size_t n)
{
    size_t n_kept = 0;
    for (size_t i = 0; i < run->n_records; i++)
        if (is_among(run->records[i].name, names, n))
            run->records[n_kept++] = run->records[i];
        else
            clear_record(&run->records[i]);
    run->n_records = n_kept;
}

hanse_status hanse_model_add_tables(hanse_model_run *run, hanse_result *result,
                                    hanse_error *error)
{
    if (!make_room((void **)&run->tables, run->n_tables, sizeof *run->tables)) {
        hanse_result_destroy(result);
        return hanse_fail_nomem(error, "models", sizeof result);
    }
    run->tables[run->n_tables++] = result;
    return HANSE_OK;
}
