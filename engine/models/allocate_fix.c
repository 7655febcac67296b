/* SPDX-License-Identifier: Apache-2.0
 *
 * Conservation to the bit: what an exact sum of awards or of R_i misses goes to
 * the largest, or, where the sum then lies in the middle between two numbers,
 * to the next. Where there are many groups, a fold finds first those that need
 * anything.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/models/award_sums.h"
#include "engine/parallel.h"
#include "engine/scan.h"

enum {
    TASK_SLOTS = 4096,
    /* Slots of all threads; with more groups a fold goes before. */
    DIRECT_BYTES = 16 << 20
};

/* Changes that a task has made. */
typedef struct changes {
    hanse_award_change *items;
    size_t n;
    size_t capacity;
} changes;

typedef struct fixing {
    hanse_award_sums sums;
    hanse_allocation *a;
    uint32_t *map;    /* [group] its slot, or HANSE_NO_SLOT */
    uint32_t *group;  /* [slot] */
    changes *changes; /* [task] */
} fixing;

/* ---- Changes ------------------------------------------------------------ */

/* The members that may change, each once. */
typedef struct candidates {
    hanse_award_member members[2 * HANSE_N_TOP];
    bool is_changed[2 * HANSE_N_TOP];
    size_t n;
} candidates;

static size_t find_candidate(candidates *c, const hanse_award_member *m)
{
    size_t i = 0;
    while (i < c->n && c->members[i].row != m->row)
        i++;
    if (i == c->n) {
        c->members[c->n] = *m;
        c->is_changed[c->n++] = false;
    }
    return i;
}

static void add_difference(hanse_wide *sum, double before, double after)
{
    hanse_wide number;
    hanse_wide_from_double(&number, before);
    hanse_wide_subtract(sum, &number);
    hanse_wide_from_double(&number, after);
    hanse_wide_add(sum, &number);
}

/* What `sum` has beyond the target, rounded. */
static double excess_of(const hanse_wide *sum, double target)
{
    hanse_wide rest, number;
    hanse_wide_copy(&rest, sum);
    hanse_wide_from_double(&number, target);
    hanse_wide_subtract(&rest, &number);
    return hanse_wide_round(&rest);
}

/* Changes the award of a member or its R_i, and the sums. */
static void change(const fixing *f, candidates *c, size_t i, bool of_award,
                   double value, hanse_wide *awards, hanse_wide *integrated)
{
    hanse_award_member *m = &c->members[i];
    const double r = !of_award                 ? value
                     : hanse_adds_awards(f->a) ? m->kept + value
                                               : m->integrated;
    add_difference(integrated, m->integrated, r);
    m->integrated = r;
    if (of_award) {
        add_difference(awards, m->award, value);
        m->award = value;
    }
    c->is_changed[i] = true;
}

/* Makes the sum (that of awards or of R_i) round to the target. What would
 * make a number negative is taken from the largest once more, so that this one
 * grows. */
static void settle(const fixing *f, candidates *c,
                   const hanse_award_member *top, bool of_award, double target,
                   hanse_wide *awards, hanse_wide *integrated)
{
    const hanse_wide *sum = of_award ? awards : integrated;
    for (size_t k = 0; k < HANSE_N_TOP && hanse_wide_round(sum) != target;
         k++) {
        if (top[k].row == HANSE_NO_ROW)
            return;
        const size_t i = find_candidate(c, &top[k]);
        const size_t first = find_candidate(c, &top[0]);
        double value =
            hanse_award_rank(&c->members[i], of_award) - excess_of(sum, target);
        if (value < 0.0 && k > 0) {
            const double less =
                nextafter(hanse_award_rank(&c->members[first], of_award), 0.0);
            change(f, c, first, of_award, less, awards, integrated);
            value = hanse_award_rank(&c->members[i], of_award) -
                    excess_of(sum, target);
        }
        if (value >= 0.0)
            change(f, c, i, of_award, value, awards, integrated);
    }
}

static bool keep_changes(changes *to, const candidates *c, hanse_budget *budget)
{
    for (size_t i = 0; i < c->n; i++) {
        if (!c->is_changed[i])
            continue;
        if (to->n == to->capacity) {
            const size_t larger = to->capacity == 0 ? 64 : 2 * to->capacity;
            hanse_award_change *items = hanse_grow(
                budget, to->items, to->capacity, larger, sizeof *items);
            if (items == NULL)
                return false;
            to->items = items;
            to->capacity = larger;
        }
        to->items[to->n++] = (hanse_award_change){
            c->members[i].row, c->members[i].award, c->members[i].integrated};
    }
    return true;
}

