/* SPDX-License-Identifier: Apache-2.0
 *
 * Claims of a whole table: rows are brought into the order of groups by a
 * counting sort on all threads, then groups are solved, large ones first.
 */
#include <math.h>
#include <stdlib.h>

#include "engine/models/claims.h"
#include "engine/models/groups.h"
#include "engine/parallel.h"
#include "engine/sort.h"

enum {
    /* Rows that a task takes, of one large or of many small groups. */
    TASK_ROWS = 1 << 16,
    /* A group beyond this is worked on by all threads. */
    SHARED_ROWS = 1 << 20
};

/* A task: groups first to end - 1 of the order of groups by size. */
typedef struct task_range {
    uint32_t first;
    uint32_t end;
} task_range;

typedef struct work {
    const hanse_claims_table *table;
    double *awards;
    hanse_claims_outcome *outcomes;
    bool ranks;       /* members instead of claims */
    size_t n_parts;   /* of the rows, for counting */
    uint64_t *places; /* [part][group] where its next row goes */
    uint64_t *starts; /* [group], n_groups + 1 */
    double *claims;   /* [place] */
    hanse_claimant *members;
    uint32_t *order; /* groups, largest first */
    task_range *tasks;
    size_t n_tasks;
} work;

static bool takes_part(const hanse_claims_table *t, uint64_t row)
{
    return t->groups[row] != HANSE_NO_GROUP && t->claims[row] == t->claims[row];
}

static uint64_t part_row(const work *w, size_t part)
{
    return w->table->n_rows / w->n_parts * part +
           w->table->n_rows % w->n_parts * part / w->n_parts;
}

/* ---- Counting sort ------------------------------------------------------ */

static hanse_status count_rows(void *context, size_t part, hanse_error *error)
{
    const work *w = context;
    const hanse_claims_table *t = w->table;
    uint64_t *count = w->places + part * t->n_groups;
    const uint64_t end = part_row(w, part + 1);
    (void)error;
    for (uint64_t row = part_row(w, part); row < end; row++)
        if (takes_part(t, row))
            count[t->groups[row]]++;
    return HANSE_OK;
}

static void place_groups(work *w)
{
    const size_t n_groups = w->table->n_groups;
    uint64_t place = 0;
    for (size_t g = 0; g < n_groups; g++) {
        w->starts[g] = place;
        for (size_t part = 0; part < w->n_parts; part++) {
            uint64_t *count = &w->places[part * n_groups + g];
            const uint64_t n = *count;
            *count = place;
            place += n;
        }
    }
    w->starts[n_groups] = place;
}

static hanse_status place_rows(void *context, size_t part, hanse_error *error)
{
    const work *w = context;
    const hanse_claims_table *t = w->table;
    uint64_t *places = w->places + part * t->n_groups;
    const uint64_t end = part_row(w, part + 1);
    (void)error;
    for (uint64_t row = part_row(w, part); row < end; row++) {
        const bool is_in = takes_part(t, row);
        if (!is_in && w->awards != NULL)
            w->awards[row] = (double)NAN;
        if (!is_in)
            continue;
        const uint64_t place = places[t->groups[row]]++;
        if (w->ranks)
            w->members[place] =
                (hanse_claimant){.claim = t->claims[row],
                                 .id = t->ids != NULL ? t->ids[row] : row,
                                 .order = row};
        else
            w->claims[place] = t->claims[row];
    }
    return HANSE_OK;
}

/* ---- Groups ------------------------------------------------------------- */

static size_t size_of(const work *w, size_t group)
{
    return (size_t)(w->starts[group + 1] - w->starts[group]);
}

static hanse_status solve_ranks(const work *w, size_t group, hanse_error *error)
{
    const hanse_claims_table *t = w->table;
    const size_t n = size_of(w, group);
    hanse_claimant *members = w->members + w->starts[group];
    const size_t spare_bytes = 2 * sizeof(hanse_sort_entry);
    void *spare = NULL;
    if (t->rule == HANSE_RULE_SHAPLEY) {
        if (n > UINT32_MAX)
            return hanse_fail(error, HANSE_ERR_LIMIT,
                              "a group of %zu members is too large for rule "
                              "shapley, which takes up to 2^32",
                              n);
        spare = hanse_allocate(t->budget, n, spare_bytes);
        if (spare == NULL)
            return hanse_fail_budget(error, t->budget, "order of claims", n,
                                     spare_bytes);
    }
    hanse_claims_rank(t->rule, members, n,
                      t->pools != NULL ? t->pools[group] : 0.0, spare,
                      &w->outcomes[group]);
    hanse_free(t->budget, spare, n, spare_bytes);
    for (size_t i = 0; i < n; i++)
        w->awards[members[i].order] = members[i].award;
    return HANSE_OK;
}

static hanse_status solve_group(const work *w, size_t group, size_t n_threads,
                                hanse_error *error)
{
    if (w->ranks)
        return solve_ranks(w, group, error);
    hanse_claims_solve(w->table->rule, w->claims + w->starts[group],
                       size_of(w, group), w->table->pools[group], n_threads,
                       &w->outcomes[group]);
    return HANSE_OK;
}

static hanse_status solve_task(void *context, size_t index, hanse_error *error)
{
    const work *w = context;
    for (uint32_t i = w->tasks[index].first; i < w->tasks[index].end; i++)
        HANSE_TRY(solve_group(w, w->order[i], 1, error));
    return HANSE_OK;
}

