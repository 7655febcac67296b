/* SPDX-License-Identifier: Apache-2.0
 *
 * Finishing: from states to result tables. Columns are made first, then filled
 * by runs of rows on all threads.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/finish.h"
#include "engine/parallel.h"
#include "engine/result.h"
#include "engine/statistics.h"

enum {
    FILL_ROWS = 1 << 15 /* rows of a task */
};

/* ---- Making columns ----------------------------------------------------- */

static hanse_status add_key(hanse_finishing *f, size_t position,
                            hanse_error *error)
{
    const hanse_plan_key *key = hanse_finish_key(f, position);
    HANSE_TRY(hanse_result_add_column(f->table, key->name, key->long_name,
                                      key->units, NULL, f->key_types[position],
                                      &f->keys[position], error));
    f->table->columns[f->table->n_columns - 1].n_unmapped =
        f->made[hanse_finish_grouping(f)->keys[position]].n_unmapped;
    if (!hanse_finish_any_missing(f, position))
        return HANSE_OK;
    return hanse_result_add_missing(f->table, &f->missing[position], error);
}

static hanse_status add_row_count(hanse_finishing *f, hanse_error *error)
{
    void *values;
    HANSE_TRY(hanse_result_add_column(f->table, "count", "number of records",
                                      "1", NULL, HANSE_INT64, &values, error));
    f->counts = values;
    return HANSE_OK;
}

/* "<long name>: <words>", however long, from malloc; NULL without memory. */
static char *describe(const char *long_name, const char *words)
{
    const size_t size_bytes = strlen(long_name) + strlen(words) + 3;
    char *text = malloc(size_bytes);
    if (text != NULL)
        snprintf(text, size_bytes, "%s: %s", long_name, words);
    return text;
}

/* Rows of one fold as the statistics see them. */
static size_t next_input(const hanse_finishing *f, size_t measure, size_t row,
                         size_t end, hanse_statistic_input *out)
{
    *out = (hanse_statistic_input){.measure = measure,
                                   .groups = f->list.groups + row};
    out->n = hanse_group_list_run(&f->list, row, end - row, &out->fold,
                                  &out->grouping);
    return out->n;
}

hanse_type hanse_type_wider(hanse_type a, hanse_type b)
{
    if (a == HANSE_FLOAT64 || b == HANSE_FLOAT64)
        return HANSE_FLOAT64;
    return a == HANSE_UINT64 ? a : b;
}

void hanse_widen_values(int64_t *values, size_t n, hanse_type from,
                        hanse_type to)
{
    if (to != HANSE_FLOAT64 || from == HANSE_FLOAT64)
        return;
    for (size_t i = 0; i < n; i++) {
        const double x = from == HANSE_UINT64 ? (double)(uint64_t)values[i]
                                              : (double)values[i];
        memcpy(&values[i], &x, sizeof x);
    }
}

/* One type for all rows, wherever their states are. */
static hanse_type column_type(const hanse_finishing *f, size_t measure,
                              hanse_statistic statistic)
{
    hanse_statistic_input input = {.measure = measure};
    input.fold =
        f->list.parts != NULL ? f->list.parts->prototype : f->list.states;
    input.grouping = f->list.parts != NULL ? 0 : f->list.grouping;
    hanse_type type = hanse_statistic_type(&input, statistic);
    if (statistic == HANSE_STAT_COUNT || statistic == HANSE_STAT_MISSING)
        return type;
    for (size_t row = 0; row < f->list.n && type != HANSE_FLOAT64;
         row += input.n) {
        (void)next_input(f, measure, row, f->list.n, &input);
        type = hanse_type_wider(type, hanse_statistic_type(&input, statistic));
    }
    return type;
}

static hanse_status add_statistic(hanse_finishing *f, hanse_filling *to,
                                  hanse_error *error)
{
    const hanse_plan_measure *m = &f->plan->measures[to->measure];
    const hanse_statistic statistic = to->statistic;
    char name[256], units[256];
    snprintf(name, sizeof name, "%s_%s", m->name,
             hanse_statistic_name(statistic));
    const bool has_units =
        hanse_statistic_units(statistic, m->units, units, sizeof units);
    char *long_name = describe(m->long_name, hanse_statistic_words(statistic));
    if (long_name == NULL)
        return hanse_fail_nomem(error, "result column", strlen(m->long_name));
    const hanse_status status = hanse_result_add_column(
        f->table, name, long_name, has_units ? units : NULL,
        hanse_statistic_cell_method(statistic), to->type, &to->values, error);
    free(long_name);
    if (status == HANSE_OK)
        to->name = f->table->columns[f->table->n_columns - 1].name;
    return status;
}

