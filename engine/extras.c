/* SPDX-License-Identifier: Apache-2.0
 *
 * The modules in a row, and what they have in common.
 */
#include "engine/extras.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const hanse_extra_ops *const modules[HANSE_N_EXTRAS] = {
    &hanse_moments_ops,  &hanse_ordered_ops,  &hanse_distinct_ops,
    &hanse_weighted_ops, &hanse_quantile_ops, &hanse_top_ops,
    &hanse_pairs_ops,
};

bool hanse_extras_needed(const hanse_plan *plan)
{
    for (size_t i = 0; i < HANSE_N_EXTRAS; i++)
        if (modules[i]->needed(plan))
            return true;
    return false;
}

hanse_status hanse_extras_init(hanse_extras *extras, const hanse_plan *plan,
                               size_t grouping, hanse_budget *budget,
                               hanse_error *error)
{
    *extras = (hanse_extras){{NULL}};
    for (size_t i = 0; i < HANSE_N_EXTRAS; i++) {
        if (!modules[i]->needed(plan))
            continue;
        const hanse_status status = modules[i]->create(
            plan, grouping, budget, &extras->states[i], error);
        if (status != HANSE_OK) {
            hanse_extras_clear(extras);
            return status;
        }
    }
    return HANSE_OK;
}

void hanse_extras_clear(hanse_extras *extras)
{
    for (size_t i = 0; i < HANSE_N_EXTRAS; i++)
        modules[i]->destroy(extras->states[i]);
    *extras = (hanse_extras){{NULL}};
}

hanse_status hanse_extras_add(hanse_extras *extras,
                              const hanse_extra_rows *rows, hanse_error *error)
{
    for (size_t i = 0; i < HANSE_N_EXTRAS; i++)
        if (extras->states[i] != NULL)
            HANSE_TRY(modules[i]->add(extras->states[i], rows, error));
    return HANSE_OK;
}

hanse_status hanse_extras_merge(hanse_extras *extras, size_t n_groups,
                                hanse_extras *from, size_t n_from,
                                const uint32_t *map, bool take,
                                hanse_error *error)
{
    for (size_t i = 0; i < HANSE_N_EXTRAS; i++)
        if (extras->states[i] != NULL)
            HANSE_TRY(modules[i]->merge(extras->states[i], n_groups,
                                        from->states[i], n_from, map, take,
                                        error));
    return HANSE_OK;
}

void *hanse_extras_state(const hanse_extras *extras, uint32_t statistic)
{
    for (size_t i = 0; i < HANSE_N_EXTRAS; i++)
        if ((modules[i]->statistics & statistic) != 0)
            return extras->states[i];
    return NULL;
}

hanse_status hanse_extras_emit(const hanse_extras *extras,
                               const hanse_extra_target *target,
                               uint32_t statistic, size_t measure,
                               hanse_error *error)
{
    for (size_t i = 0; i < HANSE_N_EXTRAS; i++)
        if ((modules[i]->statistics & statistic) != 0)
            return modules[i]->emit(extras->states[i], target, statistic,
                                    measure, error);
    return HANSE_OK;
}

size_t hanse_extras_count_columns(const hanse_plan *plan)
{
    const hanse_statistic_set *set = &plan->set;
    const uint32_t pairs = HANSE_STAT_COV | HANSE_STAT_CORR;
    size_t n = 0;
    for (size_t i = 0; i < HANSE_N_EXTRAS; i++)
        n += (size_t)__builtin_popcount(modules[i]->statistics & set->mask &
                                        ~pairs);
    n += set->n_quantiles + 2 * (size_t)set->n_top;
    return n * plan->n_measures +
           (size_t)__builtin_popcount(set->mask & pairs) * plan->n_measures *
               (plan->n_measures - 1) / 2;
}

/* ---- States by group ---------------------------------------------------- */

