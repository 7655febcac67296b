/* SPDX-License-Identifier: Apache-2.0
 *
 * Synergy of the groups of a table between two periods. The order parameters
 * of a group are the totals of the indicators of each period, their bounds the
 * smallest and largest totals of all periods; a pass by the keys of the table
 * and the period finds them all. Its rows come in the order of the table's, so
 * that those of a group follow each other.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/models/cooperation_steps.h"
#include "engine/models/status.h"
#include "engine/result.h"
#include "engine/spec.h"

enum {
    NAME_SIZE = 160
};

/* The totals that belong to a table. */
typedef struct period_totals {
    const char *table; /* its name, of the run's specification */
    hanse_result *result;
} period_totals;

/* What filling needs; kept by the run. */
typedef struct synergies {
    const hanse_cooperation_spec *spec;
    double weights[HANSE_SUBSYSTEMS_MAX];
    size_t n_indicators; /* of all subsystems */
    period_totals *tables;
    size_t n_tables;
    size_t n_columns;
    hanse_table_column *columns;
    char (*texts)[2][NAME_SIZE]; /* name and long name of each */
} synergies;

static void destroy(void *object)
{
    synergies *s = object;
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->n_tables; i++)
        hanse_result_destroy(s->tables[i].result);
    free(s->tables);
    free(s->columns);
    free(s->texts);
    free(s);
}

/* ---- Keys --------------------------------------------------------------- */

static int64_t integer_at(const hanse_column *key, size_t row)
{
    switch (key->type) {
    case HANSE_INT8:
        return ((const int8_t *)key->values)[row];
    case HANSE_INT16:
        return ((const int16_t *)key->values)[row];
    case HANSE_INT32:
        return ((const int32_t *)key->values)[row];
    default: /* as bits of a uint64 */
        return ((const int64_t *)key->values)[row];
    }
}

static bool is_missing(const hanse_column *key, size_t row)
{
    return key->missing != NULL && key->missing[row] != 0;
}

/* Whether two tables of one key have the same value of it. */
static bool same_value(const hanse_column *a, size_t row_a,
                       const hanse_column *b, size_t row_b)
{
    if (is_missing(a, row_a) || is_missing(b, row_b))
        return is_missing(a, row_a) == is_missing(b, row_b);
    if (a->type == HANSE_TEXT)
        return strcmp(((const char *const *)a->values)[row_a],
                      ((const char *const *)b->values)[row_b]) == 0;
    return integer_at(a, row_a) == integer_at(b, row_b);
}

static bool same_group(const hanse_table *table, size_t row,
                       const hanse_table *totals, size_t row_of_totals)
{
    for (size_t k = 0; k < table->n_keys; k++)
        if (!same_value(&table->keys[k], row, &totals->keys[k], row_of_totals))
            return false;
    return true;
}

/* Whether a period is the one that is meant. */
static bool is_period(const hanse_column *key, size_t row, const char *wanted)
{
    char text[32];
    if (is_missing(key, row))
        return false;
    if (key->type == HANSE_TEXT)
        return strcmp(((const char *const *)key->values)[row], wanted) == 0;
    if (key->type == HANSE_UINT64)
        (void)snprintf(text, sizeof text, "%" PRIu64,
                       (uint64_t)integer_at(key, row));
    else
        (void)snprintf(text, sizeof text, "%" PRId64, integer_at(key, row));
    return strcmp(text, wanted) == 0;
}

/* ---- One group ---------------------------------------------------------- */

/* Rows first to end - 1 of the totals, and those of the two periods; SIZE_MAX
 * where there is none. */
typedef struct group_rows {
    size_t first;
    size_t end;
    size_t from;
    size_t to;
} group_rows;

/* Rows without a period are none of its periods: they come last. */
static group_rows find_rows(const synergies *s, const hanse_table *table,
                            size_t row, const hanse_table *totals, size_t first)
{
    const hanse_column *period = &totals->keys[totals->n_keys - 1];
    group_rows rows = {first, first, SIZE_MAX, SIZE_MAX};
    while (rows.end < totals->n_rows &&
           same_group(table, row, totals, rows.end)) {
        if (is_period(period, rows.end, s->spec->periods.from))
            rows.from = rows.end;
        if (is_period(period, rows.end, s->spec->periods.to))
            rows.to = rows.end;
        rows.end++;
    }
    return rows;
}

