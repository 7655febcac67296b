/* SPDX-License-Identifier: Apache-2.0
 *
 * Scalar kernels of fields.h; they define the result. A gather is one load
 * and one store per row and waits for memory; wider registers do not help.
 */
#include "engine/kernels/fields.h"

#define KERNEL(name) name##_scalar
#define TARGET
#include "engine/kernels/byte_swap_body.h"

static inline void gather_fixed(const uint8_t *restrict rows, size_t row_bytes,
                                size_t width, size_t n, uint8_t *restrict out)
{
    for (size_t i = 0; i < n; i++)
        memcpy(out + i * width, rows + i * row_bytes, width);
}

void hanse_gather_scalar(const uint8_t *restrict rows, size_t row_bytes,
                         size_t width, size_t n, uint8_t *restrict out)
{
    if (width == row_bytes) {
        if (n != 0)
            memcpy(out, rows, n * width);
        return;
    }
    switch (width) {
    case 1:
        gather_fixed(rows, row_bytes, 1, n, out);
        break;
    case 2:
        gather_fixed(rows, row_bytes, 2, n, out);
        break;
    case 4:
        gather_fixed(rows, row_bytes, 4, n, out);
        break;
    case 8:
        gather_fixed(rows, row_bytes, 8, n, out);
        break;
    default:
        gather_fixed(rows, row_bytes, width, n, out);
        break;
    }
}
