/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of the information model, before a row is read.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/formula.h"
#include "engine/models/checks.h"
#include "engine/models/information_state.h"
#include "engine/spec.h"

/* A condition is a condition, and what an outlier test compares are numbers. */
static hanse_status check_condition(const hanse_filter_condition *condition,
                                    const hanse_schema *schema,
                                    hanse_error *error)
{
    char what[64];
    hanse_formula *formula;
    (void)snprintf(what, sizeof what, "step '%.48s'", condition->name);
    if (condition->now != NULL) {
        HANSE_TRY(hanse_check_formula(condition->now, what, schema, error));
        return hanse_check_formula(condition->before, what, schema, error);
    }
    HANSE_TRY(hanse_formula_compile(condition->text, what, schema,
                                    HANSE_WANT_CONDITION, &formula, error));
    hanse_formula_destroy(formula);
    return HANSE_OK;
}

static hanse_status check_flows(const hanse_information_spec *spec,
                                const hanse_model_run *run,
                                const hanse_schema *schema, hanse_error *error)
{
    const bool wants_linkages = spec->linkages_total != NULL;
    const bool has_table = spec->flows.path != NULL;
    hanse_link_facts facts;
    if (!spec->transmits && !(wants_linkages && has_table) &&
        (wants_linkages || spec->wants_flows))
        return hanse_fail(error, HANSE_ERR_SPEC,
                          "step '%s': there are no flows; give 'transmit' with "
                          "links%s",
                          wants_linkages ? "linkages" : "within",
                          wants_linkages ? ", or 'flows', a table of flows"
                                         : "");
    HANSE_TRY(hanse_check_keys(run, (const char *const *)spec->within,
                               spec->n_within, "step 'within'", error));
    HANSE_TRY(hanse_check_formula(spec->linkages_total, "measure 'linkages'",
                                  schema, error));
    return has_table
               ? hanse_link_table_check(run, &spec->flows, false, &facts, error)
               : HANSE_OK;
}

hanse_information_size
hanse_information_bytes(const hanse_information_spec *spec,
                        const hanse_model_run *run,
                        const hanse_link_facts *links)
{
    const uint64_t column = run->n_rows * sizeof(double);
    const bool keeps_all = run->spec->filter == NULL &&
                           !(spec->remove_rejected && spec->n_conditions > 0);
    const hanse_network_options options = {
        .n_threads = hanse_model_threads(run), .normalise = spec->normalise};
    const hanse_network_size network = hanse_network_bytes(
        run->n_rows, links->n, links->has_weights, &options);
    const uint64_t dealing =
        network.dealt_bytes +
        (spec->links.by_id ? hanse_row_ids_bytes(run->n_rows, true) : 0);
    return (hanse_information_size){
        .build_bytes =
            2 * column + run->n_rows +
            (network.peak_bytes > dealing ? network.peak_bytes : dealing),
        .walk_bytes = (spec->walk.hops == HANSE_WALK_LIMIT ? 5 : 4) * column +
                      network.kept_bytes,
        .least_bytes = 2 * column + (keeps_all ? network.least_bytes : 0),
    };
}

/* Columns of the links, and whether memory may suffice. */
static hanse_status check_transmit(const hanse_information_spec *spec,
                                   const hanse_model_run *run,
                                   hanse_error *error)
{
    hanse_link_facts links;
    HANSE_TRY(hanse_link_table_check(run, &spec->links, true, &links, error));
    const uint64_t limit_bytes = run->source->budget->limit_bytes;
    const uint64_t needed =
        hanse_information_bytes(spec, run, &links).least_bytes;
    if (limit_bytes == 0 || needed <= limit_bytes)
        return HANSE_OK;
    return hanse_fail(
        error, HANSE_ERR_LIMIT,
        "transmit: %" PRIu64 " links of %s between %" PRIu64
        " rows take at least %" PRIu64 " bytes of memory, the limit is %" PRIu64
        "; raise --memory",
        links.n, spec->links.path, run->n_rows, needed, limit_bytes);
}

hanse_status hanse_information_check(const hanse_information_spec *spec,
                                     const hanse_model_run *run,
                                     const hanse_schema *schema,
                                     hanse_error *error)
{
    HANSE_TRY(hanse_check_formula(hanse_information_quantity(run),
                                  "measure 'information'", schema, error));
    for (size_t k = 0; k < spec->n_conditions; k++)
        HANSE_TRY(check_condition(&spec->conditions[k], schema, error));
    HANSE_TRY(check_flows(spec, run, schema, error));
    return spec->transmits ? check_transmit(spec, run, error) : HANSE_OK;
}

hanse_status hanse_information_name_records(const hanse_information_spec *spec,
                                            hanse_model_run *run,
                                            hanse_error *error)
{
    if (spec->n_conditions > 0)
        HANSE_TRY(hanse_model_name_record(run, HANSE_KEPT_RECORD, error));
    if (!spec->transmits)
        return HANSE_OK;
    HANSE_TRY(hanse_model_name_record(run, HANSE_RECEIVED_RECORD, error));
    return hanse_model_name_record(run, HANSE_RECEIVED_STATUS_RECORD, error);
}

hanse_status hanse_information_known(const hanse_information_spec *spec,
                                     hanse_known_columns *known,
                                     hanse_error *error)
{
    HANSE_TRY(hanse_known_columns_add(known, HANSE_KEPT_COLUMN, error));
    HANSE_TRY(hanse_known_columns_add(known, HANSE_SENT_COLUMN, error));
    return spec->transmits
               ? hanse_known_columns_add(known, HANSE_RECEIVED_COLUMN, error)
               : HANSE_OK;
}
