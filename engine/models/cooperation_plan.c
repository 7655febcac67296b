/* SPDX-License-Identifier: Apache-2.0
 *
 * What is wrong with the steps of the cooperation model, before a row is read,
 * and the passes that they take.
 */
#include <inttypes.h>
#include <stdio.h>

#include "engine/models/checks.h"
#include "engine/models/cooperation_steps.h"
#include "engine/spec.h"

#define NAME_SIZE HANSE_COOPERATION_NAME

/* ---- Checks ------------------------------------------------------------- */

static hanse_status check_spec(const hanse_cooperation_spec *spec,
                               hanse_error *error)
{
    double total = 0.0;
    for (size_t k = 0; k < spec->n_subsystems; k++)
        total += spec->subsystems[k].weight;
    if (spec->n_subsystems > 0 && !(total > 0.0))
        return hanse_fail(error, HANSE_ERR_SPEC,
                          "step 'evaluate': the weights of all subsystems are "
                          "0; give one of them a positive weight");
    if (spec->n_subsystems == 0 && spec->synergises)
        return hanse_fail(error, HANSE_ERR_SPEC,
                          "step 'synergise': there are no subsystems; give "
                          "'subsystems' under 'evaluate'");
    return HANSE_OK;
}

/* What strategies, independence and codes of all rows take, and with them the
 * values of two rounds. Rows without a strategy have no links in the graph, so
 * that it may be small. */
static uint64_t least_bytes(uint64_t n_rows)
{
    return (17 + 4 * sizeof(double)) * n_rows;
}

/* Columns of the links, and whether memory may suffice. */
static hanse_status check_links(const hanse_coordinate_spec *coordinate,
                                const hanse_model_run *run, hanse_error *error)
{
    hanse_link_facts links;
    HANSE_TRY(
        hanse_link_table_check(run, &coordinate->links, true, &links, error));
    const uint64_t limit_bytes = run->source->budget->limit_bytes;
    const uint64_t needed = least_bytes(run->n_rows);
    if (limit_bytes == 0 || needed <= limit_bytes)
        return HANSE_OK;
    return hanse_fail(
        error, HANSE_ERR_LIMIT,
        "coordinate: %" PRIu64 " links of %s between %" PRIu64
        " rows take at least %" PRIu64 " bytes of memory, the limit is %" PRIu64
        "; raise --memory",
        links.n, coordinate->links.path, run->n_rows, needed, limit_bytes);
}

hanse_status hanse_cooperation_check(const hanse_cooperation_spec *spec,
                                     const hanse_model_run *run,
                                     const hanse_schema *schema,
                                     hanse_error *error)
{
    const hanse_coordinate_spec *coordinate = &spec->coordinate;
    HANSE_TRY(check_spec(spec, error));
    if (hanse_cooperation_is_given(spec, run))
        HANSE_TRY(hanse_check_formula(hanse_cooperation_formula(run),
                                      HANSE_COOPERATION_MEASURE, schema,
                                      error));
    HANSE_TRY(hanse_check_formula(coordinate->independence,
                                  coordinate->is_open ? "step 'openness'"
                                                      : "step 'independence'",
                                  schema, error));
    HANSE_TRY(hanse_check_formula(spec->size, "step 'size'", schema, error));
    for (size_t k = 0; k < spec->n_subsystems; k++)
        HANSE_TRY(hanse_check_indicators(&spec->subsystems[k].evaluate, schema,
                                         error));
    HANSE_TRY(hanse_check_indicators(&spec->score, schema, error));
    HANSE_TRY(hanse_check_keys(run, (const char *const *)spec->within,
                               spec->n_within, "group by", error));
    if (spec->periods.column != NULL)
        HANSE_TRY(hanse_check_keys(run,
                                   (const char *const *)&spec->periods.column,
                                   1, "step 'periods'", error));
    return coordinate->along_links ? check_links(coordinate, run, error)
                                   : HANSE_OK;
}

/* A value and its status. */
static hanse_status name_pair(hanse_model_run *run, const char *name,
                              hanse_error *error)
{
    char status[NAME_SIZE + 8];
    HANSE_TRY(hanse_model_name_record(run, name, error));
    (void)snprintf(status, sizeof status, "%s_status", name);
    return hanse_model_name_record(run, status, error);
}

hanse_status hanse_cooperation_name_records(const hanse_cooperation_spec *spec,
                                            hanse_model_run *run,
                                            hanse_error *error)
{
    for (size_t k = 0; k < spec->n_subsystems; k++) {
        char name[NAME_SIZE];
        hanse_cooperation_level_record(spec, k, name, sizeof name);
        HANSE_TRY(name_pair(run, name, error));
    }
    if (!hanse_cooperation_is_given(spec, run) && spec->score.n_indicators > 0)
        HANSE_TRY(name_pair(run, HANSE_STRATEGY_RECORD, error));
    return spec->coordinate.independence != NULL
               ? name_pair(run, HANSE_COORDINATED_RECORD, error)
               : HANSE_OK;
}

/* ---- Explaining --------------------------------------------------------- */

