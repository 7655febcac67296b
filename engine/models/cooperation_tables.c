/* SPDX-License-Identifier: Apache-2.0
 *
 * Columns of the tables: levels of subsystems, the index, coupling and
 * coordination degrees of every group.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/models/cooperation_steps.h"
#include "engine/models/status.h"
#include "engine/result.h"

#define SIZE_COLUMN "cooperation: size"

enum {
    NAME_SIZE = 160
};

/* Names of measures among the sums; %zu is the subsystem. */
static const char sum_of_levels[] = "cooperation_levels_%zu";
static const char sum_of_sizes[] = "cooperation_sizes_%zu";
static const char sum_of_negatives[] = "cooperation_negative_sizes";

/* What filling needs; kept by the run. */
typedef struct couplings {
    const hanse_cooperation_spec *spec;
    double weights[HANSE_SUBSYSTEMS_MAX];
    size_t n_columns;
    hanse_table_column *columns;
    char (*texts)[2][NAME_SIZE]; /* name and long name of each */
} couplings;

static void destroy(void *object)
{
    couplings *c = object;
    if (c == NULL)
        return;
    free(c->columns);
    free(c->texts);
    free(c);
}

/* ---- Sums --------------------------------------------------------------- */

static void copy_number(const void *context, const hanse_rows *rows,
                        double *const *out)
{
    (void)context;
    memcpy(out[0], rows->numbers[0], rows->n * sizeof *out[0]);
}

/* The size as a column, so that errors in its formula name it. */
static hanse_status add_size(const hanse_cooperation_spec *spec,
                             hanse_model_run *run, hanse_error *error)
{
    static const char *const names[] = {SIZE_COLUMN};
    const hanse_column_set set = {.names = names,
                                  .n_columns = 1,
                                  .formulas = (const char *const *)&spec->size,
                                  .n_formulas = 1,
                                  .what = "step 'size'",
                                  .fill = copy_number};
    HANSE_TRY(hanse_columns_add(run->columns, &set, error));
    return hanse_model_add_sum(run, sum_of_negatives,
                               "0 + (`" SIZE_COLUMN "` < 0)", error);
}

/* Levels times sizes, and sizes of the records that have a level; or levels. */
static hanse_status add_sums(const hanse_cooperation_spec *spec,
                             hanse_model_run *run, hanse_error *error)
{
    if (spec->size != NULL)
        HANSE_TRY(add_size(spec, run, error));
    for (size_t k = 0; k < spec->n_subsystems; k++) {
        char name[NAME_SIZE], level[NAME_SIZE], formula[2 * NAME_SIZE];
        hanse_cooperation_level_column(spec, k, level, sizeof level);
        (void)snprintf(name, sizeof name, sum_of_levels, k);
        if (spec->size == NULL) {
            (void)snprintf(formula, sizeof formula, "`%s`", level);
            HANSE_TRY(hanse_model_add_sum(run, name, formula, error));
            continue;
        }
        (void)snprintf(formula, sizeof formula, "`" SIZE_COLUMN "` * `%s`",
                       level);
        HANSE_TRY(hanse_model_add_sum(run, name, formula, error));
        (void)snprintf(name, sizeof name, sum_of_sizes, k);
        (void)snprintf(formula, sizeof formula, "`" SIZE_COLUMN "` + 0 * `%s`",
                       level);
        HANSE_TRY(hanse_model_add_sum(run, name, formula, error));
    }
    return HANSE_OK;
}

/* ---- Filling ------------------------------------------------------------ */

/* Columns of the sums of one subsystem. */
typedef struct level_sums {
    const int64_t *n;
    const double *total;
    const double *weight;    /* NULL: all sizes are 1 */
    const double *negatives; /* records of negative size; NULL likewise */
} level_sums;

static const void *find_sum(const hanse_table *sums, const char *format,
                            size_t k, const char *statistic)
{
    char name[NAME_SIZE], column[2 * NAME_SIZE];
    (void)snprintf(name, sizeof name, format, k);
    (void)snprintf(column, sizeof column, "%s_%s", name, statistic);
    const hanse_column *found = hanse_table_find(sums, column);
    assert(found != NULL);
    return found->values;
}

static level_sums find_sums(const hanse_cooperation_spec *spec,
                            const hanse_table *sums, size_t k)
{
    level_sums found = {find_sum(sums, sum_of_levels, k, "count"),
                        find_sum(sums, sum_of_levels, k, "total"), NULL, NULL};
    if (spec->size != NULL) {
        found.weight = find_sum(sums, sum_of_sizes, k, "total");
        found.negatives = find_sum(sums, sum_of_negatives, k, "total");
    }
    return found;
}

/* U_gk of a row of the sums. */
static double level_of(const level_sums *sums, size_t row, int8_t *status)
{
    const double n = (double)sums->n[row];
    const double weight = sums->weight != NULL ? sums->weight[row] : n;
    const double total = sums->total[row];
    *status = HANSE_MODEL_OK;
    if (n == 0.0)
        *status = HANSE_MODEL_EMPTY;
    else if (!isfinite(weight) || !isfinite(total))
        *status = HANSE_MODEL_NOT_FINITE;
    else if (sums->negatives != NULL && sums->negatives[row] > 0.0)
        *status = HANSE_MODEL_NEGATIVE;
    else if (weight == 0.0)
        *status = HANSE_MODEL_ZERO;
    return *status == HANSE_MODEL_OK ? total / weight : (double)NAN;
}

