/* SPDX-License-Identifier: Apache-2.0
 *
 * The loops of scores for any machine, and the choice between the sets.
 */
#define KERNEL(name) name##_scalar
#define TARGET
#include "engine/models/evaluate_loops_body.h"

const hanse_evaluate_loops *hanse_evaluate_loops_of(hanse_cpu cpu)
{
    switch (cpu) {
#if defined(__x86_64__)
    case HANSE_CPU_AVX2:
        return &hanse_evaluate_loops_avx2;
    case HANSE_CPU_AVX512:
        return &hanse_evaluate_loops_avx512;
#endif
    default:
        return &hanse_evaluate_loops_scalar;
    }
}
