/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of the information model.
 */
#include "engine/models/information_tables.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/models/status.h"
#include "engine/result.h"

/* A table that is being made: a result of its own. */
typedef struct making {
    hanse_model_run *run;
    hanse_result *result;
    hanse_owned_table *table;
} making;

static hanse_status begin(making *m, hanse_model_run *run, const char *folder,
                          const char *name, size_t n_rows, size_t n_keys,
                          size_t n_columns, hanse_error *error)
{
    char path[512];
    *m = (making){.run = run};
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    HANSE_TRY(hanse_result_create(1, &m->result, error));
    m->table = &m->result->tables[0];
    const hanse_status status = hanse_result_table_init(
        m->result, 0, path, n_rows, n_keys, n_keys + n_columns,
        run->source->budget, run->tuning->spill, error);
    if (status != HANSE_OK)
        hanse_result_destroy(m->result);
    return status;
}

/* Hands the table over, or drops it after a failure. */
static hanse_status end(making *m, hanse_status status, hanse_error *error)
{
    if (status == HANSE_OK)
        return hanse_model_add_tables(m->run, m->result, error);
    hanse_result_destroy(m->result);
    return status;
}

static hanse_status add_numbers(making *m, const char *name,
                                const char *long_name, double **values,
                                hanse_error *error)
{
    return hanse_result_add_column(m->table, name, long_name, NULL, NULL,
                                   HANSE_FLOAT64, (void **)values, error);
}

static hanse_status add_counts(making *m, const char *name,
                               const char *long_name, int64_t **values,
                               hanse_error *error)
{
    return hanse_result_add_column(m->table, name, long_name, NULL, NULL,
                                   HANSE_INT64, (void **)values, error);
}

static hanse_status add_status(making *m, const char *of, int8_t **values,
                               hanse_error *error)
{
    char name[256];
    (void)snprintf(name, sizeof name, "%s_status", of);
    HANSE_TRY(hanse_result_add_column(
        m->table, name, "why the value is not defined", NULL, NULL, HANSE_INT8,
        (void **)values, error));
    hanse_model_status_flags(&m->table->columns[m->table->n_columns - 1]);
    return HANSE_OK;
}

/* ---- Keys --------------------------------------------------------------- */

/* Which group a row of the table stands for. */
typedef size_t group_of_row(const void *context, size_t row);

static hanse_status copy_texts(making *m, const hanse_column *key,
                               size_t n_groups, group_of_row *group,
                               const void *context, const char **values,
                               hanse_error *error)
{
    const char *const *texts = key->values;
    size_t size_bytes = 0, at = 0;
    char *bytes;
    size_t *places = calloc(n_groups + 1, sizeof *places);
    if (places == NULL)
        return hanse_fail_nomem(error, "keys", n_groups * sizeof *places);
    for (size_t g = 0; g < n_groups; g++)
        size_bytes += strlen(texts[g]) + 1;
    const hanse_status status = hanse_result_add_texts(
        m->table, m->table->n_columns - 1, size_bytes, &bytes, error);
    for (size_t g = 0; status == HANSE_OK && g < n_groups; g++) {
        const size_t length = strlen(texts[g]) + 1;
        memcpy(bytes + at, texts[g], length);
        places[g] = at;
        at += length;
    }
    for (size_t i = 0; status == HANSE_OK && i < m->table->view.n_rows; i++)
        values[i] = bytes + places[group(context, i)];
    free(places);
    return status;
}

