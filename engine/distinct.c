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
    FIRST_SLOTS = 256,
    N_ARRIVALS = 64
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

static inline uint64_t hash_of(const distinct *d, int64_t value, uint32_t group)
{
    return mix(mix((uint64_t)value ^ d->seed) + group * 0x9e3779b97f4a7c15u);
}

static inline slot *find(const table *t, int64_t value, uint32_t group,
                         uint64_t hash)
{
    const size_t mask = t->n_slots - 1;
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
    larger.slots = hanse_allocate(d->budget, larger.n_slots, sizeof(slot));
    if (larger.slots == NULL)
        return hanse_fail_budget(error, d->budget,
                                 "different values (nunique, mode)",
                                 larger.n_slots, sizeof(slot));
    hanse_prefer_huge_pages(larger.slots, larger.n_slots * sizeof(slot));
    memset(larger.slots, 0, larger.n_slots * sizeof(slot));
    for (size_t i = 0; i < t->n_slots; i++) {
        const slot *s = &t->slots[i];
        if (s->count != 0)
            *find(&larger, s->value, s->group, hash_of(d, s->value, s->group)) =
                *s;
    }
    hanse_free(d->budget, t->slots, t->n_slots, sizeof(slot));
    *t = larger;
    return HANSE_OK;
}

/* Values on their way into a table: all their places are fetched from memory
 * before the first is looked at. */
typedef struct arrivals {
    size_t n;
    slot items[N_ARRIVALS];
    uint64_t hashes[N_ARRIVALS];
} arrivals;

static hanse_status count_all(const distinct *d, table *t, arrivals *a,
                              hanse_error *error)
{
    for (size_t i = 0; i < a->n && t->n_slots != 0; i++)
        __builtin_prefetch(&t->slots[a->hashes[i] & (t->n_slots - 1)], 1);
    for (size_t i = 0; i < a->n; i++) {
        const slot *item = &a->items[i];
        HANSE_TRY(make_room(d, t, error));
        slot *s = find(t, item->value, item->group, a->hashes[i]);
        if (s->count == 0) {
            *s = *item;
            t->n++;
        } else {
            s->count += item->count;
        }
    }
    a->n = 0;
    return HANSE_OK;
}

static inline hanse_status count(const distinct *d, table *t, arrivals *a,
                                 slot item, hanse_error *error)
{
    a->hashes[a->n] = hash_of(d, item.value, item.group);
    a->items[a->n++] = item;
    return a->n == N_ARRIVALS ? count_all(d, t, a, error) : HANSE_OK;
}

static hanse_status add_measure(const distinct *d, size_t measure,
                                const hanse_extra_rows *rows,
                                hanse_error *error)
{
    const hanse_number number = d->plan->measures[measure].number;
    table *t = &d->tables[measure];
    arrivals a = {.n = 0};
    for (size_t i = 0; i < rows->n; i++) {
        int64_t value = rows->values[measure][i];
        if (hanse_extra_absent(rows, number, measure, i))
            continue;
        if (number == HANSE_NUMBER_FLOAT && value == INT64_MIN)
            value = 0; /* -0.0 */
        HANSE_TRY(count(d, t, &a,
                        (slot){value, 1, (uint32_t)hanse_extra_group(rows, i)},
                        error));
    }
    return count_all(d, t, &a, error);
}

static hanse_status add(void *state, const hanse_extra_rows *rows,
                        hanse_error *error)
{
    const distinct *d = state;
    for (size_t m = 0; m < d->plan->n_measures; m++)
        HANSE_TRY(add_measure(d, m, rows, error));
    return HANSE_OK;
}

static hanse_status merge(void *state, size_t n_groups, void *from,
                          size_t n_from, const uint32_t *map, bool take,
                          hanse_error *error)
{
    const distinct *d = state;
    const distinct *other = from;
    (void)n_groups;
    (void)n_from;
    (void)take;
    for (size_t m = 0; m < d->plan->n_measures; m++) {
        table *t = &d->tables[m];
        arrivals a = {.n = 0};
        for (size_t i = 0; i < other->tables[m].n_slots; i++) {
            slot item = other->tables[m].slots[i];
            if (item.count == 0)
                continue;
            item.group = map == NULL ? 0 : map[item.group];
            HANSE_TRY(count(d, t, &a, item, error));
        }
        HANSE_TRY(count_all(d, t, &a, error));
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
