/* SPDX-License-Identifier: Apache-2.0
 *
 * Finishing: from the states of a fold to result tables.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/fold.h"
#include "engine/order.h"
#include "engine/result.h"
#include "engine/statistics.h"

/* One grouping on its way to a table. */
typedef struct finishing {
    const hanse_fold *fold;   /* numbers the groups */
    const hanse_fold *states; /* has their states */
    const hanse_order *order;
    size_t grouping;
    uint32_t *groups; /* in the order of the table */
    size_t n;
    uint64_t n_dropped;
    uint32_t *codes; /* [row][key] */
    hanse_owned_table *table;
} finishing;

/* ---- Which groups, in which order --------------------------------------- */

static bool has_missing_key(const finishing *f, size_t group)
{
    const size_t n_keys = f->fold->plan->groupings[f->grouping].n_keys;
    hanse_group_codes(f->fold, f->grouping, group, f->codes);
    for (size_t k = 0; k < n_keys; k++)
        if (f->codes[k] == 0)
            return true;
    return false;
}

/* Groups that have rows, by rank. (Code 0 of a key has none unless a key was
 * missing; every other group came from a row.) */
static void place_groups(finishing *f)
{
    const hanse_fold *fold = f->fold;
    const hanse_states *states = &f->states->states[f->grouping];
    const size_t node = fold->plan->groupings[f->grouping].node;
    if (node == SIZE_MAX) {
        f->groups[0] = 0;
        f->n = 1;
        return;
    }
    const uint32_t *ranks = f->order->nodes[node];
    for (size_t g = 0; g < states->n_groups; g++)
        f->groups[ranks[g]] = (uint32_t)g;
    for (size_t r = 0; r < states->n_groups; r++) {
        const uint32_t group = f->groups[r];
        const int64_t rows = states->rows[group * f->states->layout.stride];
        if (rows == 0)
            continue;
        if (fold->plan->drop_missing_keys && has_missing_key(f, group))
            f->n_dropped += (uint64_t)rows;
        else
            f->groups[f->n++] = group;
    }
}

/* ---- Key columns -------------------------------------------------------- */

static bool is_text_key(const hanse_fold *fold, size_t key)
{
    return fold->keys[key].is_text || fold->plan->keys[key].n_labels != 0;
}

/* Results hold no unsigned integers unless a value needs all 64 bits: some
 * readers have none (docs/results.md). */
static hanse_type key_type(const finishing *f, size_t key, size_t position)
{
    const hanse_fold *fold = f->fold;
    const size_t n_keys = fold->plan->groupings[f->grouping].n_keys;
    switch (fold->plan->keys[key].type) {
    case HANSE_UINT8:
        return HANSE_INT16;
    case HANSE_UINT16:
        return HANSE_INT32;
    case HANSE_UINT32:
        return HANSE_INT64;
    case HANSE_BOOL:
        return HANSE_INT8;
    case HANSE_UINT64:
        for (size_t r = 0; r < f->n; r++) {
            const uint32_t code = f->codes[r * n_keys + position];
            if (code != 0 && fold->keys[key].ints.values[code - 1] < 0)
                return HANSE_UINT64;
        }
        return HANSE_INT64;
    default:
        return fold->plan->keys[key].type;
    }
}

static void store_integer(void *values, hanse_type type, size_t row,
                          int64_t value)
{
    switch (type) {
    case HANSE_INT8:
        ((int8_t *)values)[row] = (int8_t)value;
        break;
    case HANSE_INT16:
        ((int16_t *)values)[row] = (int16_t)value;
        break;
    case HANSE_INT32:
        ((int32_t *)values)[row] = (int32_t)value;
        break;
    default:
        ((int64_t *)values)[row] = value;
        break;
    }
}

