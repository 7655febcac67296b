/* SPDX-License-Identifier: Apache-2.0
 *
 * The plan: a specification resolved against the columns of a table. Read-only
 * once made, shared by the folds of all threads.
 */
#ifndef HANSE_ENGINE_PLAN_H
#define HANSE_ENGINE_PLAN_H

#include "engine/formula.h"
#include "engine/hanse.h"

enum {
    HANSE_GROUP_KEYS_MAX = 32 /* of one grouping */
};

/* How the values of a measure are kept exactly. */
typedef enum hanse_number {
    HANSE_NUMBER_FLOAT, /* binary64, from a formula or a float column */
    HANSE_NUMBER_INT,   /* a signed integer or bool column */
    HANSE_NUMBER_UINT   /* an unsigned integer column */
} hanse_number;

typedef struct hanse_plan_measure {
    char *name;
    char *long_name;
    char *units; /* of the column, NULL for a formula */
    hanse_number number;
    size_t field; /* of a bare column, else SIZE_MAX */
    char *text;   /* of the formula */
    hanse_formula *formula;
} hanse_plan_measure;

/* One key column. */
typedef struct hanse_plan_key {
    size_t field;
    char *name;
    char *long_name;
    char *units;
    hanse_type type;
    hanse_label *labels; /* own copy, ascending by code */
    size_t n_labels;
    int64_t missing_code;
} hanse_plan_key;

/* A node of the tree of groupings: the groups of its parent, each divided by
 * one more key. Groupings with common leading keys share nodes. */
typedef struct hanse_plan_node {
    size_t parent; /* SIZE_MAX: directly below all rows */
    size_t key;
} hanse_plan_node;

typedef struct hanse_plan_grouping {
    char *name;
    size_t node; /* SIZE_MAX: all rows are one group */
    size_t n_keys;
    size_t *keys;
} hanse_plan_grouping;

typedef struct hanse_plan {
    size_t n_fields;   /* of the schema */
    hanse_type *types; /* of its fields */
    size_t *used;      /* fields that are read, ascending */
    size_t n_used;
    char *filter_text;     /* NULL: none */
    hanse_formula *filter; /* NULL: none */
    hanse_plan_measure *measures;
    size_t n_measures;
    hanse_plan_key *keys;
    size_t n_keys;
    hanse_plan_node *nodes; /* parents before children */
    size_t n_nodes;
    hanse_plan_grouping *groupings;
    size_t n_groupings;
    uint32_t statistics;
    bool drop_missing_keys;
    size_t scratch_bytes; /* for any of the formulas */
} hanse_plan;

/* Whether the statistics asked for need sums, sums of squares, extremes. */
bool hanse_plan_needs_sums(const hanse_plan *plan);
bool hanse_plan_needs_squares(const hanse_plan *plan);
bool hanse_plan_needs_extremes(const hanse_plan *plan);

hanse_status hanse_plan_create(const hanse_spec *spec,
                               const hanse_schema *schema, hanse_plan **out,
                               hanse_error *error);
void hanse_plan_destroy(hanse_plan *plan);

/* Whether two plans compute the same thing, so that states may merge. */
bool hanse_plan_equal(const hanse_plan *a, const hanse_plan *b);

#endif
