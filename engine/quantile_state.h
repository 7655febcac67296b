/* SPDX-License-Identifier: Apache-2.0
 *
 * The state of quantiles, for quantile.c and quantile_find.c.
 */
#ifndef HANSE_ENGINE_QUANTILE_STATE_H
#define HANSE_ENGINE_QUANTILE_STATE_H

#include "engine/kept_values.h"

struct hanse_quantiles {
    const hanse_plan *plan;
    hanse_budget *budget;
    hanse_kept_values *measures; /* NULL: another grouping keeps the values */
    bool dropped;
    double *results; /* NULL: not found yet */
    size_t n_groups; /* of the results */
};

/* Quantile number `quantile` in millionths. */
uint32_t hanse_quantile_of(const hanse_plan *plan, size_t quantile);

#endif
