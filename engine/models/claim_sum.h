/* SPDX-License-Identifier: Apache-2.0
 *
 * Exact sums of the claims of one group: a long integer that counts units of
 * the last bit that any of them can have. Where 128 bits hold that, which is
 * the usual case, adding takes a shift and an addition; else limbs (exact.h).
 */
#ifndef HANSE_ENGINE_MODELS_CLAIM_SUM_H
#define HANSE_ENGINE_MODELS_CLAIM_SUM_H

#include <string.h>

#include "engine/wide.h"

typedef struct hanse_claim_sum {
    hanse_window window;
    bool is_narrow; /* `units` holds the sum, in units of the window */
    __int128 units;
    int64_t limbs[HANSE_WINDOW_LIMBS_MAX]; /* else these do */
} hanse_claim_sum;

/* Zero, with room for 2^63 numbers whose magnitudes are zero or from `least`
 * to `most`: finite, least > 0. */
void hanse_claim_sum_init(hanse_claim_sum *sum, double least, double most);

/* The same room, zero. */
void hanse_claim_sum_reset(hanse_claim_sum *sum);

/* Adds a number that there is room for, where 128 bits do not do. */
void hanse_claim_sum_add_limbs(hanse_claim_sum *sum, double x);

static inline void hanse_claim_sum_add(hanse_claim_sum *sum, double x)
{
    if (x == 0.0)
        return;
    if (!sum->is_narrow) {
        hanse_claim_sum_add_limbs(sum, x);
        return;
    }
    uint64_t pattern;
    memcpy(&pattern, &x, sizeof pattern);
    const int biased = (int)(pattern >> 52) & 0x7ff;
    const uint64_t implicit = (uint64_t)(biased != 0) << 52;
    const uint64_t mantissa = (pattern & (((uint64_t)1 << 52) - 1)) | implicit;
    const int unit = (biased != 0 ? biased : 1) - 1075;
    const __int128 term = (__int128)mantissa << (unit - sum->window.exponent);
    sum->units += pattern >> 63 != 0 ? -term : term;
}

/* Adds a sum that has the same room. */
void hanse_claim_sum_merge(hanse_claim_sum *sum, const hanse_claim_sum *other);

void hanse_claim_sum_get(const hanse_claim_sum *sum, hanse_wide *out);

#endif