static hanse_status fill_texts(finishing *f, size_t key, size_t position,
                               const char **values, hanse_error *error)
{
    const size_t n_keys = f->fold->plan->groupings[f->grouping].n_keys;
    char buffer[32];
    size_t length, size_bytes = 1;
    for (size_t r = 0; r < f->n; r++) {
        const uint32_t code = f->codes[r * n_keys + position];
        if (code != 0) {
            hanse_key_text(f->fold, key, code, buffer, &length);
            size_bytes += length + 1;
        }
    }
    char *bytes;
    HANSE_TRY(hanse_result_add_texts(f->table, size_bytes, &bytes, error));
    *bytes = '\0';
    char *end = bytes + 1;
    for (size_t r = 0; r < f->n; r++) {
        const uint32_t code = f->codes[r * n_keys + position];
        if (code == 0) {
            values[r] = bytes;
            continue;
        }
        const char *text = hanse_key_text(f->fold, key, code, buffer, &length);
        memcpy(end, text, length);
        end[length] = '\0';
        values[r] = end;
        end += length + 1;
    }
    return HANSE_OK;
}

static hanse_status flag_missing(finishing *f, size_t position,
                                 hanse_error *error)
{
    const size_t n_keys = f->fold->plan->groupings[f->grouping].n_keys;
    uint8_t *flags = NULL;
    for (size_t r = 0; r < f->n; r++) {
        if (f->codes[r * n_keys + position] != 0)
            continue;
        if (flags == NULL)
            HANSE_TRY(hanse_result_add_missing(f->table, &flags, error));
        flags[r] = 1;
    }
    return HANSE_OK;
}

static hanse_status add_key(finishing *f, size_t position, hanse_error *error)
{
    const hanse_plan_grouping *grouping =
        &f->fold->plan->groupings[f->grouping];
    const size_t key = grouping->keys[position];
    const hanse_plan_key *plan_key = &f->fold->plan->keys[key];
    const bool is_text = is_text_key(f->fold, key);
    const hanse_type type = is_text ? HANSE_TEXT : key_type(f, key, position);
    void *values;
    HANSE_TRY(hanse_result_add_column(f->table, plan_key->name,
                                      plan_key->long_name, plan_key->units,
                                      NULL, type, &values, error));
    if (is_text)
        HANSE_TRY(fill_texts(f, key, position, values, error));
    for (size_t r = 0; r < f->n && !is_text; r++) {
        const uint32_t code = f->codes[r * grouping->n_keys + position];
        store_integer(values, type, r,
                      code == 0 ? plan_key->missing_code
                                : f->fold->keys[key].ints.values[code - 1]);
    }
    return flag_missing(f, position, error);
}

/* ---- Statistics --------------------------------------------------------- */

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
static void name_group(const finishing *f, size_t row, char *out, size_t size)
{
    const hanse_plan *plan = f->fold->plan;
    const hanse_plan_grouping *grouping = &plan->groupings[f->grouping];
    size_t used = 0;
    out[0] = '\0';
    for (size_t k = 0; k < grouping->n_keys && used < size; k++) {
        const size_t key = grouping->keys[k];
        const uint32_t code = f->codes[row * grouping->n_keys + k];
        char buffer[32];
        size_t length = 7;
        const char *text = "missing";
        if (code != 0)
            text = hanse_key_text(f->fold, key, code, buffer, &length);
        const int written =
            snprintf(out + used, size - used, "%s%s=%.*s", k == 0 ? "" : ", ",
                     plan->keys[key].name, shown_length(text, length), text);
        used += written < 0 ? size : (size_t)written;
    }
    if (grouping->n_keys == 0)
        snprintf(out, size, "all rows");
}