hanse_status hanse_finish_init(hanse_finishing *f, hanse_error *error)
{
    const hanse_plan *plan = f->plan;
    const size_t n =
        plan->n_measures *
        (size_t)__builtin_popcount(plan->statistics & HANSE_STATISTICS_OF_SUMS);
    f->fillings = calloc(n + 1, sizeof *f->fillings);
    if (f->fillings == NULL)
        return hanse_fail_nomem(error, "result table", n);
    for (size_t m = 0; m < plan->n_measures; m++)
        for (uint32_t bit = 1; bit < HANSE_STAT_COV; bit <<= 1)
            if ((plan->statistics & HANSE_STATISTICS_OF_SUMS & bit) != 0)
                f->fillings[f->n_fillings++] = (hanse_filling){
                    .measure = m, .statistic = (hanse_statistic)bit};
    return HANSE_OK;
}

void hanse_finish_choose_types(hanse_finishing *f)
{
    for (size_t i = 0; i < f->n_fillings; i++)
        f->fillings[i].type =
            column_type(f, f->fillings[i].measure, f->fillings[i].statistic);
}

/* Columns of statistics beyond sums and extremes are filled at once. */
static hanse_status add_extra(hanse_finishing *f, uint32_t statistic,
                              size_t measure, hanse_error *error)
{
    const hanse_extra_target target = {f->list.keys,     f->list.states,
                                       f->list.grouping, f->list.groups,
                                       f->list.n,        f->table};
    return hanse_extras_emit(&f->list.states->extras[f->list.grouping], &target,
                             statistic, measure, error);
}

/* The mask in its order, whose fillings begin at *next, then quantiles, then
 * the largest values. */
static hanse_status add_measure(hanse_finishing *f, size_t measure,
                                size_t *next, hanse_error *error)
{
    const hanse_statistic_set *set = &f->plan->set;
    for (uint32_t bit = 1; bit < HANSE_STAT_COV; bit <<= 1) {
        if ((set->mask & bit) == 0)
            continue;
        if ((bit & HANSE_STATISTICS_OF_SUMS) != 0)
            HANSE_TRY(add_statistic(f, &f->fillings[(*next)++], error));
        else
            HANSE_TRY(add_extra(f, bit, measure, error));
    }
    if (set->n_quantiles != 0)
        HANSE_TRY(add_extra(f, HANSE_EXTRA_QUANTILES, measure, error));
    if (set->n_top != 0)
        HANSE_TRY(add_extra(f, HANSE_EXTRA_TOP, measure, error));
    return HANSE_OK;
}

hanse_status hanse_finish_make_table(hanse_finishing *f, hanse_result *result,
                                     bool with_values, hanse_error *error)
{
    HANSE_TRY(hanse_result_table_init(
        result, f->list.grouping, hanse_finish_grouping(f)->name, f->list.n,
        f->list.n_keys,
        f->list.n_keys + 1 + f->n_fillings +
            hanse_extras_count_columns(f->plan),
        f->list.budget, f->list.shared != NULL ? f->list.shared->spill : NULL,
        error));
    f->table = &result->tables[f->list.grouping];
    f->table->has_no_values = !with_values;
    f->table->view.n_dropped = f->list.n_dropped;
    for (size_t k = 0; k < f->list.n_keys; k++) {
        f->key_types[k] = hanse_finish_key_type(f, k);
        HANSE_TRY(add_key(f, k, error));
    }
    HANSE_TRY(add_row_count(f, error));
    size_t next = 0;
    for (size_t m = 0; m < f->plan->n_measures; m++)
        HANSE_TRY(add_measure(f, m, &next, error));
    for (uint32_t bit = HANSE_STAT_COV; bit <= HANSE_STAT_CORR; bit <<= 1)
        if ((f->plan->statistics & bit) != 0)
            HANSE_TRY(add_extra(f, bit, 0, error));
    return HANSE_OK;
}