static void fix_slot(const fixing *f, size_t at, candidates *c)
{
    hanse_allocation *a = f->a;
    const hanse_award_tops *s = &f->sums.parts[0].tops[at];
    const size_t g = f->group[at];
    hanse_wide awards, integrated;
    hanse_award_sums_get(&f->sums, at, true, &awards);
    hanse_award_sums_get(&f->sums, at, false, &integrated);
    if (f->sums.is_alike)
        hanse_wide_add(&integrated, &awards);
    c->n = 0;
    settle(f, c, s->by_award, true, a->shared[g], &awards, &integrated);
    if (!hanse_adds_awards(a))
        return;
    const double target = hanse_integrated_total(a, g);
    if (a->status[g] == HANSE_MODEL_EMPTY)
        return; /* all keep what they have */
    hanse_wide reserve;
    hanse_wide_from_double(&reserve, a->reserves[g]);
    hanse_wide_add(&integrated, &reserve);
    hanse_award_member top[HANSE_N_TOP];
    memcpy(top, s->by_integrated, sizeof top);
    for (size_t k = 0; f->sums.is_alike && k < HANSE_N_TOP; k++)
        if (s->by_award[k].row != HANSE_NO_ROW)
            hanse_award_enter(top, &s->by_award[k], false);
    settle(f, c, top, false, target, &awards, &integrated);
    /* In the middle between two numbers R_i may be too coarse to help. */
    if (a->reserves[g] != 0.0 && hanse_wide_round(&integrated) != target)
        a->reserves[g] -= excess_of(&integrated, target);
}

static hanse_status fix_task(void *context, size_t index, hanse_error *error)
{
    fixing *f = context;
    const size_t first = index * (size_t)TASK_SLOTS;
    const size_t end = first + (size_t)TASK_SLOTS < f->sums.n_slots
                           ? first + (size_t)TASK_SLOTS
                           : f->sums.n_slots;
    for (size_t at = first; at < end; at++) {
        candidates c;
        fix_slot(f, at, &c);
        if (!keep_changes(&f->changes[index], &c, f->a->budget))
            return hanse_fail_budget(error, f->a->budget, "changes of awards",
                                     end - first, sizeof(hanse_award_change));
    }
    return HANSE_OK;
}

static int compare_changes(const void *x, const void *y)
{
    const uint64_t a = ((const hanse_award_change *)x)->row;
    const uint64_t b = ((const hanse_award_change *)y)->row;
    return (a > b) - (a < b);
}

static hanse_status take_changes(fixing *f, size_t n_tasks, hanse_error *error)
{
    hanse_allocation *a = f->a;
    size_t n = 0;
    for (size_t t = 0; t < n_tasks; t++)
        n += f->changes[t].n;
    a->changes = hanse_allocate(a->budget, n, sizeof *a->changes);
    if (a->changes == NULL)
        return hanse_fail_budget(error, a->budget, "changes of awards", n,
                                 sizeof *a->changes);
    a->n_changes = n;
    n = 0;
    for (size_t t = 0; t < n_tasks; t++) {
        if (f->changes[t].n > 0)
            memcpy(a->changes + n, f->changes[t].items,
                   f->changes[t].n * sizeof *a->changes);
        n += f->changes[t].n;
    }
    qsort(a->changes, n, sizeof *a->changes, compare_changes);
    return HANSE_OK;
}

static hanse_status fix_all(fixing *f, hanse_error *error)
{
    const size_t n_tasks =
        (f->sums.n_slots + (size_t)TASK_SLOTS - 1) / (size_t)TASK_SLOTS;
    f->changes = calloc(n_tasks + 1, sizeof *f->changes);
    if (f->changes == NULL)
        return hanse_fail_nomem(error, "changes of awards", n_tasks);
    hanse_status status =
        hanse_parallel_for(f->sums.run->n_threads, n_tasks, fix_task, f, error);
    if (status == HANSE_OK)
        status = take_changes(f, n_tasks, error);
    for (size_t t = 0; t < n_tasks; t++)
        hanse_free(f->a->budget, f->changes[t].items, f->changes[t].capacity,
                   sizeof *f->changes[t].items);
    free(f->changes);
    return status;
}

