/* SPDX-License-Identifier: Apache-2.0
 *
 * What the information model says of every record: whether it is kept, what it
 * has in the end, and why that is not defined.
 */
#include <math.h>
#include <stdlib.h>

#include "engine/models/information_state.h"
#include "engine/models/status.h"
#include "engine/models/walk.h"
#include "engine/spec.h"

#define KEPT_RECORD     "information.record kept"
#define RECEIVED_RECORD "information.record received"

enum {
    KEPT,
    RECEIVED,
    CODE,
    N_COLUMNS
};

static hanse_model_status code_of(const hanse_information *info, double q)
{
    if (!info->has_converged)
        return HANSE_MODEL_NOT_CONVERGED;
    if (isinf(q) || hanse_walk_is_undefined(q))
        return HANSE_MODEL_NOT_FINITE;
    return isnan(q) ? HANSE_MODEL_EMPTY : HANSE_MODEL_OK;
}

/* The first formula is `kept`, the second the job's filter, if it has one. */
static void fill_records(const void *context, const hanse_rows *rows,
                         double *const *out)
{
    const hanse_information *info = context;
    const bool has_filter = info->run->spec->filter != NULL;
    for (size_t i = 0; i < rows->n; i++) {
        const bool is_used = !has_filter || rows->numbers[1][i] > 0.0;
        out[KEPT][i] = is_used ? rows->numbers[0][i] : (double)NAN;
        if (info->received == NULL)
            continue;
        const double q = info->received[rows->first_row + i];
        const hanse_model_status code =
            is_used ? code_of(info, q) : HANSE_MODEL_EMPTY;
        out[RECEIVED][i] = code == HANSE_MODEL_OK ? q : (double)NAN;
        out[CODE][i] = (double)code;
    }
}

static hanse_status add_columns(hanse_information *info, hanse_error *error)
{
    static const char *const names[N_COLUMNS] = {KEPT_RECORD, RECEIVED_RECORD,
                                                 HANSE_RECEIVED_CODE};
    char *filter = NULL;
    HANSE_TRY(hanse_model_filter_number(info->run, &filter, error));
    const char *const formulas[] = {HANSE_IN_QUOTES(HANSE_KEPT_COLUMN), filter};
    const hanse_column_set set = {
        .names = names,
        .n_columns = info->received != NULL ? N_COLUMNS : RECEIVED,
        .formulas = formulas,
        .n_formulas = filter != NULL ? 2 : 1,
        .what = "step 'filter'",
        .fill = fill_records,
        .context = info};
    const hanse_status status =
        hanse_columns_add(info->run->columns, &set, error);
    free(filter);
    return status;
}

static hanse_status add_record(hanse_model_run *run, const char *name,
                               const char *column, const char *long_name,
                               const char *units, bool is_status,
                               hanse_error *error)
{
    const hanse_record_column record = {.name = (char *)(uintptr_t)name,
                                        .column = (char *)(uintptr_t)column,
                                        .long_name =
                                            (char *)(uintptr_t)long_name,
                                        .units = (char *)(uintptr_t)units,
                                        .is_status = is_status};
    return hanse_model_add_record(run, &record, error);
}

hanse_status hanse_information_records(hanse_information *info,
                                       hanse_error *error)
{
    hanse_model_run *run = info->run;
    HANSE_TRY(add_columns(info, error));
    if (info->spec->n_conditions > 0)
        HANSE_TRY(add_record(run, HANSE_KEPT_RECORD, KEPT_RECORD,
                             "whether the filter keeps the record", NULL, false,
                             error));
    if (info->received == NULL)
        return HANSE_OK;
    HANSE_TRY(add_record(run, HANSE_RECEIVED_RECORD, RECEIVED_RECORD,
                         "information after transmission", info->units, false,
                         error));
    return add_record(run, HANSE_RECEIVED_STATUS_RECORD, HANSE_RECEIVED_CODE,
                      "why the value is not defined", NULL, true, error);
}
