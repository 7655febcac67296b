/* SPDX-License-Identifier: Apache-2.0
 *
 * Scalar kernels of unshuffle.h; they define the result. With a constant
 * width compilers interleave whole vectors of the base instruction set.
 */
#include "engine/kernels/unshuffle.h"

#include <string.h>

static inline void unshuffle_fixed(const uint8_t *restrict in,
                                   size_t plane_bytes, size_t width, size_t n,
                                   uint8_t *restrict out)
{
    for (size_t i = 0; i < n; i++)
        for (size_t b = 0; b < width; b++)
            out[i * width + b] = in[b * plane_bytes + i];
}

/* Any width, in pieces of so many elements that a cache line of every plane is
 * used up before the next is fetched. */
static void unshuffle_any(const uint8_t *restrict in, size_t plane_bytes,
                          size_t width, size_t n, uint8_t *restrict out)
{
    enum {
        PIECE = 64
    };
    for (size_t first = 0; first < n; first += PIECE) {
        const size_t end = n - first < PIECE ? n : first + PIECE;
        for (size_t b = 0; b < width; b++)
            for (size_t i = first; i < end; i++)
                out[i * width + b] = in[b * plane_bytes + i];
    }
}

void hanse_unshuffle_scalar(const uint8_t *restrict in, size_t plane_bytes,
                            size_t width, size_t n, uint8_t *restrict out)
{
    switch (width) {
    case 1:
        if (n != 0)
            memcpy(out, in, n);
        break;
    case 2:
        unshuffle_fixed(in, plane_bytes, 2, n, out);
        break;
    case 3:
        unshuffle_fixed(in, plane_bytes, 3, n, out);
        break;
    case 4:
        unshuffle_fixed(in, plane_bytes, 4, n, out);
        break;
    case 8:
        unshuffle_fixed(in, plane_bytes, 8, n, out);
        break;
    default:
        unshuffle_any(in, plane_bytes, width, n, out);
        break;
    }
}

void hanse_unshuffle_bits_scalar(const uint8_t *restrict in, size_t n,
                                 uint8_t *restrict out)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t x = 0, t;
        for (size_t k = 0; k < 8; k++)
            x |= (uint64_t)in[k * n + i] << (8 * k);
        /* Transposes 8 x 8 bits: swaps halves of 2, 4, 8 rows and columns. */
        t = (x ^ (x >> 7)) & 0x00aa00aa00aa00aa;
        x ^= t ^ (t << 7);
        t = (x ^ (x >> 14)) & 0x0000cccc0000cccc;
        x ^= t ^ (t << 14);
        t = (x ^ (x >> 28)) & 0x00000000f0f0f0f0;
        x ^= t ^ (t << 28);
        for (size_t b = 0; b < 8; b++)
            out[8 * i + b] = (uint8_t)(x >> (8 * b));
    }
}
