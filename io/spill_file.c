/* SPDX-License-Identifier: Apache-2.0
 *
 * Spilled bytes in a nameless file, readable by its owner alone.
 */
#include "io/spill_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct spill_file {
    hanse_spill base;
    int descriptor;
    char *directory;
    _Atomic uint64_t end;
} spill_file;

static hanse_status fail(const spill_file *s, const char *what, int cause,
                         hanse_error *error)
{
    return hanse_fail(error, HANSE_ERR_IO,
                      "%s: temporary file cannot be %s: %s%s", s->directory,
                      what, strerror(cause),
                      cause == ENOSPC || cause == EDQUOT
                          ? "; name a directory with more room with --spill"
                          : "");
}

static hanse_status append(hanse_spill *base, const void *bytes, size_t n,
                           uint64_t *place, hanse_error *error)
{
    spill_file *s = (spill_file *)base;
    const char *next = bytes;
    uint64_t at = atomic_fetch_add(&s->end, n);
    *place = at;
    while (n > 0) {
        const ssize_t done = pwrite(s->descriptor, next, n, (off_t)at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return fail(s, "written", done < 0 ? errno : ENOSPC, error);
        next += done;
        at += (uint64_t)done;
        n -= (size_t)done;
    }
    return HANSE_OK;
}

static hanse_status read_back(hanse_spill *base, uint64_t place, void *bytes,
                              size_t n, hanse_error *error)
{
    const spill_file *s = (const spill_file *)base;
    char *next = bytes;
    while (n > 0) {
        const ssize_t done = pread(s->descriptor, next, n, (off_t)place);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return fail(s, "read", done < 0 ? errno : EIO, error);
        next += done;
        place += (uint64_t)done;
        n -= (size_t)done;
    }
    return HANSE_OK;
}

/* The space is taken now: a write to a mapped page could not report that there
 * is none. */
static hanse_status map(hanse_spill *base, size_t n, void **out,
                        hanse_error *error)
{
    spill_file *s = (spill_file *)base;
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    const uint64_t size = (n + page - 1) / page * page;
    uint64_t at = atomic_load(&s->end), first;
    do
        first = (at + page - 1) / page * page;
    while (!atomic_compare_exchange_weak(&s->end, &at, first + size));
    const int cause = posix_fallocate(s->descriptor, (off_t)first, (off_t)size);
    if (cause != 0)
        return fail(s, "enlarged", cause, error);
    void *memory = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED,
                        s->descriptor, (off_t)first);
    if (memory == MAP_FAILED)
        return fail(s, "mapped", errno, error);
    *out = memory;
    return HANSE_OK;
}

static void close_spill(hanse_spill *base)
{
    spill_file *s = (spill_file *)base;
    if (s == NULL)
        return;
    if (s->descriptor >= 0)
        (void)close(s->descriptor);
    free(s->directory);
    free(s);
}

static const hanse_spill_ops operations = {
    .append = append, .read = read_back, .map = map, .close = close_spill};

/* File systems without nameless files get a named one for a moment. */
int hanse_spill_file_nameless(const char *directory)
{
    char name[4096];
    int descriptor = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (descriptor >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
        return descriptor;
    if (snprintf(name, sizeof name, "%s/.hanse-spill-XXXXXX", directory) >=
        (int)sizeof name) {
        errno = ENAMETOOLONG;
        return -1;
    }
    descriptor = mkostemp(name, O_CLOEXEC);
    if (descriptor >= 0)
        (void)unlink(name);
    return descriptor;
}

hanse_status hanse_spill_file_open(const char *directory, hanse_spill **out,
                                   hanse_error *error)
{
    spill_file *s = calloc(1, sizeof *s);
    char *copy = hanse_text_copy(directory);
    if (s == NULL || copy == NULL) {
        free(s);
        free(copy);
        return hanse_fail_nomem(error, "temporary file", sizeof *s);
    }
    s->base.ops = &operations;
    s->directory = copy;
    s->descriptor = hanse_spill_file_nameless(directory);
    if (s->descriptor < 0) {
        const hanse_status status = fail(s, "made", errno, error);
        close_spill(&s->base);
        return status;
    }
    *out = &s->base;
    return HANSE_OK;
}

uint64_t hanse_spill_file_bytes(const hanse_spill *spill)
{
    return atomic_load(&((const spill_file *)spill)->end);
}