static hanse_status explain_evaluation(const hanse_cooperation_spec *spec,
                                       const hanse_model_run *run, size_t k,
                                       hanse_pass_notes *notes,
                                       hanse_error *error)
{
    hanse_evaluation_names names;
    const hanse_evaluation evaluation =
        hanse_cooperation_evaluation_of(spec, run, k, &names);
    return hanse_evaluate_explain(&evaluation, "cooperation: evaluate", notes,
                                  error);
}

/* Keys with commas between. */
static void join_keys(const char *const *keys, size_t n_keys, char *text,
                      size_t size_bytes)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t k = 0; k < n_keys && used < size_bytes; k++)
        used += (size_t)snprintf(text + used, size_bytes - used, "%s%s",
                                 k > 0 ? ", " : "", keys[k]);
}

static hanse_status explain_groups(const hanse_cooperation_spec *spec,
                                   const hanse_model_run *run,
                                   const char *computes,
                                   hanse_pass_notes *notes, hanse_error *error)
{
    const char *const *keys = (const char *const *)spec->within;
    size_t n_keys = spec->n_within;
    char groups[2 * NAME_SIZE], reads[4 * NAME_SIZE];
    hanse_model_within(run, &keys, &n_keys);
    join_keys(keys, n_keys, groups, sizeof groups);
    (void)snprintf(reads, sizeof reads, "the strategy, %s%s%s",
                   spec->coordinate.independence, n_keys > 0 ? ", " : "",
                   groups);
    return hanse_pass_notes_add(notes, "cooperation: coordinate", reads,
                                computes, "coordinated", 0, error);
}

/* Links, the graph that they make and the values of a round. */
static hanse_status explain_links(const hanse_cooperation_spec *spec,
                                  const hanse_model_run *run,
                                  hanse_pass_notes *notes, hanse_error *error)
{
    const size_t n_rows = (size_t)run->n_rows;
    uint64_t n;
    char reads[2 * NAME_SIZE];
    HANSE_TRY(hanse_link_table_count(run, &spec->coordinate.links, &n, error));
    const hanse_network_options options = {
        .n_threads = hanse_model_threads(run), .undirected = true};
    const hanse_network_size graph =
        hanse_network_bytes(n_rows, n, false, &options);
    const uint64_t rounds = graph.kept_bytes + hanse_coordinate_bytes(n_rows);
    const uint64_t making = graph.peak_bytes + n_rows;
    (void)snprintf(reads, sizeof reads, "the strategy, %s, %" PRIu64 " links",
                   spec->coordinate.independence, n);
    HANSE_TRY(hanse_pass_notes_add(
        notes, "cooperation: coordinate", reads, "rounds along the links",
        "coordinated", 17 * run->n_rows + (rounds > making ? rounds : making),
        error));
    if (!spec->coordinate.preserve)
        return HANSE_OK;
    return explain_groups(spec, run, "what each group's sum has lost", notes,
                          error);
}

static hanse_status explain_coordination(const hanse_cooperation_spec *spec,
                                         const hanse_model_run *run,
                                         hanse_pass_notes *notes,
                                         hanse_error *error)
{
    if (spec->coordinate.along_links)
        return explain_links(spec, run, notes, error);
    return explain_groups(spec, run,
                          "sums of strategies and independence in every group",
                          notes, error);
}

static hanse_status explain_periods(const hanse_cooperation_spec *spec,
                                    const hanse_model_run *run,
                                    hanse_pass_notes *notes, hanse_error *error)
{
    for (size_t i = 0; i < run->spec->n_groupings; i++) {
        const hanse_spec_grouping *grouping = &run->spec->groupings[i];
        char computes[2 * NAME_SIZE];
        (void)snprintf(computes, sizeof computes,
                       "totals of the indicators for %s by %s", grouping->name,
                       spec->periods.column);
        HANSE_TRY(hanse_pass_notes_add(notes, "cooperation: synergise",
                                       "all indicators", computes, NULL, 0,
                                       error));
    }
    return HANSE_OK;
}

hanse_status hanse_cooperation_explain(const hanse_cooperation_spec *spec,
                                       const hanse_model_run *run,
                                       hanse_pass_notes *notes,
                                       hanse_error *error)
{
    for (size_t k = 0; k < spec->n_subsystems; k++)
        HANSE_TRY(explain_evaluation(spec, run, k, notes, error));
    if (!hanse_cooperation_is_given(spec, run) && spec->score.n_indicators > 0)
        HANSE_TRY(explain_evaluation(spec, run, SIZE_MAX, notes, error));
    if (spec->coordinate.independence != NULL)
        HANSE_TRY(explain_coordination(spec, run, notes, error));
    if (spec->periods.column != NULL)
        HANSE_TRY(explain_periods(spec, run, notes, error));
    if (spec->n_subsystems == 0)
        return HANSE_OK;
    return hanse_pass_notes_add(notes, "cooperation: synergise",
                                "levels of subsystems",
                                "mean levels in every group of all tables",
                                "coupling and coordination degrees", 0, error);
}
