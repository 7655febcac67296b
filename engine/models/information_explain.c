/* SPDX-License-Identifier: Apache-2.0
 *
 * What `hanse explain` says of the information model.
 */
#include <stdio.h>

#include "engine/models/information.h"
#include "engine/models/information_state.h"

enum {
    NOTE_SIZE = 512
};

static hanse_status explain_filter(const hanse_information_spec *spec,
                                   const hanse_model_run *run,
                                   hanse_pass_notes *notes, hanse_error *error)
{
    char reads[NOTE_SIZE], computes[NOTE_SIZE];
    for (size_t k = 0; k < spec->n_conditions; k++) {
        const hanse_filter_condition *condition = &spec->conditions[k];
        if (condition->now == NULL)
            continue;
        (void)snprintf(reads, sizeof reads, "%s, %s", condition->now,
                       condition->before);
        HANSE_TRY(hanse_pass_notes_add(
            notes, "information: filter", reads,
            "median and quartiles of the ratio of two periods", NULL,
            run->n_rows * (3 * sizeof(double) + 1), error));
    }
    if (spec->n_conditions == 0)
        return HANSE_OK;
    (void)snprintf(computes, sizeof computes,
                   "which records %zu condition%s keep%s", spec->n_conditions,
                   spec->n_conditions > 1 ? "s" : "",
                   spec->n_conditions > 1 ? "" : "s");
    return hanse_pass_notes_add(notes, "information: filter",
                                "the columns of the conditions", computes,
                                "filter/information", 0, error);
}

static hanse_status explain_transmit(const hanse_information_spec *spec,
                                     const hanse_model_run *run,
                                     hanse_pass_notes *notes,
                                     hanse_error *error)
{
    hanse_link_facts facts;
    char reads[NOTE_SIZE], computes[NOTE_SIZE];
    const hanse_link_spec *links = &spec->links;
    HANSE_TRY(hanse_link_table_check(run, links, true, &facts, error));
    const hanse_information_size size =
        hanse_information_bytes(spec, run, &facts);
    (void)snprintf(reads, sizeof reads, "%s by %s",
                   hanse_information_quantity(run),
                   links->by_id ? "id" : "row");
    (void)snprintf(computes, sizeof computes, "a network of %llu links of %s",
                   (unsigned long long)facts.n, links->path);
    HANSE_TRY(hanse_pass_notes_add(notes, "information: transmit", reads,
                                   computes, NULL, size.build_bytes, error));
    if (spec->walk.hops == HANSE_WALK_LIMIT)
        (void)snprintf(computes, sizeof computes,
                       "the sum of walks of any length, up to %zu steps, to %g "
                       "of each sum",
                       spec->walk.most_steps, spec->walk.tolerance);
    else
        (void)snprintf(computes, sizeof computes,
                       "the sum of walks of up to %zu hop%s, %zu step%s in "
                       "memory",
                       spec->walk.hops, spec->walk.hops == 1 ? "" : "s",
                       spec->walk.hops, spec->walk.hops == 1 ? "" : "s");
    return hanse_pass_notes_add(notes, "information: transmit", NULL, computes,
                                "transmit/information", size.walk_bytes, error);
}

static hanse_status explain_flows(const hanse_information_spec *spec,
                                  const hanse_model_run *run,
                                  hanse_pass_notes *notes, hanse_error *error)
{
    char reads[NOTE_SIZE] = "";
    size_t used = 0;
    const char *const *keys = (const char *const *)spec->within;
    size_t n_keys = spec->n_within;
    hanse_model_within(run, &keys, &n_keys);
    for (size_t k = 0; k < n_keys && used < sizeof reads; k++)
        used += (size_t)snprintf(reads + used, sizeof reads - used, "%s%s",
                                 k > 0 ? ", " : "", keys[k]);
    return hanse_pass_notes_add(
        notes, "information: flows", n_keys > 0 ? reads : NULL,
        spec->linkages_total != NULL ? "flows between groups, their linkages"
                                     : "flows between groups",
        spec->linkages_total != NULL ? "flows/..., linkages/..." : "flows/...",
        run->n_rows * sizeof(uint32_t), error);
}

hanse_status hanse_information_explain(const hanse_information_spec *spec,
                                       const hanse_model_run *run,
                                       hanse_pass_notes *notes,
                                       hanse_error *error)
{
    HANSE_TRY(explain_filter(spec, run, notes, error));
    if (spec->transmits)
        HANSE_TRY(explain_transmit(spec, run, notes, error));
    return spec->wants_flows || spec->linkages_total != NULL
               ? explain_flows(spec, run, notes, error)
               : HANSE_OK;
}
