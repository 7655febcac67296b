/* SPDX-License-Identifier: Apache-2.0
 *
 * The statistics that a job asks for: a mask, quantiles, the largest values.
 */
#ifndef HANSE_ENGINE_STATISTIC_SET_H
#define HANSE_ENGINE_STATISTIC_SET_H

#include "engine/hanse.h"

enum {
    HANSE_QUANTILES_MAX = 64,
    HANSE_TOP_MAX = 100,
    /* Quantiles are counted in millionths, so that p99.9 is a whole number. */
    HANSE_QUANTILE_UNIT = 1000000,
    HANSE_STATISTIC_NAME = 32
};

/* A value; all zero is the empty set. */
typedef struct hanse_statistic_set {
    uint32_t mask; /* of hanse_statistic */
    uint32_t n_top;
    size_t n_quantiles;
    uint32_t quantiles[HANSE_QUANTILES_MAX]; /* ascending, in millionths */
} hanse_statistic_set;

/* Adds a statistic by name: "mean", "p99.9", "top3", "all". HANSE_ERR_SPEC
 * when it is unknown, with the nearest name. Of two topN the larger counts. */
hanse_status hanse_statistic_set_add(hanse_statistic_set *set, const char *name,
                                     hanse_error *error);

bool hanse_statistic_set_is_empty(const hanse_statistic_set *set);
bool hanse_statistic_set_equal(const hanse_statistic_set *a,
                               const hanse_statistic_set *b);

/* Number of names, and name `index` as jobs write it, in the order of result
 * columns: the mask, quantiles, topN. */
size_t hanse_statistic_set_count(const hanse_statistic_set *set);
void hanse_statistic_set_name(const hanse_statistic_set *set, size_t index,
                              char out[static HANSE_STATISTIC_NAME]);

/* Name of a quantile in jobs, "p99.9"; with `separator` '_' as results carry
 * it, "p99_9". */
void hanse_quantile_name(uint32_t quantile, char separator,
                         char out[static HANSE_STATISTIC_NAME]);

#endif
