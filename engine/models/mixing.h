/* SPDX-License-Identifier: Apache-2.0
 *
 * Coordination of strategy values by complete mixing inside a group (DeGroot
 * 1974, JASA 69; Friedkin, Johnsen 1990, Journal of Mathematical Sociology 15).
 * Member i has the strategy p_i and the independence s_i in [0, 1] (openness
 * l_i = 1 - s_i), z_i(0) = p_i, and in every round
 *
 *   z_i(t + 1) = l_i m(t) + s_i p_i,   m(t) the mean of all z(t).
 *
 * Means obey m(t + 1) = l m(t) + mean(s p), with l the mean openness, so
 *
 *   m(t) = B + l^t (m(0) - B),   B = sum(s p) / sum(s),
 *
 * and z_i(T) = l_i m(T - 1) + s_i p_i needs four sums of the group and no
 * rounds. The limit is z_i = l_i B + s_i p_i; where all s_i are 0, m(t) = m(0).
 */
#ifndef HANSE_ENGINE_MODELS_MIXING_H
#define HANSE_ENGINE_MODELS_MIXING_H

#include <stdbool.h>
#include <stdint.h>

/* As a number of rounds: the limit. */
#define HANSE_ROUNDS_LIMIT UINT64_MAX

/* Sums over the members that have both p and s. */
typedef struct hanse_mixing_sums {
    uint64_t n;
    double strategy;     /* sum p */
    double independence; /* sum s */
    double product;      /* sum s p */
} hanse_mixing_sums;

/* What all members of a group share. */
typedef struct hanse_mixing {
    double attractor; /* m(T - 1), or B in the limit */
    double shift;     /* added to every member, 0 without `preserve` */
    bool is_still;    /* z = p: no rounds, or a single member */
    int8_t status;    /* HANSE_MODEL_OK, HANSE_MODEL_EMPTY when n = 0,
                         HANSE_MODEL_NOT_FINITE when a sum is not finite */
} hanse_mixing;

/* `preserve`: everyone gets the same shift so that the sum of z is that of
 * p. */
hanse_mixing hanse_mixing_of(const hanse_mixing_sums *sums, uint64_t rounds,
                             bool preserve);

/* z_i of a member, NaN where p or s is missing or s is not in [0, 1], or the
 * mixing is undefined. */
double hanse_mixing_value(const hanse_mixing *mixing, double strategy,
                          double independence);

#endif