/* The columns of one row, in the order of describe(). */
static void fill_row(const couplings *c, const level_sums *sums, size_t row,
                     void *const *values, int8_t *const *status)
{
    const hanse_cooperation_spec *spec = c->spec;
    const size_t n = spec->n_subsystems;
    double levels[HANSE_SUBSYSTEMS_MAX];
    int8_t reason = HANSE_MODEL_OK;
    for (size_t k = 0; k < n; k++) {
        levels[k] = level_of(&sums[k], row, &status[k][row]);
        ((double *)values[k])[row] = levels[k];
        if (reason == HANSE_MODEL_OK)
            reason = status[k][row];
    }
    size_t column = n;
    int8_t own = reason;
    ((double *)values[column])[row] =
        reason == HANSE_MODEL_OK
            ? hanse_cooperation_index(levels, c->weights, n, &own)
            : (double)NAN;
    status[column++][row] = own;
    for (int kind = 0; kind < HANSE_COUPLING_COUNT; kind++) {
        if ((spec->couplings & 1u << kind) == 0)
            continue;
        hanse_coupling coupling = {(double)NAN, (double)NAN, 0, reason};
        if (reason == HANSE_MODEL_OK)
            coupling = hanse_coupling_of((hanse_coupling_kind)kind, levels,
                                         c->weights, n);
        ((double *)values[column])[row] = coupling.degree;
        status[column++][row] = coupling.status;
        ((double *)values[column])[row] = coupling.coordination;
        status[column++][row] = coupling.status;
        ((int8_t *)values[column++])[row] = coupling.level;
    }
}

static hanse_status fill(const void *context, hanse_owned_table *table,
                         const hanse_table *sums, void *const *values,
                         int8_t *const *status, hanse_error *error)
{
    const couplings *c = context;
    level_sums found[HANSE_SUBSYSTEMS_MAX];
    (void)error;
    for (size_t j = 0; j < c->n_columns; j++)
        for (size_t i = 0; i < table->n_columns; i++)
            if (c->columns[j].type == HANSE_INT8 &&
                table->columns[i].values == values[j])
                hanse_coordination_level_flags(&table->columns[i]);
    for (size_t k = 0; k < c->spec->n_subsystems; k++)
        found[k] = find_sums(c->spec, sums, k);
    for (size_t row = 0; row < table->view.n_rows; row++)
        fill_row(c, found, row, values, status);
    return HANSE_OK;
}

/* ---- Describing --------------------------------------------------------- */

/* The next column; the texts are formats for `name`. */
static void put_column(couplings *c, const char *format,
                       const char *long_format, const char *name, bool is_level)
{
    char(*texts)[NAME_SIZE] = c->texts[c->n_columns];
    (void)snprintf(texts[0], NAME_SIZE, format, name);
    (void)snprintf(texts[1], NAME_SIZE, long_format, name);
    c->columns[c->n_columns++] =
        (hanse_table_column){.name = texts[0],
                             .long_name = texts[1],
                             .type = is_level ? HANSE_INT8 : HANSE_FLOAT64,
                             .has_status = !is_level};
}

static void describe(couplings *c)
{
    const hanse_cooperation_spec *spec = c->spec;
    for (size_t k = 0; k < spec->n_subsystems; k++) {
        c->weights[k] = spec->subsystems[k].weight;
        put_column(c, "cooperation_level_%s", "level of the subsystem %s",
                   spec->subsystems[k].name, false);
    }
    put_column(c, "cooperation_%s",
               "cooperation %s, the weighted mean of the subsystems' levels",
               "index", false);
    for (int kind = 0; kind < HANSE_COUPLING_COUNT; kind++) {
        const char *name = hanse_coupling_name((hanse_coupling_kind)kind);
        if ((spec->couplings & 1u << kind) == 0)
            continue;
        put_column(c, "coupling_%s", "coupling degree, %s", name, false);
        put_column(c, "coordination_%s", "coupling coordination degree, %s",
                   name, false);
        put_column(c, "coordination_level_%s",
                   "level of the coupling coordination degree, %s", name, true);
    }
}

static hanse_status create(const hanse_cooperation_spec *spec, couplings **out,
                           hanse_error *error)
{
    const size_t most = spec->n_subsystems + 1 + 3 * HANSE_COUPLING_COUNT;
    couplings *c = calloc(1, sizeof *c);
    if (c != NULL) {
        c->spec = spec;
        c->columns = calloc(most, sizeof *c->columns);
        c->texts = calloc(most, sizeof *c->texts);
    }
    if (c == NULL || c->columns == NULL || c->texts == NULL) {
        destroy(c);
        return hanse_fail_nomem(error, "cooperation", most * sizeof *c->texts);
    }
    describe(c);
    *out = c;
    return HANSE_OK;
}

hanse_status hanse_cooperation_couple(const hanse_cooperation_spec *spec,
                                      hanse_model_run *run, hanse_error *error)
{
    couplings *c = NULL;
    HANSE_TRY(add_sums(spec, run, error));
    HANSE_TRY(create(spec, &c, error));
    HANSE_TRY(hanse_model_keep(run, c, destroy, error));
    const hanse_table_columns columns = {.columns = c->columns,
                                         .n_columns = c->n_columns,
                                         .fill = fill,
                                         .context = c};
    return hanse_model_add_table_columns(run, &columns, error);
}
