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

/* Begins messages about the strategy's formula. */
#define HANSE_COOPERATION_MEASURE "measure 'cooperation'"

enum {
    HANSE_COOPERATION_NAME = 160 /* bytes of a column's name, at most */
};

/* The formula of the run's measure, and whether it is the strategy: not where
 * a score or levels are. */
const char *hanse_cooperation_formula(const hanse_model_run *run);
bool hanse_cooperation_is_given(const hanse_cooperation_spec *spec,
                                const hanse_model_run *run);

/* Names of record-level outputs, each with one of its status. */
#define HANSE_STRATEGY_RECORD    "strategy_score"
#define HANSE_COORDINATED_RECORD "coordinated"
void hanse_cooperation_level_record(const hanse_cooperation_spec *spec,
                                    size_t subsystem, char *name,
                                    size_t size_bytes);

/* Names of the columns of one evaluation. */
typedef struct hanse_evaluation_names {
    char prefix[HANSE_COOPERATION_NAME];
    char score[HANSE_COOPERATION_NAME];
    char code[HANSE_COOPERATION_NAME + 8];
} hanse_evaluation_names;

/* Of subsystem k, or of the score where k is SIZE_MAX; points to the names. */
hanse_evaluation
hanse_cooperation_evaluation_of(const hanse_cooperation_spec *spec,
                                const hanse_model_run *run, size_t k,
                                hanse_evaluation_names *names);

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

/* Column of the tables: why the total is not defined, which is NaN then. */
hanse_status hanse_cooperation_add_status(const hanse_cooperation_spec *spec,
                                          hanse_model_run *run,
                                          hanse_error *error);

/* P3: columns of the tables, levels of subsystems and coupling degrees. */
hanse_status hanse_cooperation_couple(const hanse_cooperation_spec *spec,
                                      hanse_model_run *run, hanse_error *error);

/* P3: columns of the tables, synergy between two periods. */
hanse_status hanse_cooperation_synergise(const hanse_cooperation_spec *spec,
                                         hanse_model_run *run,
                                         hanse_error *error);

#endif
