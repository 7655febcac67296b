/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of the information model, which belong to no grouping of the job.
 */
#ifndef HANSE_ENGINE_MODELS_INFORMATION_TABLES_H
#define HANSE_ENGINE_MODELS_INFORMATION_TABLES_H

#include "engine/models/group_flows.h"
#include "engine/models/information.h"
#include "engine/models/linkages.h"

/* filter/information: rejected[k] of the conditions, of n_rows rows. */
hanse_status hanse_publish_filter(hanse_model_run *run,
                                  const hanse_information_spec *spec,
                                  uint64_t n_rows, const uint64_t *rejected,
                                  hanse_error *error);

/* transmit/information. */
hanse_status hanse_publish_walk(hanse_model_run *run,
                                const hanse_information_spec *spec,
                                size_t n_links, const hanse_walk_report *report,
                                hanse_error *error);

/* flows/<name of the groups' table>; units NULL: unknown. */
hanse_status hanse_publish_flows(hanse_model_run *run,
                                 const hanse_table *groups,
                                 const hanse_group_flows *flows,
                                 const char *units, hanse_error *error);

/* linkages/<name>, and coefficients/<name> if asked for. */
hanse_status hanse_publish_linkages(hanse_model_run *run,
                                    const hanse_table *groups,
                                    const double *flows, const double *totals,
                                    bool with_coefficients,
                                    const hanse_linkages *linkages,
                                    hanse_error *error);

#endif
