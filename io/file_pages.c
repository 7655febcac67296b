/* SPDX-License-Identifier: Apache-2.0
 *
 * Mapped files and the handler of SIGBUS. The handler sees the faulting
 * address alone, so that mappings are listed where it can look them up without
 * a lock: a fixed number of slots, each taken and given back by an atomic
 * store.
 */
#include "io/file_pages.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

/* Files times threads that are mapped at a time. */
enum {
    N_SLOTS = 1024
};

typedef struct slot {
    atomic_bool taken;
    _Atomic uintptr_t begin;
    _Atomic uintptr_t end; /* 0: not in use */
    atomic_bool broken;
} slot;

/* A signal handler has no argument. */
static slot slots[N_SLOTS];
static atomic_bool guarded;
static struct sigaction before;

static slot *slot_of(uintptr_t address)
{
    for (size_t i = 0; i < N_SLOTS; i++)
        if (address >= atomic_load(&slots[i].begin) &&
            address < atomic_load(&slots[i].end))
            return &slots[i];
    return NULL;
}

/* Puts zeros from the faulting page to the mapping's end: what follows the end
 * of a file that was cut off is missing as well. mmap is a mere system call,
 * which a handler may make. The instruction is then tried again. */
static void on_bus_error(int signal_number, siginfo_t *info, void *context)
{
    const int saved = errno;
    const uintptr_t address = (uintptr_t)info->si_addr;
    slot *hit = slot_of(address);
    (void)context;
    if (hit != NULL) {
        const uintptr_t page = address & ~((uintptr_t)getpagesize() - 1);
        const size_t size = atomic_load(&hit->end) - page;
        atomic_store(&hit->broken, true);
        if (mmap((void *)page, size, PROT_READ,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1,
                 0) != MAP_FAILED) {
            errno = saved;
            return;
        }
    }
    /* Not ours: the same fault comes again and finds the old handling. */
    (void)sigaction(signal_number, &before, NULL);
    errno = saved;
}

bool hanse_file_pages_guard(void)
{
    struct sigaction now;
    if (sigaction(SIGBUS, NULL, &now) != 0)
        return false;
    if ((now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == on_bus_error)
        return true;
    struct sigaction action = {.sa_sigaction = on_bus_error,
                               .sa_flags = SA_SIGINFO | SA_RESTART};
    (void)sigemptyset(&action.sa_mask);
    before = now;
    if (sigaction(SIGBUS, &action, NULL) != 0)
        return false;
    atomic_store(&guarded, true);
    return true;
}

static size_t take_slot(void)
{
    for (size_t i = 0; i < N_SLOTS; i++)
        if (!atomic_exchange(&slots[i].taken, true))
            return i;
    return N_SLOTS;
}

bool hanse_file_pages_map(hanse_file_pages *pages, int descriptor,
                          uint64_t size_bytes)
{
    *pages = (hanse_file_pages){0};
    if (!atomic_load(&guarded) || size_bytes == 0 || size_bytes > PTRDIFF_MAX)
        return false;
    const size_t page = (size_t)getpagesize();
    const size_t size = (size_t)size_bytes;
    const size_t index = take_slot();
    if (index == N_SLOTS)
        return false;
    slot *own = &slots[index];
    void *bytes = mmap(NULL, size, PROT_READ, MAP_SHARED, descriptor, 0);
    if (bytes == MAP_FAILED) {
        atomic_store(&own->taken, false);
        return false;
    }
    atomic_store(&own->broken, false);
    atomic_store(&own->begin, (uintptr_t)bytes);
    atomic_store(&own->end, (uintptr_t)bytes + (size + page - 1) / page * page);
    *pages = (hanse_file_pages){bytes, size, index};
    return true;
}

void hanse_file_pages_unmap(hanse_file_pages *pages)
{
    if (pages->bytes == NULL)
        return;
    slot *own = &slots[pages->slot];
    atomic_store(&own->end, 0);
    atomic_store(&own->begin, 0);
    (void)munmap((void *)(uintptr_t)pages->bytes, pages->size_bytes);
    atomic_store(&own->taken, false);
    *pages = (hanse_file_pages){0};
}

bool hanse_file_pages_broken(const hanse_file_pages *pages)
{
    return pages->bytes != NULL && atomic_load(&slots[pages->slot].broken);
}

void hanse_file_pages_drop(const hanse_file_pages *pages, uint64_t address,
                           uint64_t size_bytes)
{
    const uint64_t page = (uint64_t)getpagesize();
    const uint64_t first = (address + page - 1) / page * page;
    const uint64_t end = (address + size_bytes) / page * page;
    /* Zeros that stand in for what is missing would come back as faults. */
    if (end > first && !hanse_file_pages_broken(pages))
        (void)madvise((void *)(uintptr_t)(pages->bytes + first),
                      (size_t)(end - first), MADV_DONTNEED);
}