/* A total is NaN where no record has the indicator. */
static double total_at(const hanse_column *totals, const hanse_column *counts,
                       size_t row)
{
    if (row == SIZE_MAX || ((const int64_t *)counts->values)[row] == 0)
        return (double)NAN;
    return hanse_column_number(totals, row);
}

/* The totals of one indicator. */
typedef struct parameter {
    const hanse_column *totals;
    const hanse_column *counts;
    const hanse_column *period;
    bool is_cost;
} parameter;

/* Order degrees of one indicator in the two periods. */
static int8_t find_degrees(const parameter *p, const group_rows *rows,
                           double *from, double *to)
{
    int8_t status, other;
    double low = (double)NAN, high = (double)NAN;
    for (size_t row = rows->first; row < rows->end; row++)
        if (!is_missing(p->period, row)) {
            const double total = total_at(p->totals, p->counts, row);
            low = fmin(low, total);
            high = fmax(high, total);
        }
    *from = hanse_order_degree(total_at(p->totals, p->counts, rows->from), low,
                               high, p->is_cost, &status);
    *to = hanse_order_degree(total_at(p->totals, p->counts, rows->to), low,
                             high, p->is_cost, &other);
    return status != HANSE_MODEL_OK ? status : other;
}

/* Orders of a subsystem, NaN where they are not defined. */
static int8_t find_orders(const synergies *s, size_t k,
                          const parameter *parameters, const group_rows *rows,
                          double *from, double *to)
{
    const hanse_subsystem_spec *subsystem = &s->spec->subsystems[k];
    const size_t m = subsystem->evaluate.n_indicators;
    double degrees[2][HANSE_INDICATORS_MAX], weights[HANSE_INDICATORS_MAX];
    *from = *to = (double)NAN;
    for (size_t j = 0; j < m; j++) {
        const int8_t status =
            find_degrees(&parameters[j], rows, &degrees[0][j], &degrees[1][j]);
        if (status != HANSE_MODEL_OK)
            return status;
        weights[j] = subsystem->evaluate.indicators[j].weight;
    }
    const hanse_order_kind kind = s->spec->periods.order;
    *from = hanse_subsystem_order(kind, degrees[0], weights, m);
    *to = hanse_subsystem_order(kind, degrees[1], weights, m);
    return HANSE_MODEL_OK;
}

/* The columns of one row: orders, synergy and its sign. */
static void fill_row(const synergies *s, const parameter *parameters,
                     const group_rows *rows, size_t row, void *const *values,
                     int8_t *const *status)
{
    const size_t n = s->spec->n_subsystems;
    double from[HANSE_SUBSYSTEMS_MAX], to[HANSE_SUBSYSTEMS_MAX];
    int8_t reason = HANSE_MODEL_OK;
    for (size_t k = 0; k < n; k++) {
        const int8_t own =
            find_orders(s, k, parameters, rows, &from[k], &to[k]);
        parameters += s->spec->subsystems[k].evaluate.n_indicators;
        ((double *)values[2 * k])[row] = from[k];
        ((double *)values[2 * k + 1])[row] = to[k];
        status[2 * k][row] = status[2 * k + 1][row] = own;
        if (reason == HANSE_MODEL_OK)
            reason = own;
    }
    hanse_synergy synergy = {(double)NAN, (double)NAN};
    if (reason == HANSE_MODEL_OK)
        synergy = hanse_synergy_of(s->spec->periods.composite, from, to,
                                   s->weights, n);
    ((double *)values[2 * n])[row] = synergy.value;
    status[2 * n][row] = reason;
    ((double *)values[2 * n + 1])[row] = synergy.theta;
    status[2 * n + 1][row] = reason;
}

/* ---- A table ------------------------------------------------------------ */

static const hanse_table *find_totals(const synergies *s, const char *name)
{
    for (size_t i = 0; i < s->n_tables; i++)
        if (strcmp(s->tables[i].table, name) == 0)
            return hanse_result_table(s->tables[i].result, 0);
    return NULL;
}

