/* SPDX-License-Identifier: Apache-2.0
 *
 * The first and the last value of a group by the number of its row. Rows may
 * come in any order; of two rows with one number, which only aggregations have
 * whose rows were not numbered apart, the smaller value counts.
 */
#include "engine/extras.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/value_order.h"

typedef struct end {
    uint64_t row;
    int64_t value;
} end;

typedef struct ends {
    end first; /* row UINT64_MAX: no value yet */
    end last;
} ends;

typedef struct ordered {
    const hanse_plan *plan;
    hanse_budget *budget;
    hanse_group_array *measures; /* of ends */
} ordered;

static const ends no_ends = {{UINT64_MAX, 0}, {0, 0}};

static bool needed(const hanse_plan *plan)
{
    return (plan->statistics & (HANSE_STAT_FIRST | HANSE_STAT_LAST)) != 0;
}

static void destroy(void *state)
{
    ordered *o = state;
    if (o == NULL)
        return;
    for (size_t m = 0; o->measures != NULL && m < o->plan->n_measures; m++)
        hanse_group_array_clear(&o->measures[m], o->budget, sizeof(ends));
    free(o->measures);
    free(o);
}

static hanse_status create(const hanse_plan *plan, size_t grouping,
                           hanse_budget *budget, void **state,
                           hanse_error *error)
{
    (void)grouping;
    ordered *o = calloc(1, sizeof *o);
    if (o == NULL)
        return hanse_fail_nomem(error, "first and last", sizeof *o);
    o->plan = plan;
    o->budget = budget;
    o->measures = calloc(plan->n_measures, sizeof *o->measures);
    if (o->measures == NULL) {
        destroy(o);
        return hanse_fail_nomem(error, "first and last", plan->n_measures);
    }
    *state = o;
    return HANSE_OK;
}

static hanse_status grow(ordered *o, size_t n_groups, hanse_error *error)
{
    for (size_t m = 0; m < o->plan->n_measures; m++)
        HANSE_TRY(hanse_group_array_grow(&o->measures[m], o->budget, n_groups,
                                         sizeof(ends), &no_ends, error));
    return HANSE_OK;
}

/* Whether a is the smaller value. */
static bool is_smaller(int64_t a, int64_t b, hanse_number number)
{
    return hanse_order_value(a, number) < hanse_order_value(b, number);
}

static void take(ends *e, const end *first, const end *last,
                 hanse_number number)
{
    const bool is_new = e->first.row == UINT64_MAX;
    if (first->row < e->first.row ||
        (first->row == e->first.row && !is_new &&
         is_smaller(first->value, e->first.value, number)))
        e->first = *first;
    if (is_new || last->row > e->last.row ||
        (last->row == e->last.row &&
         is_smaller(last->value, e->last.value, number)))
        e->last = *last;
}

static hanse_status add(void *state, const hanse_extra_rows *rows,
                        hanse_error *error)
{
    ordered *o = state;
    HANSE_TRY(grow(o, rows->n_groups, error));
    for (size_t m = 0; m < o->plan->n_measures; m++) {
        const hanse_number number = o->plan->measures[m].number;
        ends *all = o->measures[m].items;
        for (size_t i = 0; i < rows->n; i++) {
            if (hanse_extra_absent(rows, number, m, i))
                continue;
            const end here = {rows->numbers[i], rows->values[m][i]};
            take(&all[hanse_extra_group(rows, i)], &here, &here, number);
        }
    }
    return HANSE_OK;
}

static hanse_status merge(void *state, size_t n_groups, void *from,
                          size_t n_from, const uint32_t *map, bool is_spent,
                          hanse_error *error)
{
    ordered *o = state;
    const ordered *other = from;
    (void)is_spent;
    HANSE_TRY(grow(o, n_groups, error));
    for (size_t m = 0; m < o->plan->n_measures; m++) {
        ends *all = o->measures[m].items;
        const ends *others = other->measures[m].items;
        for (size_t g = 0; g < n_from && g < other->measures[m].n; g++)
            if (others[g].first.row != UINT64_MAX)
                take(&all[map == NULL ? 0 : map[g]], &others[g].first,
                     &others[g].last, o->plan->measures[m].number);
    }
    return HANSE_OK;
}

static const ends *ends_of(const hanse_group_array *array, size_t group)
{
    return group < array->n ? (const ends *)array->items + group : &no_ends;
}

static bool get_first(const void *context, size_t group, int64_t *value)
{
    const ends *e = ends_of(context, group);
    *value = e->first.value;
    return e->first.row != UINT64_MAX;
}

static bool get_last(const void *context, size_t group, int64_t *value)
{
    const ends *e = ends_of(context, group);
    *value = e->last.value;
    return e->first.row != UINT64_MAX;
}

static hanse_status emit(const void *state, const hanse_extra_target *target,
                         uint32_t statistic, size_t measure, hanse_error *error)
{
    const ordered *o = state;
    const hanse_plan_measure *plan_measure = &o->plan->measures[measure];
    const bool is_first = statistic == HANSE_STAT_FIRST;
    char name[256];
    snprintf(name, sizeof name, "%s_%s", plan_measure->name,
             hanse_statistic_name((hanse_statistic)statistic));
    const hanse_extra_column column = {
        .name = name,
        .about = plan_measure->long_name,
        .words = is_first ? "first value, in the order of rows"
                          : "last value, in the order of rows",
        .units = plan_measure->units,
        .cell_methods = "enterprise: point"};
    return hanse_emit_values(target, &column, plan_measure->number,
                             is_first ? get_first : get_last,
                             &o->measures[measure], error);
}

const hanse_extra_ops hanse_ordered_ops = {
    .needed = needed,
    .create = create,
    .destroy = destroy,
    .add = add,
    .merge = merge,
    .emit = emit,
    .statistics = HANSE_STAT_FIRST | HANSE_STAT_LAST,
};
