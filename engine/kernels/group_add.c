/* SPDX-License-Identifier: Apache-2.0
 *
 * Scalar kernels of group_add.h; they define the result. Integer adds are
 * associative, so every order gives the same states.
 */
#include "engine/kernels/group_add.h"

void hanse_transpose_scalar(const int64_t *restrict lanes, size_t lane_rows,
                            size_t n_lanes, size_t n, int64_t *restrict rows)
{
    for (size_t i = 0; i < n; i++)
        for (size_t l = 0; l < n_lanes; l++)
            rows[i * n_lanes + l] = lanes[l * lane_rows + i];
}

#define KERNEL(name) name##_scalar
#define TARGET
#include "engine/kernels/group_add_body.h"
