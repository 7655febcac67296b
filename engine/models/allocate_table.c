/* SPDX-License-Identifier: Apache-2.0
 *
 * Reserves and statuses in the result tables. Those whose keys are among the
 * keys of the pools have rows that are sums of groups: each group is looked up
 * by the values of these keys. Rows of the others may hold parts of groups;
 * where R_i of any group is undefined, a pass finds those that hold such R_i.
 */
#include <math.h>
#include <string.h>

#include "engine/models/allocate_internal.h"
#include "engine/result.h"
#include "engine/spec.h"

enum {
    N_KEYS_MAX = 64
};

/* Row of a table for each group. */
typedef struct matching {
    const hanse_table *table;
    const hanse_column *of_groups[N_KEYS_MAX]; /* [key of the table] */
    size_t *buckets;                           /* row + 1, 0: free */
    size_t n_buckets;                          /* a power of 2 */
} matching;

static const hanse_column *find_key(const hanse_table *groups, const char *name)
{
    for (size_t k = 0; k < groups->n_keys; k++)
        if (strcmp(groups->keys[k].name, name) == 0)
            return &groups->keys[k];
    return NULL;
}

static bool is_coarser(const void *context, const hanse_table *table)
{
    const hanse_allocation *a = context;
    for (size_t k = 0; k < table->n_keys; k++)
        if (find_key(a->table, table->keys[k].name) == NULL)
            return false;
    return table->n_keys <= (size_t)N_KEYS_MAX;
}

/* ---- Keys --------------------------------------------------------------- */

static bool is_missing(const hanse_column *key, size_t row)
{
    return key->missing != NULL && key->missing[row];
}

/* Bytes of a key's value. */
static const void *bytes_of(const hanse_column *key, size_t row, size_t *n)
{
    if (key->type == HANSE_TEXT) {
        const char *text = ((const char *const *)key->values)[row];
        *n = text != NULL ? strlen(text) : 0;
        return text;
    }
    *n = hanse_type_size(key->type);
    return (const char *)key->values + row * *n;
}

static uint64_t hash_row(const hanse_column *const *keys, size_t n_keys,
                         size_t row)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t k = 0; k < n_keys; k++) {
        size_t n = 0;
        const bool missing = is_missing(keys[k], row);
        const uint8_t *bytes = bytes_of(keys[k], row, &n);
        hash = (hash ^ (missing ? 2 : 1)) * 0x100000001b3u;
        for (size_t i = 0; !missing && i < n; i++)
            hash = (hash ^ bytes[i]) * 0x100000001b3u;
    }
    return hash ^ hash >> 29;
}

static bool is_equal(const matching *m, size_t group, size_t row)
{
    for (size_t k = 0; k < m->table->n_keys; k++) {
        const hanse_column *key = &m->table->keys[k];
        const hanse_column *other = m->of_groups[k];
        size_t n_a, n_b;
        if (is_missing(key, row) != is_missing(other, group))
            return false;
        if (is_missing(key, row))
            continue;
        const void *a = bytes_of(key, row, &n_a);
        const void *b = bytes_of(other, group, &n_b);
        if (key->type != other->type || n_a != n_b ||
            (n_a != 0 && memcmp(a, b, n_a) != 0))
            return false;
    }
    return true;
}

static hanse_status match(matching *m, const hanse_allocation *a,
                          const hanse_table *table, hanse_error *error)
{
    const hanse_column *own[N_KEYS_MAX];
    m->table = table;
    for (size_t k = 0; k < table->n_keys; k++) {
        own[k] = &table->keys[k];
        m->of_groups[k] = find_key(a->table, table->keys[k].name);
    }
    m->n_buckets = 2;
    while (m->n_buckets < 2 * table->n_rows)
        m->n_buckets *= 2;
    m->buckets =
        hanse_allocate_zero(a->budget, m->n_buckets, sizeof *m->buckets);
    if (m->buckets == NULL)
        return hanse_fail_budget(error, a->budget, "keys of tables",
                                 m->n_buckets, sizeof *m->buckets);
    for (size_t row = 0; row < table->n_rows; row++) {
        size_t at = hash_row(own, table->n_keys, row) & (m->n_buckets - 1);
        while (m->buckets[at] != 0)
            at = (at + 1) & (m->n_buckets - 1);
        m->buckets[at] = row + 1;
    }
    return HANSE_OK;
}

