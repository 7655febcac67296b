/* SPDX-License-Identifier: Apache-2.0
 *
 * Synergy of a composite system between two periods (Meng Qingsong, Han
 * Wenxiu 2000, Journal of Tianjin University 33(4)). An order parameter e in
 * [low, high] has the order degree u = (e - low)/(high - low), or
 * (high - e)/(high - low) where less is better; the order u_k of a subsystem is
 * the weighted or the geometric mean of its degrees; with D_k = u_k(after) -
 * u_k(before) the synergy is
 *
 *   cm = theta (prod |D_k|)^(1/K)    or    theta sum a_k |D_k| / sum a_k
 *
 * in [-1, 1], where theta is the sign of the smallest D_k that is not 0.
 */
#ifndef HANSE_ENGINE_MODELS_SYNERGY_H
#define HANSE_ENGINE_MODELS_SYNERGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum hanse_order_kind {
    HANSE_ORDER_MEAN,
    HANSE_ORDER_GEOMETRIC
} hanse_order_kind;

typedef enum hanse_composite_kind {
    HANSE_COMPOSITE_GEOMETRIC,
    HANSE_COMPOSITE_WEIGHTED
} hanse_composite_kind;

/* The order degree. *status: HANSE_MODEL_EMPTY when a number is NaN,
 * HANSE_MODEL_NOT_FINITE when one is infinite, HANSE_MODEL_CONSTANT when low is
 * high, HANSE_MODEL_INFEASIBLE when e is not in [low, high]. */
double hanse_order_degree(double e, double low, double high, bool is_cost,
                          int8_t *status);

/* Order of a subsystem of n >= 1 degrees in [0, 1]; weights >= 0 with a sum
 * > 0, NULL: all equal; the geometric mean knows no weights. */
double hanse_subsystem_order(hanse_order_kind kind, const double *degrees,
                             const double *weights, size_t n);

typedef struct hanse_synergy {
    double value; /* cm */
    double theta; /* -1, 1; 0 when all D_k are 0 */
} hanse_synergy;

/* Synergy of n >= 1 subsystems, at most HANSE_SUBSYSTEMS_MAX, from their orders
 * in the two periods; weights as above, used by HANSE_COMPOSITE_WEIGHTED. */
hanse_synergy hanse_synergy_of(hanse_composite_kind kind, const double *before,
                               const double *after, const double *weights,
                               size_t n);

#endif
