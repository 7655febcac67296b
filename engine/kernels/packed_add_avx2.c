/* SPDX-License-Identifier: Apache-2.0
 *
 * The add to packed states for AVX2.
 */
#if defined(__x86_64__)

#define KERNEL(name) name##_avx2
#define TARGET       __attribute__((target("avx2")))
#include "engine/kernels/packed_add_body.h"

TARGET bool hanse_packed_add_avx2(int64_t *restrict states,
                                  const uint32_t *restrict groups,
                                  hanse_line_measure *measures,
                                  size_t n_measures, size_t n)
{
    return add_by_measure(states, groups, measures, n_measures, n);
}

#else
typedef int hanse_no_avx2; /* a translation unit must not be empty */
#endif
