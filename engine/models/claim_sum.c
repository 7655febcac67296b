/* SPDX-License-Identifier: Apache-2.0
 *
 * Room for a sum, and the long way.
 */
#include "engine/models/claim_sum.h"

#include <assert.h>

enum {
    ROWS_BITS = 63, /* of the largest number of rows */
    NARROW_BITS = 126
};

/* Exponent of the last bit that a double of this magnitude can have. */
static int unit_of(double x)
{
    uint64_t pattern;
    memcpy(&pattern, &x, sizeof pattern);
    const int biased = (int)(pattern >> 52) & 0x7ff;
    return (biased != 0 ? biased : 1) - 1075;
}

void hanse_claim_sum_init(hanse_claim_sum *sum, double least, double most)
{
    const int low = unit_of(least), high = unit_of(most) + 53;
    /* The rows that fit in memory at once: 2^40 of them take 8 TiB. */
    sum->is_narrow = high + 40 - low <= NARROW_BITS;
    const int n_bits = high + ROWS_BITS - low;
    sum->window =
        (hanse_window){low, (n_bits + HANSE_LIMB_BITS - 1) / HANSE_LIMB_BITS};
    assert(sum->window.n_limbs <= HANSE_WINDOW_LIMBS_MAX);
    hanse_claim_sum_reset(sum);
}

void hanse_claim_sum_reset(hanse_claim_sum *sum)
{
    sum->units = 0;
    if (!sum->is_narrow)
        memset(sum->limbs, 0,
               (size_t)sum->window.n_limbs * sizeof sum->limbs[0]);
}

static void carry(hanse_claim_sum *sum)
{
    const bool fits = hanse_limbs_carry(sum->limbs, &sum->window);
    assert(fits);
    (void)fits;
}

void hanse_claim_sum_add_limbs(hanse_claim_sum *sum, double x)
{
    const hanse_bits bits = hanse_bits_of(x, false);
    if (!hanse_limbs_add(sum->limbs, &sum->window, &bits))
        carry(sum);
}

void hanse_claim_sum_merge(hanse_claim_sum *sum, const hanse_claim_sum *other)
{
    sum->units += other->units;
    if (sum->is_narrow)
        return;
    /* Carried limbs but the top one are below 2^50 in magnitude. */
    hanse_claim_sum rest = *other;
    carry(sum);
    carry(&rest);
    for (int k = 0; k < sum->window.n_limbs; k++)
        sum->limbs[k] += rest.limbs[k];
    carry(sum);
}

void hanse_claim_sum_get(const hanse_claim_sum *sum, hanse_wide *out)
{
    if (!sum->is_narrow) {
        hanse_wide_from_limbs(out, sum->limbs, &sum->window);
        return;
    }
    const bool negative = sum->units < 0;
    const unsigned __int128 magnitude = negative
                                            ? -(unsigned __int128)sum->units
                                            : (unsigned __int128)sum->units;
    const uint64_t words[] = {(uint64_t)magnitude, (uint64_t)(magnitude >> 64)};
    hanse_wide_from_words(out, words, 2, sum->window.exponent, negative);
}
