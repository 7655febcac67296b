/* SPDX-License-Identifier: Apache-2.0
 *
 * Allocation of resources inside groups, and their integration:
 *
 *     pool   E = rho sum r_i, or a given E;  claims c_i
 *     award  a_i by a rule of claims.h
 *     R_i = (1-rho) r_i + a_i,  R_g = sum R_i + reserve_g
 *
 * (given E: R_i = r_i + a_i). A record without r_i or c_i takes no part: it has
 * no award, and R_i = r_i.
 *
 * Conservation holds to the bit. Awards are rounded, so their sum may miss the
 * pool by the rounding errors of n awards; what it misses is added to the
 * largest award (of equal ones to the smaller id), so that the exact sum of
 * the awards of a group rounds to E as a float64, and in the same way that of
 * R_i and the reserve to the total of r_i (plus E where E is given).
 */
#ifndef HANSE_ENGINE_MODELS_ALLOCATE_H
#define HANSE_ENGINE_MODELS_ALLOCATE_H

#include "engine/models/claims.h"
#include "engine/models/models.h"

/* Names of the record-level outputs. */
#define HANSE_ALLOCATION_RECORD        "allocation"
#define HANSE_ALLOCATION_STATUS_RECORD "allocation_status"

typedef struct hanse_allocate_spec {
    hanse_claims_rule rule;
    char *claim; /* formula; NULL: r_i */
    double rho;  /* 0 to 1 */
    char *pool;  /* formula, with one value in each group; NULL: rho sum r_i */
} hanse_allocate_spec;

void hanse_allocate_spec_clear(hanse_allocate_spec *spec);

typedef struct hanse_allocation_request {
    const hanse_allocate_spec *spec;
    const char *claim;    /* formulas over the columns of the run */
    const char *resource; /* r_i */
    const char *const *keys;
    size_t n_keys;
} hanse_allocation_request;

/* Names of all columns that an allocation may add to a run, NULL at the end. */
const char *const *hanse_allocation_columns(void);

/* Does the passes and adds columns, record columns "allocation" and its
 * status, table columns "resource_reserve" and "resource_status" of tables
 * whose keys are among those of the request, and makes R_i the measure
 * "resource". Statuses of a group: those of the rule; 6, too, where the pool's
 * formula has several values in it. The shares of shapley are costs of a common
 * facility: R_i = r_i. */
hanse_status hanse_allocation_run(hanse_model_run *run,
                                  const hanse_allocation_request *request,
                                  hanse_error *error);

/* The passes that it takes. */
hanse_status hanse_allocation_explain(const hanse_model_run *run,
                                      const hanse_allocation_request *request,
                                      hanse_pass_notes *notes,
                                      hanse_error *error);

#endif
