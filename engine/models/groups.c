/* SPDX-License-Identifier: Apache-2.0
 *
 * Group numbers. The fold of the first pass is kept: its maps give the group of
 * a row in the order in which groups were found, and a list gives the row of
 * the table for each.
 */
#include "engine/models/groups.h"

#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/fold.h"
#include "engine/group_list.h"
#include "engine/order.h"
#include "engine/run.h"
#include "engine/scan.h"

struct hanse_groups {
    hanse_source *source; /* borrowed */
    hanse_plan *plan;
    hanse_fold *fold;
    size_t *fields;
    size_t n_fields;
    size_t n_groups; /* rows of the table */
    size_t n_found;  /* groups of the fold */
    uint32_t *rows;  /* [group of the fold] */
    /* [row] number + 1, UINT32_MAX: no group, 0: not found yet; or NULL. */
    uint32_t *known;
    uint64_t n_known;
};

struct hanse_numbering {
    const hanse_groups *groups;
    hanse_fold view;
};

/* ---- Making them -------------------------------------------------------- */

/* Fields of keys and filter, ascending. */
static hanse_status list_fields(hanse_groups *groups, hanse_error *error)
{
    const hanse_plan *plan = groups->plan;
    bool *used = calloc(plan->n_fields + 1, sizeof *used);
    groups->fields = calloc(plan->n_fields + 1, sizeof *groups->fields);
    if (used == NULL || groups->fields == NULL) {
        free(used);
        return hanse_fail_nomem(error, "groups", plan->n_fields);
    }
    for (size_t k = 0; k <= plan->n_keys; k++) {
        const bool is_filter = k == plan->n_keys;
        const hanse_formula *formula =
            is_filter ? plan->filter : plan->keys[k].formula;
        size_t n = 0;
        const size_t *fields =
            formula != NULL ? hanse_formula_fields(formula, &n) : NULL;
        for (size_t i = 0; i < n; i++)
            used[fields[i]] = true;
        if (!is_filter && plan->keys[k].field != SIZE_MAX)
            used[plan->keys[k].field] = true;
    }
    for (size_t i = 0; i < plan->n_fields; i++)
        if (used[i])
            groups->fields[groups->n_fields++] = i;
    free(used);
    return HANSE_OK;
}

static hanse_status number_groups(hanse_groups *groups, hanse_error *error)
{
    hanse_fold *fold = groups->fold;
    hanse_order order = {0};
    hanse_group_list list = {0};
    hanse_status status = hanse_order_init(&order, fold, error);
    if (status == HANSE_OK)
        status = hanse_group_list_of_fold(fold, fold, &order, 0, &list, error);
    hanse_order_clear(&order, fold);
    groups->n_found = fold->states[0].n_groups;
    if (status == HANSE_OK)
        groups->rows = hanse_allocate(fold->budget, groups->n_found + 1,
                                      sizeof *groups->rows);
    if (status == HANSE_OK && groups->rows == NULL)
        status = hanse_fail_budget(error, fold->budget, "numbers of groups",
                                   groups->n_found, sizeof *groups->rows);
    for (size_t g = 0; status == HANSE_OK && g < groups->n_found; g++)
        groups->rows[g] = HANSE_NO_GROUP;
    for (size_t r = 0; status == HANSE_OK && r < list.n; r++)
        groups->rows[list.groups[r]] = (uint32_t)r;
    groups->n_groups = list.n;
    hanse_group_list_clear(&list);
    return status;
}

hanse_status hanse_groups_create(const hanse_spec *spec, hanse_source *source,
                                 const hanse_run_options *options,
                                 hanse_groups **out, hanse_result **result,
                                 hanse_error *error)
{
    hanse_result *made = NULL;
    hanse_groups *groups = calloc(1, sizeof *groups);
    if (groups == NULL)
        return hanse_fail_nomem(error, "groups", sizeof *groups);
    groups->source = source;
    hanse_status status = hanse_run_keep(spec, source, options, &groups->plan,
                                         &groups->fold, &made, error);
    if (status == HANSE_OK)
        status = list_fields(groups, error);
    if (status == HANSE_OK)
        status = number_groups(groups, error);
    if (status != HANSE_OK) {
        hanse_groups_destroy(groups);
        hanse_result_destroy(made);
        return status;
    }
    *out = groups;
    *result = made;
    return HANSE_OK;
}

void hanse_groups_destroy(hanse_groups *groups)
{
    if (groups == NULL)
        return;
    if (groups->fold != NULL) {
        hanse_free(groups->fold->budget, groups->rows, groups->n_found + 1,
                   sizeof *groups->rows);
        hanse_free(groups->fold->budget, groups->known, groups->n_known,
                   sizeof *groups->known);
    }
    hanse_fold_destroy(groups->fold);
    hanse_plan_destroy(groups->plan);
    free(groups->fields);
    free(groups);
}

size_t hanse_groups_count(const hanse_groups *groups)
{
    return groups->n_groups;
}

