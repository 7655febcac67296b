/* SPDX-License-Identifier: Apache-2.0
 *
 * What the machine, or the batch job on it, lets the program use.
 */
#ifndef HANSE_CLI_MACHINE_H
#define HANSE_CLI_MACHINE_H

#include <stddef.h>
#include <stdint.h>

/* OMP_NUM_THREADS, else SLURM_CPUS_PER_TASK, else the processors that the
 * process may run on; at least 1. */
size_t hanse_machine_threads(void);

/* Bytes: the least of physical memory, the limits of the process's cgroups
 * (versions 1 and 2), of ulimit -v, and of the Slurm job on this node. */
uint64_t hanse_machine_memory(void);

#endif
