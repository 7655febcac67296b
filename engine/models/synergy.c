/* SPDX-License-Identifier: Apache-2.0
 *
 * Synergy of a composite system.
 */
#include "engine/models/synergy.h"

#include <assert.h>
#include <math.h>

#include "engine/models/coupling.h"
#include "engine/models/geometric.h"
#include "engine/models/weighted_mean.h"
#include "engine/models/status.h"

static int8_t check_degree(double e, double low, double high)
{
    if (isnan(e) || isnan(low) || isnan(high))
        return HANSE_MODEL_EMPTY;
    if (isinf(e) || isinf(low) || isinf(high))
        return HANSE_MODEL_NOT_FINITE;
    if (low == high)
        return HANSE_MODEL_CONSTANT;
    return e < low || e > high ? HANSE_MODEL_INFEASIBLE : HANSE_MODEL_OK;
}

/* Halves where the range is beyond the largest number; no bit is lost, since
 * both ends are large, then. */
double hanse_order_degree(double e, double low, double high, bool is_cost,
                          int8_t *status)
{
    *status = check_degree(e, low, high);
    if (*status != HANSE_MODEL_OK)
        return (double)NAN;
    const double scale = isinf(high - low) ? 0.5 : 1.0;
    const double part =
        is_cost ? high * scale - e * scale : e * scale - low * scale;
    return part / (high * scale - low * scale);
}

double hanse_subsystem_order(hanse_order_kind kind, const double *degrees,
                             const double *weights, size_t n)
{
    return kind == HANSE_ORDER_GEOMETRIC
               ? hanse_geometric_mean(degrees, n)
               : hanse_weighted_mean(degrees, weights, n);
}

hanse_synergy hanse_synergy_of(hanse_composite_kind kind, const double *before,
                               const double *after, const double *weights,
                               size_t n)
{
    double changes[HANSE_SUBSYSTEMS_MAX];
    double smallest = 0.0;
    assert(n <= HANSE_SUBSYSTEMS_MAX);
    for (size_t k = 0; k < n; k++) {
        const double change = after[k] - before[k];
        if (change != 0.0 && (smallest == 0.0 || change < smallest))
            smallest = change;
        changes[k] = fabs(change);
    }
    if (smallest == 0.0)
        return (hanse_synergy){0.0, 0.0};
    const double theta = smallest < 0.0 ? -1.0 : 1.0;
    const double size = kind == HANSE_COMPOSITE_GEOMETRIC
                            ? hanse_geometric_mean(changes, n)
                            : hanse_weighted_mean(changes, weights, n);
    return (hanse_synergy){size == 0.0 ? 0.0 : theta * size, theta};
}