void hanse_groups_remember(hanse_groups *groups)
{
    hanse_budget *budget = groups->fold->budget;
    const uint64_t n = groups->source->ops->n_rows(groups->source);
    const uint64_t used = atomic_load(&budget->used_bytes);
    const uint64_t limit = budget->limit_bytes;
    if (groups->known != NULL || groups->n_groups >= UINT32_MAX - 1 ||
        (limit != 0 &&
         (used >= limit || n > (limit - used) / 2 / sizeof *groups->known)))
        return;
    groups->known = hanse_allocate_zero(budget, n, sizeof *groups->known);
    groups->n_known = n;
}

const size_t *hanse_groups_fields(const hanse_groups *groups, size_t *n_fields)
{
    *n_fields = groups->n_fields;
    return groups->fields;
}

/* ---- Numbering rows ----------------------------------------------------- */

hanse_status hanse_numbering_open(const hanse_groups *groups,
                                  hanse_numbering **out, hanse_error *error)
{
    hanse_numbering *numbering = calloc(1, sizeof *numbering);
    if (numbering == NULL)
        return hanse_fail_nomem(error, "groups", sizeof *numbering);
    numbering->groups = groups;
    const hanse_status status =
        hanse_fold_view_open(&numbering->view, groups->fold, error);
    if (status != HANSE_OK) {
        hanse_numbering_close(numbering);
        return status;
    }
    *out = numbering;
    return HANSE_OK;
}

void hanse_numbering_close(hanse_numbering *numbering)
{
    if (numbering == NULL)
        return;
    if (numbering->view.plan != NULL)
        hanse_fold_view_close(&numbering->view);
    free(numbering);
}

static hanse_status find_numbers(hanse_numbering *numbering,
                                 const hanse_batch *batch,
                                 uint64_t batch_first_row, size_t first,
                                 size_t n, uint32_t *out, hanse_error *error)
{
    hanse_fold *view = &numbering->view;
    const hanse_block *block = &view->block;
    const uint32_t *rows = numbering->groups->rows;
    const size_t node = view->plan->groupings[0].node;
    view->batch_first_row = batch_first_row;
    hanse_block_filter(view, batch, first, n);
    if (node != SIZE_MAX && block->n > 0)
        HANSE_TRY(hanse_block_keys(view, batch, first, n, error));
    const uint32_t *found = node != SIZE_MAX ? block->node_codes[node] : NULL;
    for (size_t i = 0; block->kept != NULL && i < n; i++)
        out[i] = HANSE_NO_GROUP;
    for (size_t i = 0; i < block->n; i++)
        out[block->kept != NULL ? block->kept[i] : i] =
            rows[found != NULL ? found[i] : 0];
    return HANSE_OK;
}

/* Numbers that are known; false when one is not. */
static bool recall(const uint32_t *restrict known, size_t n,
                   uint32_t *restrict out)
{
    uint32_t n_unknown = 0;
    for (size_t i = 0; i < n; i++) {
        n_unknown += known[i] == 0;
        out[i] = known[i] == UINT32_MAX ? HANSE_NO_GROUP : known[i] - 1;
    }
    return n_unknown == 0;
}

hanse_status hanse_numbering_fill(hanse_numbering *numbering,
                                  const hanse_batch *batch,
                                  uint64_t batch_first_row, size_t first,
                                  size_t n, uint32_t *out, hanse_error *error)
{
    uint32_t *known = numbering->groups->known;
    if (known != NULL) {
        known += batch_first_row + first;
        if (recall(known, n, out))
            return HANSE_OK;
    }
    HANSE_TRY(
        find_numbers(numbering, batch, batch_first_row, first, n, out, error));
    for (size_t i = 0; known != NULL && i < n; i++)
        known[i] = out[i] == HANSE_NO_GROUP ? UINT32_MAX : out[i] + 1;
    return HANSE_OK;
}

/* ---- All rows ----------------------------------------------------------- */

typedef struct collecting {
    const hanse_groups *groups;
    uint32_t *out;
} collecting;

static hanse_status open_numbering(void *context, void **own,
                                   hanse_error *error)
{
    const collecting *c = context;
    return hanse_numbering_open(c->groups, (hanse_numbering **)own, error);
}

static void close_numbering(void *own)
{
    hanse_numbering_close(own);
}

static hanse_status number_morsel(void *context, void *own,
                                  const hanse_morsel *rows, hanse_error *error)
{
    const collecting *c = context;
    const size_t n_rows = rows->batch.n_rows;
    for (size_t first = 0; first < n_rows; first += HANSE_BLOCK_ROWS) {
        size_t n = n_rows - first;
        n = n < HANSE_BLOCK_ROWS ? n : HANSE_BLOCK_ROWS;
        HANSE_TRY(
            hanse_numbering_fill(own, &rows->batch, rows->first_row, first, n,
                                 c->out + rows->first_row + first, error));
    }
    return HANSE_OK;
}

hanse_status hanse_groups_collect(const hanse_groups *groups,
                                  const hanse_run_options *options,
                                  uint32_t *out, hanse_error *error)
{
    collecting c = {groups, out};
    const hanse_scan scan = {
        .source = groups->source,
        .fields = groups->fields,
        .n_fields = groups->n_fields,
        .options = options,
        .n_threads = hanse_scan_threads(groups->source, options),
        .context = &c,
        .open = open_numbering,
        .close = close_numbering,
        .take = number_morsel,
    };
    return hanse_scan_run(&scan, NULL, error);
}
