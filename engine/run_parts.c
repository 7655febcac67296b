/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs whose statistics keep more of every group than memory holds: medians,
 * different values, largest values of many groups. The groups are divided into
 * parts by a hash of their keys, and the table is read once for each part. A
 * pass before finds all groups in their order; the tables of the parts, which
 * are in that order, too, then fall into their rows.
 */
#include "engine/run_parts.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/seed.h"
#include "engine/finish.h"
#include "engine/result.h"
#include "engine/spec.h"

enum {
    FIRST_PARTS = 4,
    MOST_PARTS = 256
};

typedef struct parted {
    const hanse_spec *spec;
    hanse_source *source;
    const hanse_run_options *options;
    const hanse_run_tuning *tuning;
    uint64_t seed;
    uint64_t n_bytes;
    hanse_run_report *report;
} parted;

/* ---- Passes ------------------------------------------------------------- */

/* The job with one of its groupings; with its measures or only to find the
 * groups. */
static hanse_status spec_of(const parted *p, size_t grouping,
                            bool with_measures, hanse_spec **out,
                            hanse_error *error)
{
    hanse_spec *spec;
    const hanse_spec_grouping *g = &p->spec->groupings[grouping];
    HANSE_TRY(hanse_spec_copy(p->spec, with_measures, &spec, error));
    hanse_spec_clear_groupings(spec);
    hanse_status status = hanse_spec_add_grouping(
        spec, (const char *const *)g->keys, g->n_keys, error);
    if (status == HANSE_OK && !with_measures)
        status = hanse_spec_add_measure(spec, "rows", "0", error);
    if (status == HANSE_OK && !with_measures)
        status = hanse_spec_set_statistics(spec, HANSE_STAT_COUNT, error);
    if (status != HANSE_OK) {
        hanse_spec_destroy(spec);
        return status;
    }
    *out = spec;
    return HANSE_OK;
}

static hanse_status pass(parted *p, const hanse_spec *spec,
                         const hanse_part *part, hanse_result **out,
                         hanse_error *error)
{
    hanse_run_report report = {0};
    hanse_run_tuning tuning = *p->tuning;
    tuning.part = *part;
    tuning.defers_rows = false;
    tuning.is_temporary = true;
    if (p->source->budget != NULL)
        atomic_store(&p->source->budget->refused, false);
    const hanse_status status = hanse_run_tuned(spec, p->source, p->options,
                                                &tuning, &report, out, error);
    p->n_bytes += report.n_bytes;
    if (p->report != NULL) {
        const uint64_t peak = p->report->peak_budget_bytes;
        *p->report = report;
        if (peak > report.peak_budget_bytes)
            p->report->peak_budget_bytes = peak;
        p->report->n_bytes = p->n_bytes;
    }
    return status;
}

/* ---- Rows of a part in the whole table ---------------------------------- */

static bool same_key(const hanse_column *a, size_t row, const hanse_column *b,
                     size_t other)
{
    const bool missing = a->missing != NULL && a->missing[row];
    const bool other_missing = b->missing != NULL && b->missing[other];
    if (missing || other_missing)
        return missing == other_missing;
    if (a->type == HANSE_TEXT)
        return strcmp(((const char *const *)a->values)[row],
                      ((const char *const *)b->values)[other]) == 0;
    const size_t n = hanse_type_size(a->type);
    return memcmp((const char *)a->values + row * n,
                  (const char *)b->values + other * n, n) == 0;
}

static bool same_keys(const hanse_table *table, size_t row,
                      const hanse_table *part, size_t other)
{
    for (size_t k = 0; k < table->n_keys; k++)
        if (!same_key(&table->keys[k], row, &part->keys[k], other))
            return false;
    return true;
}

