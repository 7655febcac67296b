/* SPDX-License-Identifier: Apache-2.0
 *
 * The loops of scores for AVX2.
 */
#if defined(__x86_64__)

#define KERNEL(name) name##_avx2
#define TARGET       __attribute__((target("avx2")))
#include "engine/models/evaluate_loops_body.h"

#else
typedef int hanse_no_avx2; /* a translation unit must not be empty */
#endif
