/* SPDX-License-Identifier: Apache-2.0
 *
 * Selecting rows: the numbers of those for which a condition holds.
 */
#ifndef HANSE_ENGINE_KERNELS_SELECT_H
#define HANSE_ENGINE_KERNELS_SELECT_H

#include <stddef.h>
#include <stdint.h>

enum {
    /* Entries behind the last one that a kernel may overwrite. */
    HANSE_SELECT_SLACK = 32
};

/* Writes the i < n with condition[i] != 0 (each byte is 0 or 1), ascending,
 * and gives their number. n <= 65536; `rows` has room for n +
 * HANSE_SELECT_SLACK; no alignment; reads no byte but condition[0 .. n - 1]. */
typedef size_t hanse_select_function(const uint8_t *restrict condition,
                                     size_t n, uint16_t *restrict rows);
hanse_select_function hanse_select_scalar;
hanse_select_function hanse_select_avx2;
hanse_select_function hanse_select_avx512;

#endif
