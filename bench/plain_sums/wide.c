/* SPDX-License-Identifier: Apache-2.0
 *
 * Wide integers from plain sums: engine/wide.c, for which a sum is one double.
 */
#define hanse_wide_from_limbs hanse_wide_from_exact_limbs
#include "engine/wide.c"
#undef hanse_wide_from_limbs

#include "bench/plain_sums/plain_sums.h"

void hanse_wide_from_limbs(hanse_wide *out, const int64_t *limbs,
                           const hanse_window *window);

void hanse_wide_from_limbs(hanse_wide *out, const int64_t *limbs,
                           const hanse_window *window)
{
    int exponent = 0;
    const double sum = hanse_limbs_round(limbs, window);
    const double mantissa = ldexp(frexp(fabs(sum), &exponent), 53);
    *out = (hanse_wide){.negative = sum < 0.0,
                        .exponent = exponent - 53,
                        .n = sum == 0.0 ? 0 : 1};
    out->word[0] = (uint64_t)mantissa;
}
