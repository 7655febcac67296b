/* SPDX-License-Identifier: Apache-2.0
 *
 * Filling a table from the pages of partitions, in whose order its rows are.
 * States of a page are freed when its rows are filled: what the columns take
 * is what the states give.
 */
#include <stdlib.h>

#include "engine/finish.h"
#include "engine/parallel.h"

/* Rows of the table cut at the pages that their groups are in. */
typedef struct page_rows {
    hanse_finishing *f;
    size_t *starts; /* [page], and the end */
    size_t n;
} page_rows;

static hanse_status fill_rows_of_page(void *context, size_t task,
                                      hanse_error *error)
{
    const page_rows *pages = context;
    const hanse_finishing *f = pages->f;
    const size_t first = pages->starts[task], end = pages->starts[task + 1];
    hanse_finish_fill_keys(f, first, end);
    HANSE_TRY(hanse_finish_fill_states(f, first, end, error));
    for (size_t row = first; row < end; row++) {
        const size_t owner = f->list.owners[row];
        if (owner < f->list.parts->n_pages) {
            hanse_partition_release(
                hanse_partitions_owner(f->list.parts, owner));
            break;
        }
    }
    return HANSE_OK;
}

/* Groups of hashed partitions may stand between those of a page. */
hanse_status hanse_finish_fill_pages(hanse_finishing *f, hanse_error *error)
{
    const size_t n_pages = f->list.parts->n_pages;
    page_rows pages = {.f = f};
    uint32_t last = UINT32_MAX;
    pages.starts = calloc(n_pages + 2, sizeof *pages.starts);
    if (pages.starts == NULL)
        return hanse_fail_nomem(error, "rows of pages", n_pages);
    for (size_t row = 0; row < f->list.n; row++) {
        const uint32_t owner = f->list.owners[row];
        if (owner >= n_pages || owner == last)
            continue;
        pages.starts[pages.n] = pages.n == 0 ? 0 : row;
        pages.n++;
        last = owner;
    }
    if (pages.n == 0)
        pages.n = 1;
    pages.starts[pages.n] = f->list.n;
    const hanse_status status = hanse_parallel_for(
        f->n_threads, pages.n, fill_rows_of_page, &pages, error);
    free(pages.starts);
    return status;
}