/* Groups by size, and tasks of about equal numbers of rows. Groups that all
 * threads share come first and are no task: *n_shared. */
static hanse_status plan_tasks(work *w, size_t *n_shared, hanse_error *error)
{
    const size_t n = w->table->n_groups;
    hanse_budget *budget = w->table->budget;
    hanse_sort_entry *entries = hanse_allocate(budget, 2 * n, sizeof *entries);
    if (entries == NULL)
        return hanse_fail_budget(error, budget, "order of groups", 2 * n,
                                 sizeof *entries);
    for (size_t g = 0; g < n; g++)
        entries[g] =
            (hanse_sort_entry){UINT64_MAX - size_of(w, g), (uint32_t)g};
    hanse_sort(entries, entries + n, n);
    size_t rows = 0;
    *n_shared = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t size = size_of(w, entries[i].index);
        w->order[i] = entries[i].index;
        if (size > (size_t)SHARED_ROWS && !w->ranks) {
            *n_shared = i + 1;
            continue;
        }
        if (w->n_tasks == 0 || rows >= (size_t)TASK_ROWS) {
            w->tasks[w->n_tasks++] = (task_range){(uint32_t)i, (uint32_t)i};
            rows = 0;
        }
        w->tasks[w->n_tasks - 1].end = (uint32_t)i + 1;
        rows += size + 16; /* a group costs something of its own */
    }
    hanse_free(budget, entries, 2 * n, sizeof *entries);
    return HANSE_OK;
}

/* ---- Rows again --------------------------------------------------------- */

static hanse_status fill_part(void *context, size_t part, hanse_error *error)
{
    const work *w = context;
    const hanse_claims_table *t = w->table;
    const uint64_t end = part_row(w, part + 1);
    (void)error;
    for (uint64_t row = part_row(w, part); row < end; row++)
        if (takes_part(t, row))
            hanse_claims_fill(t->rule, &w->outcomes[t->groups[row]].terms,
                              &(uint32_t){0}, &t->claims[row], 1,
                              &w->awards[row]);
    return HANSE_OK;
}

static hanse_status solve_all(work *w, hanse_error *error)
{
    const hanse_claims_table *t = w->table;
    size_t n_shared = 0;
    HANSE_TRY(
        hanse_parallel_for(t->n_threads, w->n_parts, count_rows, w, error));
    place_groups(w);
    HANSE_TRY(
        hanse_parallel_for(t->n_threads, w->n_parts, place_rows, w, error));
    HANSE_TRY(plan_tasks(w, &n_shared, error));
    for (size_t i = 0; i < n_shared; i++)
        HANSE_TRY(solve_group(w, w->order[i], t->n_threads, error));
    HANSE_TRY(
        hanse_parallel_for(t->n_threads, w->n_tasks, solve_task, w, error));
    if (w->awards == NULL || w->ranks)
        return HANSE_OK;
    return hanse_parallel_for(t->n_threads, w->n_parts, fill_part, w, error);
}

/* ---- Memory ------------------------------------------------------------- */

typedef struct room {
    void *memory;
    size_t n;
    size_t size_bytes;
} room;

enum {
    N_ROOMS = 5
};

static hanse_status take_rooms(hanse_budget *budget, room *rooms,
                               hanse_error *error)
{
    for (size_t i = 0; i < N_ROOMS; i++) {
        rooms[i].memory =
            i == 0
                ? hanse_allocate_zero(budget, rooms[i].n, rooms[i].size_bytes)
                : hanse_allocate(budget, rooms[i].n, rooms[i].size_bytes);
        if (rooms[i].memory == NULL)
            return hanse_fail_budget(error, budget,
                                     "claims in the order of groups",
                                     rooms[i].n, rooms[i].size_bytes);
    }
    return HANSE_OK;
}

hanse_status hanse_claims_award_all(const hanse_claims_table *table,
                                    double *awards,
                                    hanse_claims_outcome *outcomes,
                                    hanse_error *error)
{
    const size_t n_groups = table->n_groups;
    const bool ranks = table->rule == HANSE_RULE_LARGEST_REMAINDER ||
                       table->rule == HANSE_RULE_SHAPLEY;
    const size_t n_parts = table->n_threads > 0 ? table->n_threads : 1;
    work w = {.table = table,
              .awards = awards,
              .outcomes = outcomes,
              .ranks = ranks,
              .n_parts = n_parts};
    room rooms[N_ROOMS] = {
        {NULL, n_parts * n_groups, sizeof *w.places},
        {NULL, n_groups + 1, sizeof *w.starts},
        {NULL, table->n_rows, ranks ? sizeof *w.members : sizeof *w.claims},
        {NULL, n_groups, sizeof *w.order},
        {NULL, n_groups, sizeof *w.tasks},
    };
    hanse_status status = take_rooms(table->budget, rooms, error);
    if (status == HANSE_OK) {
        w.places = rooms[0].memory;
        w.starts = rooms[1].memory;
        if (ranks)
            w.members = rooms[2].memory;
        else
            w.claims = rooms[2].memory;
        w.order = rooms[3].memory;
        w.tasks = rooms[4].memory;
        status = solve_all(&w, error);
    }
    for (size_t i = 0; i < N_ROOMS; i++)
        hanse_free(table->budget, rooms[i].memory, rooms[i].n,
                   rooms[i].size_bytes);
    return status;
}
