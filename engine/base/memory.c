/* SPDX-License-Identifier: Apache-2.0
 *
 * Allocation with a shared budget. The counters are relaxed atomics: they
 * order nothing, they only count.
 */
#include "engine/base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mman.h>

static size_t round_up(size_t size_bytes)
{
    const size_t mask = HANSE_ALIGNMENT - 1;
    return size_bytes == 0 ? HANSE_ALIGNMENT : (size_bytes + mask) & ~mask;
}

bool hanse_budget_take(hanse_budget *budget, uint64_t size_bytes)
{
    if (budget == NULL)
        return true;
    const uint64_t used =
        atomic_fetch_add(&budget->used_bytes, size_bytes) + size_bytes;
    if (budget->limit_bytes != 0 && used > budget->limit_bytes) {
        atomic_fetch_sub(&budget->used_bytes, size_bytes);
        atomic_store(&budget->refused, true);
        return false;
    }
    uint64_t peak = atomic_load(&budget->peak_bytes);
    while (used > peak &&
           !atomic_compare_exchange_weak(&budget->peak_bytes, &peak, used)) {
    }
    return true;
}

void hanse_budget_give_back(hanse_budget *budget, uint64_t size_bytes)
{
    if (budget != NULL)
        atomic_fetch_sub(&budget->used_bytes, size_bytes);
}

/* Blocks from this size on come from the kernel: zero as they are, in huge
 * pages where there are some, and given back at once. */
static const size_t large_bytes = (size_t)2 << 20;

/* Zero when it is large. */
static void *take(size_t total)
{
    if (total < large_bytes)
        return aligned_alloc(HANSE_ALIGNMENT, total);
    void *memory = mmap(NULL, total, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    (void)madvise(memory, total, MADV_HUGEPAGE); /* a wish */
    return memory;
}

static void give_back(void *memory, size_t total)
{
    if (total < large_bytes)
        free(memory);
    else
        (void)munmap(memory, total);
}

void *hanse_allocate(hanse_budget *budget, size_t n, size_t size_bytes)
{
    size_t total;
    if (!hanse_size_multiply(n, size_bytes, &total) ||
        total > SIZE_MAX - HANSE_ALIGNMENT)
        return NULL;
    total = round_up(total);
    if (!hanse_budget_take(budget, total))
        return NULL;
    void *memory = take(total);
    if (memory == NULL)
        hanse_budget_give_back(budget, total);
    return memory;
}

uint64_t hanse_allocation_bytes(uint64_t n, size_t size_bytes)
{
    return round_up(n * size_bytes);
}

void *hanse_allocate_zero(hanse_budget *budget, size_t n, size_t size_bytes)
{
    void *memory = hanse_allocate(budget, n, size_bytes);
    if (memory != NULL && round_up(n * size_bytes) < large_bytes)
        memset(memory, 0, n * size_bytes);
    return memory;
}

void hanse_prefer_huge_pages(void *memory, size_t size_bytes)
{
#ifdef MADV_HUGEPAGE
    const uintptr_t mask = ((uintptr_t)1 << 21) - 1;
    const uintptr_t first = ((uintptr_t)memory + mask) & ~mask;
    const uintptr_t end = ((uintptr_t)memory + size_bytes) & ~mask;
    if (end > first)
        (void)madvise((void *)first, end - first, MADV_HUGEPAGE);
#else
    (void)memory;
    (void)size_bytes;
#endif
}

void hanse_free(hanse_budget *budget, void *memory, size_t n, size_t size_bytes)
{
    if (memory == NULL)
        return;
    hanse_budget_give_back(budget, round_up(n * size_bytes));
    give_back(memory, round_up(n * size_bytes));
}

void *hanse_grow(hanse_budget *budget, void *memory, size_t n_old, size_t n_new,
                 size_t size_bytes)
{
    void *larger = hanse_allocate(budget, n_new, size_bytes);
    if (larger == NULL)
        return NULL;
    if (n_old != 0)
        memcpy(larger, memory, n_old * size_bytes);
    hanse_free(budget, memory, n_old, size_bytes);
    return larger;
}

hanse_status hanse_fail_budget(hanse_error *error, const hanse_budget *budget,
                               const char *what, size_t n, size_t size_bytes)
{
    size_t total;
    if (!hanse_size_multiply(n, size_bytes, &total))
        total = SIZE_MAX;
    if (budget != NULL && atomic_load(&budget->refused)) {
        const uint64_t used = atomic_load(&budget->used_bytes);
        return hanse_fail(error, HANSE_ERR_LIMIT,
                          "memory limit reached: %s needs %zu bytes more than "
                          "the %llu in use, the limit is %llu; raise --memory, "
                          "group by fewer keys or name a directory for "
                          "temporary files with --spill",
                          what, total, (unsigned long long)used,
                          (unsigned long long)budget->limit_bytes);
    }
    return hanse_fail_nomem(error, what, total);
}

char *hanse_text_copy(const char *text)
{
    if (text == NULL)
        return NULL;
    const size_t size_bytes = strlen(text) + 1;
    char *copy = malloc(size_bytes);
    if (copy != NULL)
        memcpy(copy, text, size_bytes);
    return copy;
}

char *hanse_text_join(const char *const *texts, size_t n, const char *between)
{
    size_t size_bytes = 1;
    for (size_t i = 0; i < n; i++)
        size_bytes += strlen(texts[i]) + strlen(between);
    char *joined = malloc(size_bytes);
    if (joined == NULL)
        return NULL;
    char *end = joined;
    *end = '\0';
    for (size_t i = 0; i < n; i++) {
        end = stpcpy(end, i > 0 ? between : "");
        end = stpcpy(end, texts[i]);
    }
    return joined;
}