/* A key of the groups, as a key of the table. */
static hanse_status copy_key(making *m, const char *name,
                             const hanse_column *key, size_t n_groups,
                             group_of_row *group, const void *context,
                             hanse_error *error)
{
    void *values;
    uint8_t *missing;
    const size_t n = m->table->view.n_rows;
    HANSE_TRY(hanse_result_add_column(m->table, name, key->long_name,
                                      key->units, NULL, key->type, &values,
                                      error));
    const size_t size_bytes = hanse_type_size(key->type);
    if (key->type == HANSE_TEXT)
        HANSE_TRY(copy_texts(m, key, n_groups, group, context, values, error));
    else
        for (size_t i = 0; i < n; i++)
            memcpy((char *)values + i * size_bytes,
                   (const char *)key->values + group(context, i) * size_bytes,
                   size_bytes);
    if (key->missing == NULL)
        return HANSE_OK;
    HANSE_TRY(hanse_result_add_missing(m->table, &missing, error));
    for (size_t i = 0; i < n; i++)
        missing[i] = key->missing[group(context, i)];
    return HANSE_OK;
}

/* All keys; with a role ("source"), that alone is the name of a single one,
 * and goes before the names of several. */
static hanse_status copy_keys(making *m, const hanse_table *groups,
                              const char *role, group_of_row *group,
                              const void *context, hanse_error *error)
{
    char name[256];
    for (size_t k = 0; k < groups->n_keys; k++) {
        const hanse_column *key = &groups->keys[k];
        if (role == NULL)
            (void)snprintf(name, sizeof name, "%s", key->name);
        else
            (void)snprintf(name, sizeof name, "%s%s%s", role,
                           groups->n_keys > 1 ? "_" : "",
                           groups->n_keys > 1 ? key->name : "");
        HANSE_TRY(
            copy_key(m, name, key, groups->n_rows, group, context, error));
    }
    return HANSE_OK;
}

/* ---- Filter and walk ---------------------------------------------------- */

static hanse_status fill_filter(making *m, const hanse_information_spec *spec,
                                uint64_t n_rows, const uint64_t *rejected,
                                hanse_error *error)
{
    const char **texts;
    char *bytes;
    int64_t *tested, *failed;
    size_t size_bytes = 0;
    for (size_t k = 0; k < spec->n_conditions; k++)
        size_bytes += strlen(spec->conditions[k].text) + 1;
    HANSE_TRY(hanse_result_add_column(m->table, "condition",
                                      "condition of the filter", NULL, NULL,
                                      HANSE_TEXT, (void **)&texts, error));
    HANSE_TRY(hanse_result_add_texts(m->table, 0, size_bytes, &bytes, error));
    for (size_t k = 0; k < spec->n_conditions; k++) {
        const char *text = spec->conditions[k].text;
        texts[k] = memcpy(bytes, text, strlen(text) + 1);
        bytes += strlen(text) + 1;
    }
    HANSE_TRY(add_counts(m, "tested", "records that all conditions before keep",
                         &tested, error));
    HANSE_TRY(add_counts(m, "rejected",
                         "records that this condition is the first to reject",
                         &failed, error));
    for (size_t k = 0; k < spec->n_conditions; k++) {
        tested[k] = (int64_t)n_rows;
        failed[k] = (int64_t)rejected[k];
        n_rows -= rejected[k];
    }
    return HANSE_OK;
}

hanse_status hanse_publish_filter(hanse_model_run *run,
                                  const hanse_information_spec *spec,
                                  uint64_t n_rows, const uint64_t *rejected,
                                  hanse_error *error)
{
    making m;
    HANSE_TRY(begin(&m, run, "filter", "information", spec->n_conditions, 1, 2,
                    error));
    return end(&m, fill_filter(&m, spec, n_rows, rejected, error), error);
}