/* ---- Which groups ------------------------------------------------------- */

/* Of groups that `needed` chooses (NULL: all) and that have awards. */
static void map_slots(fixing *f, const bool *needed)
{
    const hanse_allocation *a = f->a;
    hanse_award_sums *sums = &f->sums;
    for (size_t g = 0; g < a->n_groups; g++) {
        f->map[g] = HANSE_NO_SLOT;
        if (!hanse_is_allocated(a, g) || (needed != NULL && !needed[g]))
            continue;
        f->map[g] = (uint32_t)f->sums.n_slots;
        f->group[f->sums.n_slots++] = (uint32_t)g;
        if (a->shared[g] > sums->most_pool)
            sums->most_pool = a->shared[g];
    }
    sums->most_total = a->most_integrated;
}

/* Groups whose rounded totals are not what they must be. */
static hanse_status find_needed(fixing *f,
                                const hanse_allocation_request *request,
                                bool *needed, hanse_error *error)
{
    hanse_allocation *a = f->a;
    const char *const award = hanse_allocate_columns[HANSE_ALLOCATE_AWARD];
    const char *const whole = hanse_allocate_columns[HANSE_ALLOCATE_INTEGRATED];
    const hanse_model_measure measures[] = {{award, award}, {whole, whole}};
    hanse_result *result;
    HANSE_TRY(hanse_model_pass(f->sums.run, request->keys, request->n_keys,
                               measures, hanse_adds_awards(a) ? 2 : 1,
                               HANSE_STAT_TOTAL, NULL, &result, error));
    const hanse_table *table = hanse_result_table(result, 0);
    for (size_t g = 0; g < a->n_groups; g++) {
        const double target = hanse_integrated_total(a, g);
        needed[g] =
            hanse_table_number(table, award, "total", g) != a->shared[g] ||
            (hanse_adds_awards(a) &&
             (a->reserves[g] != 0.0 ||
              hanse_table_number(table, whole, "total", g) != target));
    }
    hanse_result_destroy(result);
    return HANSE_OK;
}

static hanse_status choose_groups(fixing *f,
                                  const hanse_allocation_request *request,
                                  hanse_error *error)
{
    hanse_allocation *a = f->a;
    if (a->n_groups <= (size_t)DIRECT_BYTES / (f->sums.run->n_threads *
                                               sizeof(hanse_award_tops))) {
        map_slots(f, NULL);
        return HANSE_OK;
    }
    bool *needed = hanse_allocate(a->budget, a->n_groups, sizeof *needed);
    if (needed == NULL)
        return hanse_fail_budget(error, a->budget, "groups", a->n_groups,
                                 sizeof *needed);
    const hanse_status status = find_needed(f, request, needed, error);
    if (status == HANSE_OK)
        map_slots(f, needed);
    hanse_free(a->budget, needed, a->n_groups, sizeof *needed);
    return status;
}

/* ---- All ---------------------------------------------------------------- */

static hanse_status fix(fixing *f, const hanse_allocation_request *request,
                        hanse_error *error)
{
    HANSE_TRY(choose_groups(f, request, error));
    if (f->sums.n_slots == 0)
        return HANSE_OK;
    HANSE_TRY(hanse_award_sums_find(&f->sums, error));
    return fix_all(f, error);
}

hanse_status hanse_allocate_fix(hanse_model_run *run, hanse_allocation *a,
                                const hanse_allocation_request *request,
                                hanse_error *error)
{
    hanse_status status = HANSE_OK;
    fixing f = {.a = a};
    f.map = hanse_allocate(a->budget, a->n_groups, sizeof *f.map);
    f.group = hanse_allocate(a->budget, a->n_groups, sizeof *f.group);
    f.sums.run = run;
    f.sums.a = a;
    f.sums.map = f.map;
    f.sums.is_alike = hanse_adds_awards(a) && a->keep == 0.0;
    if (f.map == NULL || f.group == NULL)
        status = hanse_fail_budget(error, a->budget, "groups", a->n_groups,
                                   2 * sizeof *f.map);
    if (status == HANSE_OK)
        status = fix(&f, request, error);
    hanse_award_sums_clear(&f.sums);
    hanse_free(a->budget, f.map, a->n_groups, sizeof *f.map);
    hanse_free(a->budget, f.group, a->n_groups, sizeof *f.group);
    return status;
}
