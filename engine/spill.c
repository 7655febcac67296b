/* SPDX-License-Identifier: Apache-2.0
 *
 * Large arrays: the budget first, then the spill.
 */
#include "engine/spill.h"

#include <sys/mman.h>

hanse_status hanse_large_allocate(hanse_large *large, size_t n,
                                  size_t size_bytes, hanse_budget *budget,
                                  hanse_spill *spill, const char *what,
                                  hanse_error *error)
{
    size_t total;
    *large = (hanse_large){.n = n, .size_bytes = size_bytes, .budget = budget};
    large->memory = hanse_allocate_zero(budget, n, size_bytes);
    if (large->memory != NULL)
        return HANSE_OK;
    if (spill == NULL || n == 0 || !hanse_size_multiply(n, size_bytes, &total))
        return hanse_fail_budget(error, budget, what, n, size_bytes);
    HANSE_TRY(spill->ops->map(spill, total, &large->memory, error));
    large->is_mapped = true;
    return HANSE_OK;
}

void hanse_large_free(hanse_large *large)
{
    if (large->is_mapped)
        (void)munmap(large->memory, large->n * large->size_bytes);
    else
        hanse_free(large->budget, large->memory, large->n, large->size_bytes);
    *large = (hanse_large){0};
}
