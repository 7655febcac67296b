/* SPDX-License-Identifier: Apache-2.0
 *
 * Lanes of extremes for any machine: the scalar version of the float kernel,
 * and integers, whose loop every compiler vectorises as it stands.
 */
#define KERNEL(name) name##_scalar
#define TARGET
#include "engine/kernels/extremes_body.h"

void hanse_extremes_i64(const int64_t *restrict x,
                        const uint8_t *restrict absent, int is_unsigned,
                        size_t n, int64_t *restrict high, int64_t *restrict low)
{
    const uint64_t flip = is_unsigned ? 0 : (uint64_t)1 << 63;
    for (size_t i = 0; i < n; i++) {
        const uint64_t order = (uint64_t)x[i] ^ flip;
        high[i] = (int64_t)order;
        low[i] = (int64_t)~order;
    }
    for (size_t i = 0; absent != NULL && i < n; i++)
        if (absent[i])
            high[i] = low[i] = 0;
}