/* ---- Filling ------------------------------------------------------------ */

/* Bytes of a key that a message shows: at most 64, whole characters. */
static int shown_length(const char *text, size_t length)
{
    enum {
        MOST = 64
    };
    if (length <= MOST)
        return (int)length;
    int shown = MOST;
    while (shown > 0 && ((unsigned char)text[shown] & 0xc0) == 0x80)
        shown--;
    return shown;
}

/* "cluster=5, chain=2", for messages about one group. */
static void name_group(const hanse_finishing *f, size_t row, char *out,
                       size_t size)
{
    int64_t numbers[HANSE_GROUP_KEYS_MAX];
    const uint32_t mask = hanse_group_list_numbers(&f->list, row, numbers);
    size_t used = 0;
    out[0] = '\0';
    for (size_t k = 0; k < f->list.n_keys && used < size; k++) {
        char buffer[32];
        size_t length = 7;
        const char *text = "missing";
        if ((mask >> k & 1) == 0)
            text =
                hanse_group_list_text(&f->list, k, numbers[k], buffer, &length);
        const int written = snprintf(
            out + used, size - used, "%s%s=%.*s", k == 0 ? "" : ", ",
            hanse_finish_key(f, k)->name, shown_length(text, length), text);
        used += written < 0 ? size : (size_t)written;
    }
    if (f->list.n_keys == 0)
        snprintf(out, size, "all rows");
}

static hanse_status fill_statistic(const hanse_finishing *f,
                                   const hanse_filling *to, size_t first,
                                   size_t end, hanse_error *error)
{
    const size_t size = hanse_type_size(to->type);
    hanse_statistic_input input;
    char group[512];
    size_t fault = 0;
    for (size_t row = first; row < end; row += input.n) {
        (void)next_input(f, to->measure, row, end, &input);
        if (hanse_statistic_fill(&input, to->statistic, to->type,
                                 (char *)to->values + row * size, &fault))
            continue;
        name_group(f, row + fault, group, sizeof group);
        return hanse_fail(error, HANSE_ERR_OVERFLOW,
                          "%s: %s of %s does not fit a 64-bit integer; use a "
                          "formula such as 1.0*%s to add in floating point",
                          f->table->name, to->name, group,
                          f->plan->measures[to->measure].name);
    }
    return HANSE_OK;
}

static void fill_counts(const hanse_finishing *f, size_t first, size_t end)
{
    hanse_statistic_input input;
    for (size_t row = first; row < end; row += input.n) {
        (void)next_input(f, 0, row, end, &input);
        const hanse_states *states = &input.fold->states[input.grouping];
        for (size_t i = 0; i < input.n; i++)
            f->counts[row + i] = hanse_states_count(states, &input.fold->layout,
                                                    input.groups[i]);
    }
}

/* Asks for the states of rows, which lie anywhere where partitions are
 * hashed. */
static void prefetch_states(const hanse_finishing *f, size_t first, size_t end)
{
    hanse_statistic_input input;
    for (size_t row = first; row < end; row += input.n) {
        (void)next_input(f, 0, row, end, &input);
        const hanse_states *states = &input.fold->states[input.grouping];
        const size_t stride = hanse_states_stride(states, &input.fold->layout);
        for (size_t i = 0; i < input.n; i++)
            __builtin_prefetch(states->rows + input.groups[i] * stride);
    }
}

hanse_status hanse_finish_fill_states(const hanse_finishing *f, size_t first,
                                      size_t end, hanse_error *error)
{
    for (size_t row = first, stop; row < end; row = stop) {
        stop =
            end - row < HANSE_FINISH_WINDOW ? end : row + HANSE_FINISH_WINDOW;
        prefetch_states(f, row, stop);
        fill_counts(f, row, stop);
        for (size_t i = 0; i < f->n_fillings; i++)
            HANSE_TRY(fill_statistic(f, &f->fillings[i], row, stop, error));
    }
    return HANSE_OK;
}

static hanse_status fill_rows(void *context, size_t task, hanse_error *error)
{
    const hanse_finishing *f = context;
    const size_t first = task * FILL_ROWS;
    const size_t end =
        f->list.n - first < FILL_ROWS ? f->list.n : first + FILL_ROWS;
    hanse_finish_fill_keys(f, first, end);
    return hanse_finish_fill_states(f, first, end, error);
}

