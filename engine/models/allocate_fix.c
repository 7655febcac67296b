/* SPDX-License-Identifier: Apache-2.0
 *
 * Conservation to the bit: exact sums of awards and of R_i by group, and the
 * largest of them, found in one pass; what a sum misses goes to the largest,
 * or, where the sum then lies in the middle between two numbers, to the next.
 *
 * Sums are kept in 128 bits. Awards are not negative and add up to the pool,
 * so that they and their sum fit below 4 times the largest pool; what has bits
 * further down than 2^-68 of that is added to long integers instead.
 *
 * Where there are many groups, a fold finds first those that need anything.
 */
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "engine/models/allocate_internal.h"
#include "engine/parallel.h"
#include "engine/scan.h"
#include "engine/spec.h"
#include "engine/wide_sums.h"

enum {
    NARROW_BELOW = 68, /* bits below the last of the largest pool */
    NARROW_ABOVE = 2,
    N_TOP = 2,
    TASK_SLOTS = 4096,
    /* Slots of all threads; with more groups a fold goes before. */
    DIRECT_BYTES = 64 << 20
};

#define NO_SLOT UINT32_MAX
#define NO_ROW  UINT64_MAX

typedef struct member {
    double award;
    double kept;
    double integrated;
    uint64_t id;
    uint64_t row; /* NO_ROW: none */
} member;

/* Of a group. */
typedef struct slot {
    __int128 awards; /* sums in units of 2^low */
    __int128 integrated;
    member by_award[N_TOP]; /* largest first */
    member by_integrated[N_TOP];
} slot;

/* One thread's. */
typedef struct part {
    slot *slots;
    hanse_wide_sums awards; /* what 128 bits do not hold */
    hanse_wide_sums integrated;
} part;

/* Changes that a task has made. */
typedef struct changes {
    hanse_award_change *items;
    size_t n;
    size_t capacity;
} changes;

typedef struct fixing {
    hanse_model_run *run;
    hanse_allocation *a;
    uint32_t *map;   /* [group] its slot, or NO_SLOT */
    uint32_t *group; /* [slot] */
    size_t n_slots;
    bool is_alike; /* R_i is the award wherever there is one */
    int low_awards;
    int low_integrated;
    part *parts;
    size_t n_parts_max;
    _Atomic size_t n_parts;
    /* Fields of the columns; the last is the id. */
    size_t fields[HANSE_ALLOCATE_COLUMNS + 1];
    size_t n_fields;
    size_t id;
    hanse_type id_type;
    changes *changes; /* [task] */
} fixing;

/* ---- Sums --------------------------------------------------------------- */

static int unit_of(double x)
{
    uint64_t pattern;
    memcpy(&pattern, &x, sizeof pattern);
    const int biased = (int)(pattern >> 52) & 0x7ff;
    return (biased != 0 ? biased : 1) - 1075;
}

/* x >= 0; false when it does not fit. */
static inline bool add_narrow(__int128 *sum, int low, double x)
{
    uint64_t pattern;
    memcpy(&pattern, &x, sizeof pattern);
    const uint64_t biased = pattern >> 52; /* with the sign: too large */
    const uint64_t mantissa =
        (pattern & (((uint64_t)1 << 52) - 1)) | (uint64_t)(biased != 0) << 52;
    const int shift = (int)(biased + (biased == 0)) - 1075 - low;
    if ((unsigned)shift > (unsigned)(NARROW_BELOW + NARROW_ABOVE))
        return mantissa == 0 && biased == 0;
    *sum += (__int128)mantissa << shift;
    return true;
}

static hanse_status add_wide(hanse_wide_sums *sums, size_t n_slots, size_t at,
                             double x, hanse_error *error)
{
    hanse_factor factor;
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    if (!hanse_factor_of(bits, HANSE_NUMBER_FLOAT, &factor))
        return HANSE_OK; /* groups with infinities have no slot */
    const hanse_term term = hanse_term_single(&factor);
    if (sums->n_groups < n_slots)
        HANSE_TRY(hanse_wide_sums_grow(sums, n_slots, error));
    return hanse_wide_sums_add(sums, at, &term, error);
}

static void get_sum(const part *p, size_t at, bool of_awards, int low,
                    hanse_wide *out)
{
    const __int128 units =
        of_awards ? p->slots[at].awards : p->slots[at].integrated;
    const unsigned __int128 magnitude = (unsigned __int128)units;
    const uint64_t words[] = {(uint64_t)magnitude, (uint64_t)(magnitude >> 64)};
    const hanse_wide_sums *rest = of_awards ? &p->awards : &p->integrated;
    hanse_wide_from_words(out, words, 2, low, false);
    if (at >= rest->n_groups)
        return;
    hanse_wide other;
    hanse_wide_sums_get(rest, at, &other);
    hanse_wide_add(out, &other);
}