/* A table whose keys have the period among them has none. */
static bool applies(const void *context, const hanse_table *table)
{
    return find_totals(context, table->name) != NULL;
}

/* Name of the measure of indicator j of all. */
static void measure_name(char *name, size_t j)
{
    (void)snprintf(name, NAME_SIZE, "parameter_%zu", j);
}

static const hanse_column *find_column(const hanse_table *totals, size_t j,
                                       const char *statistic)
{
    char measure[NAME_SIZE], name[2 * NAME_SIZE];
    measure_name(measure, j);
    (void)snprintf(name, sizeof name, "%s_%s", measure, statistic);
    return hanse_table_find(totals, name);
}

static void find_parameters(const synergies *s, const hanse_table *totals,
                            parameter *parameters)
{
    size_t j = 0;
    for (size_t k = 0; k < s->spec->n_subsystems; k++)
        for (size_t i = 0; i < s->spec->subsystems[k].evaluate.n_indicators;
             i++, j++)
            parameters[j] = (parameter){
                find_column(totals, j, "total"),
                find_column(totals, j, "count"),
                &totals->keys[totals->n_keys - 1],
                s->spec->subsystems[k].evaluate.indicators[i].is_cost};
}

static hanse_status fill(const void *context, hanse_owned_table *table,
                         const hanse_table *sums, void *const *values,
                         int8_t *const *status, hanse_error *error)
{
    const synergies *s = context;
    const hanse_table *totals = find_totals(s, table->view.name);
    parameter *parameters = calloc(s->n_indicators, sizeof *parameters);
    size_t next = 0;
    (void)sums;
    if (parameters == NULL)
        return hanse_fail_nomem(error, "synergy",
                                s->n_indicators * sizeof *parameters);
    find_parameters(s, totals, parameters);
    for (size_t row = 0; row < table->view.n_rows; row++) {
        const group_rows rows = find_rows(s, &table->view, row, totals, next);
        next = rows.end;
        fill_row(s, parameters, &rows, row, values, status);
    }
    free(parameters);
    return HANSE_OK;
}

/* ---- The passes --------------------------------------------------------- */

/* A pass's measures, all indicators in order. */
typedef struct measure_list {
    hanse_model_measure *items;
    char (*names)[NAME_SIZE];
} measure_list;

static void clear_measures(measure_list *list)
{
    free(list->items);
    free(list->names);
}

static hanse_status list_measures(const synergies *s, measure_list *list,
                                  hanse_error *error)
{
    size_t j = 0;
    list->items = calloc(s->n_indicators, sizeof *list->items);
    list->names = calloc(s->n_indicators, sizeof *list->names);
    if (list->items == NULL || list->names == NULL) {
        clear_measures(list);
        return hanse_fail_nomem(error, "synergy",
                                s->n_indicators * sizeof *list->names);
    }
    for (size_t k = 0; k < s->spec->n_subsystems; k++)
        for (size_t i = 0; i < s->spec->subsystems[k].evaluate.n_indicators;
             i++, j++) {
            measure_name(list->names[j], j);
            list->items[j] = (hanse_model_measure){
                list->names[j],
                s->spec->subsystems[k].evaluate.indicators[i].formula};
        }
    return HANSE_OK;
}

/* Whether a period is among the rows; the job means one that is. */
static hanse_status check_period(const synergies *s, const hanse_table *totals,
                                 const char *wanted, hanse_error *error)
{
    for (size_t row = 0; row < totals->n_rows; row++)
        if (is_period(&totals->keys[totals->n_keys - 1], row, wanted))
            return HANSE_OK;
    return hanse_fail(error, HANSE_ERR_SPEC,
                      "step 'periods': no row has %s %s; give periods that "
                      "the table has",
                      s->spec->periods.column, wanted);
}

