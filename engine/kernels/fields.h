/* SPDX-License-Identifier: Apache-2.0
 *
 * Taking a field out of compound rows, and turning byte order around.
 */
#ifndef HANSE_ENGINE_KERNELS_FIELDS_H
#define HANSE_ENGINE_KERNELS_FIELDS_H

#include <stddef.h>
#include <stdint.h>

/* out[i * width + b] = rows[i * row_bytes + b] for i < n, b < width; `rows`
 * points to the field in the first row, width <= row_bytes. Reads no byte but
 * these; no alignment; rows and out do not overlap. */
typedef void hanse_gather_function(const uint8_t *restrict rows,
                                   size_t row_bytes, size_t width, size_t n,
                                   uint8_t *restrict out);
hanse_gather_function hanse_gather_scalar;

/* out[i * width + b] = in[i * width + width - 1 - b] for i < n, b < width. No
 * alignment. */
typedef void hanse_byte_swap_function(const uint8_t *restrict in, size_t width,
                                      size_t n, uint8_t *restrict out);
hanse_byte_swap_function hanse_byte_swap_scalar;
hanse_byte_swap_function hanse_byte_swap_avx2;
hanse_byte_swap_function hanse_byte_swap_avx512;

#endif
