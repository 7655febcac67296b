/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of the information model, before a row is read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/formula.h"
#include "engine/models/checks.h"
#include "engine/models/information_state.h"

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
    uint64_t n_flows;
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
    return has_table ? hanse_link_table_check(run, &spec->flows, false,
                                              &n_flows, error)
                     : HANSE_OK;
}

hanse_status hanse_information_check(const hanse_information_spec *spec,
                                     const hanse_model_run *run,
                                     const hanse_schema *schema,
                                     hanse_error *error)
{
    uint64_t n_links;
    HANSE_TRY(hanse_check_formula(hanse_information_quantity(run),
                                  "measure 'information'", schema, error));
    for (size_t k = 0; k < spec->n_conditions; k++)
        HANSE_TRY(check_condition(&spec->conditions[k], schema, error));
    HANSE_TRY(check_flows(spec, run, schema, error));
    return spec->transmits
               ? hanse_link_table_count(run, &spec->links, &n_links, error)
               : HANSE_OK;
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
