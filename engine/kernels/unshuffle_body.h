/* SPDX-License-Identifier: Apache-2.0
 *
 * The loops over tiles, for the files that define KERNEL(name), NARROWER(name)
 * (the kernel for fewer elements than a tile), TARGET, TILE and tile_2, tile_4,
 * tile_8 and tile_bits. What is left over at the end is done by a last tile
 * that overlaps the one before it.
 */
#include "engine/kernels/unshuffle.h"

#define UNSHUFFLE(width, tile)                                            \
    TARGET static void unshuffle_##width(const uint8_t *restrict in,      \
                                         size_t plane_bytes, size_t n,    \
                                         uint8_t *restrict out)           \
    {                                                                     \
        size_t i = 0;                                                     \
        for (; i + TILE <= n; i += TILE)                                  \
            tile(in + i, plane_bytes, out + i * (width));                 \
        if (i < n)                                                        \
            tile(in + n - TILE, plane_bytes, out + (n - TILE) * (width)); \
    }
UNSHUFFLE(2, tile_2)
UNSHUFFLE(4, tile_4)
UNSHUFFLE(8, tile_8)
#undef UNSHUFFLE

TARGET void KERNEL(hanse_unshuffle)(const uint8_t *restrict in,
                                    size_t plane_bytes, size_t width, size_t n,
                                    uint8_t *restrict out)
{
    if (n < TILE)
        NARROWER(hanse_unshuffle)(in, plane_bytes, width, n, out);
    else if (width == 2)
        unshuffle_2(in, plane_bytes, n, out);
    else if (width == 4)
        unshuffle_4(in, plane_bytes, n, out);
    else if (width == 8)
        unshuffle_8(in, plane_bytes, n, out);
    else
        unshuffle_other(in, plane_bytes, width, n, out);
}

TARGET void KERNEL(hanse_unshuffle_bits)(const uint8_t *restrict in, size_t n,
                                         uint8_t *restrict out)
{
    if (n < TILE) {
        NARROWER(hanse_unshuffle_bits)(in, n, out);
        return;
    }
    size_t i = 0;
    for (; i + TILE <= n; i += TILE)
        tile_bits(in + i, n, out + 8 * i);
    if (i < n)
        tile_bits(in + n - TILE, n, out + 8 * (n - TILE));
}