static hanse_status fill_walk(making *m, const hanse_information_spec *spec,
                              size_t n_links, const hanse_walk_report *report,
                              hanse_error *error)
{
    int64_t *links, *steps;
    double *decay, *change, *tolerance;
    int8_t *status;
    HANSE_TRY(add_counts(m, "links", "links used", &links, error));
    HANSE_TRY(add_numbers(m, "decay", "decay per hop", &decay, error));
    HANSE_TRY(add_counts(m, "steps", "hops added up", &steps, error));
    HANSE_TRY(add_status(m, "steps", &status, error));
    HANSE_TRY(add_numbers(m, "change",
                          "largest relative change of a record in the last hop",
                          &change, error));
    links[0] = (int64_t)n_links;
    decay[0] = spec->walk.decay;
    steps[0] = (int64_t)report->n_steps;
    status[0] =
        report->has_converged ? HANSE_MODEL_OK : HANSE_MODEL_NOT_CONVERGED;
    change[0] = report->change;
    if (spec->walk.hops != HANSE_WALK_LIMIT)
        return HANSE_OK;
    HANSE_TRY(add_numbers(m, "tolerance", "largest change allowed", &tolerance,
                          error));
    tolerance[0] = spec->walk.tolerance;
    return HANSE_OK;
}

hanse_status hanse_publish_walk(hanse_model_run *run,
                                const hanse_information_spec *spec,
                                size_t n_links, const hanse_walk_report *report,
                                hanse_error *error)
{
    making m;
    HANSE_TRY(begin(&m, run, "transmit", "information", 1, 0, 6, error));
    return end(&m, fill_walk(&m, spec, n_links, report, error), error);
}

/* ---- Flows -------------------------------------------------------------- */

static size_t flow_from(const void *context, size_t row)
{
    return (size_t)((const hanse_group_flows *)context)->from[row];
}

static size_t flow_to(const void *context, size_t row)
{
    return (size_t)((const hanse_group_flows *)context)->to[row];
}

static hanse_status fill_flows(making *m, const hanse_table *groups,
                               const hanse_group_flows *flows,
                               const char *units, hanse_error *error)
{
    double *flow, *mean;
    int64_t *links;
    HANSE_TRY(copy_keys(m, groups, "source", flow_from, flows, error));
    HANSE_TRY(copy_keys(m, groups, "target", flow_to, flows, error));
    HANSE_TRY(add_counts(m, "links", "number of links", &links, error));
    HANSE_TRY(hanse_result_add_column(m->table, "flow", "flow along one hop",
                                      units, NULL, HANSE_FLOAT64,
                                      (void **)&flow, error));
    HANSE_TRY(hanse_result_add_column(m->table, "flow_mean",
                                      "mean flow of a link", units, NULL,
                                      HANSE_FLOAT64, (void **)&mean, error));
    if (flows->n == 0 && m->table->view.n_rows == 1) {
        links[0] = 0;
        flow[0] = 0.0;
        mean[0] = NAN;
        return HANSE_OK;
    }
    memcpy(links, flows->n_links, flows->n * sizeof *links);
    memcpy(flow, flows->flow, flows->n * sizeof *flow);
    memcpy(mean, flows->mean, flows->n * sizeof *mean);
    return HANSE_OK;
}

hanse_status hanse_publish_flows(hanse_model_run *run,
                                 const hanse_table *groups,
                                 const hanse_group_flows *flows,
                                 const char *units, hanse_error *error)
{
    making m;
    /* Without keys there is one row, with links or without. */
    const size_t n_rows = flows->n == 0 && groups->n_keys == 0 ? 1 : flows->n;
    HANSE_TRY(begin(&m, run, "flows", groups->name, n_rows, 2 * groups->n_keys,
                    3, error));
    return end(&m, fill_flows(&m, groups, flows, units, error), error);
}

/* ---- Linkages ----------------------------------------------------------- */

static size_t same_row(const void *context, size_t row)
{
    (void)context;
    return row;
}

/* A linkage of every group, with its status. The direct ones are there when
 * the inverse is not. */
static hanse_status add_linkage(making *m, const char *name,
                                const char *long_name, const double *from,
                                bool is_direct, const int8_t *reasons,
                                hanse_error *error)
{
    double *values;
    int8_t *status;
    const size_t n = m->table->view.n_rows;
    HANSE_TRY(add_numbers(m, name, long_name, &values, error));
    HANSE_TRY(add_status(m, name, &status, error));
    memcpy(values, from, n * sizeof *values);
    memcpy(status, reasons, n);
    for (size_t i = 0; i < n; i++)
        if (is_direct && status[i] == HANSE_MODEL_NOT_CONVERGED)
            status[i] = HANSE_MODEL_OK;
    return HANSE_OK;
}

