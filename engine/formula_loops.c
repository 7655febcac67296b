/* SPDX-License-Identifier: Apache-2.0
 *
 * The loops of formulas for any machine, and the choice between the sets.
 */
#define KERNEL(name) name##_scalar
#define TARGET
#include "engine/formula_loops_body.h"

int hanse_formula_compare_text(const char *a, size_t n_a, const char *b,
                               size_t n_b)
{
    const size_t n = n_a < n_b ? n_a : n_b;
    const int order = n == 0 ? 0 : memcmp(a, b, n);
    return order != 0 ? order : (n_a > n_b) - (n_a < n_b);
}

const hanse_formula_loops *hanse_formula_loops_of(hanse_cpu cpu)
{
    switch (cpu) {
#if defined(__x86_64__)
    case HANSE_CPU_AVX2:
        return &hanse_formula_loops_avx2;
    case HANSE_CPU_AVX512:
        return &hanse_formula_loops_avx512;
#endif
    default:
        return &hanse_formula_loops_scalar;
    }
}
