/* SPDX-License-Identifier: Apache-2.0
 *
 * The plan: a specification resolved against the columns of a table. Read-only
 * once made, shared by the folds of all threads.
 */
#ifndef HANSE_ENGINE_PLAN_H
#define HANSE_ENGINE_PLAN_H

#include "engine/formula.h"
#include "engine/spec.h"
#include "engine/statistic_set.h"

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

/* Where the values of a key come from. */
typedef enum hanse_key_source {
    HANSE_KEY_COLUMN,
    HANSE_KEY_FORMULA,   /* whole numbers */
    HANSE_KEY_CONDITION, /* bool */
    HANSE_KEY_BINS,      /* numbers of intervals, with their labels */
    HANSE_KEY_MAPPING    /* targets, with labels where they are texts */
} hanse_key_source;

/* Edges of bins, ascending. The bin of a value is the number of edges that it
 * reaches: edge <= value. Values of a bare integer column are compared as
 * integers, all others as binary64. */
typedef struct hanse_bins {
    bool as_integers;
    size_t n;          /* edges; n + 1 bins */
    double *numbers;   /* [n] least binary64 that reaches the edge */
    int64_t *integers; /* least integer that does, in the order of int64: a
                        * uint64 has its top bit turned around */
    size_t n_reached;  /* integers: edges that every int64 reaches */
    size_t n_integers; /* edges after these that some int64 reaches */
} hanse_bins;

/* One key. */
typedef struct hanse_plan_key {
    hanse_key_source source;
    size_t field;           /* of a column or mapping, else SIZE_MAX */
    char *definition;       /* NULL: a column by its own name */
    hanse_formula *formula; /* of formulas, conditions and bins */
    hanse_bins bins;
    hanse_mapping *mapping; /* a share of it */
    bool by_code;           /* labels are in the order of their codes */
    char *name;
    char *long_name;
    char *units;
    hanse_type type;
    hanse_label *labels; /* own copy or the mapping's, ascending by code */
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
    size_t *rest; /* those of them that the filter does not read */
    size_t n_rest;
    char *filter_text;     /* NULL: none */
    hanse_formula *filter; /* NULL: none */
    /* Measures, then values that are evaluated like them but not published:
     * weights and integer ids. */
    hanse_plan_measure *measures;
    size_t n_measures;
    size_t n_values;
    size_t weights;  /* index of the weights; SIZE_MAX: none */
    size_t id;       /* index of an integer id; SIZE_MAX: none */
    size_t id_field; /* of the id; SIZE_MAX: the number of the row */
    char *id_name;   /* of the id's column, NULL: none */
    hanse_plan_key *keys;
    size_t n_keys;
    hanse_plan_node *nodes; /* parents before children */
    size_t n_nodes;
    hanse_plan_grouping *groupings;
    size_t n_groupings;
    hanse_statistic_set set;
    uint32_t statistics; /* the set's mask */
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

/* ---- plan_keys.c -------------------------------------------------------- */

/* Index of the key `name`, a defined one or a column, added when it is new. */
hanse_status hanse_plan_find_key(hanse_plan *plan, const hanse_spec *spec,
                                 const hanse_schema *schema, const char *name,
                                 size_t *out, hanse_error *error);
void hanse_plan_clear_keys(hanse_plan *plan);
bool hanse_plan_same_key(const hanse_plan_key *a, const hanse_plan_key *b);

/* Whether two plans compute the same thing, so that states may merge. */
bool hanse_plan_equal(const hanse_plan *a, const hanse_plan *b);

#endif
