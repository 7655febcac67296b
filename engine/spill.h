/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a run puts what memory does not hold. io/ implements it over a file.
 */
#ifndef HANSE_ENGINE_SPILL_H
#define HANSE_ENGINE_SPILL_H

#include "engine/base/memory.h"

typedef struct hanse_spill hanse_spill;

typedef struct hanse_spill_ops {
    /* Keeps bytes; *place is where they are. Several threads may call. */
    hanse_status (*append)(hanse_spill *spill, const void *bytes, size_t n,
                           uint64_t *place, hanse_error *error);
    hanse_status (*read)(hanse_spill *spill, uint64_t place, void *bytes,
                         size_t n, hanse_error *error);

    /* Memory of n bytes, all zero, that need not stay in memory; valid after
     * the spill is closed. Give back with munmap. */
    hanse_status (*map)(hanse_spill *spill, size_t n, void **out,
                        hanse_error *error);
    void (*close)(hanse_spill *spill);
} hanse_spill_ops;

/* First member of every spill. */
struct hanse_spill {
    const hanse_spill_ops *ops;
};

/* ---- Large arrays ------------------------------------------------------- */

/* An array that is in memory where the budget allows, else in a spill. */
typedef struct hanse_large {
    void *memory;
    size_t n;
    size_t size_bytes; /* of an element */
    hanse_budget *budget;
    bool is_mapped;
} hanse_large;

/* n elements of size_bytes, all zero. `budget` and `spill` may be NULL. */
hanse_status hanse_large_allocate(hanse_large *large, size_t n,
                                  size_t size_bytes, hanse_budget *budget,
                                  hanse_spill *spill, const char *what,
                                  hanse_error *error);

/* Accepts one that is zero or already free. */
void hanse_large_free(hanse_large *large);

#endif
