/* SPDX-License-Identifier: Apache-2.0
 *
 * Confinement of the process that opens untrusted files with the HDF5 library:
 * system calls by seccomp, the file system and network by Landlock where the
 * kernel has it, memory and time by limits. What the process needs must be
 * open before; afterwards it can read and write its descriptors, allocate
 * memory, and end.
 */
#ifndef HANSE_IO_CONFINE_H
#define HANSE_IO_CONFINE_H

#include "engine/hanse.h"

/* Sanitizers need calls and addresses that a confined process does without. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HANSE_IS_SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HANSE_IS_SANITIZED 1
#endif
#ifndef HANSE_IS_SANITIZED
#define HANSE_IS_SANITIZED 0
#endif

typedef struct hanse_confine_limits {
    uint64_t memory_bytes; /* address space; 0: no limit */
    /* Of processor time in all, its own past included; SIGXCPU at the end.
     * Whoever started the process may raise it (prlimit). 0: no limit. */
    uint64_t cpu_seconds;
} hanse_confine_limits;

/* How far the confinement reaches, for messages and logs. */
typedef struct hanse_confinement {
    bool seccomp;
    int landlock_abi; /* 0: none */
} hanse_confinement;

/* Confines the calling process, for good; call it with one thread. A call
 * that is not allowed ends the process by SIGSYS, except for those that the
 * library and the C library try and can do without (opening a file, asking
 * for the working directory), which fail. HANSE_ERR_IO when not even seccomp
 * is to be had; `level` says how far it came. With sanitizers memory is not
 * limited, and what they need for their reports is allowed. */
hanse_status hanse_confine(const hanse_confine_limits *limits,
                           hanse_confinement *level, hanse_error *error);

#endif
