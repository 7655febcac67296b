/* SPDX-License-Identifier: Apache-2.0
 *
 * The add of values and squares for AVX2.
 */
#if defined(__x86_64__)

#define KERNEL(name) name##_avx2
#define TARGET       __attribute__((target("avx2,fma")))
#define HAS_FMA
#include "engine/kernels/square_add_body.h"

#else
typedef int hanse_no_avx2; /* a translation unit must not be empty */
#endif