static hanse_status add_row_count(finishing *f, hanse_error *error)
{
    const hanse_states *states = &f->states->states[f->grouping];
    void *values;
    HANSE_TRY(hanse_result_add_column(f->table, "count", "number of records",
                                      "1", NULL, HANSE_INT64, &values, error));
    for (size_t r = 0; r < f->n; r++)
        ((int64_t *)values)[r] =
            states->rows[f->groups[r] * f->states->layout.stride];
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

static hanse_status add_statistic(finishing *f, size_t measure,
                                  hanse_statistic statistic, hanse_error *error)
{
    const hanse_plan_measure *m = &f->fold->plan->measures[measure];
    const hanse_statistic_input input = {f->states, f->grouping, measure,
                                         f->groups, f->n};
    char name[256], units[256];
    void *values;
    size_t fault = 0;
    snprintf(name, sizeof name, "%s_%s", m->name,
             hanse_statistic_name(statistic));
    const bool has_units =
        hanse_statistic_units(statistic, m->units, units, sizeof units);
    const hanse_type type = hanse_statistic_type(&input, statistic);
    char *long_name = describe(m->long_name, hanse_statistic_words(statistic));
    if (long_name == NULL)
        return hanse_fail_nomem(error, "result column", strlen(m->long_name));
    const hanse_status status = hanse_result_add_column(
        f->table, name, long_name, has_units ? units : NULL,
        hanse_statistic_cell_method(statistic), type, &values, error);
    free(long_name);
    if (status != HANSE_OK)
        return status;
    if (hanse_statistic_fill(&input, statistic, type, values, &fault))
        return HANSE_OK;
    char group[512];
    name_group(f, fault, group, sizeof group);
    return hanse_fail(error, HANSE_ERR_OVERFLOW,
                      "%s: %s of %s does not fit a 64-bit integer; use a "
                      "formula such as 1.0*%s to add in floating point",
                      f->table->name, name, group, m->name);
}

/* ---- Tables ------------------------------------------------------------- */

static hanse_status fill_table(finishing *f, hanse_error *error)
{
    const hanse_plan *plan = f->fold->plan;
    const size_t n_keys = plan->groupings[f->grouping].n_keys;
    for (size_t r = 0; r < f->n; r++)
        hanse_group_codes(f->fold, f->grouping, f->groups[r],
                          f->codes + r * n_keys);
    for (size_t k = 0; k < n_keys; k++)
        HANSE_TRY(add_key(f, k, error));
    HANSE_TRY(add_row_count(f, error));
    for (size_t m = 0; m < plan->n_measures; m++)
        for (uint32_t bit = 1; bit <= plan->statistics; bit <<= 1)
            if ((plan->statistics & bit) != 0)
                HANSE_TRY(add_statistic(f, m, (hanse_statistic)bit, error));
    return HANSE_OK;
}

static size_t count_columns(const hanse_plan *plan, size_t n_keys)
{
    const size_t n_statistics = (size_t)__builtin_popcount(plan->statistics);
    return n_keys + 1 + plan->n_measures * n_statistics;
}

static hanse_status finish_grouping(const hanse_fold *fold,
                                    const hanse_fold *states,
                                    const hanse_order *order, size_t grouping,
                                    hanse_result *result, hanse_error *error)
{
    const hanse_plan_grouping *plan_grouping = &fold->plan->groupings[grouping];
    const size_t n_groups = states->states[grouping].n_groups;
    finishing f = {
        .fold = fold, .states = states, .order = order, .grouping = grouping};
    f.groups = malloc((n_groups + 1) * sizeof *f.groups);
    f.codes =
        malloc((n_groups + 1) * (plan_grouping->n_keys + 1) * sizeof *f.codes);
    hanse_status status;
    if (f.groups == NULL || f.codes == NULL) {
        status = hanse_fail_nomem(error, "result table", n_groups);
    } else {
        place_groups(&f);
        status = hanse_result_table_init(
            result, grouping, plan_grouping->name, f.n, plan_grouping->n_keys,
            count_columns(fold->plan, plan_grouping->n_keys), error);
    }
    if (status == HANSE_OK) {
        f.table = &result->tables[grouping];
        f.table->view.n_dropped = f.n_dropped;
        status = fill_table(&f, error);
    }
    free(f.groups);
    free(f.codes);
    return status;
}

hanse_status hanse_fold_finish(const hanse_fold *fold, hanse_result **out,
                               hanse_error *error)
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
        status = finish_grouping(
            fold, fold->roles[g] == HANSE_ROLE_DERIVED ? derived : fold, &order,
            g, result, error);
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
