/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding the instruction set to use.
 */
#include "engine/base/cpu.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[HANSE_CPU_COUNT] = {"scalar", "avx2", "avx512"};

const char *hanse_cpu_name(hanse_cpu cpu)
{
    return (unsigned)cpu < HANSE_CPU_COUNT ? names[cpu] : "unknown";
}

hanse_cpu hanse_cpu_detect(void)
{
#if defined(__x86_64__)
    /* These also ask the operating system whether it saves the registers. */
    if (__builtin_cpu_supports("avx512f") &&
        __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl"))
        return HANSE_CPU_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return HANSE_CPU_AVX2;
#endif
    return HANSE_CPU_SCALAR;
}

hanse_status hanse_cpu_choose(hanse_cpu *out, hanse_error *error)
{
    const hanse_cpu best = hanse_cpu_detect();
    const char *ceiling = getenv("HANSE_CPU");
    if (ceiling == NULL || ceiling[0] == '\0') {
        *out = best;
        return HANSE_OK;
    }
    for (int cpu = 0; cpu < HANSE_CPU_COUNT; cpu++) {
        if (strcmp(ceiling, names[cpu]) == 0) {
            *out = (hanse_cpu)cpu < best ? (hanse_cpu)cpu : best;
            return HANSE_OK;
        }
    }
    return hanse_fail(error, HANSE_ERR_ARGUMENT,
                      "HANSE_CPU is '%.64s', expected scalar, avx2 or avx512",
                      ceiling);
}
