/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking up ends of links, block by block: all places of a block are on their
 * way from memory before the first is looked at.
 */
#include <inttypes.h>
#include <stdio.h>

#include "engine/integers.h"
#include "engine/models/row_ids_state.h"

enum {
    AHEAD = 32 /* ids whose slots are on their way */
};

hanse_status hanse_row_ids_accept(const hanse_row_ids *ids,
                                  const hanse_field *field, hanse_error *error)
{
    if (ids == NULL && !is_integer(field))
        return hanse_fail(error, HANSE_ERR_TYPE,
                          "the column '%s' has type %s%s; row numbers are "
                          "integers",
                          field->name, hanse_type_name(field->type),
                          field->n_labels != 0 ? " with labels" : "");
    if (ids != NULL &&
        (is_text(ids) ? field->type != HANSE_TEXT : !is_integer(field)))
        return hanse_fail(error, HANSE_ERR_TYPE,
                          "the column '%s' has type %s%s, the ids in the "
                          "column '%s' are of type %s",
                          field->name, hanse_type_name(field->type),
                          field->n_labels != 0 ? " with labels" : "", ids->name,
                          hanse_type_name(ids->type));
    return HANSE_OK;
}

static void note_bad(const hanse_ends *ends, size_t i, hanse_bad_end *bad)
{
    const uint64_t link = ends->first_link + i;
    if (link >= bad->link)
        return;
    *bad = (hanse_bad_end){.link = link, .role = ends->role};
    if (ends->array->missing != NULL && ends->array->missing[i] != 0) {
        bad->is_missing = true;
    } else if (ends->type == HANSE_TEXT) {
        const int32_t *offsets = ends->array->offsets + i;
        (void)snprintf(bad->id, sizeof bad->id, "'%.*s'",
                       (int)(offsets[1] - offsets[0]),
                       ends->array->values == NULL
                           ? ""
                           : (const char *)ends->array->values + offsets[0]);
    } else {
        int64_t number;
        hanse_gather_integers(ends->type, ends->array->values, i, NULL, 1,
                              &number);
        if (ends->type == HANSE_UINT64)
            (void)snprintf(bad->id, sizeof bad->id, "%" PRIu64,
                           (uint64_t)number);
        else
            (void)snprintf(bad->id, sizeof bad->id, "%" PRId64, number);
    }
}

/* Whether an integer of the other type can be a number of the ids' type. */
static inline bool is_common(hanse_type ids, hanse_type ends, int64_t number)
{
    return number >= 0 || (ids == HANSE_UINT64) == (ends == HANSE_UINT64);
}

/* A block of ends being looked up. */
typedef struct lookup {
    size_t n;
    int64_t numbers[HANSE_ID_BLOCK];
    text_id texts[HANSE_ID_BLOCK];
    uint64_t hashes[HANSE_ID_BLOCK]; /* of texts */
    size_t slots[HANSE_ID_BLOCK];
    uint32_t *rows;
} lookup;

static void find_in_range(const hanse_row_ids *ids, hanse_type type, lookup *l)
{
    for (size_t i = 0; i < l->n; i++) {
        const uint64_t index = (uint64_t)l->numbers[i] - (uint64_t)ids->base;
        l->slots[i] =
            index < ids->n_range && is_common(ids->type, type, l->numbers[i])
                ? (size_t)index
                : SIZE_MAX;
        if (l->slots[i] != SIZE_MAX)
            __builtin_prefetch(&ids->range[l->slots[i]]);
    }
    for (size_t i = 0; i < l->n; i++)
        l->rows[i] =
            l->slots[i] == SIZE_MAX ? HANSE_NO_ROW : ids->range[l->slots[i]];
}

/* The slot from `at` on that has the key, or a free one. */
static inline size_t find_key(const hanse_row_ids *ids, size_t at, uint64_t key,
                              uint32_t *row)
{
    while ((*row = atomic_load_explicit(
                &ids->slots[at].row, memory_order_relaxed)) != HANSE_NO_ROW &&
           ids->slots[at].key != key)
        at = at + 1 == ids->n_slots ? 0 : at + 1;
    return at;
}

static void find_numbers(const hanse_row_ids *ids, hanse_type type, lookup *l)
{
    for (size_t i = 0; i < l->n; i++) {
        if (i + AHEAD < l->n)
            __builtin_prefetch(&ids->slots[l->slots[i + AHEAD]]);
        (void)find_key(ids, l->slots[i], (uint64_t)l->numbers[i], &l->rows[i]);
        if (!is_common(ids->type, type, l->numbers[i]))
            l->rows[i] = HANSE_NO_ROW;
    }
}