/* SIZE_MAX where the table lacks the group. */
static size_t row_of(const matching *m, size_t group)
{
    size_t at =
        hash_row(m->of_groups, m->table->n_keys, group) & (m->n_buckets - 1);
    for (; m->buckets[at] != 0; at = (at + 1) & (m->n_buckets - 1))
        if (is_equal(m, group, m->buckets[at] - 1))
            return m->buckets[at] - 1;
    return SIZE_MAX;
}

/* ---- Columns ------------------------------------------------------------ */

enum {
    RESERVE,
    STATUS,
    N_COLUMNS
};
static const hanse_table_column columns[N_COLUMNS] = {
    {.name = "resource_reserve",
     .long_name = "part of the pools beyond all claims",
     .type = HANSE_FLOAT64},
    {.name = "resource_status",
     .long_name = "why resources are not defined, or what limits them",
     .type = HANSE_INT8},
};

/* What a row of the table is made of. */
typedef struct row_state {
    size_t n_groups;
    size_t n_reserves;
    size_t group;  /* the last with a reserve */
    int8_t status; /* the gravest: undefined, then 6 */
    bool is_undefined;
    bool is_empty; /* all of them */
} row_state;

static void add_group(const hanse_allocation *a, size_t group, row_state *state,
                      double *reserve)
{
    const int8_t status = a->status[group];
    state->is_empty = status == HANSE_MODEL_EMPTY &&
                      (state->n_groups == 0 || state->is_empty);
    state->n_groups++;
    if (a->reserves[group] != 0.0) {
        *reserve += a->reserves[group];
        state->n_reserves++;
        state->group = group;
    }
    if (!hanse_is_allocated(a, group)) {
        if (!state->is_undefined)
            state->status = status;
        state->is_undefined = true;
    } else if (!state->is_undefined && status == HANSE_MODEL_INFEASIBLE) {
        state->status = HANSE_MODEL_INFEASIBLE;
    }
}

/* Whether allocation moves resources within a group alone. Then the total of
 * groups is what it was before, while the exact sum of their R_i may miss it by
 * what roundings in each of the groups add up to. */
static bool has_total_before(const hanse_allocation *a)
{
    return !a->is_given && hanse_adds_awards(a);
}

/* Groups come in the order of their keys, so that sums of reserves have the
 * same bits always. */
static hanse_status fill(const void *context, hanse_owned_table *table,
                         const hanse_table *sums, void *const *values,
                         int8_t *const *status, hanse_error *error)
{
    const hanse_allocation *a = context;
    const size_t n_rows = table->view.n_rows;
    const bool is_same = table->view.n_keys == a->table->n_keys;
    matching m = {0};
    double *reserves = values[RESERVE];
    int8_t *codes = values[STATUS];
    const bool is_known = !is_same && has_total_before(a);
    (void)status;
    hanse_model_status_flags(&table->columns[table->n_columns - 1]);
    row_state *states =
        hanse_allocate_zero(a->budget, n_rows + 1, sizeof *states);
    if (states == NULL)
        return hanse_fail_budget(error, a->budget, "reserves", n_rows,
                                 sizeof *states);
    hanse_status outcome = match(&m, a, &table->view, error);
    for (size_t g = 0; outcome == HANSE_OK && g < a->n_groups; g++) {
        const size_t row = row_of(&m, g);
        if (row != SIZE_MAX)
            add_group(a, g, &states[row], &reserves[row]);
    }
    double *totals = hanse_table_values(table, "resource_total");
    for (size_t row = 0; outcome == HANSE_OK && row < n_rows; row++) {
        const row_state *s = &states[row];
        codes[row] = s->is_empty ? HANSE_MODEL_EMPTY : s->status;
        if (s->is_undefined)
            reserves[row] = (double)NAN;
        if (totals != NULL && s->is_undefined && hanse_adds_awards(a))
            totals[row] = (double)NAN;
        else if (totals != NULL && is_known)
            totals[row] =
                hanse_table_number(sums, HANSE_BEFORE_SUM, "total", row);
        else if (totals != NULL && s->n_reserves > 0)
            totals[row] = is_same ? hanse_integrated_total(a, s->group)
                                  : totals[row] + reserves[row];
    }
    hanse_free(a->budget, m.buckets, m.n_buckets, sizeof *m.buckets);
    hanse_free(a->budget, states, n_rows + 1, sizeof *states);
    return outcome;
}

/* ---- Tables that are no sums of groups ---------------------------------- */

static const char undefined_column[] = "resource_undefined";

static bool is_other(const void *context, const hanse_table *table)
{
    return !is_coarser(context, table);
}

