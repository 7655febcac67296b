/* SPDX-License-Identifier: Apache-2.0
 *
 * The scalar selection, which defines the result. Every number is written, the
 * place moves on only where the condition holds: no branch to be guessed.
 */
#include "engine/kernels/select.h"

size_t hanse_select_scalar(const uint8_t *restrict condition, size_t n,
                           uint16_t *restrict rows)
{
    size_t n_rows = 0;
    for (size_t i = 0; i < n; i++) {
        rows[n_rows] = (uint16_t)i;
        n_rows += condition[i];
    }
    return n_rows;
}