hanse_status hanse_group_array_grow(hanse_group_array *array,
                                    hanse_budget *budget, size_t n_groups,
                                    size_t item_bytes, const void *zero,
                                    hanse_error *error)
{
    if (n_groups > array->capacity) {
        size_t wanted = array->capacity == 0 ? 16 : 2 * array->capacity;
        wanted = wanted < n_groups ? n_groups : wanted;
        void *items = hanse_grow(budget, array->items, array->capacity, wanted,
                                 item_bytes);
        if (items == NULL)
            return hanse_fail_budget(error, budget, "states of groups", wanted,
                                     item_bytes);
        array->items = items;
        array->capacity = wanted;
    }
    for (; array->n < n_groups; array->n++) {
        char *item = (char *)array->items + array->n * item_bytes;
        if (zero == NULL)
            memset(item, 0, item_bytes);
        else
            memcpy(item, zero, item_bytes);
    }
    return HANSE_OK;
}

void hanse_group_array_clear(hanse_group_array *array, hanse_budget *budget,
                             size_t item_bytes)
{
    hanse_free(budget, array->items, array->capacity, item_bytes);
    *array = (hanse_group_array){0};
}

/* ---- Columns ------------------------------------------------------------ */

hanse_status hanse_emit_column(const hanse_extra_target *target,
                               const hanse_extra_column *column,
                               hanse_type type, void **values,
                               hanse_error *error)
{
    const size_t size_bytes = strlen(column->about) + strlen(column->words) + 3;
    char *long_name = malloc(size_bytes);
    if (long_name == NULL)
        return hanse_fail_nomem(error, "result column", size_bytes);
    snprintf(long_name, size_bytes, "%s: %s", column->about, column->words);
    const hanse_status status = hanse_result_add_column(
        target->table, column->name, long_name, column->units,
        column->cell_methods, type, values, error);
    free(long_name);
    return status;
}

static hanse_type type_of_values(const hanse_extra_target *target,
                                 hanse_number number, hanse_get_value *get,
                                 const void *context)
{
    hanse_type type = HANSE_INT64;
    if (number == HANSE_NUMBER_FLOAT)
        return HANSE_FLOAT64;
    for (size_t r = 0; r < target->n; r++) {
        int64_t value;
        if (!get(context, target->groups[r], &value))
            return HANSE_FLOAT64;
        if (number == HANSE_NUMBER_UINT && value < 0)
            type = HANSE_UINT64;
    }
    return type;
}

static double to_float(int64_t value, hanse_number number)
{
    double x;
    if (number == HANSE_NUMBER_INT)
        return (double)value;
    if (number == HANSE_NUMBER_UINT)
        return (double)(uint64_t)value;
    memcpy(&x, &value, sizeof x);
    return x;
}

hanse_status hanse_emit_values(const hanse_extra_target *target,
                               const hanse_extra_column *column,
                               hanse_number number, hanse_get_value *get,
                               const void *context, hanse_error *error)
{
    const hanse_type type = type_of_values(target, number, get, context);
    void *values;
    HANSE_TRY(hanse_emit_column(target, column, type, &values, error));
    for (size_t r = 0; r < target->n; r++) {
        int64_t value = 0;
        const bool present = get(context, target->groups[r], &value);
        if (type == HANSE_FLOAT64)
            ((double *)values)[r] =
                present ? to_float(value, number) : (double)NAN;
        else
            ((int64_t *)values)[r] = value;
    }
    return HANSE_OK;
}

hanse_status hanse_emit_floats(const hanse_extra_target *target,
                               const hanse_extra_column *column,
                               hanse_get_float *get, const void *context,
                               hanse_error *error)
{
    void *values;
    HANSE_TRY(hanse_emit_column(target, column, HANSE_FLOAT64, &values, error));
    for (size_t r = 0; r < target->n; r++)
        ((double *)values)[r] = get(context, target->groups[r]);
    return HANSE_OK;
}
