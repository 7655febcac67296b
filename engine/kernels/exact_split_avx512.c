/* SPDX-License-Identifier: Apache-2.0
 *
 * The float splits for AVX-512.
 */
#if defined(__x86_64__)

#define KERNEL(name) name##_avx512
#define HAS_FMA
/* gcc would use half registers unless told; clang 14 cannot be told here. */
#if defined(__clang__)
#define TARGET __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl")))
#else
#define TARGET                                                  \
    __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl," \
                          "prefer-vector-width=512")))
#endif
#include "engine/kernels/exact_split_body.h"

#else
typedef int hanse_no_avx512; /* a translation unit must not be empty */
#endif
