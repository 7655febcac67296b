/* SPDX-License-Identifier: Apache-2.0
 *
 * The float lanes of extremes for AVX-512.
 */
#if defined(__x86_64__)

#define KERNEL(name) name##_avx512
#define TARGET       __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl")))
#include "engine/kernels/extremes_body.h"

#else
typedef int hanse_no_avx512; /* a translation unit must not be empty */
#endif
