/* SPDX-License-Identifier: Apache-2.0
 *
 * Complete mixing in closed form.
 */
#include "engine/models/mixing.h"

#include <math.h>

#include "engine/elementary.h"
#include "engine/models/status.h"

hanse_mixing hanse_mixing_of(const hanse_mixing_sums *sums, uint64_t rounds,
                             bool preserve)
{
    hanse_mixing out = {(double)NAN, 0.0, false, HANSE_MODEL_OK};
    if (sums->n == 0) {
        out.status = HANSE_MODEL_EMPTY;
        return out;
    }
    if (!isfinite(sums->strategy) || !isfinite(sums->product)) {
        out.status = HANSE_MODEL_NOT_FINITE;
        return out;
    }
    const double n = (double)sums->n;
    const double first = sums->strategy / n; /* m(0) */
    out.is_still = rounds == 0 || sums->n == 1;
    out.attractor = first;
    if (out.is_still || sums->independence == 0.0)
        return out;
    const double end = sums->product / sums->independence; /* B */
    const double openness = (n - sums->independence) / n;
    double left = 0.0; /* l^(T - 1) */
    if (rounds != HANSE_ROUNDS_LIMIT)
        left = hanse_power(openness, rounds - 1);
    out.attractor = end + left * (first - end);
    if (preserve) /* m(0) - m(T) */
        out.shift = (first - end) * (1.0 - left * openness);
    return out;
}

double hanse_mixing_value(const hanse_mixing *mixing, double strategy,
                          double independence)
{
    if (mixing->status != HANSE_MODEL_OK ||
        !(independence >= 0.0 && independence <= 1.0))
        return (double)NAN;
    if (mixing->is_still)
        return strategy;
    return (1.0 - independence) * mixing->attractor + independence * strategy +
           mixing->shift;
}
