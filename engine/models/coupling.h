/* SPDX-License-Identifier: Apache-2.0
 *
 * Coupling degree C and coupling coordination degree D = sqrt(C T) of the
 * subsystems of one group, from their levels U_1, ..., U_K in [0, 1]. With
 * K subsystems, weights a_k and T = sum a_k U_k / sum a_k:
 *
 *   classic     C = K (prod U)^(1/K) / sum U
 *   corrected   C = sqrt((1 - mean of |U_k - U_l| over k < l)
 *                        (prod U_k / max U)^(1/(K-1)))
 *   dispersion  C = 1 - 2 sqrt(mean(U^2) - mean(U)^2)
 *
 * classic: Liao Chongbin 1999, Tropical Geography 19(2); corrected: Wang
 * Shujia et al. 2021, Journal of Natural Resources 36(3), 793-810.
 */
#ifndef HANSE_ENGINE_MODELS_COUPLING_H
#define HANSE_ENGINE_MODELS_COUPLING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/hanse.h"

typedef enum hanse_coupling_kind {
    HANSE_COUPLING_CLASSIC,
    HANSE_COUPLING_CORRECTED,
    HANSE_COUPLING_DISPERSION,
    HANSE_COUPLING_COUNT
} hanse_coupling_kind;

/* As jobs and columns write them: "classic"; the inverse gives
 * HANSE_COUPLING_COUNT for an unknown name. */
const char *hanse_coupling_name(hanse_coupling_kind kind);
hanse_coupling_kind hanse_coupling_parse(const char *name);

enum {
    HANSE_COUPLING_LEVELS = 10,
    HANSE_SUBSYSTEMS_MAX = 64
};

typedef struct hanse_coupling {
    double degree;       /* C in [0, 1] */
    double coordination; /* D in [0, 1] */
    int8_t level;        /* of D, 1 to HANSE_COUPLING_LEVELS; 0: undefined */
    int8_t status;       /* HANSE_MODEL_OK, or why C and D are undefined */
} hanse_coupling;

/* T of n >= 1 levels; weights >= 0 with a sum > 0, NULL: all equal.
 * HANSE_MODEL_EMPTY when a level is NaN, HANSE_MODEL_NOT_FINITE when one is
 * infinite. */
double hanse_cooperation_index(const double *levels, const double *weights,
                               size_t n, int8_t *status);

/* C and D of n <= HANSE_SUBSYSTEMS_MAX levels. A level that rounding has put
 * outside [0, 1] by up to 2^-40 counts as the limit. Where all levels are 0, C
 * and D are 0 and the status HANSE_MODEL_ZERO; undefined, NaN, are those with a
 * level that is missing (HANSE_MODEL_EMPTY), infinite (HANSE_MODEL_NOT_FINITE)
 * or outside [0, 1] (HANSE_MODEL_INFEASIBLE), and of fewer than two subsystems
 * (HANSE_MODEL_FEW). */
hanse_coupling hanse_coupling_of(hanse_coupling_kind kind, const double *levels,
                                 const double *weights, size_t n);

/* Level of a coordination degree: 1 for D < 0.1, ..., 10 for D >= 0.9; a limit
 * belongs to the upper level. 0 for NaN. */
int8_t hanse_coordination_level(double coordination);

/* "extreme_imbalance", ..., "quality_coordination"; "undefined" for 0. */
const char *hanse_coordination_level_name(int8_t level);

/* Gives a column of levels its flags. */
void hanse_coordination_level_flags(hanse_column *column);

#endif
