/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside: the steps of the cooperation model. cooperation.h is what others
 * use.
 */
#ifndef HANSE_ENGINE_MODELS_COOPERATION_STEPS_H
#define HANSE_ENGINE_MODELS_COOPERATION_STEPS_H

#include "engine/models/cooperation.h"

/* Columns that the steps compute. No table has such a name by accident. */
#define HANSE_COOPERATION_SCORE        "cooperation: score"
#define HANSE_COOPERATION_STRATEGY     "cooperation: strategy"
#define HANSE_COOPERATION_INDEPENDENCE "cooperation: independence"
#define HANSE_COOPERATION_VALUE        "cooperation: coordinated"
#define HANSE_COOPERATION_CODE         "cooperation: status"

/* P2: coordinates `strategy`, a formula over the run's columns whose errors
 * begin with `what`; adds the columns HANSE_COOPERATION_VALUE and
 * HANSE_COOPERATION_CODE. */
hanse_status hanse_cooperation_coordinate(const hanse_cooperation_spec *spec,
                                          hanse_model_run *run,
                                          const char *strategy,
                                          const char *what, hanse_error *error);

/* The part of it along links, once the first two columns are there: NaN where
 * a row takes no part, the latter also where independence is missing or not in
 * [0, 1]. */
hanse_status
hanse_cooperation_coordinate_links(const hanse_cooperation_spec *spec,
                                   hanse_model_run *run, hanse_error *error);

/* Name of the column of U_ik. */
void hanse_cooperation_level_column(const hanse_cooperation_spec *spec,
                                    size_t subsystem, char *name,
                                    size_t size_bytes);

/* P3: columns of the tables, levels of subsystems and coupling degrees. */
hanse_status hanse_cooperation_couple(const hanse_cooperation_spec *spec,
                                      hanse_model_run *run, hanse_error *error);

/* P3: columns of the tables, synergy between two periods. */
hanse_status hanse_cooperation_synergise(const hanse_cooperation_spec *spec,
                                         hanse_model_run *run,
                                         hanse_error *error);

#endif
