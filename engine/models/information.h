/* SPDX-License-Identifier: Apache-2.0
 *
 * The information model (MODELS.md, 2): records are filtered, what those that
 * are kept have goes along links, and I is what each one has then.
 */
#ifndef HANSE_ENGINE_MODELS_INFORMATION_H
#define HANSE_ENGINE_MODELS_INFORMATION_H

#include "engine/models/checks.h"
#include "engine/models/link_table.h"
#include "engine/models/outliers.h"
#include "engine/models/walk.h"

/* A condition of the filter: a formula, or that the ratio of two periods is no
 * outlier. */
typedef struct hanse_filter_condition {
    char *name;   /* begins messages: "filter 2" */
    char *text;   /* the formula, or a description of the test */
    char *now;    /* formulas of an outlier test; NULL: `text` is a formula */
    char *before; /* of the period before */
    hanse_outlier_test test;
} hanse_filter_condition;

/* Texts and lists are owned (malloc). */
typedef struct hanse_information_spec {
    hanse_filter_condition *conditions; /* all of them must hold */
    size_t n_conditions;

    bool transmits;
    hanse_link_spec links;
    hanse_walk_spec walk;
    bool normalise;
    bool remove_rejected; /* with their links */

    bool wants_flows; /* between the groups of `within` */
    char **within;    /* keys; n_within SIZE_MAX: those of the first grouping */
    size_t n_within;

    char *linkages_total;  /* formula; NULL: no linkages */
    bool wants_inverse;    /* the coefficients, too */
    hanse_link_spec flows; /* a table of flows between keys of `within`; path
                              NULL: the flows along the links */
} hanse_information_spec;

/* An empty one, which changes nothing: everything is kept and stays. */
hanse_status hanse_information_spec_create(hanse_information_spec **out,
                                           hanse_error *error);
void hanse_information_spec_destroy(hanse_information_spec *spec);

/* What can be found out before a row is read: formulas over the columns of
 * `schema`, keys, the tables of links, whether there are flows where some are
 * wanted. And the columns that the steps add. */
hanse_status hanse_information_check(const hanse_information_spec *spec,
                                     const hanse_model_run *run,
                                     const hanse_schema *schema,
                                     hanse_error *error);
hanse_status hanse_information_known(const hanse_information_spec *spec,
                                     hanse_known_columns *known,
                                     hanse_error *error);

/* Names the record-level outputs. */
#define HANSE_KEPT_RECORD            "kept"
#define HANSE_RECEIVED_RECORD        "received"
#define HANSE_RECEIVED_STATUS_RECORD "received_status"
hanse_status hanse_information_name_records(const hanse_information_spec *spec,
                                            hanse_model_run *run,
                                            hanse_error *error);

/* Adds the steps, which have been checked, to a run: the measure, columns of
 * all tables (information_kept, _sent, _kept_share, _multiplier), record
 * columns (kept, received) and the tables filter/information,
 * transmit/information, flows/..., linkages/..., coefficients/.... */
hanse_status hanse_information_run(const hanse_information_spec *spec,
                                   hanse_model_run *run, hanse_error *error);

hanse_status hanse_information_explain(const hanse_information_spec *spec,
                                       const hanse_model_run *run,
                                       hanse_pass_notes *notes,
                                       hanse_error *error);

#endif
