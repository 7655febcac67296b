/* SPDX-License-Identifier: Apache-2.0
 *
 * Key columns of result tables. Rows are gathered by windows. The texts of a
 * text key are copied once, as they are in its map; rows point into the copy.
 */
#include <string.h>

#include "engine/finish.h"
#include "engine/result.h"

const hanse_plan_grouping *hanse_finish_grouping(const hanse_finishing *f)
{
    return &f->plan->groupings[f->list.grouping];
}

const hanse_plan_key *hanse_finish_key(const hanse_finishing *f,
                                       size_t position)
{
    return &f->plan->keys[hanse_finish_grouping(f)->keys[position]];
}

/* ---- Types of key columns ----------------------------------------------- */

static bool is_text_key(const hanse_plan_key *key)
{
    return key->type == HANSE_TEXT || key->n_labels != 0;
}

/* Whether any row's number at a position is a uint64 beyond int64. */
static bool any_beyond_int64(const hanse_finishing *f, size_t position)
{
    int64_t numbers[HANSE_GROUP_KEYS_MAX];
    for (size_t r = 0; r < f->list.n; r++) {
        (void)hanse_group_list_numbers(&f->list, r, numbers);
        if (numbers[position] < 0)
            return true;
    }
    return false;
}

/* Results hold no unsigned integers unless a value needs all 64 bits: some
 * readers have none (docs/results.md). */
hanse_type hanse_finish_key_type(const hanse_finishing *f, size_t position)
{
    const hanse_plan_key *key = hanse_finish_key(f, position);
    if (is_text_key(key))
        return HANSE_TEXT;
    switch (key->type) {
    case HANSE_UINT8:
        return HANSE_INT16;
    case HANSE_UINT16:
        return HANSE_INT32;
    case HANSE_UINT32:
        return HANSE_INT64;
    case HANSE_BOOL:
        return HANSE_INT8;
    case HANSE_UINT64:
        return any_beyond_int64(f, position) ? HANSE_UINT64 : HANSE_INT64;
    default:
        return key->type;
    }
}

bool hanse_finish_any_missing(const hanse_finishing *f, size_t position)
{
    int64_t numbers[HANSE_GROUP_KEYS_MAX];
    if (f->plan->drop_missing_keys ||
        (f->list.parts != NULL &&
         !atomic_load(&f->list.parts->any_missing[position])))
        return false;
    for (size_t r = 0; r < f->list.n; r++)
        if ((hanse_group_list_numbers(&f->list, r, numbers) >> position & 1) !=
            0)
            return true;
    return false;
}

/* ---- Windows ------------------------------------------------------------ */

typedef struct window {
    size_t first;
    size_t n;
    int64_t numbers[HANSE_FINISH_WINDOW * HANSE_GROUP_KEYS_MAX];
    uint32_t masks[HANSE_FINISH_WINDOW];
} window;

/* Rows first to end - 1, at most a window. */
static void read_window(const hanse_finishing *f, size_t first, size_t end,
                        window *w)
{
    size_t rows[HANSE_FINISH_WINDOW];
    w->first = first;
    w->n =
        end - first < HANSE_FINISH_WINDOW ? end - first : HANSE_FINISH_WINDOW;
    for (size_t i = 0; i < w->n; i++)
        rows[i] = first + i;
    hanse_group_list_gather(&f->list, rows, w->n, w->numbers, w->masks);
}

static bool lacks(const window *w, size_t i, size_t position)
{
    return (w->masks[i] >> position & 1) != 0;
}

/* ---- Filling ------------------------------------------------------------ */

/* A column of integers from every `step`th number. Inlined with the type. */
#define STORE(type)                \
    for (size_t i = 0; i < n; i++) \
    ((type *)values)[first + i] = (type)numbers[i * step]

static void store_integers(void *values, hanse_type type, size_t first,
                           const int64_t *numbers, size_t step, size_t n)
{
    switch (type) {
    case HANSE_INT8:
        STORE(int8_t);
        break;
    case HANSE_INT16:
        STORE(int16_t);
        break;
    case HANSE_INT32:
        STORE(int32_t);
        break;
    default:
        STORE(int64_t);
        break;
    }
}

static void fill_integers(const hanse_finishing *f, size_t position, window *w)
{
    const size_t n_keys = f->list.n_keys;
    int64_t *numbers = w->numbers + position;
    for (size_t i = 0; f->missing[position] != NULL && i < w->n; i++)
        if (lacks(w, i, position))
            numbers[i * n_keys] = hanse_finish_key(f, position)->missing_code;
    store_integers(f->keys[position], f->key_types[position], w->first, numbers,
                   n_keys, w->n);
}

