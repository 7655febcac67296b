/* SPDX-License-Identifier: Apache-2.0
 *
 * The index. Integers in a narrow range are looked up in a table indexed by the
 * id, other integers and texts in a hash table of row numbers that all threads
 * fill at a time: a slot is taken by exchanging "none" for a row number, so no
 * row is lost, and which of two equal ids comes second is the only thing that
 * depends on the order.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/seed.h"
#include "engine/integers.h"
#include "engine/models/row_ids_state.h"
#include "engine/parallel.h"

enum {
    TASK_ROWS = 1 << 16,  /* a multiple of HANSE_ID_BLOCK */
    SLOTS_PER_ROW = 2,    /* of the hash table; with 1.5 a third slower */
    RANGE_PER_ROW = 4,    /* numbers of a range table for each row ... */
    RANGE_SMALL = 1 << 16 /* ... and these in any case */
};

/* ---- Life --------------------------------------------------------------- */

void hanse_row_ids_destroy(hanse_row_ids *ids)
{
    if (ids == NULL)
        return;
    hanse_budget *budget = ids->budget;
    text_block *block = atomic_load(&ids->blocks);
    while (block != NULL) {
        text_block *next = block->next;
        hanse_free(budget, block, block->size_bytes, 1);
        block = next;
    }
    hanse_free(budget, ids->missing, ids->n_rows, sizeof *ids->missing);
    hanse_free(budget, ids->numbers, ids->n_rows, sizeof *ids->numbers);
    hanse_free(budget, ids->texts, ids->n_rows, sizeof *ids->texts);
    hanse_free(budget, ids->range, ids->n_range, sizeof *ids->range);
    hanse_free(budget, ids->slots, ids->n_slots, sizeof *ids->slots);
    free(ids->name);
    free(ids);
}

static hanse_status fail_memory(const hanse_row_ids *ids, hanse_error *error)
{
    return hanse_fail_budget(error, ids->budget, "ids of rows", ids->n_rows,
                             is_text(ids) ? sizeof *ids->texts
                                          : sizeof *ids->numbers);
}

hanse_status hanse_row_ids_create(const hanse_field *field, size_t n_rows,
                                  hanse_budget *budget, hanse_row_ids **out,
                                  hanse_error *error)
{
    if (field->type != HANSE_TEXT && !is_integer(field))
        return hanse_fail(error, HANSE_ERR_TYPE,
                          "the column '%s' has type %s%s; ids are integers or "
                          "texts",
                          field->name, hanse_type_name(field->type),
                          field->n_labels != 0 ? " with labels" : "");
    if (n_rows >= HANSE_NO_ROW)
        return hanse_fail(error, HANSE_ERR_LIMIT,
                          "ids of %zu rows, the most is %u", n_rows,
                          HANSE_NO_ROW - 1);
    hanse_row_ids *ids = calloc(1, sizeof *ids);
    if (ids == NULL)
        return hanse_fail_nomem(error, "ids of rows", sizeof *ids);
    ids->budget = budget;
    ids->type = field->type;
    ids->n_rows = n_rows;
    ids->seeds[0] = hanse_hash_seed();
    ids->seeds[1] = hanse_hash_seed();
    ids->name = hanse_text_copy(field->name);
    ids->missing = hanse_allocate_zero(budget, n_rows, sizeof *ids->missing);
    if (is_text(ids))
        ids->texts = hanse_allocate(budget, n_rows, sizeof *ids->texts);
    else
        ids->numbers = hanse_allocate(budget, n_rows, sizeof *ids->numbers);
    if (ids->name == NULL || ids->missing == NULL ||
        (ids->texts == NULL && ids->numbers == NULL)) {
        const hanse_status status = fail_memory(ids, error);
        hanse_row_ids_destroy(ids);
        return status;
    }
    *out = ids;
    return HANSE_OK;
}

