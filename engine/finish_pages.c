/* SPDX-License-Identifier: Apache-2.0
 *
 * Filling a table from the pages of partitions, in whose order its rows are.
 * States of a page are freed when its rows are filled: what the columns take
 * is what the states give.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/finish.h"
#include "engine/parallel.h"

/* ---- With a list of all groups ------------------------------------------ */

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
static hanse_status fill_by_owner(hanse_finishing *f, hanse_error *error)
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

/* ---- Page by page ------------------------------------------------------- */

/* The columns from row `first` on, with a list of their own. */
static hanse_status narrow(const hanse_finishing *f, size_t first,
                           hanse_finishing *out, hanse_error *error)
{
    *out = *f;
    out->list = (hanse_group_list){0};
    out->fillings = malloc((f->n_fillings + 1) * sizeof *out->fillings);
    if (out->fillings == NULL)
        return hanse_fail_nomem(error, "rows of pages", f->n_fillings);
    for (size_t i = 0; i < f->n_fillings; i++) {
        out->fillings[i] = f->fillings[i];
        out->fillings[i].values = (char *)f->fillings[i].values +
                                  first * hanse_type_size(f->fillings[i].type);
    }
    for (size_t k = 0; k < f->list.n_keys; k++)
        out->keys[k] =
            (char *)f->keys[k] + first * hanse_type_size(f->key_types[k]);
    out->counts = f->counts + first;
    return HANSE_OK;
}

static hanse_status fill_page(void *context, size_t page, hanse_error *error)
{
    const hanse_finishing *f = context;
    const hanse_group_list *all = &f->list;
    const size_t first = all->starts[page];
    const size_t n = all->starts[page + 1] - first;
    hanse_partition *partition = hanse_partitions_owner(all->parts, page);
    if (partition == NULL)
        return HANSE_OK;
    hanse_finishing own;
    HANSE_TRY(narrow(f, first, &own, error));
    hanse_status status = hanse_group_list_of_partition(all->shared, all->parts,
                                                        page, &own.list, error);
    if (status == HANSE_OK) {
        hanse_finish_fill_keys(&own, 0, n);
        status = hanse_finish_fill_states(&own, 0, n, error);
    }
    hanse_group_list_clear(&own.list);
    free(own.fillings);
    hanse_partition_release(partition);
    return status;
}

hanse_status hanse_finish_fill_pages(hanse_finishing *f, hanse_error *error)
{
    if (f->list.starts == NULL)
        return fill_by_owner(f, error);
    return hanse_parallel_for(f->n_threads, f->list.parts->n_pages, fill_page,
                              f, error);
}
