/* SPDX-License-Identifier: Apache-2.0
 *
 * Coordination of a table's strategies along links: strategies, independence
 * and links of all rows are kept in memory while the rounds go on, and their
 * outcome afterwards, 9 bytes a row.
 */
#include <math.h>
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/models/cooperation_steps.h"
#include "engine/models/link_table.h"
#include "engine/models/status.h"
#include "engine/result.h"

/* Before sums are put right. */
#define LINKED "cooperation: along links"

/* What the columns read; kept by the run. */
typedef struct outcome {
    hanse_budget *budget;
    size_t n_rows;
    double *values; /* first the strategies, then what becomes of them */
    int8_t *codes;
    size_t n_groups;
    double *shifts; /* [group], with `preserve` */
} outcome;

static void destroy_outcome(void *object)
{
    outcome *o = object;
    if (o == NULL)
        return;
    hanse_free(o->budget, o->values, o->n_rows, sizeof *o->values);
    hanse_free(o->budget, o->codes, o->n_rows, sizeof *o->codes);
    hanse_free(o->budget, o->shifts, o->n_groups, sizeof *o->shifts);
    free(o);
}

static hanse_status create_outcome(hanse_model_run *run, outcome **out,
                                   hanse_error *error)
{
    outcome *o = calloc(1, sizeof *o);
    if (o == NULL)
        return hanse_fail_nomem(error, "coordination", sizeof *o);
    o->budget = run->source->budget;
    o->n_rows = (size_t)run->n_rows;
    o->values = hanse_allocate(o->budget, o->n_rows, sizeof *o->values);
    o->codes = hanse_allocate(o->budget, o->n_rows, sizeof *o->codes);
    if (o->values == NULL || o->codes == NULL) {
        destroy_outcome(o);
        return hanse_fail_budget(error, run->source->budget, "coordination",
                                 (size_t)run->n_rows,
                                 sizeof(double) + sizeof(int8_t));
    }
    HANSE_TRY(hanse_model_keep(run, o, destroy_outcome, error));
    *out = o;
    return HANSE_OK;
}

/* ---- The rounds --------------------------------------------------------- */

static hanse_status make_graph(const hanse_coordinate_spec *spec,
                               hanse_model_run *run, const uint8_t *keep,
                               hanse_network *graph, hanse_error *error)
{
    const hanse_network_options options = {.n_threads =
                                               hanse_model_threads(run),
                                           .budget = run->source->budget,
                                           .keep = keep,
                                           .undirected = true};
    return hanse_link_table_read(run, &spec->links, &options, graph, error);
}

/* Rows that take no part have no links. */
static hanse_status find_graph(const hanse_coordinate_spec *spec,
                               hanse_model_run *run, const double *strategies,
                               const double *independence, hanse_network *graph,
                               hanse_error *error)
{
    hanse_budget *budget = run->source->budget;
    const size_t n = (size_t)run->n_rows;
    uint8_t *keep = hanse_allocate(budget, n, sizeof *keep);
    if (keep == NULL)
        return hanse_fail_budget(error, budget, "coordination", n,
                                 sizeof *keep);
    for (size_t i = 0; i < n; i++)
        keep[i] = !isnan(strategies[i]) && !isnan(independence[i]);
    const hanse_status status = make_graph(spec, run, keep, graph, error);
    hanse_free(budget, keep, n, sizeof *keep);
    return status;
}

static hanse_status coordinate(const hanse_coordinate_spec *spec,
                               hanse_model_run *run, outcome *o,
                               const double *independence,
                               hanse_coordination_report *report,
                               hanse_error *error)
{
    hanse_network graph;
    HANSE_TRY(find_graph(spec, run, o->values, independence, &graph, error));
    const hanse_coordination coordination = {.graph = &graph,
                                             .strategy = o->values,
                                             .independence = independence,
                                             .rounds = spec->rounds,
                                             .tolerance = spec->tolerance,
                                             .max_rounds = spec->max_rounds,
                                             .n_threads =
                                                 hanse_model_threads(run),
                                             .budget = run->source->budget,
                                             .go_on = hanse_model_go_on,
                                             .go_on_context = run};
    const hanse_status status = hanse_coordinate_links(&coordination, o->values,
                                                       o->codes, report, error);
    hanse_network_clear(&graph);
    return status;
}

static hanse_status find_values(const hanse_coordinate_spec *spec,
                                hanse_model_run *run, outcome *o,
                                hanse_coordination_report *report,
                                hanse_error *error)
{
    static const char *const formulas[] = {"`" HANSE_COOPERATION_STRATEGY "`",
                                           "`" HANSE_COOPERATION_INDEPENDENCE
                                           "`"};
    double *independence =
        hanse_allocate(o->budget, o->n_rows, sizeof *independence);
    if (independence == NULL)
        return hanse_fail_budget(error, o->budget, "coordination", o->n_rows,
                                 sizeof *independence);
    double *const out[] = {o->values, independence};
    hanse_status status = hanse_columns_collect(
        run->columns, formulas, 2, "coordinate", run->options, out, error);
    if (status == HANSE_OK)
        status = coordinate(spec, run, o, independence, report, error);
    hanse_free(o->budget, independence, o->n_rows, sizeof *independence);
    return status;
}

/* ---- What was found ----------------------------------------------------- */

