/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs whose groups do not fit in memory and cannot be spilled.
 */
#ifndef HANSE_ENGINE_RUN_PARTS_H
#define HANSE_ENGINE_RUN_PARTS_H

#include "engine/run.h"

/* As hanse_run_tuned, when that has failed with HANSE_ERR_LIMIT: each grouping
 * by itself, and those that still do not fit in more and more parts, for each
 * of which the table is read once. The result is the same. */
hanse_status hanse_run_in_parts(const hanse_spec *spec, hanse_source *source,
                                const hanse_run_options *options,
                                const hanse_run_tuning *tuning,
                                hanse_run_report *report, hanse_result **out,
                                hanse_error *error);

#endif
