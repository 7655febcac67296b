/* SPDX-License-Identifier: Apache-2.0
 *
 * Limits, Landlock, seccomp, in this order: each needs calls that the next
 * one forbids.
 */
#include "io/confine.h"

#include <errno.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/base/error.h"

/* ---- Limits ------------------------------------------------------------- */

/* Nobody can raise a hard limit that is there already. */
static int set_limit(__rlimit_resource_t resource, uint64_t soft, uint64_t hard)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0)
        return -1;
    if (limit.rlim_max > hard)
        limit.rlim_max = (rlim_t)hard;
    limit.rlim_cur = soft < limit.rlim_max ? (rlim_t)soft : limit.rlim_max;
    return setrlimit(resource, &limit);
}

static hanse_status set_limits(const hanse_confine_limits *limits,
                               hanse_error *error)
{
    int failed = set_limit(RLIMIT_CORE, 0, 0);
    failed |= set_limit(RLIMIT_FSIZE, 0, 0);
    failed |= set_limit(RLIMIT_NPROC, 0, 0);
    /* The address sanitizer reserves 16 TB of addresses for itself. */
    if (limits->memory_bytes != 0 && !HANSE_IS_SANITIZED)
        failed |=
            set_limit(RLIMIT_AS, limits->memory_bytes, limits->memory_bytes);
    /* Only the soft limit: whoever started us may grant more time. */
    if (limits->cpu_seconds != 0)
        failed |= set_limit(RLIMIT_CPU, limits->cpu_seconds, RLIM_INFINITY);
    if (failed != 0)
        return hanse_fail(error, HANSE_ERR_IO,
                          "confinement: cannot set limits: %s",
                          strerror(errno));
    return HANSE_OK;
}

/* ---- Landlock ----------------------------------------------------------- */

/* The attributes as of ABI 6; Debian 12's header ends at ABI 2. A kernel is
 * told only the part that its ABI knows. */
typedef struct ruleset {
    uint64_t handled_access_fs;
    uint64_t handled_access_net; /* from ABI 4 */
    uint64_t scoped;             /* from ABI 6 */
} ruleset;

static uint64_t filesystem_rights(int abi)
{
    /* Rights 0..12 since ABI 1, one more each with ABI 2, 3 and 5. */
    const int n = 13 + (abi >= 2) + (abi >= 3) + (abi >= 5);
    return ((uint64_t)1 << n) - 1;
}

/* Takes away everything that can be taken; returns the ABI, 0 for none. */
static int forbid_files(void)
{
    const long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
                             LANDLOCK_CREATE_RULESET_VERSION);
    if (abi <= 0)
        return 0;
    const ruleset rules = {.handled_access_fs = filesystem_rights((int)abi),
                           .handled_access_net = abi >= 4 ? 3 : 0,
                           .scoped = abi >= 6 ? 3 : 0};
    const size_t size_bytes = abi >= 6   ? sizeof rules
                              : abi >= 4 ? 2 * sizeof(uint64_t)
                                         : sizeof(uint64_t);
    const int descriptor =
        (int)syscall(SYS_landlock_create_ruleset, &rules, size_bytes, 0);
    if (descriptor < 0)
        return 0;
    const long result = syscall(SYS_landlock_restrict_self, descriptor, 0);
    close(descriptor);
    return result == 0 ? (int)abi : 0;
}

/* ---- seccomp ------------------------------------------------------------ */

/* What the library and the C library need with everything open. */
static const int allowed_calls[] = {
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(pread64),
    SCMP_SYS(lseek),
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(futex),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(nanosleep), /* between two tries at a checksum */
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(getrandom),
#if HANSE_IS_SANITIZED
    SCMP_SYS(rt_sigaction), /* the sanitizers' reports */
    SCMP_SYS(sigaltstack),
    SCMP_SYS(prctl),
    SCMP_SYS(tgkill),
#endif
};

/* What is tried on the way and can be done without. */
static const int refused_calls[] = {
    SCMP_SYS(open),        SCMP_SYS(openat),
    SCMP_SYS(openat2),     SCMP_SYS(access),
    SCMP_SYS(faccessat),   SCMP_SYS(faccessat2),
    SCMP_SYS(stat),        SCMP_SYS(fstat),
    SCMP_SYS(lstat),       SCMP_SYS(newfstatat),
    SCMP_SYS(statx),       SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),  SCMP_SYS(getcwd),
    SCMP_SYS(ioctl),       SCMP_SYS(uname),
    SCMP_SYS(sysinfo),     SCMP_SYS(prlimit64),
    SCMP_SYS(getuid),      SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_yield),
};

/* Memory may be mapped, but nothing that can be run. */
static int allow_mapping(scmp_filter_ctx filter)
{
    const uint64_t executable = 4; /* PROT_EXEC */
    const struct scmp_arg_cmp plain =
        SCMP_A2_64(SCMP_CMP_MASKED_EQ, executable, 0);
    int failed = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap),
                                        1, &plain);
    failed |= seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect),
                                     1, &plain);
    return failed;
}

static int add_rules(scmp_filter_ctx filter)
{
    int failed = allow_mapping(filter);
    for (size_t i = 0; i < sizeof allowed_calls / sizeof *allowed_calls; i++)
        failed |= seccomp_rule_add_array(filter, SCMP_ACT_ALLOW,
                                         allowed_calls[i], 0, NULL);
    for (size_t i = 0; i < sizeof refused_calls / sizeof *refused_calls; i++)
        failed |= seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EACCES),
                                         refused_calls[i], 0, NULL);
    return failed;
}

static bool forbid_calls(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (filter == NULL)
        return false;
    const bool done = add_rules(filter) == 0 && seccomp_load(filter) == 0;
    seccomp_release(filter);
    return done;
}

hanse_status hanse_confine(const hanse_confine_limits *limits,
                           hanse_confinement *level, hanse_error *error)
{
    *level = (hanse_confinement){0};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return hanse_fail(error, HANSE_ERR_IO,
                          "confinement: the kernel refuses: %s",
                          strerror(errno));
    HANSE_TRY(set_limits(limits, error));
    level->landlock_abi = forbid_files();
    level->seccomp = forbid_calls();
    if (!level->seccomp)
        return hanse_fail(error, HANSE_ERR_IO,
                          "confinement: the kernel has no seccomp filters");
    return HANSE_OK;
}
