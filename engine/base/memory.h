/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory: allocation with 64-byte alignment, overflow-checked sizes and a
 * budget that all threads of a job share.
 */
#ifndef HANSE_ENGINE_BASE_MEMORY_H
#define HANSE_ENGINE_BASE_MEMORY_H

#include <stdatomic.h>

#include "engine/base/error.h"

enum {
    HANSE_ALIGNMENT = 64
};

/* What a job may use and what it uses. Zero-initialised: no limit. */
typedef struct hanse_budget {
    uint64_t limit_bytes; /* 0: none */
    _Atomic uint64_t used_bytes;
    _Atomic uint64_t peak_bytes;
    _Atomic bool refused; /* a request was beyond the limit */
} hanse_budget;

/* Charges memory that comes from elsewhere to a budget (NULL: none); false when
 * it is exhausted. And takes such a charge back. */
bool hanse_budget_take(hanse_budget *budget, uint64_t size_bytes);
void hanse_budget_give_back(hanse_budget *budget, uint64_t size_bytes);

/* Product of two sizes; false when it does not fit. */
static inline bool hanse_size_multiply(size_t a, size_t b, size_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}

/* Uninitialised memory for n elements of size_bytes each, 64-byte aligned;
 * NULL when the product overflows, the budget is exhausted or memory is. n = 0
 * gives a valid pointer. `budget` may be NULL. Free with hanse_free and the
 * same budget, n and size. */
void *hanse_allocate(hanse_budget *budget, size_t n, size_t size_bytes);

/* What hanse_allocate charges; the product fits. */
uint64_t hanse_allocation_bytes(uint64_t n, size_t size_bytes);

/* As hanse_allocate, all bytes zero. */
void *hanse_allocate_zero(hanse_budget *budget, size_t n, size_t size_bytes);

/* Accepts NULL (whatever n and size_bytes are). */
void hanse_free(hanse_budget *budget, void *memory, size_t n,
                size_t size_bytes);

/* Asks the system for huge pages under memory of megabytes that will all be
 * used, before it is touched: that costs a fraction of touching single pages,
 * and of looking values up in them. Only a wish. */
void hanse_prefer_huge_pages(void *memory, size_t size_bytes);

/* A larger copy: elements 0 to n_old - 1 are kept, the rest is uninitialised.
 * On failure returns NULL and the old memory stays as it was. */
void *hanse_grow(hanse_budget *budget, void *memory, size_t n_old, size_t n_new,
                 size_t size_bytes);

/* HANSE_ERR_LIMIT when the budget has refused a request, else HANSE_ERR_NOMEM,
 * with a message that names what was wanted. */
hanse_status hanse_fail_budget(hanse_error *error, const hanse_budget *budget,
                               const char *what, size_t n, size_t size_bytes);

/* A copy of a text, from malloc (free with free); NULL for NULL or when
 * memory is exhausted. */
char *hanse_text_copy(const char *text);

/* n texts with `between` between them, from malloc; NULL when memory is
 * exhausted. */
char *hanse_text_join(const char *const *texts, size_t n, const char *between);

#endif
