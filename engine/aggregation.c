/* SPDX-License-Identifier: Apache-2.0
 *
 * The public in-situ interface: a plan and one fold over the caller's arrays.
 */
#include <stdlib.h>

#include "engine/fold.h"

struct hanse_aggregation {
    hanse_plan *plan;
    hanse_fold *fold;
};

hanse_status hanse_aggregation_create(const hanse_spec *spec,
                                      const hanse_schema *schema,
                                      hanse_aggregation **out,
                                      hanse_error *error)
{
    hanse_aggregation *aggregation = calloc(1, sizeof *aggregation);
    if (aggregation == NULL)
        return hanse_fail_nomem(error, "aggregation", sizeof *aggregation);
    hanse_status status =
        hanse_plan_create(spec, schema, &aggregation->plan, error);
    if (status == HANSE_OK)
        status = hanse_fold_create(aggregation->plan, NULL, &aggregation->fold,
                                   error);
    if (status != HANSE_OK) {
        hanse_aggregation_destroy(aggregation);
        return status;
    }
    *out = aggregation;
    return HANSE_OK;
}

void hanse_aggregation_destroy(hanse_aggregation *aggregation)
{
    if (aggregation == NULL)
        return;
    hanse_fold_destroy(aggregation->fold);
    hanse_plan_destroy(aggregation->plan);
    free(aggregation);
}

bool hanse_aggregation_uses(const hanse_aggregation *aggregation, size_t index)
{
    const hanse_plan *plan = aggregation->plan;
    for (size_t i = 0; i < plan->n_used; i++)
        if (plan->used[i] == index)
            return true;
    return false;
}

/* Whether a batch holds the columns that the plan reads. */
static hanse_status check_batch(const hanse_plan *plan,
                                const hanse_batch *batch, hanse_error *error)
{
    if (batch->n_rows != 0 && batch->arrays == NULL)
        return hanse_fail(error, HANSE_ERR_ARGUMENT, "batch without arrays");
    for (size_t i = 0; batch->n_rows != 0 && i < plan->n_used; i++) {
        const size_t field = plan->used[i];
        const hanse_array *array = &batch->arrays[field];
        if (plan->types[field] == HANSE_TEXT ? array->offsets == NULL
                                             : array->values == NULL)
            return hanse_fail(error, HANSE_ERR_ARGUMENT,
                              "batch: array %zu is used but not given", field);
    }
    return HANSE_OK;
}

hanse_status hanse_aggregation_add(hanse_aggregation *aggregation,
                                   const hanse_batch *batch, hanse_error *error)
{
    HANSE_TRY(check_batch(aggregation->plan, batch, error));
    return hanse_fold_add(aggregation->fold, batch, error);
}

hanse_status hanse_aggregation_merge(hanse_aggregation *aggregation,
                                     const hanse_aggregation *other,
                                     hanse_error *error)
{
    if (aggregation == other)
        return hanse_fail(error, HANSE_ERR_ARGUMENT,
                          "merge: an aggregation with itself");
    return hanse_fold_merge(aggregation->fold, other->fold, error);
}

hanse_status hanse_aggregation_finish(const hanse_aggregation *aggregation,
                                      hanse_result **out, hanse_error *error)
{
    return hanse_fold_finish(aggregation->fold, out, error);
}