/* ---- Tables ------------------------------------------------------------- */

static hanse_status finish_list(hanse_finishing *f, hanse_result *result,
                                hanse_error *error)
{
    const size_t n_tasks = (f->list.n + FILL_ROWS - 1) / FILL_ROWS;
    hanse_finish_choose_types(f);
    HANSE_TRY(hanse_finish_make_table(f, result, true, error));
    HANSE_TRY(hanse_finish_copy_texts(f, error));
    if (f->list.parts != NULL && f->list.is_by_page)
        HANSE_TRY(hanse_finish_fill_pages(f, error));
    else
        HANSE_TRY(
            hanse_parallel_for(f->n_threads, n_tasks, fill_rows, f, error));
    return hanse_finish_fill_labels(f, error);
}

/* Whether the columns can be made without looking at the groups: integer keys
 * of which none is missing, and floats. */
static bool needs_no_list(const hanse_finishing *f,
                          const hanse_partitions *parts)
{
    bool simple = true;
    for (size_t k = 0; k < parts->n_keys; k++) {
        const hanse_plan_key *key = &f->plan->keys[parts->keys[k]];
        simple = simple && key->type != HANSE_TEXT && key->n_labels == 0 &&
                 key->type != HANSE_UINT64 &&
                 (f->plan->drop_missing_keys ||
                  !atomic_load(&parts->any_missing[k]));
    }
    for (size_t m = 0; m < f->plan->n_measures; m++)
        simple = simple && f->plan->measures[m].number == HANSE_NUMBER_FLOAT;
    return simple;
}

static hanse_status finish_shared(hanse_finishing *f, hanse_shared *shared,
                                  size_t grouping, hanse_result *result,
                                  hanse_error *error)
{
    hanse_partitions *parts = atomic_load(&shared->partitions[grouping]);
    if (atomic_load(&parts->is_spilled))
        return hanse_finish_spilled(f, shared, parts, result, error);
    HANSE_TRY(hanse_group_list_of_partitions(
        shared, parts, needs_no_list(f, parts), f->n_threads, &f->list, error));
    return f->list.starts != NULL
               ? hanse_finish_page_by_page(f, shared, grouping, result, error)
               : finish_list(f, result, error);
}

static hanse_status finish_grouping(const hanse_fold *fold,
                                    const hanse_fold *derived,
                                    const hanse_order *order, size_t grouping,
                                    size_t n_threads, hanse_result *result,
                                    hanse_error *error)
{
    hanse_finishing f = {
        .plan = fold->plan, .made = fold->made, .n_threads = n_threads};
    const hanse_fold_role role = fold->roles[grouping];
    hanse_status status = hanse_finish_init(&f, error);
    if (status == HANSE_OK && role == HANSE_ROLE_SHARED) {
        status = finish_shared(&f, fold->shared, grouping, result, error);
    } else if (status == HANSE_OK) {
        status = hanse_group_list_of_fold(
            fold, role == HANSE_ROLE_DERIVED ? derived : fold, order, grouping,
            &f.list, error);
        if (status == HANSE_OK)
            status = finish_list(&f, result, error);
    }
    hanse_group_list_clear(&f.list);
    free(f.fillings);
    return status;
}

hanse_status hanse_fold_finish(const hanse_fold *fold, size_t n_threads,
                               hanse_result **out, hanse_error *error)
{
    hanse_order order = {0};
    hanse_result *result = NULL;
    hanse_fold *derived = NULL;
    hanse_status status =
        hanse_result_create(fold->plan->n_groupings, &result, error);
    if (status == HANSE_OK)
        status = hanse_order_init(&order, fold, error);
    if (status == HANSE_OK)
        status = hanse_fold_derive_all(fold, &derived, error);
    for (size_t g = 0; status == HANSE_OK && g < fold->plan->n_groupings; g++)
        status =
            finish_grouping(fold, derived, &order, g, n_threads, result, error);
    hanse_order_clear(&order, fold);
    hanse_fold_destroy(derived);
    if (status != HANSE_OK) {
        hanse_result_destroy(result);
        return status;
    }
    result->rows = fold->rows;
    *out = result;
    return HANSE_OK;
}
