/* SPDX-License-Identifier: Apache-2.0
 *
 * Undoing HDF5's shuffle and bitshuffle: from planes, which hold one byte (or
 * bit) of every element, back to elements. All are moves of bytes and bits
 * without arithmetic; they run at the speed of the caches.
 */
#ifndef HANSE_ENGINE_KERNELS_UNSHUFFLE_H
#define HANSE_ENGINE_KERNELS_UNSHUFFLE_H

#include <stddef.h>
#include <stdint.h>

/* out[i * width + b] = in[b * plane_bytes + i] for i < n and b < width.
 * plane_bytes >= n, so that a piece of every plane can be taken; width >= 1.
 * Reads no byte but these, writes out[0 .. n * width - 1] alone; no alignment;
 * in and out do not overlap. */
typedef void hanse_unshuffle_function(const uint8_t *restrict in,
                                      size_t plane_bytes, size_t width,
                                      size_t n, uint8_t *restrict out);
hanse_unshuffle_function hanse_unshuffle_scalar;
hanse_unshuffle_function hanse_unshuffle_avx2;
hanse_unshuffle_function hanse_unshuffle_avx512;

/* Eight planes of bits, n bytes each, one behind the other, to 8 n bytes:
 * bit k of out[8 * i + b] is bit b of in[k * n + i]. No alignment; in and out
 * do not overlap. */
typedef void hanse_unshuffle_bits_function(const uint8_t *restrict in, size_t n,
                                           uint8_t *restrict out);
hanse_unshuffle_bits_function hanse_unshuffle_bits_scalar;
hanse_unshuffle_bits_function hanse_unshuffle_bits_avx2;
hanse_unshuffle_bits_function hanse_unshuffle_bits_avx512;

#endif