/* ---- The pass ----------------------------------------------------------- */

/* An id as a number in its order; of a text a hash, which any order of rows
 * gives, too. */
static uint64_t id_of(const fixing *f, const hanse_morsel *rows, size_t i)
{
    if (f->id == SIZE_MAX)
        return rows->first_row + i;
    const hanse_array *array = &rows->batch.arrays[f->id];
    if (array->missing != NULL && array->missing[i])
        return UINT64_MAX;
    if (f->id_type == HANSE_TEXT) {
        uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
        for (int32_t k = array->offsets[i]; k < array->offsets[i + 1]; k++)
            hash =
                (hash ^ ((const uint8_t *)array->values)[k]) * 0x100000001b3u;
        return hash;
    }
    const uint64_t sign = (uint64_t)1 << 63;
    switch (f->id_type) {
    case HANSE_INT8:
        return (uint64_t)((const int8_t *)array->values)[i] ^ sign;
    case HANSE_INT16:
        return (uint64_t)((const int16_t *)array->values)[i] ^ sign;
    case HANSE_INT32:
        return (uint64_t)((const int32_t *)array->values)[i] ^ sign;
    case HANSE_INT64:
        return (uint64_t)((const int64_t *)array->values)[i] ^ sign;
    case HANSE_UINT16:
        return ((const uint16_t *)array->values)[i];
    case HANSE_UINT32:
        return ((const uint32_t *)array->values)[i];
    case HANSE_UINT64:
        return ((const uint64_t *)array->values)[i];
    default:
        return ((const uint8_t *)array->values)[i];
    }
}

static double rank_of(const member *m, bool by_award)
{
    return by_award ? m->award : m->integrated;
}

static bool goes_before(const member *x, const member *y, bool by_award)
{
    const double a = rank_of(x, by_award), b = rank_of(y, by_award);
    if (y->row == NO_ROW)
        return true;
    if (a != b)
        return a > b;
    return x->id != y->id ? x->id < y->id : x->row < y->row;
}

static void enter(member *top, const member *m, bool by_award)
{
    for (size_t k = 0; k < N_TOP; k++) {
        if (!goes_before(m, &top[k], by_award))
            continue;
        memmove(&top[k + 1], &top[k], (N_TOP - 1 - k) * sizeof *top);
        top[k] = *m;
        return;
    }
}

static const double *column_of(const fixing *f, const hanse_morsel *rows,
                               int column)
{
    return rows->batch.arrays[f->fields[column]].values;
}

static hanse_status take(void *context, void *own, const hanse_morsel *rows,
                         hanse_error *error)
{
    const fixing *f = context;
    part *p = own;
    const double *awards = column_of(f, rows, HANSE_ALLOCATE_AWARD);
    const double *integrated = column_of(f, rows, HANSE_ALLOCATE_INTEGRATED);
    const double *kept = column_of(f, rows, HANSE_ALLOCATE_KEPT);
    const double *groups = column_of(f, rows, HANSE_ALLOCATE_GROUP);
    for (size_t i = 0; i < rows->batch.n_rows; i++) {
        if (groups[i] != groups[i])
            continue;
        const uint32_t at = f->map[(uint32_t)groups[i]];
        if (at == NO_SLOT)
            continue;
        slot *s = &p->slots[at];
        const double a = awards[i], r = integrated[i];
        if (a != a) { /* takes no part */
            if (r == r)
                HANSE_TRY(add_wide(&p->integrated, f->n_slots, at, r, error));
            continue;
        }
        if (!add_narrow(&s->awards, f->low_awards, a))
            HANSE_TRY(add_wide(&p->awards, f->n_slots, at, a, error));
        if (!f->is_alike && !add_narrow(&s->integrated, f->low_integrated, r))
            HANSE_TRY(add_wide(&p->integrated, f->n_slots, at, r, error));
        const bool is_top = !(a < s->by_award[N_TOP - 1].award);
        const bool is_other =
            !f->is_alike && !(r < s->by_integrated[N_TOP - 1].integrated);
        if (!is_top && !is_other)
            continue;
        const member m = {a, kept[i], r, id_of(f, rows, i),
                          rows->first_row + i};
        if (is_top)
            enter(s->by_award, &m, true);
        if (is_other)
            enter(s->by_integrated, &m, false);
    }
    return HANSE_OK;
}

static void clear_part(const fixing *f, part *p)
{
    hanse_free(f->a->budget, p->slots, f->n_slots, sizeof *p->slots);
    hanse_wide_sums_clear(&p->awards);
    hanse_wide_sums_clear(&p->integrated);
}