/* Hashes that are equal are looked into. */
static void find_texts(const hanse_row_ids *ids, lookup *l)
{
    for (size_t i = 0; i < l->n; i++) {
        if (i + AHEAD < l->n)
            __builtin_prefetch(&ids->slots[l->slots[i + AHEAD]]);
        l->slots[i] = find_key(ids, l->slots[i], l->hashes[i], &l->rows[i]);
        if (l->rows[i] != HANSE_NO_ROW)
            __builtin_prefetch(&ids->texts[l->rows[i]]);
    }
    for (size_t i = 0; i < l->n; i++)
        while (l->rows[i] != HANSE_NO_ROW &&
               !texts_equal(&ids->texts[l->rows[i]], &l->texts[i]))
            l->slots[i] = find_key(
                ids, l->slots[i] + 1 == ids->n_slots ? 0 : l->slots[i] + 1,
                l->hashes[i], &l->rows[i]);
}

static void find_block(const hanse_row_ids *ids, const hanse_ends *ends,
                       size_t first, lookup *l)
{
    if (!is_text(ids))
        hanse_gather_integers(ends->type, ends->array->values, first, NULL,
                              l->n, l->numbers);
    if (ids->range != NULL) {
        find_in_range(ids, ends->type, l);
        return;
    }
    for (size_t i = 0; i < l->n; i++) {
        uint64_t hash;
        if (is_text(ids)) {
            l->texts[i] = text_at(ids, ends->array->values,
                                  ends->array->offsets, first + i, &hash);
            l->hashes[i] = hash;
        } else {
            hash = hash_number(ids, l->numbers[i]);
        }
        l->slots[i] = slot_of(ids, hash);
        if (i < AHEAD)
            __builtin_prefetch(&ids->slots[l->slots[i]]);
    }
    if (is_text(ids))
        find_texts(ids, l);
    else
        find_numbers(ids, ends->type, l);
}

static void drop_missing(const hanse_ends *ends, size_t first, const lookup *l)
{
    for (size_t i = 0; ends->array->missing != NULL && i < l->n; i++)
        if (ends->array->missing[first + i] != 0)
            l->rows[i] = HANSE_NO_ROW;
}

void hanse_row_ids_find(const hanse_row_ids *ids, const hanse_ends *ends,
                        uint32_t *rows, hanse_bad_end *bad)
{
    lookup l;
    for (size_t first = 0; first < ends->n; first += HANSE_ID_BLOCK) {
        const size_t left = ends->n - first;
        l.n = left < HANSE_ID_BLOCK ? left : HANSE_ID_BLOCK;
        l.rows = rows + first;
        find_block(ids, ends, first, &l);
        drop_missing(ends, first, &l);
        for (size_t i = 0; i < l.n; i++)
            if (l.rows[i] == HANSE_NO_ROW)
                note_bad(ends, first + i, bad);
    }
}

void hanse_row_numbers_find(size_t n_rows, const hanse_ends *ends,
                            uint32_t *rows, hanse_bad_end *bad)
{
    lookup l;
    for (size_t first = 0; first < ends->n; first += HANSE_ID_BLOCK) {
        const size_t left = ends->n - first;
        l.n = left < HANSE_ID_BLOCK ? left : HANSE_ID_BLOCK;
        l.rows = rows + first;
        hanse_gather_integers(ends->type, ends->array->values, first, NULL, l.n,
                              l.numbers);
        for (size_t i = 0; i < l.n; i++)
            l.rows[i] = (uint64_t)l.numbers[i] < n_rows ? (uint32_t)l.numbers[i]
                                                        : HANSE_NO_ROW;
        drop_missing(ends, first, &l);
        for (size_t i = 0; i < l.n; i++)
            if (l.rows[i] == HANSE_NO_ROW)
                note_bad(ends, first + i, bad);
    }
}

void hanse_bad_end_merge(hanse_bad_end *bad, const hanse_bad_end *other)
{
    if (other->link < bad->link)
        *bad = *other;
}

hanse_status hanse_bad_end_report(const hanse_bad_end *bad,
                                  const hanse_row_ids *ids, size_t n_rows,
                                  hanse_error *error)
{
    if (bad->link == UINT64_MAX)
        return HANSE_OK;
    if (bad->is_missing)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "link %" PRIu64 " (from 0) has no %s: the value is "
                          "missing",
                          bad->link, bad->role);
    if (ids == NULL)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "link %" PRIu64 " (from 0): its %s is row %s, but "
                          "the table has %zu rows, numbered from 0",
                          bad->link, bad->role, bad->id, n_rows);
    return hanse_fail(error, HANSE_ERR_FORMAT,
                      "link %" PRIu64 " (from 0): its %s is %s, an id that no "
                      "row has in the column '%s'",
                      bad->link, bad->role, bad->id, ids->name);
}
