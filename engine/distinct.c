/* SPDX-License-Identifier: Apache-2.0
 *
 * Different values and the most frequent one: how often each value occurs in
 * each group, in one hash table per measure. -0.0 counts as 0.0.
 *
 * Hashes start from a random number, so that a table cannot be made to send
 * all its values to one place; no result depends on them.
 */
#include "engine/extras.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/seed.h"
#include "engine/value_order.h"

enum {
    FIRST_SLOTS = 256
};

typedef struct slot {
    int64_t value;
    uint64_t count; /* 0: free */
    uint32_t group;
} slot;

typedef struct table {
    slot *slots;
    size_t n_slots; /* a power of two */
    size_t n;       /* in use */
} table;

typedef struct distinct {
    const hanse_plan *plan;
    hanse_budget *budget;
    uint64_t seed;
    table *tables; /* [measure] */
} distinct;

static bool needed(const hanse_plan *plan)
{
    return (plan->statistics & (HANSE_STAT_NUNIQUE | HANSE_STAT_MODE)) != 0;
}

static void destroy(void *state)
{
    distinct *d = state;
    if (d == NULL)
        return;
    for (size_t m = 0; d->tables != NULL && m < d->plan->n_measures; m++)
        hanse_free(d->budget, d->tables[m].slots, d->tables[m].n_slots,
                   sizeof(slot));
    free(d->tables);
    free(d);
}

static hanse_status create(const hanse_plan *plan, size_t grouping,
                           hanse_budget *budget, void **state,
                           hanse_error *error)
{
    (void)grouping;
    distinct *d = calloc(1, sizeof *d);
    if (d == NULL)
        return hanse_fail_nomem(error, "different values", sizeof *d);
    d->plan = plan;
    d->budget = budget;
    d->seed = hanse_hash_seed();
    d->tables = calloc(plan->n_measures, sizeof *d->tables);
    if (d->tables == NULL) {
        destroy(d);
        return hanse_fail_nomem(error, "different values", plan->n_measures);
    }
    *state = d;
    return HANSE_OK;
}

/* ---- The table ---------------------------------------------------------- */

static inline uint64_t mix(uint64_t x)
{
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    return x ^ (x >> 32);
}

static inline slot *find(const distinct *d, const table *t, int64_t value,
                         uint32_t group)
{
    const size_t mask = t->n_slots - 1;
    uint64_t hash = mix((uint64_t)value ^ d->seed);
    hash = mix(hash + group * 0x9e3779b97f4a7c15u);
    size_t at = (size_t)hash & mask;
    while (t->slots[at].count != 0 &&
           (t->slots[at].value != value || t->slots[at].group != group))
        at = (at + 1) & mask;
    return &t->slots[at];
}

/* Room for one more: tables are filled to three quarters at the most. */
static hanse_status make_room(const distinct *d, table *t, hanse_error *error)
{
    if (4 * (t->n + 1) <= 3 * t->n_slots)
        return HANSE_OK;
    table larger = {.n_slots = t->n_slots == 0 ? FIRST_SLOTS : 2 * t->n_slots,
                    .n = t->n};
    larger.slots = hanse_allocate_zero(d->budget, larger.n_slots, sizeof(slot));
    if (larger.slots == NULL)
        return hanse_fail_budget(error, d->budget,
                                 "different values (nunique, mode)",
                                 larger.n_slots, sizeof(slot));
    for (size_t i = 0; i < t->n_slots; i++)
        if (t->slots[i].count != 0)
            *find(d, &larger, t->slots[i].value, t->slots[i].group) =
                t->slots[i];
    hanse_free(d->budget, t->slots, t->n_slots, sizeof(slot));
    *t = larger;
    return HANSE_OK;
}

static hanse_status count(const distinct *d, table *t, int64_t value,
                          size_t group, uint64_t n, hanse_error *error)
{
    HANSE_TRY(make_room(d, t, error));
    slot *s = find(d, t, value, (uint32_t)group);
    if (s->count == 0) {
        *s = (slot){value, 0, (uint32_t)group};
        t->n++;
    }
    s->count += n;
    return HANSE_OK;
}