/* The totals of one grouping, by its keys and the period. */
static hanse_status find_table(synergies *s, hanse_model_run *run,
                               const hanse_spec_grouping *grouping,
                               const measure_list *measures, hanse_error *error)
{
    const char *keys[grouping->n_keys + 1];
    for (size_t k = 0; k < grouping->n_keys; k++) {
        keys[k] = grouping->keys[k];
        if (strcmp(keys[k], s->spec->periods.column) == 0)
            return HANSE_OK;
    }
    keys[grouping->n_keys] = s->spec->periods.column;
    period_totals *totals = &s->tables[s->n_tables];
    HANSE_TRY(hanse_model_pass(
        run, keys, grouping->n_keys + 1, measures->items, s->n_indicators,
        HANSE_STAT_TOTAL | HANSE_STAT_COUNT, NULL, &totals->result, error));
    totals->table = grouping->name;
    s->n_tables++;
    const hanse_table *table = hanse_result_table(totals->result, 0);
    HANSE_TRY(check_period(s, table, s->spec->periods.from, error));
    return check_period(s, table, s->spec->periods.to, error);
}

static hanse_status find_tables(synergies *s, hanse_model_run *run,
                                hanse_error *error)
{
    measure_list measures = {NULL, NULL};
    HANSE_TRY(list_measures(s, &measures, error));
    hanse_status status = HANSE_OK;
    for (size_t i = 0; status == HANSE_OK && i < run->spec->n_groupings; i++)
        status = find_table(s, run, &run->spec->groupings[i], &measures, error);
    clear_measures(&measures);
    return status;
}

/* ---- Describing --------------------------------------------------------- */

static void put_column(synergies *s, const char *format,
                       const char *long_format, const char *name)
{
    char(*texts)[NAME_SIZE] = s->texts[s->n_columns];
    (void)snprintf(texts[0], NAME_SIZE, format, name);
    (void)snprintf(texts[1], NAME_SIZE, long_format, name);
    s->columns[s->n_columns++] = (hanse_table_column){.name = texts[0],
                                                      .long_name = texts[1],
                                                      .type = HANSE_FLOAT64,
                                                      .has_status = true};
}

static void describe(synergies *s)
{
    const hanse_cooperation_spec *spec = s->spec;
    for (size_t k = 0; k < spec->n_subsystems; k++) {
        const char *name = spec->subsystems[k].name;
        s->weights[k] = spec->subsystems[k].weight;
        s->n_indicators += spec->subsystems[k].evaluate.n_indicators;
        put_column(s, "order_%s_from",
                   "order of the subsystem %s in the first period", name);
        put_column(s, "order_%s_to",
                   "order of the subsystem %s in the second period", name);
    }
    put_column(s, "%s", "%s of the subsystems between the two periods",
               "synergy");
    put_column(s, "%s_theta",
               "sign of the smallest change of order, which %s has", "synergy");
}

static hanse_status create(const hanse_cooperation_spec *spec,
                           size_t n_groupings, synergies **out,
                           hanse_error *error)
{
    const size_t most = 2 * spec->n_subsystems + 2;
    synergies *s = calloc(1, sizeof *s);
    if (s != NULL) {
        s->spec = spec;
        s->tables = calloc(n_groupings + 1, sizeof *s->tables);
        s->columns = calloc(most, sizeof *s->columns);
        s->texts = calloc(most, sizeof *s->texts);
    }
    if (s == NULL || s->tables == NULL || s->columns == NULL ||
        s->texts == NULL) {
        destroy(s);
        return hanse_fail_nomem(error, "synergy", most * sizeof *s->texts);
    }
    describe(s);
    *out = s;
    return HANSE_OK;
}

hanse_status hanse_cooperation_synergise(const hanse_cooperation_spec *spec,
                                         hanse_model_run *run,
                                         hanse_error *error)
{
    synergies *s = NULL;
    HANSE_TRY(create(spec, run->spec->n_groupings, &s, error));
    HANSE_TRY(hanse_model_keep(run, s, destroy, error));
    HANSE_TRY(find_tables(s, run, error));
    const hanse_table_columns columns = {.columns = s->columns,
                                         .n_columns = s->n_columns,
                                         .applies = applies,
                                         .fill = fill,
                                         .context = s};
    return hanse_model_add_table_columns(run, &columns, error);
}
