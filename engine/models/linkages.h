/* SPDX-License-Identifier: Apache-2.0
 *
 * Linkages of groups, from the flows between them (MODELS.md, I2; Leontief
 * 1936, Ghosh 1958, Rasmussen 1956; Miller, Blair, Input-Output Analysis,
 * 2009, 12.2).
 */
#ifndef HANSE_ENGINE_MODELS_LINKAGES_H
#define HANSE_ENGINE_MODELS_LINKAGES_H

#include "engine/base/memory.h"

enum {
    HANSE_LINKAGES_GROUPS_MAX = 5000 /* 800 MB and some 1500 Gflop */
};

/* Arrays of n numbers, in the order of the groups, and of n x n, [row][column].
 * With A = Z diag(x)^-1, L = (I - A)^-1, B = diag(x)^-1 Z, M = (I - B)^-1. */
typedef struct hanse_linkages {
    hanse_budget *budget;
    size_t n;
    int8_t *status;          /* hanse_model_status of a group */
    double *backward_direct; /* sum_i A_ij */
    double *backward_total;  /* sum_i L_ij */
    double *forward_direct;  /* sum_j B_ij */
    double *forward_total;   /* sum_j M_ij */
    double *power;           /* m sum_i L_ij / sum L, of m groups with x > 0 */
    double *sensitivity;     /* m sum_j L_ij / sum L */
    double *leontief;        /* L */
} hanse_linkages;

/* Linkages from the flows Z, `flows` [from][to], and the totals x of n groups.
 * A group whose total is 0 (status 2), negative (3), or not finite (8) counts
 * as if it were not there: its rows and columns are 0 and its linkages NaN.
 * Flows that are not finite make everything undefined (8), and so does
 * an I - A that is singular to working precision, where the sum of the rounds
 * I + A + A^2 + ... has no limit (7). More than HANSE_LINKAGES_GROUPS_MAX
 * groups are HANSE_ERR_LIMIT. Elements of
 * L are rounded once (dense.h): the same bits for any number of threads and
 * any LAPACK. */
hanse_status hanse_linkages_compute(const double *flows, const double *totals,
                                    size_t n, size_t n_threads,
                                    hanse_budget *budget, hanse_linkages *out,
                                    hanse_error *error);

/* A_ij from z_ij and x_j, B_ij from z_ij and x_i, M_ij from x_i and x_j: NaN
 * where M is undefined, 0 in the rows and columns of groups that count as not
 * there. */
double hanse_linkages_input(const hanse_linkages *linkages, double flow,
                            double total_j, size_t i, size_t j);
double hanse_linkages_output(const hanse_linkages *linkages, double flow,
                             double total_i, size_t i, size_t j);
double hanse_linkages_ghosh(const hanse_linkages *linkages, double total_i,
                            double total_j, size_t i, size_t j);

/* Accepts what is zero or already clear. */
void hanse_linkages_clear(hanse_linkages *linkages);

#endif