static hanse_status add_texts(hanse_row_ids *ids, const hanse_array *array,
                              uint64_t first_row, size_t n, hanse_error *error)
{
    const int32_t begin = array->offsets[0];
    const size_t n_bytes = (size_t)(array->offsets[n] - begin);
    const size_t size_bytes = sizeof(text_block) + n_bytes;
    text_block *block = hanse_allocate(ids->budget, size_bytes, 1);
    if (block == NULL)
        return hanse_fail_budget(error, ids->budget, "ids of rows", size_bytes,
                                 1);
    if (n_bytes != 0)
        memcpy(block->bytes, (const char *)array->values + begin, n_bytes);
    block->size_bytes = size_bytes;
    block->next = atomic_load(&ids->blocks);
    while (!atomic_compare_exchange_weak(&ids->blocks, &block->next, block)) {
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t hash;
        text_id id = text_at(ids, array->values, array->offsets, i, &hash);
        id.text = block->bytes + (array->offsets[i] - begin);
        ids->texts[first_row + i] = id;
    }
    return HANSE_OK;
}

hanse_status hanse_row_ids_add(hanse_row_ids *ids, const hanse_array *array,
                               uint64_t first_row, size_t n, hanse_error *error)
{
    if (n == 0)
        return HANSE_OK;
    if (array->missing != NULL)
        memcpy(ids->missing + first_row, array->missing, n);
    if (is_text(ids))
        return add_texts(ids, array, first_row, n, error);
    hanse_gather_integers(ids->type, array->values, 0, NULL, n,
                          ids->numbers + first_row);
    return HANSE_OK;
}

/* ---- Hash table --------------------------------------------------------- */

static bool rows_equal(const hanse_row_ids *ids, uint32_t a, uint32_t b)
{
    return is_text(ids) ? texts_equal(&ids->texts[a], &ids->texts[b])
                        : ids->numbers[a] == ids->numbers[b];
}

/* Order in which repeated ids are named. */
static int compare_rows(const hanse_row_ids *ids, uint32_t a, uint32_t b)
{
    if (is_text(ids)) {
        const text_id *x = &ids->texts[a], *y = &ids->texts[b];
        const int order = memcmp(x->text, y->text,
                                 x->length < y->length ? x->length : y->length);
        return order != 0 ? order
                          : (x->length > y->length) - (x->length < y->length);
    }
    const int64_t x = ids->numbers[a], y = ids->numbers[b];
    if (ids->type == HANSE_UINT64)
        return ((uint64_t)x > (uint64_t)y) - ((uint64_t)x < (uint64_t)y);
    return (x > y) - (x < y);
}

/* False when a row with the same id is there already. Keys are looked at only
 * when all rows have their places. */
static bool insert(const hanse_row_ids *ids, size_t at, uint64_t key,
                   uint32_t row)
{
    for (;;) {
        id_slot *slot = &ids->slots[at];
        uint32_t there = atomic_load_explicit(&slot->row, memory_order_relaxed);
        if (there == HANSE_NO_ROW &&
            atomic_compare_exchange_strong_explicit(&slot->row, &there, row,
                                                    memory_order_relaxed,
                                                    memory_order_relaxed)) {
            slot->key = key;
            return true;
        }
        if (rows_equal(ids, there, row))
            return false;
        at = at + 1 == ids->n_slots ? 0 : at + 1;
    }
}

/* ---- Making the index --------------------------------------------------- */

/* What a task has found. */
typedef struct part {
    int64_t low, high; /* numbers, with the sign of uint64 turned */
    uint32_t repeated; /* a row whose id another has, HANSE_NO_ROW: none */
    bool is_empty;
} part;

typedef struct indexing {
    hanse_row_ids *ids;
    part *parts; /* [task] */
} indexing;

static inline int64_t ordered(const hanse_row_ids *ids, int64_t number)
{
    return ids->type == HANSE_UINT64 ? number ^ INT64_MIN : number;
}

static size_t rows_end(const hanse_row_ids *ids, size_t task)
{
    const size_t end = (task + 1) * TASK_ROWS;
    return end < ids->n_rows ? end : ids->n_rows;
}

