/* SPDX-License-Identifier: Apache-2.0
 *
 * Instruction sets: what the machine has, and the ceiling that HANSE_CPU sets.
 */
#ifndef HANSE_ENGINE_BASE_CPU_H
#define HANSE_ENGINE_BASE_CPU_H

#include "engine/base/error.h"

/* Ascending; a machine that has one has those before it. */
typedef enum hanse_cpu {
    HANSE_CPU_SCALAR,
    HANSE_CPU_AVX2,   /* and FMA */
    HANSE_CPU_AVX512, /* F, DQ, BW, VL */
    HANSE_CPU_COUNT
} hanse_cpu;

/* "scalar", "avx2", "avx512". */
const char *hanse_cpu_name(hanse_cpu cpu);

/* The best that this machine can run. */
hanse_cpu hanse_cpu_detect(void);

/* The best that this machine can run and that the environment variable
 * HANSE_CPU, a name of the above, allows. HANSE_ERR_ARGUMENT for another
 * name. */
hanse_status hanse_cpu_choose(hanse_cpu *out, hanse_error *error);

#endif
