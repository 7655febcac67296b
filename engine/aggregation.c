/* SPDX-License-Identifier: Apache-2.0
 *
 * The public in-situ interface: a plan and one fold over the caller's arrays.
 */
#include <stdlib.h>

#include "engine/fold.h"
#include "engine/result.h"

struct hanse_aggregation {
    hanse_plan *plan;
    hanse_fold *fold;
    /* A call failed with part of its rows added: no result would be right. */
    bool broken;
};

hanse_status hanse_aggregation_create(const hanse_spec *spec,
                                      const hanse_schema *schema,
                                      hanse_aggregation **out,
                                      hanse_error *error)
{
    HANSE_REQUIRE(spec, error);
    HANSE_REQUIRE(schema, error);
    HANSE_REQUIRE(out, error);
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

static hanse_status check_whole(const hanse_aggregation *aggregation,
                                hanse_error *error)
{
    if (!aggregation->broken)
        return HANSE_OK;
    return hanse_fail(error, HANSE_ERR_ARGUMENT,
                      "aggregation: an earlier call failed halfway; it can "
                      "only be destroyed");
}

/* Offsets that ascend from 0 or more keep all reads within the bytes. */
static hanse_status check_texts(const hanse_array *array, size_t n_rows,
                                size_t field, hanse_error *error)
{
    const int32_t *offsets = array->offsets;
    bool good = offsets[0] >= 0;
    for (size_t i = 0; i < n_rows; i++)
        good = good && offsets[i] <= offsets[i + 1];
    if (!good)
        return hanse_fail(error, HANSE_ERR_ARGUMENT,
                          "batch: offsets of array %zu do not ascend from 0",
                          field);
    if (array->values == NULL && offsets[n_rows] != offsets[0])
        return hanse_fail(error, HANSE_ERR_ARGUMENT,
                          "batch: array %zu has texts without bytes", field);
    return HANSE_OK;
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
        if (plan->types[field] == HANSE_TEXT)
            HANSE_TRY(check_texts(array, batch->n_rows, field, error));
    }
    return HANSE_OK;
}

hanse_status hanse_aggregation_set_row(hanse_aggregation *aggregation,
                                       uint64_t row, hanse_error *error)
{
    HANSE_REQUIRE(aggregation, error);
    aggregation->fold->batch_first_row = row;
    return HANSE_OK;
}

hanse_status hanse_aggregation_add(hanse_aggregation *aggregation,
                                   const hanse_batch *batch, hanse_error *error)
{
    HANSE_REQUIRE(aggregation, error);
    HANSE_REQUIRE(batch, error);
    HANSE_TRY(check_whole(aggregation, error));
    HANSE_TRY(check_batch(aggregation->plan, batch, error));
    const hanse_status status = hanse_fold_add(aggregation->fold, batch, error);
    aggregation->broken = status != HANSE_OK;
    aggregation->fold->batch_first_row += batch->n_rows;
    return status;
}

hanse_status hanse_aggregation_merge(hanse_aggregation *aggregation,
                                     const hanse_aggregation *other,
                                     hanse_error *error)
{
    HANSE_REQUIRE(aggregation, error);
    HANSE_REQUIRE(other, error);
    HANSE_TRY(check_whole(aggregation, error));
    HANSE_TRY(check_whole(other, error));
    if (aggregation == other)
        return hanse_fail(error, HANSE_ERR_ARGUMENT,
                          "merge: an aggregation with itself");
    const hanse_status status =
        hanse_fold_merge(aggregation->fold, other->fold, error);
    /* Different specifications are found before anything is added. */
    aggregation->broken = status != HANSE_OK && status != HANSE_ERR_SPEC;
    return status;
}

hanse_status hanse_aggregation_finish(const hanse_aggregation *aggregation,
                                      hanse_result **out, hanse_error *error)
{
    HANSE_REQUIRE(aggregation, error);
    HANSE_REQUIRE(out, error);
    HANSE_TRY(check_whole(aggregation, error));
    HANSE_TRY(hanse_fold_finish(aggregation->fold, 1, out, error));
    hanse_result_detach(*out);
    return HANSE_OK;
}
