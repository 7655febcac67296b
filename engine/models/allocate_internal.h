/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of allocate.h share.
 */
#ifndef HANSE_ENGINE_MODELS_ALLOCATE_INTERNAL_H
#define HANSE_ENGINE_MODELS_ALLOCATE_INTERNAL_H

#include "engine/models/allocate.h"

/* The columns that are computed together. */
enum {
    HANSE_ALLOCATE_AWARD,
    HANSE_ALLOCATE_STATUS,
    HANSE_ALLOCATE_INTEGRATED, /* R_i */
    HANSE_ALLOCATE_KEPT,       /* (1-rho) r_i; r_i where it takes no part */
    HANSE_ALLOCATE_GROUP,      /* number of the group, -1: none */
    HANSE_ALLOCATE_COLUMNS
};
extern const char *const hanse_allocate_columns[HANSE_ALLOCATE_COLUMNS];

/* Total of r_i in the groups of all tables, for table columns. */
#define HANSE_BEFORE_SUM "resource_before"

/* What a row has instead of what the rule gives. */
typedef struct hanse_award_change {
    uint64_t row;
    double award;
    double integrated;
} hanse_award_change;

typedef struct hanse_allocation {
    hanse_claims_rule rule;
    double keep;          /* 1 - rho; 1 where the pool is given */
    bool is_given;        /* the pool */
    bool has_claim;       /* formula 0 is the claim and 1 r_i, else 0 is both */
    size_t n_groups;      /* numbered as the rows of `table` */
    hanse_result *result; /* of the first pass */
    hanse_result *undefined; /* statuses by row of other tables, may be NULL */
    const hanse_table *table;
    hanse_award_terms *terms; /* [group] */
    double *pools;            /* [group] E */
    double *shared;         /* [group] what awards add up to; NaN: undefined */
    double *reserves;       /* [group] */
    double *before;         /* [group] total of r_i */
    double most_integrated; /* sum of R_i of those that take part, of a group */
    int8_t *status;         /* [group] */
    bool any_status;        /* one is not 0 */
    bool any_undefined;     /* a group without awards */
    double *awards;         /* [row], of rules that rank; else NULL */
    uint64_t n_rows;
    hanse_award_change *changes; /* by row */
    size_t n_changes;
    hanse_budget *budget;
} hanse_allocation;

/* Whether awards of the group are numbers. */
static inline bool hanse_is_allocated(const hanse_allocation *a, size_t group)
{
    return a->shared[group] == a->shared[group];
}

/* Whether R_i is made of awards. */
static inline bool hanse_adds_awards(const hanse_allocation *a)
{
    return a->rule != HANSE_RULE_SHAPLEY;
}

/* R_g with the reserve: what the resources add up to before, and a given
 * pool. */
static inline double hanse_integrated_total(const hanse_allocation *a,
                                            size_t group)
{
    return a->is_given ? a->before[group] + a->pools[group] : a->before[group];
}

/* Whether the rule ranks the members, so that awards are kept by row. */
static inline bool hanse_is_ranking(hanse_claims_rule rule)
{
    return rule == HANSE_RULE_LARGEST_REMAINDER || rule == HANSE_RULE_SHAPLEY;
}

/* The columns above. Context: hanse_allocation. */
void hanse_fill_allocation(const void *context, const hanse_rows *rows,
                           double *const *out);

/* Claims and resources of the rows that take part, of two formulas. */
void hanse_fill_taking_part(const void *context, const hanse_rows *rows,
                            double *const *out);

/* What the enterprises of a run are named by. */
typedef enum hanse_id_kind {
    HANSE_ID_NONE,
    HANSE_ID_NUMBER,
    HANSE_ID_TEXT
} hanse_id_kind;
hanse_id_kind hanse_allocate_id_kind(const hanse_model_run *run);

/* Numbers in the order of the ids, which the run has, of all rows. `numbers`:
 * scratch for as many. */
hanse_status hanse_allocate_ids(hanse_model_run *run, uint64_t *ids,
                                uint32_t *numbers, hanse_error *error);

/* Finds the changes that make sums what they must be; reads the columns. */
hanse_status hanse_allocate_fix(hanse_model_run *run, hanse_allocation *a,
                                const hanse_allocation_request *request,
                                hanse_error *error);

/* Adds reserves and statuses to tables; takes a pass where the R_i of a group
 * are undefined and some table has rows that are no sums of groups. */
hanse_status hanse_allocate_add_tables(hanse_model_run *run,
                                       hanse_allocation *a,
                                       const char *resource,
                                       hanse_error *error);

#endif