/* The copies stand one after another, each with a byte at its end. */
static void point_to_texts(const hanse_finishing *f, size_t position,
                           const window *w)
{
    const char **values = (const char **)f->keys[position] + w->first;
    const char *copies = f->texts[position];
    const uint64_t *starts = hanse_group_list_texts(&f->list, position)->starts;
    for (size_t i = 0; i < w->n; i++) {
        const size_t number = (size_t)w->numbers[i * f->list.n_keys + position];
        values[i] = lacks(w, i, position)
                        ? copies
                        : copies + 1 + starts[number] + number;
    }
}

void hanse_finish_fill_keys(const hanse_finishing *f, size_t first, size_t end)
{
    window w;
    for (size_t row = first; row < end; row += w.n) {
        read_window(f, row, end, &w);
        for (size_t k = 0; k < f->list.n_keys; k++) {
            for (size_t i = 0; f->missing[k] != NULL && i < w.n; i++)
                f->missing[k][row + i] = lacks(&w, i, k);
            if (f->key_types[k] != HANSE_TEXT)
                fill_integers(f, k, &w);
            else if (f->texts[k] != NULL)
                point_to_texts(f, k, &w);
        }
    }
}

/* ---- Texts -------------------------------------------------------------- */

static hanse_status copy_texts(hanse_finishing *f, size_t position,
                               hanse_error *error)
{
    const hanse_text_map *map = hanse_group_list_texts(&f->list, position);
    char *to;
    HANSE_TRY(hanse_result_add_texts(f->table, position,
                                     map->n_bytes + map->n + 1, &to, error));
    f->texts[position] = to;
    *to++ = '\0'; /* of rows without the key */
    for (size_t code = 0; code < map->n; code++) {
        size_t length;
        const char *text = hanse_text_map_text(map, code, &length);
        memcpy(to, text, length);
        to[length] = '\0';
        to += length + 1;
    }
    return HANSE_OK;
}

hanse_status hanse_finish_copy_texts(hanse_finishing *f, hanse_error *error)
{
    for (size_t k = 0; k < f->list.n_keys; k++)
        if (hanse_finish_key(f, k)->type == HANSE_TEXT)
            HANSE_TRY(copy_texts(f, k, error));
    return HANSE_OK;
}

/* Bytes of the labels of a key, with one after each. */
static size_t measure_labels(const hanse_finishing *f, size_t position)
{
    window w;
    char buffer[32];
    size_t length, size_bytes = 0;
    for (size_t row = 0; row < f->list.n; row += w.n) {
        read_window(f, row, f->list.n, &w);
        for (size_t i = 0; i < w.n; i++) {
            if (lacks(&w, i, position))
                continue;
            (void)hanse_group_list_text(
                &f->list, position, w.numbers[i * f->list.n_keys + position],
                buffer, &length);
            size_bytes += length + 1;
        }
    }
    return size_bytes;
}

/* Labels of a key, row by row in one piece, the missing one empty. */
static hanse_status fill_labels(hanse_finishing *f, size_t position,
                                hanse_error *error)
{
    const char **values = f->keys[position];
    window w;
    char buffer[32], *bytes;
    size_t length;
    HANSE_TRY(hanse_result_add_texts(
        f->table, position, measure_labels(f, position) + 1, &bytes, error));
    *bytes = '\0';
    char *end = bytes + 1;
    for (size_t row = 0; row < f->list.n; row += w.n) {
        read_window(f, row, f->list.n, &w);
        for (size_t i = 0; i < w.n; i++) {
            values[row + i] = bytes;
            if (lacks(&w, i, position))
                continue;
            const char *text = hanse_group_list_text(
                &f->list, position, w.numbers[i * f->list.n_keys + position],
                buffer, &length);
            memcpy(end, text, length);
            end[length] = '\0';
            values[row + i] = end;
            end += length + 1;
        }
    }
    return HANSE_OK;
}

hanse_status hanse_finish_fill_labels(hanse_finishing *f, hanse_error *error)
{
    for (size_t k = 0; k < f->list.n_keys; k++)
        if (f->key_types[k] == HANSE_TEXT && f->texts[k] == NULL)
            HANSE_TRY(fill_labels(f, k, error));
    return HANSE_OK;
}
