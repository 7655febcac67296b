/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables whose groups are all in pages of partitions: their rows are made page
 * by page, when they are wanted. Each thread makes pieces of all columns in
 * memory of its own, which stays in the cache, and frees the states of a page
 * behind them.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "engine/finish.h"
#include "engine/parallel.h"

enum {
    PIECE_ROWS = 1 << 16, /* at most; half a megabyte of a column */
    ROWS_MULTIPLE = 64    /* keeps all columns of a piece aligned */
};

struct hanse_deferred_rows {
    /* Its fillings, list, and the partitions of the list are owned. */
    hanse_finishing f;
    size_t piece_rows;
};

/* A piece is no longer than the longest page. */
static size_t choose_piece_rows(const hanse_group_list *list)
{
    size_t longest = 1;
    for (size_t p = 0; p < list->parts->n_pages; p++) {
        const size_t n = list->starts[p + 1] - list->starts[p];
        longest = n > longest ? n : longest;
    }
    return longest < PIECE_ROWS
               ? (longest + ROWS_MULTIPLE - 1) / ROWS_MULTIPLE * ROWS_MULTIPLE
               : PIECE_ROWS;
}

/* Takes over the list, the partitions and the fillings. */
static hanse_status defer(hanse_finishing *f, struct hanse_deferred_rows **out,
                          hanse_error *error)
{
    struct hanse_deferred_rows *rows = malloc(sizeof *rows);
    if (rows == NULL)
        return hanse_fail_nomem(error, "result table", sizeof *rows);
    *rows = (struct hanse_deferred_rows){*f, choose_piece_rows(&f->list)};
    rows->f.made = NULL;
    rows->f.list.shared = NULL;
    f->list = (hanse_group_list){0};
    f->fillings = NULL;
    *out = rows;
    return HANSE_OK;
}

void hanse_deferred_destroy(struct hanse_deferred_rows *rows)
{
    if (rows == NULL)
        return;
    hanse_partitions_destroy(rows->f.list.parts);
    hanse_group_list_clear(&rows->f.list);
    free(rows->f.fillings);
    free(rows);
}

/* ---- A thread's pieces -------------------------------------------------- */

typedef struct maker {
    const struct hanse_deferred_rows *rows;
    hanse_finishing f;   /* its columns are in `memory` */
    const void **values; /* [column] the same, keys first */
    char *memory;        /* a piece of every column */
} maker;

static size_t count_columns(const hanse_finishing *f)
{
    return f->list.n_keys + 1 + f->n_fillings;
}

static size_t count_row_bytes(const hanse_finishing *f)
{
    size_t n = sizeof *f->counts;
    for (size_t k = 0; k < f->list.n_keys; k++)
        n += hanse_type_size(f->key_types[k]);
    for (size_t i = 0; i < f->n_fillings; i++)
        n += hanse_type_size(f->fillings[i].type);
    return n;
}

/* Columns stand one behind the other. */
static void place_columns(maker *m)
{
    hanse_finishing *f = &m->f;
    char *at = m->memory;
    size_t column = 0;
    for (size_t k = 0; k < f->list.n_keys; k++) {
        f->keys[k] = at;
        m->values[column++] = at;
        at += m->rows->piece_rows * hanse_type_size(f->key_types[k]);
    }
    f->counts = (int64_t *)(void *)at;
    m->values[column++] = at;
    at += m->rows->piece_rows * sizeof *f->counts;
    for (size_t i = 0; i < f->n_fillings; i++) {
        f->fillings[i].values = at;
        m->values[column++] = at;
        at += m->rows->piece_rows * hanse_type_size(f->fillings[i].type);
    }
}

static hanse_status maker_init(maker *m, const struct hanse_deferred_rows *rows,
                               hanse_error *error)
{
    const hanse_finishing *f = &rows->f;
    hanse_budget *budget = f->list.budget;
    const size_t row_bytes = count_row_bytes(f);
    *m = (maker){.rows = rows, .f = *f};
    m->f.fillings = malloc((f->n_fillings + 1) * sizeof *m->f.fillings);
    m->values = malloc(count_columns(f) * sizeof *m->values);
    m->memory = hanse_allocate(budget, m->rows->piece_rows, row_bytes);
    if (m->f.fillings == NULL || m->values == NULL || m->memory == NULL)
        return hanse_fail_budget(error, budget, "rows of a result",
                                 m->rows->piece_rows, row_bytes);
    for (size_t i = 0; i < f->n_fillings; i++)
        m->f.fillings[i] = f->fillings[i];
    place_columns(m);
    return HANSE_OK;
}

static void maker_clear(maker *m)
{
    const hanse_finishing *f = &m->rows->f;
    hanse_free(f->list.budget, m->memory, m->rows->piece_rows,
               count_row_bytes(f));
    free((void *)m->values);
    free(m->f.fillings);
}