static hanse_status open_part(void *context, void **own, hanse_error *error)
{
    fixing *f = context;
    part *p = &f->parts[atomic_fetch_add(&f->n_parts, 1)];
    hanse_budget *budget = f->a->budget;
    hanse_wide_sums_init(&p->awards, "sums of awards", budget);
    hanse_wide_sums_init(&p->integrated, "sums of resources", budget);
    p->slots = hanse_allocate(budget, f->n_slots, sizeof *p->slots);
    if (p->slots == NULL)
        return hanse_fail_budget(error, budget, "sums of awards", f->n_slots,
                                 sizeof *p->slots);
    const member none = {
        .award = -1.0, .integrated = -(double)INFINITY, .row = NO_ROW};
    for (size_t i = 0; i < f->n_slots; i++)
        p->slots[i] =
            (slot){.by_award = {none, none}, .by_integrated = {none, none}};
    *own = p;
    return HANSE_OK;
}

static hanse_status scan_rows(fixing *f, hanse_error *error)
{
    hanse_source *source = hanse_columns_source(f->run->columns);
    const hanse_scan scan = {.source = source,
                             .fields = f->fields,
                             .n_fields = f->n_fields,
                             .options = f->run->options,
                             .n_threads = f->n_parts_max,
                             .context = f,
                             .open = open_part,
                             .take = take};
    return hanse_scan_run(&scan, &f->run->n_bytes, error);
}

/* All into the first part. */
static hanse_status merge_parts(fixing *f, hanse_error *error)
{
    part *to = &f->parts[0];
    for (size_t k = 1; k < f->n_parts; k++) {
        part *from = &f->parts[k];
        for (size_t i = 0; i < f->n_slots; i++) {
            slot *s = &to->slots[i];
            const slot *other = &from->slots[i];
            s->awards += other->awards;
            s->integrated += other->integrated;
            for (size_t t = 0; t < N_TOP; t++) {
                if (other->by_award[t].row != NO_ROW)
                    enter(s->by_award, &other->by_award[t], true);
                if (other->by_integrated[t].row != NO_ROW)
                    enter(s->by_integrated, &other->by_integrated[t], false);
            }
        }
        for (int which = 0; which < 2; which++) {
            hanse_wide_sums *sums = which == 0 ? &to->awards : &to->integrated;
            const hanse_wide_sums *more =
                which == 0 ? &from->awards : &from->integrated;
            if (more->n_groups > 0)
                HANSE_TRY(hanse_wide_sums_grow(sums, f->n_slots, error));
            for (size_t i = 0; i < more->n_groups; i++)
                HANSE_TRY(hanse_wide_sums_merge(sums, i, more, i, error));
        }
    }
    return HANSE_OK;
}

/* ---- Changes ------------------------------------------------------------ */

/* The members that may change, each once. */
typedef struct candidates {
    member members[2 * N_TOP];
    bool is_changed[2 * N_TOP];
    size_t n;
} candidates;

static size_t find_candidate(candidates *c, const member *m)
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
    member *m = &c->members[i];
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