static hanse_status add(void *state, const hanse_extra_rows *rows,
                        hanse_error *error)
{
    distinct *d = state;
    for (size_t m = 0; m < d->plan->n_measures; m++) {
        const hanse_number number = d->plan->measures[m].number;
        for (size_t i = 0; i < rows->n; i++) {
            int64_t value = rows->values[m][i];
            if (hanse_extra_absent(rows, number, m, i))
                continue;
            if (number == HANSE_NUMBER_FLOAT && value == INT64_MIN)
                value = 0; /* -0.0 */
            HANSE_TRY(count(d, &d->tables[m], value, hanse_extra_group(rows, i),
                            1, error));
        }
    }
    return HANSE_OK;
}

static hanse_status merge(void *state, size_t n_groups, void *from,
                          size_t n_from, const uint32_t *map, bool take,
                          hanse_error *error)
{
    distinct *d = state;
    const distinct *other = from;
    (void)n_groups;
    (void)n_from;
    (void)take;
    for (size_t m = 0; m < d->plan->n_measures; m++)
        for (size_t i = 0; i < other->tables[m].n_slots; i++) {
            const slot *s = &other->tables[m].slots[i];
            if (s->count != 0)
                HANSE_TRY(count(d, &d->tables[m], s->value,
                                map == NULL ? 0 : map[s->group], s->count,
                                error));
        }
    return HANSE_OK;
}

/* ---- Finishing ---------------------------------------------------------- */

/* What the table says of one group. */
typedef struct summary {
    uint64_t n_values;
    uint64_t count; /* of the mode; 0: no value */
    int64_t mode;
} summary;

static void summarise(const table *t, hanse_number number, summary *summaries)
{
    for (size_t i = 0; i < t->n_slots; i++) {
        const slot *s = &t->slots[i];
        if (s->count == 0)
            continue;
        summary *of = &summaries[s->group];
        of->n_values++;
        if (s->count > of->count || (s->count == of->count &&
                                     hanse_order_value(s->value, number) <
                                         hanse_order_value(of->mode, number))) {
            of->count = s->count;
            of->mode = s->value;
        }
    }
}

static bool get_mode(const void *context, size_t group, int64_t *value)
{
    const summary *of = (const summary *)context + group;
    *value = of->mode;
    return of->count != 0;
}

static hanse_status emit_nunique(const hanse_extra_target *target,
                                 const hanse_extra_column *column,
                                 const summary *summaries, hanse_error *error)
{
    void *values;
    HANSE_TRY(hanse_emit_column(target, column, HANSE_INT64, &values, error));
    for (size_t r = 0; r < target->n; r++)
        ((int64_t *)values)[r] = (int64_t)summaries[target->groups[r]].n_values;
    return HANSE_OK;
}

static hanse_status emit(const void *state, const hanse_extra_target *target,
                         uint32_t statistic, size_t measure, hanse_error *error)
{
    const distinct *d = state;
    const hanse_plan_measure *plan_measure = &d->plan->measures[measure];
    const bool is_mode = statistic == HANSE_STAT_MODE;
    size_t n_groups = 1;
    for (size_t r = 0; r < target->n; r++)
        if (target->groups[r] >= n_groups)
            n_groups = (size_t)target->groups[r] + 1;
    for (size_t i = 0; i < d->tables[measure].n_slots; i++)
        if (d->tables[measure].slots[i].group >= n_groups)
            n_groups = (size_t)d->tables[measure].slots[i].group + 1;
    summary *summaries =
        hanse_allocate_zero(d->budget, n_groups, sizeof *summaries);
    if (summaries == NULL)
        return hanse_fail_budget(error, d->budget, "different values", n_groups,
                                 sizeof *summaries);
    summarise(&d->tables[measure], plan_measure->number, summaries);
    char name[256];
    snprintf(name, sizeof name, "%s_%s", plan_measure->name,
             hanse_statistic_name((hanse_statistic)statistic));
    const hanse_extra_column column = {
        .name = name,
        .about = plan_measure->long_name,
        .words = is_mode ? "most frequent value, the smallest of several"
                         : "number of different values",
        .units = is_mode ? plan_measure->units : "1",
        .cell_methods = is_mode ? "enterprise: mode" : NULL};
    const hanse_status status =
        is_mode ? hanse_emit_values(target, &column, plan_measure->number,
                                    get_mode, summaries, error)
                : emit_nunique(target, &column, summaries, error);
    hanse_free(d->budget, summaries, n_groups, sizeof *summaries);
    return status;
}

const hanse_extra_ops hanse_distinct_ops = {
    .needed = needed,
    .create = create,
    .destroy = destroy,
    .add = add,
    .merge = merge,
    .emit = emit,
    .statistics = HANSE_STAT_NUNIQUE | HANSE_STAT_MODE,
};
