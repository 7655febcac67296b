/* SPDX-License-Identifier: Apache-2.0
 *
 * The float lanes of extremes.h in plain C, for the compiler to vectorise with
 * the instructions that TARGET allows.
 */
#include <string.h>

#include "engine/kernels/extremes.h"

TARGET void KERNEL(hanse_extremes_f64)(const double *restrict x, size_t n,
                                       int64_t *restrict high,
                                       int64_t *restrict low)
{
    const uint64_t sign = (uint64_t)1 << 63;
    for (size_t i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        /* Negative numbers turn around, the others come after them. */
        const uint64_t order = bits ^ (((uint64_t)0 - (bits >> 63)) | sign);
        const uint64_t is_number = (uint64_t)0 - (uint64_t)(x[i] == x[i]);
        high[i] = (int64_t)(order & is_number);
        low[i] = (int64_t)(~order & is_number);
    }
}