static hanse_status find_range(void *context, size_t task, hanse_error *error)
{
    const indexing *x = context;
    const hanse_row_ids *ids = x->ids;
    part *p = &x->parts[task];
    (void)error;
    *p = (part){INT64_MAX, INT64_MIN, HANSE_NO_ROW, true};
    for (size_t row = task * TASK_ROWS; row < rows_end(ids, task); row++) {
        if (ids->missing[row] != 0)
            continue;
        const int64_t number = ordered(ids, ids->numbers[row]);
        p->low = number < p->low ? number : p->low;
        p->high = number > p->high ? number : p->high;
        p->is_empty = false;
    }
    return HANSE_OK;
}

static void note_repeated(const hanse_row_ids *ids, part *p, uint32_t row)
{
    if (p->repeated == HANSE_NO_ROW || compare_rows(ids, row, p->repeated) < 0)
        p->repeated = row;
}

static hanse_status fill_range(void *context, size_t task, hanse_error *error)
{
    const indexing *x = context;
    const hanse_row_ids *ids = x->ids;
    (void)error;
    for (size_t row = task * TASK_ROWS; row < rows_end(ids, task); row++) {
        if (ids->missing[row] != 0)
            continue;
        _Atomic uint32_t *place =
            (_Atomic uint32_t *)&ids
                ->range[(uint64_t)ids->numbers[row] - (uint64_t)ids->base];
        if (atomic_exchange_explicit(place, (uint32_t)row,
                                     memory_order_relaxed) != HANSE_NO_ROW)
            note_repeated(ids, &x->parts[task], (uint32_t)row);
    }
    return HANSE_OK;
}

static hanse_status fill_slots(void *context, size_t task, hanse_error *error)
{
    const indexing *x = context;
    const hanse_row_ids *ids = x->ids;
    size_t slots[HANSE_ID_BLOCK];
    uint64_t keys[HANSE_ID_BLOCK];
    (void)error;
    x->parts[task].repeated = HANSE_NO_ROW;
    for (size_t first = task * TASK_ROWS; first < rows_end(ids, task);
         first += HANSE_ID_BLOCK) {
        const size_t left = rows_end(ids, task) - first;
        const size_t n = left < HANSE_ID_BLOCK ? left : HANSE_ID_BLOCK;
        for (size_t i = 0; i < n; i++) {
            const size_t row = first + i;
            uint64_t hash;
            if (is_text(ids)) {
                hash = hash_text(ids, ids->texts[row].text,
                                 ids->texts[row].length);
                keys[i] = hash;
            } else {
                hash = hash_number(ids, ids->numbers[row]);
                keys[i] = (uint64_t)ids->numbers[row];
            }
            slots[i] = slot_of(ids, hash);
            __builtin_prefetch(&ids->slots[slots[i]], 1);
        }
        for (size_t i = 0; i < n; i++)
            if (ids->missing[first + i] == 0 &&
                !insert(ids, slots[i], keys[i], (uint32_t)(first + i)))
                note_repeated(ids, &x->parts[task], (uint32_t)(first + i));
    }
    return HANSE_OK;
}

static hanse_status clear_slots(void *context, size_t task, hanse_error *error)
{
    const indexing *x = context;
    const hanse_row_ids *ids = x->ids;
    const size_t end = (task + 1) * TASK_ROWS;
    (void)error;
    for (size_t i = task * TASK_ROWS; i < end && i < ids->n_slots; i++)
        atomic_store_explicit(&ids->slots[i].row, HANSE_NO_ROW,
                              memory_order_relaxed);
    return HANSE_OK;
}

/* Whether a range table pays, and its extent; the parts are known. */
static bool range_pays(hanse_row_ids *ids, const part *parts, size_t n_tasks)
{
    int64_t low = INT64_MAX, high = INT64_MIN;
    for (size_t t = 0; t < n_tasks; t++) {
        if (parts[t].is_empty)
            continue;
        low = parts[t].low < low ? parts[t].low : low;
        high = parts[t].high > high ? parts[t].high : high;
    }
    if (low > high)
        return false;
    const uint64_t span = (uint64_t)high - (uint64_t)low;
    if (span >= RANGE_PER_ROW * (uint64_t)ids->n_rows + RANGE_SMALL)
        return false;
    ids->base = ordered(ids, low);
    ids->n_range = (size_t)span + 1;
    return true;
}

