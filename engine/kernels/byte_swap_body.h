/* SPDX-License-Identifier: Apache-2.0
 *
 * The byte swap, for the files that define KERNEL(name) and TARGET. Compilers
 * know the pattern and turn the loops into byte shuffles of whole registers.
 */
#include <string.h>

#include "engine/kernels/fields.h"

#define SWAP_LOOP(type, swap)                                 \
    for (size_t i = 0; i < n; i++) {                          \
        type value;                                           \
        memcpy(&value, in + i * sizeof value, sizeof value);  \
        value = swap(value);                                  \
        memcpy(out + i * sizeof value, &value, sizeof value); \
    }

TARGET void KERNEL(hanse_byte_swap)(const uint8_t *restrict in, size_t width,
                                    size_t n, uint8_t *restrict out)
{
    switch (width) {
    case 2:
        SWAP_LOOP(uint16_t, __builtin_bswap16)
        break;
    case 4:
        SWAP_LOOP(uint32_t, __builtin_bswap32)
        break;
    case 8:
        SWAP_LOOP(uint64_t, __builtin_bswap64)
        break;
    default:
        for (size_t i = 0; i < n; i++)
            for (size_t b = 0; b < width; b++)
                out[i * width + b] = in[i * width + width - 1 - b];
        break;
    }
}
#undef SWAP_LOOP