/* Status where R_i is undefined, of R_i, r_i and the status. */
static void fill_undefined(const void *context, const hanse_rows *rows,
                           double *const *out)
{
    const double *restrict integrated = rows->numbers[0];
    const double *restrict resources = rows->numbers[1];
    const double *restrict status = rows->numbers[2];
    (void)context;
    for (size_t i = 0; i < rows->n; i++) {
        const bool is_undefined =
            integrated[i] != integrated[i] && resources[i] == resources[i];
        out[0][i] = is_undefined ? status[i] : (double)NAN;
    }
}

/* The table of smallest statuses that has the same rows. */
static const hanse_table *find_undefined(const hanse_allocation *a,
                                         const char *name)
{
    const size_t n = a->undefined != NULL ? a->undefined->n_tables : 0;
    for (size_t i = 0; i < n; i++)
        if (strcmp(hanse_result_table(a->undefined, i)->name, name) == 0)
            return hanse_result_table(a->undefined, i);
    return NULL;
}

static hanse_status fill_other(const void *context, hanse_owned_table *table,
                               const hanse_table *sums, void *const *values,
                               int8_t *const *status, hanse_error *error)
{
    int8_t *codes = values[0];
    double *totals = hanse_table_values(table, "resource_total");
    const hanse_table *undefined = find_undefined(context, table->view.name);
    (void)sums;
    (void)status;
    (void)error;
    hanse_model_status_flags(&table->columns[table->n_columns - 1]);
    for (size_t row = 0; row < table->view.n_rows; row++) {
        const double code =
            undefined != NULL
                ? hanse_table_number(undefined, undefined_column, "min", row)
                : (double)NAN;
        codes[row] = code == code ? (int8_t)code : HANSE_MODEL_OK;
        if (totals != NULL && code == code)
            totals[row] = (double)NAN;
    }
    return HANSE_OK;
}

static bool has_other_tables(const hanse_spec *spec, const hanse_allocation *a)
{
    for (size_t i = 0; i < spec->n_groupings; i++)
        for (size_t k = 0; k < spec->groupings[i].n_keys; k++)
            if (find_key(a->table, spec->groupings[i].keys[k]) == NULL)
                return true;
    return false;
}

/* Statuses of the rows of all tables, in one more pass. */
static hanse_status find_statuses(hanse_model_run *run, hanse_allocation *a,
                                  const char *resource, hanse_error *error)
{
    const char *const name = undefined_column;
    const char *const formulas[] = {
        hanse_allocate_columns[HANSE_ALLOCATE_INTEGRATED], resource,
        hanse_allocate_columns[HANSE_ALLOCATE_STATUS]};
    const hanse_column_set set = {.names = &name,
                                  .n_columns = 1,
                                  .formulas = formulas,
                                  .n_formulas = 3,
                                  .what = "step 'allocate'",
                                  .fill = fill_undefined};
    HANSE_TRY(hanse_columns_add(run->columns, &set, error));
    hanse_spec *spec;
    hanse_run_report report = {0};
    hanse_run_tuning tuning = *run->tuning;
    tuning.is_temporary = true;
    HANSE_TRY(hanse_spec_copy(run->spec, false, &spec, error));
    hanse_status status =
        hanse_spec_set_statistics(spec, HANSE_STAT_MIN, error);
    if (status == HANSE_OK)
        status = hanse_spec_add_measure(spec, name, name, error);
    if (status == HANSE_OK)
        status = hanse_run_tuned(spec, hanse_columns_source(run->columns),
                                 run->options, &tuning, &report, &a->undefined,
                                 error);
    run->n_bytes += report.n_bytes;
    hanse_spec_destroy(spec);
    return status;
}

hanse_status hanse_allocate_add_tables(hanse_model_run *run,
                                       hanse_allocation *a,
                                       const char *resource, hanse_error *error)
{
    if (has_total_before(a))
        HANSE_TRY(hanse_model_add_sum(run, HANSE_BEFORE_SUM, resource, error));
    const hanse_table_columns set = {.columns = columns,
                                     .n_columns = N_COLUMNS,
                                     .applies = is_coarser,
                                     .fill = fill,
                                     .context = a};
    const hanse_table_columns others = {.columns = &columns[STATUS],
                                        .n_columns = 1,
                                        .applies = is_other,
                                        .fill = fill_other,
                                        .context = a};
    if (a->any_undefined && hanse_adds_awards(a) &&
        has_other_tables(run->spec, a))
        HANSE_TRY(find_statuses(run, a, resource, error));
    HANSE_TRY(hanse_model_add_table_columns(run, &set, error));
    return hanse_model_add_table_columns(run, &others, error);
}