/* rows[i]: the row of the whole table that row i of the part's table is. */
static hanse_status find_rows(const hanse_table *table, const hanse_table *part,
                              size_t *rows, hanse_error *error)
{
    size_t row = 0;
    for (size_t i = 0; i < part->n_rows; i++, row++) {
        while (row < table->n_rows && !same_keys(table, row, part, i))
            row++;
        if (row == table->n_rows)
            return hanse_fail(error, HANSE_ERR_IO,
                              "the table changes while it is read: %s has "
                              "other groups than before",
                              table->name);
        rows[i] = row;
    }
    return HANSE_OK;
}

/* ---- Filling the table -------------------------------------------------- */

/* Makes the column wide enough for values of `type`, all of 8 bytes. */
static void widen(hanse_column *column, size_t n_rows, hanse_type type)
{
    const hanse_type wider = hanse_type_wider(column->type, type);
    if (column->type == HANSE_TEXT)
        return;
    hanse_widen_values((int64_t *)(uintptr_t)column->values, n_rows,
                       column->type, wider);
    column->type = wider;
}

static void fill_column(hanse_column *to, size_t n_rows,
                        const hanse_column *from, size_t n, const size_t *rows)
{
    uint64_t *values;
    widen(to, n_rows, from->type);
    values = (uint64_t *)(uintptr_t)to->values;
    for (size_t i = 0; i < n; i++) {
        if (to->type == HANSE_FLOAT64 && from->type != HANSE_FLOAT64) {
            const double x = hanse_column_number(from, i);
            memcpy(&values[rows[i]], &x, sizeof x);
        } else {
            memcpy(&values[rows[i]], (const char *)from->values + i * 8, 8);
        }
    }
}

/* The columns of the first part, empty, behind those of the table. */
static hanse_status add_columns(const parted *p, hanse_owned_table *table,
                                const hanse_table *part, hanse_error *error)
{
    HANSE_TRY(hanse_result_table_extend(
        table, part->n_columns, p->source->budget, p->tuning->spill, error));
    for (size_t c = 1; c < part->n_columns; c++) {
        const hanse_column *column = &part->columns[c];
        void *values;
        HANSE_TRY(hanse_result_add_column(
            table, column->name, column->long_name, column->units,
            column->cell_methods, column->type, &values, error));
    }
    return HANSE_OK;
}

static hanse_status add_part(const parted *p, hanse_owned_table *table,
                             const hanse_table *part, hanse_error *error)
{
    size_t *rows = malloc((part->n_rows + 1) * sizeof *rows);
    hanse_status status =
        rows != NULL ? HANSE_OK
                     : hanse_fail_nomem(error, "rows of a part", part->n_rows);
    if (status == HANSE_OK && table->view.n_columns == 1)
        status = add_columns(p, table, part, error);
    if (status == HANSE_OK)
        status = find_rows(&table->view, part, rows, error);
    for (size_t c = 1; status == HANSE_OK && c < part->n_columns; c++)
        fill_column(&table->columns[table->view.n_keys + c], table->view.n_rows,
                    &part->columns[c], part->n_rows, rows);
    free(rows);
    return status;
}

static bool has_texts(const hanse_table *table)
{
    for (size_t c = 0; c < table->n_columns; c++)
        if (table->columns[c].type == HANSE_TEXT)
            return true;
    return false;
}

/* ---- One grouping ------------------------------------------------------- */

/* Fills the table of a grouping from n parts. */
static hanse_status fill_table(parted *p, const hanse_spec *spec, uint32_t n,
                               hanse_result *whole, hanse_error *error)
{
    for (uint32_t i = 0; i < n; i++) {
        const hanse_part part = {i, n, p->seed};
        hanse_result *result;
        HANSE_TRY(pass(p, spec, &part, &result, error));
        const hanse_table *table = hanse_result_table(result, 0);
        const hanse_status status =
            add_part(p, &whole->tables[0], table, error);
        /* Its texts are those of the whole from now on. */
        if (status == HANSE_OK && has_texts(table)) {
            result->next = whole->next;
            whole->next = result;
        } else {
            hanse_result_destroy(result);
        }
        HANSE_TRY(status);
    }
    return HANSE_OK;
}

