/* SPDX-License-Identifier: Apache-2.0
 *
 * Views of a finished fold: what later passes number rows with.
 */
#include <stdlib.h>

#include "engine/fold.h"

hanse_status hanse_fold_view_open(hanse_fold *view, const hanse_fold *fold,
                                  hanse_error *error)
{
    *view = *fold;
    view->block = (hanse_block){0};
    view->made = calloc(view->plan->n_keys + 1, sizeof *view->made);
    view->pair_tables =
        calloc(view->plan->n_nodes + 1, sizeof *view->pair_tables);
    if (view->made == NULL || view->pair_tables == NULL) {
        free(view->made);
        free(view->pair_tables);
        view->made = NULL;
        return hanse_fail_nomem(error, "keys", view->plan->n_keys);
    }
    HANSE_TRY(hanse_made_keys_init(view, error));
    return hanse_block_init(&view->block, view->plan, view->budget, error);
}

void hanse_fold_view_close(hanse_fold *view)
{
    if (view->made == NULL)
        return;
    hanse_block_clear(&view->block, view->plan, view->budget);
    hanse_made_keys_clear(view);
    for (size_t i = 0; i < view->plan->n_nodes; i++)
        hanse_pair_table_clear(&view->pair_tables[i], view->budget);
    free(view->pair_tables);
    free(view->made);
    view->made = NULL;
}
