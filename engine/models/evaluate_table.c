/* SPDX-License-Identifier: Apache-2.0
 *
 * Weights and bounds as a table: a row for each indicator of each scope, scopes
 * in the order of their keys, indicators in that of the job.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/models/evaluate_internal.h"
#include "engine/result.h"

enum {
    N_COLUMNS = 7
};

/* Copies texts, each n_times, and returns their pointers in `out`. */
static hanse_status copy_texts(hanse_owned_table *table, size_t index,
                               const char *const *texts, size_t n,
                               size_t n_times, const char **out,
                               hanse_error *error)
{
    size_t size_bytes = 0;
    char *bytes;
    for (size_t i = 0; i < n; i++)
        size_bytes += texts[i] != NULL ? strlen(texts[i]) + 1 : 1;
    HANSE_TRY(hanse_result_add_texts(table, index, size_bytes, &bytes, error));
    for (size_t i = 0; i < n; i++) {
        const size_t length = texts[i] != NULL ? strlen(texts[i]) : 0;
        memcpy(bytes, texts[i] != NULL ? texts[i] : "", length + 1);
        for (size_t k = 0; k < n_times; k++)
            out[i * n_times + k] = bytes;
        bytes += length + 1;
    }
    return HANSE_OK;
}

/* A key of the groups, each value m times. */
static hanse_status add_key(hanse_owned_table *table, const hanse_column *key,
                            size_t n_groups, size_t m, hanse_error *error)
{
    void *values;
    uint8_t *missing = NULL;
    const size_t index = table->n_columns;
    HANSE_TRY(hanse_result_add_column(table, key->name, key->long_name,
                                      key->units, NULL, key->type, &values,
                                      error));
    if (key->missing != NULL)
        HANSE_TRY(hanse_result_add_missing(table, &missing, error));
    for (size_t i = 0; missing != NULL && i < n_groups * m; i++)
        missing[i] = key->missing[i / m];
    if (key->type == HANSE_TEXT)
        return copy_texts(table, index, key->values, n_groups, m, values,
                          error);
    const size_t size = hanse_type_size(key->type);
    for (size_t i = 0; i < n_groups * m; i++)
        memcpy((char *)values + i * size,
               (const char *)key->values + i / m * size, size);
    return HANSE_OK;
}

static hanse_status add_indicators(hanse_owned_table *table,
                                   const hanse_evaluate_spec *spec,
                                   size_t n_scopes, hanse_error *error)
{
    void *values;
    const char *names[HANSE_INDICATORS_MAX];
    const size_t m = spec->n_indicators;
    const size_t index = table->n_columns;
    HANSE_TRY(hanse_result_add_column(table, "indicator", "indicator", NULL,
                                      NULL, HANSE_TEXT, &values, error));
    for (size_t j = 0; j < m; j++)
        names[j] = spec->indicators[j].name;
    HANSE_TRY(copy_texts(table, index, names, m, 1, values, error));
    for (size_t i = m; i < n_scopes * m; i++)
        ((const char **)values)[i] = ((const char **)values)[i % m];
    return HANSE_OK;
}

static hanse_status add_numbers(hanse_owned_table *table,
                                const hanse_scales *scales, hanse_error *error)
{
    static const struct {
        const char *name;
        const char *long_name;
    } columns[] = {
        {"weight", "weight in the score"},
        {"min", "minimum over the records of the scope"},
        {"max", "maximum over the records of the scope"},
        {"mean", "mean over the records of the scope"},
        {"sd", "standard deviation over the records of the scope"},
    };
    void *values[sizeof columns / sizeof columns[0]], *n, *status;
    const size_t m = scales->n_indicators;
    for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++)
        HANSE_TRY(hanse_result_add_column(
            table, columns[c].name, columns[c].long_name, c == 0 ? "1" : NULL,
            NULL, HANSE_FLOAT64, &values[c], error));
    HANSE_TRY(hanse_result_add_column(
        table, "count", "records of the scope that have all indicators", "1",
        NULL, HANSE_INT64, &n, error));
    HANSE_TRY(hanse_result_add_column(table, "weight_status",
                                      "why the weights are not defined", NULL,
                                      NULL, HANSE_INT8, &status, error));
    hanse_model_status_flags(&table->columns[table->n_columns - 1]);
    for (size_t i = 0; i < scales->n_scopes * m; i++) {
        ((double *)values[0])[i] = scales->scaling[i].weight;
        ((double *)values[1])[i] = scales->bounds[i].min;
        ((double *)values[2])[i] = scales->bounds[i].max;
        ((double *)values[3])[i] = scales->bounds[i].mean;
        ((double *)values[4])[i] = scales->bounds[i].sd;
        ((int64_t *)n)[i] = (int64_t)scales->n[i / m];
        ((int8_t *)status)[i] = scales->status[i / m];
    }
    return HANSE_OK;
}

hanse_status hanse_evaluate_table(const hanse_evaluation *evaluation,
                                  const hanse_scales *scales,
                                  const hanse_table *groups, hanse_result **out,
                                  hanse_error *error)
{
    const hanse_evaluate_spec *spec = evaluation->spec;
    const size_t n_keys = spec->by_group ? groups->n_keys : 0;
    const size_t m = spec->n_indicators;
    hanse_result *result;
    HANSE_TRY(hanse_result_create(1, &result, error));
    hanse_owned_table *table = &result->tables[0];
    hanse_status status = hanse_result_table_init(
        result, 0, evaluation->table, groups->n_rows * m, n_keys + 1,
        n_keys + 1 + N_COLUMNS, scales->budget, NULL, error);
    for (size_t k = 0; status == HANSE_OK && k < n_keys; k++)
        status = add_key(table, &groups->keys[k], groups->n_rows, m, error);
    if (status == HANSE_OK)
        status = add_indicators(table, spec, groups->n_rows, error);
    if (status == HANSE_OK)
        status = add_numbers(table, scales, error);
    if (status != HANSE_OK) {
        hanse_result_destroy(result);
        return status;
    }
    *out = result;
    return HANSE_OK;
}
