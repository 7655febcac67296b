/* SPDX-License-Identifier: Apache-2.0
 *
 * Decayed walk sums on a network (MODELS.md, I2; Katz 1953):
 *
 *     t(0) = s;  t(h) = d W' t(h-1);  q = sum_{h=0..H} t(h)
 */
#ifndef HANSE_ENGINE_MODELS_WALK_H
#define HANSE_ENGINE_MODELS_WALK_H

#include "engine/models/network.h"

#define HANSE_WALK_LIMIT SIZE_MAX /* hops without end */

typedef struct hanse_walk_spec {
    double decay;      /* d, 0 <= d < 1 */
    size_t hops;       /* H, or HANSE_WALK_LIMIT */
    double tolerance;  /* of the limit, more than 0: steps are added until one
                          changes no row by more than this share of its sum,
                          or of the sum of its terms' magnitudes where a start
                          is negative */
    size_t most_steps; /* of the limit, at least 1 */
} hanse_walk_spec;

/* A walk. */
typedef struct hanse_walk {
    const hanse_network *network;
    const double *start; /* [row] */
    hanse_walk_spec spec;
    size_t n_threads;
    /* Asked before every step; false ends with HANSE_ERR_INTERRUPTED. NULL:
     * never asked. */
    bool (*go_on)(void *context);
    void *go_on_context;
} hanse_walk;

typedef struct hanse_walk_report {
    size_t n_steps;     /* hops that were added */
    bool has_converged; /* finite hops: always */
    double change;      /* largest |t(h)| / |q| of the last step */
} hanse_walk_report;

/* sums[i] = q of n_rows rows. A start that is NaN is left out: the sum of such
 * a row is what it receives, and NaN where that is nothing. The limit is found
 * only where it exists: first the powers of d W' are followed, applied to ones,
 * until one has a norm below 1, which proves d times the spectral radius of W
 * to be below 1. Where that takes more than most_steps steps, or the sum does,
 * all sums are NaN and *report says so. Each step takes the rows' sums of the
 * step before, rounded once (network.h): the same bits for any number of
 * threads and any order of links. Needs 16 bytes a row while it works, 24 for
 * the limit of starts of both signs. */
hanse_status hanse_walk_sums(const hanse_walk *how, double *sums,
                             hanse_walk_report *report, hanse_error *error);

/* Whether a sum is NaN because of infinities that met, or met a weight of 0,
 * rather than for want of anything to add. */
bool hanse_walk_is_undefined(double sum);

#endif