static void id_text(const hanse_row_ids *ids, size_t row, char *out,
                    size_t size)
{
    if (is_text(ids))
        (void)snprintf(out, size, "'%.*s'", (int)ids->texts[row].length,
                       ids->texts[row].text);
    else if (ids->type == HANSE_UINT64)
        (void)snprintf(out, size, "%" PRIu64, (uint64_t)ids->numbers[row]);
    else
        (void)snprintf(out, size, "%" PRId64, ids->numbers[row]);
}

static hanse_status fail_repeated(const hanse_row_ids *ids, uint32_t row,
                                  hanse_error *error)
{
    char id[160];
    size_t rows[2] = {0};
    size_t n = 0;
    for (size_t i = 0; i < ids->n_rows && n < 2; i++)
        if (ids->missing[i] == 0 && rows_equal(ids, (uint32_t)i, row))
            rows[n++] = i;
    id_text(ids, row, id, sizeof id);
    return hanse_fail(error, HANSE_ERR_FORMAT,
                      "the rows %zu and %zu have the same id, %s, in the "
                      "column '%s'; links need ids that occur once",
                      rows[0], rows[1], id, ids->name);
}

static hanse_status fill(indexing *x, size_t n_tasks, size_t n_threads,
                         hanse_error *error)
{
    hanse_row_ids *ids = x->ids;
    if (!is_text(ids)) {
        HANSE_TRY(hanse_parallel_for(n_threads, n_tasks, find_range, x, error));
        if (range_pays(ids, x->parts, n_tasks)) {
            ids->range =
                hanse_allocate(ids->budget, ids->n_range, sizeof *ids->range);
            if (ids->range == NULL)
                return fail_memory(ids, error);
            memset(ids->range, 0xff, ids->n_range * sizeof *ids->range);
            return hanse_parallel_for(n_threads, n_tasks, fill_range, x, error);
        }
    }
    ids->n_slots = SLOTS_PER_ROW * ids->n_rows + 1;
    ids->slots = hanse_allocate(ids->budget, ids->n_slots, sizeof *ids->slots);
    if (ids->slots == NULL)
        return fail_memory(ids, error);
    HANSE_TRY(hanse_parallel_for(n_threads, ids->n_slots / TASK_ROWS + 1,
                                 clear_slots, x, error));
    return hanse_parallel_for(n_threads, n_tasks, fill_slots, x, error);
}

hanse_status hanse_row_ids_finish(hanse_row_ids *ids, size_t n_threads,
                                  hanse_error *error)
{
    const size_t n_tasks = (ids->n_rows + TASK_ROWS - 1) / TASK_ROWS;
    indexing x = {ids, calloc(n_tasks + 1, sizeof *x.parts)};
    if (x.parts == NULL)
        return hanse_fail_nomem(error, "ids of rows", n_tasks);
    hanse_status status = fill(&x, n_tasks, n_threads, error);
    part all = {.repeated = HANSE_NO_ROW};
    for (size_t t = 0; status == HANSE_OK && t < n_tasks; t++)
        if (x.parts[t].repeated != HANSE_NO_ROW)
            note_repeated(ids, &all, x.parts[t].repeated);
    free(x.parts);
    if (status == HANSE_OK && all.repeated != HANSE_NO_ROW)
        return fail_repeated(ids, all.repeated, error);
    if (status == HANSE_OK) {
        hanse_free(ids->budget, ids->numbers, ids->n_rows,
                   sizeof *ids->numbers);
        ids->numbers = NULL;
    }
    return status;
}

uint64_t hanse_row_ids_bytes(size_t n_rows, bool is_text_id)
{
    const uint64_t n = n_rows;
    const uint64_t id = is_text_id ? sizeof(text_id) : sizeof(int64_t);
    const uint64_t slots = (SLOTS_PER_ROW * n + 1) * sizeof(id_slot);
    const uint64_t range = (RANGE_PER_ROW * n + RANGE_SMALL) * sizeof(uint32_t);
    return n * (1 + id) + (is_text_id || slots > range ? slots : range) +
           5 * HANSE_ALIGNMENT;
}