static hanse_status fill_linkages(making *m, const hanse_table *groups,
                                  const double *totals, const hanse_linkages *l,
                                  hanse_error *error)
{
    const struct {
        const char *name, *long_name;
        const double *values;
        bool is_direct;
    } linkages[] = {
        {"backward_direct", "sum of the column of input coefficients",
         l->backward_direct, true},
        {"backward_total", "sum of the column of the Leontief inverse",
         l->backward_total, false},
        {"forward_direct", "sum of the row of output coefficients",
         l->forward_direct, true},
        {"forward_total", "sum of the row of the Ghosh inverse",
         l->forward_total, false},
        {"power_of_dispersion", "backward_total over its mean", l->power,
         false},
        {"sensitivity_of_dispersion",
         "sum of the row of the Leontief inverse over its mean", l->sensitivity,
         false},
    };
    double *total;
    HANSE_TRY(copy_keys(m, groups, NULL, same_row, NULL, error));
    HANSE_TRY(add_numbers(m, "total", "total of the group", &total, error));
    memcpy(total, totals, groups->n_rows * sizeof *total);
    for (size_t i = 0; i < sizeof linkages / sizeof linkages[0]; i++)
        HANSE_TRY(add_linkage(m, linkages[i].name, linkages[i].long_name,
                              linkages[i].values, linkages[i].is_direct,
                              l->status, error));
    return HANSE_OK;
}

static size_t matrix_row(const void *context, size_t row)
{
    return row / ((const hanse_table *)context)->n_rows;
}

static size_t matrix_column(const void *context, size_t row)
{
    return row % ((const hanse_table *)context)->n_rows;
}

static hanse_status fill_coefficients(making *m, const hanse_table *groups,
                                      const double *flows, const double *totals,
                                      const hanse_linkages *l,
                                      hanse_error *error)
{
    double *input, *leontief, *output, *ghosh;
    const size_t n = groups->n_rows;
    HANSE_TRY(copy_keys(m, groups, "source", matrix_row, groups, error));
    HANSE_TRY(copy_keys(m, groups, "target", matrix_column, groups, error));
    HANSE_TRY(add_numbers(m, "input", "input coefficient A", &input, error));
    HANSE_TRY(
        add_numbers(m, "leontief", "Leontief inverse L", &leontief, error));
    HANSE_TRY(add_numbers(m, "output", "output coefficient B", &output, error));
    HANSE_TRY(add_numbers(m, "ghosh", "Ghosh inverse M", &ghosh, error));
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            const size_t k = i * n + j;
            input[k] = hanse_linkages_input(l, flows[k], totals[j], i, j);
            output[k] = hanse_linkages_output(l, flows[k], totals[i], i, j);
            leontief[k] = l->leontief[k];
            ghosh[k] = hanse_linkages_ghosh(l, totals[i], totals[j], i, j);
        }
    }
    return HANSE_OK;
}

hanse_status hanse_publish_linkages(hanse_model_run *run,
                                    const hanse_table *groups,
                                    const double *flows, const double *totals,
                                    bool with_coefficients,
                                    const hanse_linkages *linkages,
                                    hanse_error *error)
{
    making m;
    const size_t n = groups->n_rows;
    HANSE_TRY(
        begin(&m, run, "linkages", groups->name, n, groups->n_keys, 13, error));
    HANSE_TRY(
        end(&m, fill_linkages(&m, groups, totals, linkages, error), error));
    if (!with_coefficients)
        return HANSE_OK;
    HANSE_TRY(begin(&m, run, "coefficients", groups->name, n * n,
                    2 * groups->n_keys, 4, error));
    return end(&m,
               fill_coefficients(&m, groups, flows, totals, linkages, error),
               error);
}