/* All groups in order, with `count`. */
static hanse_status find_groups(parted *p, size_t grouping, hanse_result **out,
                                hanse_error *error)
{
    const hanse_part all = {0, 1, p->seed};
    hanse_spec *spec;
    HANSE_TRY(spec_of(p, grouping, false, &spec, error));
    const hanse_status status = pass(p, spec, &all, out, error);
    hanse_spec_destroy(spec);
    if (status == HANSE_OK)
        hanse_result_drop_column(&(*out)->tables[0], 1);
    return status;
}

/* Takes back what an attempt with too few parts has filled. */
static void drop_columns(hanse_result *whole)
{
    hanse_owned_table *table = &whole->tables[0];
    while (table->view.n_columns > 1)
        hanse_result_drop_column(table, table->view.n_columns - 1);
    hanse_result_destroy(whole->next);
    whole->next = NULL;
}

static hanse_status run_in_parts(parted *p, size_t grouping,
                                 const hanse_spec *spec, hanse_result **out,
                                 hanse_error *error)
{
    hanse_result *whole;
    hanse_status status = HANSE_ERR_LIMIT;
    HANSE_TRY(find_groups(p, grouping, &whole, error));
    for (uint32_t n = p->tuning->n_parts != 0 ? p->tuning->n_parts
                                              : FIRST_PARTS;
         status == HANSE_ERR_LIMIT && n <= MOST_PARTS; n *= 4) {
        drop_columns(whole);
        status = fill_table(p, spec, n, whole, error);
    }
    if (status == HANSE_OK)
        *out = whole;
    else
        hanse_result_destroy(whole);
    return status;
}

/* In one piece where that goes by itself. */
static hanse_status run_grouping(parted *p, size_t grouping, hanse_result **out,
                                 hanse_error *error)
{
    const hanse_part all = {0, 1, p->seed};
    const hanse_spec_grouping *g = &p->spec->groupings[grouping];
    hanse_spec *spec;
    HANSE_TRY(spec_of(p, grouping, true, &spec, error));
    hanse_status status = HANSE_ERR_LIMIT;
    if (g->n_keys == 0 || (p->spec->n_groupings > 1 && p->tuning->n_parts == 0))
        status = pass(p, spec, &all, out, error);
    if (status == HANSE_ERR_LIMIT && g->n_keys > 0)
        status = run_in_parts(p, grouping, spec, out, error);
    hanse_spec_destroy(spec);
    return status;
}

/* ---- All ---------------------------------------------------------------- */

/* Puts a result, with those that it holds, among those that `to` holds. */
static void add_texts(hanse_result *to, hanse_result *from)
{
    hanse_result *last = from;
    while (last->next != NULL)
        last = last->next;
    last->next = to->next;
    to->next = from;
}

hanse_status hanse_run_in_parts(const hanse_spec *spec, hanse_source *source,
                                const hanse_run_options *options,
                                const hanse_run_tuning *tuning,
                                hanse_run_report *report, hanse_result **out,
                                hanse_error *error)
{
    parted p = {.spec = spec,
                .source = source,
                .options = options,
                .tuning = tuning,
                .seed = hanse_hash_seed(),
                .report = report};
    hanse_result *result;
    hanse_status status =
        hanse_result_create(spec->n_groupings, &result, error);
    if (status != HANSE_OK)
        return status;
    for (size_t g = 0; status == HANSE_OK && g < spec->n_groupings; g++) {
        hanse_result *one;
        status = run_grouping(&p, g, &one, error);
        if (status != HANSE_OK)
            break;
        result->rows = one->rows;
        hanse_result_move_table(result, g, one, spec->groupings[g].name);
        add_texts(result, one);
    }
    if (status != HANSE_OK) {
        hanse_result_destroy(result);
        return status;
    }
    if (!tuning->is_temporary)
        hanse_result_detach(result);
    *out = result;
    return HANSE_OK;
}
