/* SPDX-License-Identifier: Apache-2.0
 *
 * The add to packed states for any machine; it defines the result.
 */
#define KERNEL(name) name##_scalar
#define TARGET
#include "engine/kernels/packed_add_body.h"

TARGET bool hanse_packed_add_scalar(int64_t *restrict states,
                                    const uint32_t *restrict groups,
                                    hanse_line_measure *measures,
                                    size_t n_measures, size_t n)
{
    return add_by_measure(states, groups, measures, n_measures, n);
}
