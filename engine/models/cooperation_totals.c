/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether the total of a group is defined: P_g = sum z_i is not where a z_i is
 * undefined, other than missing.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/models/cooperation_steps.h"
#include "engine/models/status.h"
#include "engine/result.h"

enum {
    FIRST_CODE = HANSE_MODEL_INFEASIBLE, /* to the last: undefined values */
    N_CODES = HANSE_MODEL_STATUS_COUNT - FIRST_CODE,
    NAME_SIZE = HANSE_COOPERATION_NAME + 32
};

static const hanse_table_column columns[] = {
    {.name = "cooperation_status",
     .long_name = "why the total is not defined",
     .type = HANSE_INT8},
};

/* Numbers of records with a code, among the sums; and the measure of it. */
static const char code_measure[] = "cooperation_code_%d";
static const char sum_of_codes[] = "cooperation_code_%d_total";

/* Where records of a row have a code. */
static void take_code(const hanse_table *sums, int code, int8_t *codes)
{
    char name[NAME_SIZE];
    (void)snprintf(name, sizeof name, sum_of_codes, code);
    const hanse_column *column = hanse_table_find(sums, name);
    assert(column != NULL && column->type == HANSE_FLOAT64);
    const double *counts = column->values;
    for (size_t row = 0; row < sums->n_rows; row++)
        if (counts[row] > 0.0)
            codes[row] = (int8_t)code;
}

/* The gravest code that a record has. */
static hanse_status fill(const void *context, hanse_owned_table *table,
                         const hanse_table *sums, void *const *values,
                         int8_t *const *status, hanse_error *error)
{
    int8_t *codes = values[0];
    double *totals = hanse_table_values(table, "cooperation_total");
    (void)context;
    (void)status;
    (void)error;
    hanse_model_status_flags(&table->columns[table->n_columns - 1]);
    memset(codes, HANSE_MODEL_OK, table->view.n_rows);
    for (int k = 0; k < N_CODES; k++)
        take_code(sums, FIRST_CODE + k, codes);
    for (size_t row = 0; totals != NULL && row < table->view.n_rows; row++)
        if (codes[row] != HANSE_MODEL_OK)
            totals[row] = (double)NAN;
    return HANSE_OK;
}

/* A condition on the codes that the strategy depends on, as a number. */
typedef struct condition {
    char text[(HANSE_SUBSYSTEMS_MAX + 2) * NAME_SIZE];
    size_t length;
} condition;

/* `rest` goes behind the comparison. */
static void append(condition *c, const char *column, const char *rest, int code)
{
    c->length += (size_t)snprintf(
        c->text + c->length, sizeof c->text - c->length, "%s(`%s` == %d%s)",
        c->length == 0 ? "0 + (" : " or ", column, code, rest);
}

/* A record whose own independence does not do takes no part, and its group is
 * the others. */
static const char takes_part[] =
    " and not isnan(`" HANSE_COOPERATION_INDEPENDENCE "`)";

static void make_condition(const hanse_cooperation_spec *spec,
                           const hanse_model_run *run, int code, condition *c)
{
    hanse_evaluation_names names;
    const bool is_score = spec->score.n_indicators > 0;
    const size_t n = is_score ? 1 : spec->n_subsystems;
    c->length = 0;
    if (spec->coordinate.independence != NULL)
        append(c, HANSE_COOPERATION_CODE, takes_part, code);
    for (size_t k = 0; !hanse_cooperation_is_given(spec, run) && k < n; k++) {
        const hanse_evaluation evaluation = hanse_cooperation_evaluation_of(
            spec, run, is_score ? SIZE_MAX : k, &names);
        append(c, evaluation.status, "", code);
    }
    if (c->length > 0)
        (void)snprintf(c->text + c->length, sizeof c->text - c->length, ")");
}

hanse_status hanse_cooperation_add_status(const hanse_cooperation_spec *spec,
                                          hanse_model_run *run,
                                          hanse_error *error)
{
    const hanse_table_columns set = {
        .columns = columns, .n_columns = 1, .fill = fill};
    condition c;
    for (int k = 0; k < N_CODES; k++) {
        char name[NAME_SIZE];
        make_condition(spec, run, FIRST_CODE + k, &c);
        if (c.length == 0)
            return HANSE_OK;
        (void)snprintf(name, sizeof name, code_measure, FIRST_CODE + k);
        HANSE_TRY(hanse_model_add_sum(run, name, c.text, error));
    }
    return hanse_model_add_table_columns(run, &set, error);
}
