/* SPDX-License-Identifier: Apache-2.0
 *
 * The cooperation model (MODELS.md 3): evaluate strategies, coordinate them,
 * and see how the subsystems of a group go together.
 */
#ifndef HANSE_ENGINE_MODELS_COOPERATION_H
#define HANSE_ENGINE_MODELS_COOPERATION_H

#include "engine/models/coordinate.h"
#include "engine/models/coupling.h"
#include "engine/models/evaluate.h"
#include "engine/models/link_table.h"
#include "engine/models/synergy.h"

/* P1. U_ik = sum_j w_j y_ij of a record in subsystem k. */
typedef struct hanse_subsystem_spec {
    char *name;    /* letters, digits, underscores; unique */
    double weight; /* a_k >= 0, their sum is not 0 */
    hanse_evaluate_spec evaluate;
} hanse_subsystem_spec;

/* P2. z_i(t + 1) = l_i (M z(t))_i + (1 - l_i) p_i. */
typedef struct hanse_coordinate_spec {
    char *independence; /* formula for 1 - l_i, or for l_i where `is_open`;
                           NULL: no coordination */
    bool is_open;
    uint64_t rounds; /* or HANSE_ROUNDS_LIMIT */
    double tolerance;
    uint64_t max_rounds;
    bool preserve;
    bool along_links; /* else inside the groups of `within` */
    hanse_link_spec links;
} hanse_coordinate_spec;

/* P3. Two periods of which `from` and `to` are written as the column's values
 * are: 1, Q3. */
typedef struct hanse_periods_spec {
    char *column; /* or key; NULL: no periods */
    char *from;
    char *to;
    hanse_order_kind order;
    hanse_composite_kind composite;
} hanse_periods_spec;

typedef struct hanse_cooperation_spec {
    /* The strategy p_i: the formula of the run's measure `cooperation` if it is
     * another than the conventional one or has been given by name; else the
     * score, if that has indicators; else the weighted sum of the levels U_ik,
     * if there are subsystems. */
    bool has_formula;
    hanse_evaluate_spec score;
    hanse_subsystem_spec *subsystems;
    size_t n_subsystems;
    hanse_coordinate_spec coordinate;
    /* Groups of complete mixing, of sums that are preserved and of the group
     * scope; those of the job's first grouping where n_within is SIZE_MAX. */
    char **within;
    size_t n_within;
    bool synergises;    /* the job says how */
    uint32_t couplings; /* bits 1 << kind */
    char *size; /* formula: weights of the records in U_gk; NULL: equal */
    hanse_periods_spec periods;
} hanse_cooperation_spec;

/* No step at all, all kinds of coupling. */
hanse_status hanse_cooperation_spec_create(hanse_cooperation_spec **out,
                                           hanse_error *error);
void hanse_cooperation_spec_destroy(hanse_cooperation_spec *spec);

/* Another subsystem, without indicators and of weight 1, takes the text;
 * HANSE_ERR_SPEC for one too many. */
hanse_status hanse_cooperation_spec_add(hanse_cooperation_spec *spec,
                                        char *name, hanse_subsystem_spec **out,
                                        hanse_error *error);

/* What could otherwise fail after hours of reading: formulas over the columns
 * of `schema`, keys, tables of links. */
hanse_status hanse_cooperation_check(const hanse_cooperation_spec *spec,
                                     const hanse_model_run *run,
                                     const hanse_schema *schema,
                                     hanse_error *error);

/* Names the record-level outputs. */
hanse_status hanse_cooperation_name_records(const hanse_cooperation_spec *spec,
                                            hanse_model_run *run,
                                            hanse_error *error);

/* The steps, which have been checked: the measure `cooperation` becomes what
 * they give; columns for records and tables are added. The specification is
 * borrowed until the run is cleared. */
hanse_status hanse_cooperation_run(const hanse_cooperation_spec *spec,
                                   hanse_model_run *run, hanse_error *error);

/* The passes of the steps. */
hanse_status hanse_cooperation_explain(const hanse_cooperation_spec *spec,
                                       const hanse_model_run *run,
                                       hanse_pass_notes *notes,
                                       hanse_error *error);

#endif