/* A table of one row, `coordination`. */
static hanse_status publish_report(hanse_model_run *run,
                                   const hanse_coordinate_spec *spec,
                                   const hanse_coordination_report *report,
                                   hanse_error *error)
{
    hanse_result *result;
    void *rounds = NULL, *change = NULL, *converged = NULL, *tolerance = NULL;
    const bool is_limit = spec->rounds == HANSE_ROUNDS_LIMIT;
    HANSE_TRY(hanse_result_create(1, &result, error));
    hanse_owned_table *table = &result->tables[0];
    hanse_status status = hanse_result_table_init(result, 0, "coordination", 1,
                                                  0, 4, NULL, NULL, error);
    if (status == HANSE_OK)
        status =
            hanse_result_add_column(table, "rounds", "rounds of coordination",
                                    NULL, NULL, HANSE_INT64, &rounds, error);
    if (status == HANSE_OK)
        status = hanse_result_add_column(
            table, "last_change", "largest change of a value in the last round",
            NULL, NULL, HANSE_FLOAT64, &change, error);
    if (status == HANSE_OK)
        status =
            hanse_result_add_column(table, "converged",
                                    "whether the limit was reached, if it was "
                                    "asked for",
                                    NULL, NULL, HANSE_INT8, &converged, error);
    if (status == HANSE_OK && is_limit)
        status = hanse_result_add_column(
            table, "tolerance",
            "largest change allowed, as a share of the largest strategy among "
            "linked records",
            NULL, NULL, HANSE_FLOAT64, &tolerance, error);
    if (status != HANSE_OK) {
        hanse_result_destroy(result);
        return status;
    }
    *(int64_t *)rounds = (int64_t)report->rounds;
    *(double *)change = report->change;
    *(int8_t *)converged = report->converged;
    if (is_limit)
        *(double *)tolerance = spec->tolerance;
    return hanse_model_add_tables(run, result, error);
}

static void fill_codes(const void *context, const hanse_rows *rows,
                       double *const *out)
{
    const outcome *o = context;
    for (size_t i = 0; i < rows->n; i++)
        out[0][i] = (double)o->codes[rows->first_row + i];
}

static hanse_status add_codes(hanse_model_run *run, const outcome *o,
                              hanse_error *error)
{
    static const char *const names[] = {HANSE_COOPERATION_CODE};
    const hanse_column_set set = {.names = names,
                                  .n_columns = 1,
                                  .what = "coordinate",
                                  .fill = fill_codes,
                                  .context = o};
    return hanse_columns_add(run->columns, &set, error);
}

/* ---- Sums that are kept ------------------------------------------------- */

/* Of rows without a group the value stays. */
static void fill_shifted(const void *context, const hanse_rows *rows,
                         double *const *out)
{
    const outcome *o = context;
    for (size_t i = 0; i < rows->n; i++) {
        const uint32_t group = rows->groups[0][i];
        out[0][i] = rows->numbers[0][i] +
                    (group != HANSE_NO_GROUP ? o->shifts[group] : 0.0);
    }
}

static hanse_status take_shifts(const hanse_table *table, outcome *o,
                                hanse_error *error)
{
    o->n_groups = table->n_rows;
    o->shifts = hanse_allocate(o->budget, o->n_groups, sizeof *o->shifts);
    if (o->shifts == NULL)
        return hanse_fail_budget(error, o->budget, "coordination", o->n_groups,
                                 sizeof *o->shifts);
    for (size_t g = 0; g < o->n_groups; g++)
        o->shifts[g] = hanse_table_number(table, "lost", "mean", g);
    return HANSE_OK;
}

/* The mean of p - z over the members of a group that have a value. */
static hanse_status shift(const hanse_cooperation_spec *spec,
                          hanse_model_run *run, outcome *o, hanse_error *error)
{
    static const hanse_model_measure lost = {
        "lost", "`" HANSE_COOPERATION_STRATEGY "` - `" LINKED "`"};
    static const char *const names[] = {HANSE_COOPERATION_VALUE};
    static const char *const formulas[] = {"`" LINKED "`"};
    const char *const *keys = (const char *const *)spec->within;
    size_t n_keys = spec->n_within;
    const hanse_groups *groups;
    hanse_groups *found;
    hanse_result *result;
    hanse_model_within(run, &keys, &n_keys);
    HANSE_TRY(hanse_model_pass(run, keys, n_keys, &lost, 1, HANSE_STAT_MEAN,
                               &found, &result, error));
    const hanse_status status =
        take_shifts(hanse_result_table(result, 0), o, error);
    hanse_result_destroy(result);
    if (status != HANSE_OK)
        return status;
    groups = found;
    const hanse_column_set set = {.names = names,
                                  .n_columns = 1,
                                  .formulas = formulas,
                                  .n_formulas = 1,
                                  .what = "coordinate",
                                  .groups = &groups,
                                  .n_groups = 1,
                                  .fill = fill_shifted,
                                  .context = o};
    return hanse_columns_add(run->columns, &set, error);
}

/* ---- All of it ---------------------------------------------------------- */

hanse_status
hanse_cooperation_coordinate_links(const hanse_cooperation_spec *spec,
                                   hanse_model_run *run, hanse_error *error)
{
    hanse_coordination_report report;
    outcome *o = NULL;
    HANSE_TRY(create_outcome(run, &o, error));
    HANSE_TRY(find_values(&spec->coordinate, run, o, &report, error));
    HANSE_TRY(publish_report(run, &spec->coordinate, &report, error));
    HANSE_TRY(add_codes(run, o, error));
    if (!spec->coordinate.preserve)
        return hanse_columns_add_array(run->columns, HANSE_COOPERATION_VALUE,
                                       o->values, error);
    HANSE_TRY(hanse_columns_add_array(run->columns, LINKED, o->values, error));
    return shift(spec, run, o, error);
}
