/* SPDX-License-Identifier: Apache-2.0
 *
 * Processors and memory.
 */
#include "cli/machine.h"

#include <limits.h>
#include <omp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* A positive whole number, 0 for anything else. */
static uint64_t parse_positive(const char *text)
{
    if (text == NULL || *text < '0' || *text > '9')
        return 0;
    char *end;
    const unsigned long long value = strtoull(text, &end, 10);
    return *end == '\0' || *end == '\n' ? value : 0;
}

static size_t affinity_threads(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return (size_t)CPU_COUNT(&set);
    /* More processors than the set has room for. */
    const long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (size_t)n : 1;
}

size_t hanse_machine_threads(void)
{
    if (getenv("OMP_NUM_THREADS") != NULL)
        return (size_t)omp_get_max_threads();
    const uint64_t n = parse_positive(getenv("SLURM_CPUS_PER_TASK"));
    return n > 0 && n < INT_MAX ? (size_t)n : affinity_threads();
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The number in a file, UINT64_MAX when there is none ("max"). */
static uint64_t read_limit(const char *path)
{
    char line[64] = "";
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return UINT64_MAX;
    const bool got = fgets(line, sizeof line, file) != NULL;
    (void)fclose(file);
    const uint64_t limit = got ? parse_positive(line) : 0;
    return limit > 0 ? limit : UINT64_MAX;
}

/* Limits of a cgroup and of all that contain it. In a container the path may
 * name levels that are not visible; their files are simply absent. */
static uint64_t cgroup_limit(const char *root, char *group, const char *name)
{
    uint64_t limit = UINT64_MAX;
    for (;;) {
        char path[2 * PATH_MAX];
        snprintf(path, sizeof path, "%s%s/%s", root, group, name);
        limit = least(limit, read_limit(path));
        char *slash = strrchr(group, '/');
        if (slash == NULL)
            return limit;
        *slash = '\0';
    }
}

/* Lines of /proc/self/cgroup: "0::/path" for version 2, "5:memory:/path" for
 * version 1. */
static uint64_t cgroup_memory(void)
{
    char line[PATH_MAX];
    uint64_t limit = UINT64_MAX;
    FILE *file = fopen("/proc/self/cgroup", "re");
    if (file == NULL)
        return limit;
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':');
        char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
        if (group == NULL)
            continue;
        *group++ = '\0';
        if (strcmp(group, "/") == 0)
            *group = '\0';
        if (controllers[1] == '\0')
            limit = least(limit,
                          cgroup_limit("/sys/fs/cgroup", group, "memory.max"));
        else if (strcmp(controllers + 1, "memory") == 0)
            limit = least(limit, cgroup_limit("/sys/fs/cgroup/memory", group,
                                              "memory.limit_in_bytes"));
    }
    (void)fclose(file);
    return limit;
}

/* Slurm counts in MiB; 0 means the whole node. */
static uint64_t slurm_memory(void)
{
    const uint64_t mib = 1024 * 1024;
    uint64_t node = parse_positive(getenv("SLURM_MEM_PER_NODE"));
    if (node == 0) {
        const uint64_t cpu = parse_positive(getenv("SLURM_MEM_PER_CPU"));
        const uint64_t n = parse_positive(getenv("SLURM_CPUS_ON_NODE"));
        if (__builtin_mul_overflow(cpu, n, &node))
            return UINT64_MAX;
    }
    return node > 0 && node < UINT64_MAX / mib ? node * mib : UINT64_MAX;
}

uint64_t hanse_machine_memory(void)
{
    uint64_t memory = least(cgroup_memory(), slurm_memory());
    const long pages = sysconf(_SC_PHYS_PAGES);
    const long page_bytes = sysconf(_SC_PAGESIZE);
    if (pages > 0 && page_bytes > 0)
        memory = least(memory, (uint64_t)pages * (uint64_t)page_bytes);
    struct rlimit address_space;
    if (getrlimit(RLIMIT_AS, &address_space) == 0 &&
        address_space.rlim_cur != RLIM_INFINITY)
        memory = least(memory, address_space.rlim_cur);
    return memory;
}
