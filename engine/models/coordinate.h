/* SPDX-License-Identifier: Apache-2.0
 *
 * Coordination of strategy values along links (DeGroot 1974, JASA 69;
 * Friedkin, Johnsen 1990, Journal of Mathematical Sociology 15). Row i has the
 * strategy p_i and the independence s_i in [0, 1]; z_i(0) = p_i, and in every
 * round
 *
 *   z_i(t + 1) = (1 - s_i) (M z(t))_i + s_i p_i
 *
 * with the Metropolis weights M_ij = 1/(1 + max(deg_i, deg_j)) of a simple
 * undirected graph and M_ii = 1 - sum_j M_ij (Xiao, Boyd, Kim 2007, J. Parallel
 * Distrib. Comput. 67). M is doubly stochastic: with one s for all rows the sum
 * of z is that of p.
 *
 * (M z)_i is computed as z_i + sum_j M_ij (z_j - z_i), rounded once whatever
 * the order of the neighbours. What flows from j to i is to the bit what i
 * loses to j, so that only the rounding of each z_i touches the sum.
 */
#ifndef HANSE_ENGINE_MODELS_COORDINATE_H
#define HANSE_ENGINE_MODELS_COORDINATE_H

#include "engine/models/mixing.h"
#include "engine/models/network.h"

typedef struct hanse_coordination {
    const hanse_network *graph; /* undirected (network_build.h); its weights are
                                   not looked at. Rows without strategy or
                                   independence in [0, 1] have no links */
    const double *strategy;     /* [row]; NaN: missing */
    const double *independence; /* [row] */
    uint64_t rounds;            /* or HANSE_ROUNDS_LIMIT */
    /* Of the limit: the iteration ends when no value has changed by more than
     * `tolerance` times the largest magnitude among the strategies of the rows
     * that it hangs together with by links, > 0. The limit is
     * then nearer than (1 - s)/s such changes, with s the smallest
     * independence. */
    double tolerance;
    uint64_t max_rounds;
    size_t n_threads; /* at least 1 */
    hanse_budget *budget;
    /* Asked before every round; false ends with HANSE_ERR_INTERRUPTED. NULL:
     * never asked. */
    bool (*go_on)(void *context);
    void *go_on_context;
} hanse_coordination;

typedef struct hanse_coordination_report {
    uint64_t rounds; /* that were computed */
    double change;   /* the largest of the last round */
    bool converged;  /* always, unless the limit was asked for */
} hanse_coordination_report;

/* Defaults of `tolerance` and `max_rounds`. */
#define HANSE_COORDINATE_TOLERANCE  1e-15
#define HANSE_COORDINATE_MAX_ROUNDS UINT64_C(10000)

/* Values and codes of all rows, both borrowed and as long as the graph has
 * rows; the values may take the place of the strategies. A row without links
 * keeps its strategy. There is no value, NaN, but a code:
 *
 *   HANSE_MODEL_EMPTY: the strategy is missing;
 *   HANSE_MODEL_INFEASIBLE: s is missing or not in [0, 1], or it is 0 for a row
 *     with links in the limit;
 *   HANSE_MODEL_NOT_FINITE: the strategy is infinite, or a value has outgrown
 *     float64;
 *   HANSE_MODEL_NOT_CONVERGED: of all rows with links and s < 1, when the limit
 *     was not reached in max_rounds.
 *
 * What is infeasible or not finite makes undefined every row that it reaches
 * in `rounds` rounds. Errors: HANSE_ERR_NOMEM, HANSE_ERR_LIMIT,
 * HANSE_ERR_INTERRUPTED. */
hanse_status hanse_coordinate_links(const hanse_coordination *coordination,
                                    double *values, int8_t *codes,
                                    hanse_coordination_report *report,
                                    hanse_error *error);

/* Memory of hanse_coordinate_links beside its arguments, at least. */
uint64_t hanse_coordinate_bytes(size_t n_rows);

#endif
