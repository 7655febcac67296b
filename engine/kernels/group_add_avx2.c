/* SPDX-License-Identifier: Apache-2.0
 *
 * The group add for AVX2.
 */
#if defined(__x86_64__)

#include "engine/kernels/group_add.h"

#define KERNEL(name) name##_avx2
#define TARGET       __attribute__((target("avx2")))
#include "engine/kernels/group_add_body.h"

#else
typedef int hanse_no_avx2; /* a translation unit must not be empty */
#endif