/* Makes the sum (that of awards or of R_i) round to the target. */
static void settle(const fixing *f, candidates *c, const member *top,
                   bool of_award, double target, hanse_wide *awards,
                   hanse_wide *integrated)
{
    const hanse_wide *sum = of_award ? awards : integrated;
    for (size_t k = 0; k < N_TOP && hanse_wide_round(sum) != target; k++) {
        if (top[k].row == NO_ROW)
            return;
        const size_t i = find_candidate(c, &top[k]);
        const double value =
            rank_of(&c->members[i], of_award) - excess_of(sum, target);
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
    const part *p = &f->parts[0];
    const slot *s = &p->slots[at];
    const size_t g = f->group[at];
    hanse_wide awards, integrated, reserve;
    get_sum(p, at, true, f->low_awards, &awards);
    get_sum(p, at, false, f->low_integrated, &integrated);
    if (f->is_alike)
        hanse_wide_add(&integrated, &awards);
    c->n = 0;
    settle(f, c, s->by_award, true, a->shared[g], &awards, &integrated);
    if (!hanse_adds_awards(a))
        return;
    if (a->reserves[g] != 0.0) { /* exactly what the awards leave */
        hanse_wide_from_double(&reserve, a->pools[g]);
        hanse_wide_subtract(&reserve, &awards);
        hanse_wide_add(&integrated, &reserve);
    }
    const double target =
        a->is_given ? a->before[g] + a->pools[g] : a->before[g];
    settle(f, c, f->is_alike ? s->by_award : s->by_integrated, false, target,
           &awards, &integrated);
    a->totals[g] = hanse_wide_round(&integrated);
}

static hanse_status fix_task(void *context, size_t index, hanse_error *error)
{
    fixing *f = context;
    const size_t first = index * (size_t)TASK_SLOTS;
    const size_t end = first + (size_t)TASK_SLOTS < f->n_slots
                           ? first + (size_t)TASK_SLOTS
                           : f->n_slots;
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
        (f->n_slots + (size_t)TASK_SLOTS - 1) / (size_t)TASK_SLOTS;
    f->changes = calloc(n_tasks + 1, sizeof *f->changes);
    if (f->changes == NULL)
        return hanse_fail_nomem(error, "changes of awards", n_tasks);
    hanse_status status =
        hanse_parallel_for(f->run->n_threads, n_tasks, fix_task, f, error);
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
    double most_pool = 0.0, most_total = 0.0;
    for (size_t g = 0; g < a->n_groups; g++) {
        f->map[g] = NO_SLOT;
        if (!hanse_is_allocated(a, g) || (needed != NULL && !needed[g]))
            continue;
        f->map[g] = (uint32_t)f->n_slots;
        f->group[f->n_slots++] = (uint32_t)g;
        const double total = a->before[g] + (a->is_given ? a->pools[g] : 0.0);
        most_pool = a->shared[g] > most_pool ? a->shared[g] : most_pool;
        most_total = total > most_total ? total : most_total;
    }
    f->low_awards = unit_of(most_pool) - NARROW_BELOW;
    f->low_integrated = unit_of(most_total) - NARROW_BELOW;
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
    HANSE_TRY(hanse_model_pass(f->run, request->keys, request->n_keys, measures,
                               hanse_adds_awards(a) ? 2 : 1, HANSE_STAT_TOTAL,
                               NULL, &result, error));
    const hanse_table *table = hanse_result_table(result, 0);
    for (size_t g = 0; g < a->n_groups; g++) {
        const double target =
            a->is_given ? a->before[g] + a->pools[g] : a->before[g];
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
    if (a->n_groups <= (size_t)DIRECT_BYTES / (f->n_parts_max * sizeof(slot))) {
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

static hanse_status find_fields(fixing *f, hanse_error *error)
{
    const hanse_schema *schema =
        hanse_source_schema(hanse_columns_source(f->run->columns));
    const char *id =
        f->run->spec->id != NULL ? f->run->spec->id : "enterprise_id";
    for (int c = 0; c < HANSE_ALLOCATE_COLUMNS; c++)
        f->fields[f->n_fields++] =
            hanse_schema_find(schema, hanse_allocate_columns[c]);
    f->id = hanse_schema_find(schema, id);
    if (f->id == SIZE_MAX)
        return f->run->spec->id == NULL
                   ? HANSE_OK
                   : hanse_fail_column(error, "id", id, schema);
    f->id_type = schema->fields[f->id].type;
    if (f->id_type == HANSE_FLOAT32 || f->id_type == HANSE_FLOAT64)
        f->id = SIZE_MAX; /* no id; rows have their numbers */
    else
        f->fields[f->n_fields++] = f->id;
    return HANSE_OK;
}

static hanse_status fix(fixing *f, const hanse_allocation_request *request,
                        hanse_error *error)
{
    HANSE_TRY(find_fields(f, error));
    HANSE_TRY(choose_groups(f, request, error));
    if (f->n_slots == 0)
        return HANSE_OK;
    HANSE_TRY(scan_rows(f, error));
    HANSE_TRY(merge_parts(f, error));
    return fix_all(f, error);
}

hanse_status hanse_allocate_fix(hanse_model_run *run, hanse_allocation *a,
                                const hanse_allocation_request *request,
                                hanse_error *error)
{
    fixing f = {.run = run,
                .a = a,
                .is_alike = hanse_adds_awards(a) && a->keep == 0.0,
                .n_parts_max = hanse_scan_threads(
                    hanse_columns_source(run->columns), run->options)};
    hanse_status status = HANSE_OK;
    f.parts = calloc(f.n_parts_max + 1, sizeof *f.parts);
    f.map = hanse_allocate(a->budget, a->n_groups, sizeof *f.map);
    f.group = hanse_allocate(a->budget, a->n_groups, sizeof *f.group);
    if (f.parts == NULL || f.map == NULL || f.group == NULL)
        status = hanse_fail_budget(error, a->budget, "groups", a->n_groups,
                                   2 * sizeof *f.map);
    if (status == HANSE_OK)
        status = fix(&f, request, error);
    for (size_t i = 0; f.parts != NULL && i < f.n_parts; i++)
        clear_part(&f, &f.parts[i]);
    free(f.parts);
    hanse_free(a->budget, f.map, a->n_groups, sizeof *f.map);
    hanse_free(a->budget, f.group, a->n_groups, sizeof *f.group);
    return status;
}