/* ---- Pages -------------------------------------------------------------- */

typedef struct making {
    const struct hanse_deferred_rows *rows;
    hanse_take_rows *take;
    void *context;
    _Atomic size_t next_page;
    _Atomic bool has_failed;
} making;

/* Pieces of the rows of the maker's list, which begin at row first_row. */
static hanse_status make_pieces(const making *job, maker *m, uint64_t first_row,
                                hanse_error *error)
{
    const size_t n_rows = m->f.list.n;
    for (size_t first = 0; first < n_rows; first += m->rows->piece_rows) {
        const size_t left = n_rows - first;
        const size_t n =
            left < m->rows->piece_rows ? left : m->rows->piece_rows;
        hanse_finish_fill_keys(&m->f, 0, n);
        HANSE_TRY(hanse_finish_fill_states(&m->f, 0, n, error));
        HANSE_TRY(
            job->take(job->context, first_row + first, n, m->values, error));
        m->f.list.groups += n;
    }
    return HANSE_OK;
}

static hanse_status make_page(const making *job, maker *m, size_t page,
                              hanse_error *error)
{
    const hanse_group_list *all = &job->rows->f.list;
    hanse_partition *partition = hanse_partitions_owner(all->parts, page);
    if (partition == NULL)
        return HANSE_OK;
    hanse_status status = hanse_group_list_of_partition(NULL, all->parts, page,
                                                        &m->f.list, error);
    if (status == HANSE_OK)
        status = make_pieces(job, m, all->starts[page], error);
    hanse_group_list_clear(&m->f.list);
    hanse_partition_release(partition);
    return status;
}

/* A thread takes one page after another. */
static hanse_status make_pages(void *context, size_t thread, hanse_error *error)
{
    making *job = context;
    const hanse_partitions *parts = job->rows->f.list.parts;
    maker m;
    (void)thread;
    hanse_status status = maker_init(&m, job->rows, error);
    while (status == HANSE_OK && !atomic_load(&job->has_failed)) {
        const size_t page = atomic_fetch_add(&job->next_page, 1);
        if (page >= parts->n_pages)
            break;
        status = make_page(job, &m, page, error);
    }
    if (status != HANSE_OK)
        atomic_store(&job->has_failed, true);
    maker_clear(&m);
    return status;
}

hanse_status hanse_deferred_make(struct hanse_deferred_rows *rows,
                                 hanse_take_rows *take, void *context,
                                 hanse_error *error)
{
    making job = {.rows = rows, .take = take, .context = context};
    return hanse_parallel_for(rows->f.n_threads, rows->f.n_threads, make_pages,
                              &job, error);
}

/* ---- Tables ------------------------------------------------------------- */

static hanse_status copy_rows(void *context, uint64_t first_row, size_t n,
                              const void *const *values, hanse_error *error)
{
    const hanse_owned_table *table = context;
    (void)error;
    for (size_t c = 0; c < table->n_columns; c++) {
        const size_t size_bytes = hanse_type_size(table->columns[c].type);
        memcpy((char *)table->values[c].memory + first_row * size_bytes,
               values[c], n * size_bytes);
    }
    return HANSE_OK;
}

/* States of a table with deferred rows stay until it is written: groupings that
 * are finished after it must not lack their memory. A table without rows has
 * none to defer. */
static bool may_defer(const hanse_finishing *f, const hanse_shared *shared,
                      size_t grouping)
{
    const hanse_budget *budget = shared->budget;
    bool is_last = true;
    for (size_t g = grouping + 1; g < f->plan->n_groupings; g++)
        is_last = is_last && atomic_load(&shared->partitions[g]) == NULL;
    return shared->defers_rows && f->list.n != 0 &&
           (is_last || budget->limit_bytes == 0 ||
            atomic_load(&budget->used_bytes) <= budget->limit_bytes / 2);
}

hanse_status hanse_finish_page_by_page(hanse_finishing *f, hanse_shared *shared,
                                       size_t grouping, hanse_result *result,
                                       hanse_error *error)
{
    const bool defers = may_defer(f, shared, grouping);
    struct hanse_deferred_rows *rows;
    hanse_finish_choose_types(f);
    HANSE_TRY(hanse_finish_make_table(f, result, !defers, error));
    HANSE_TRY(defer(f, &rows, error));
    atomic_store(&shared->partitions[grouping], NULL);
    if (defers) {
        f->table->view.deferred = rows;
        return HANSE_OK;
    }
    const hanse_status status =
        hanse_deferred_make(rows, copy_rows, f->table, error);
    hanse_deferred_destroy(rows);
    return status;
}
