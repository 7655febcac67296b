/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys of a group become fields of a few bits each: the distance of a
 * number from the smallest one, the rank of a text, a mark of a missing key.
 * Packed into words, mostly a single one, they are sorted by radix; with
 * several words, by the last one first.
 */
#include "engine/group_order.h"

#include <stdlib.h>
#include <string.h>

#include "engine/parallel.h"
#include "engine/text_order.h"

enum {
    WINDOW = 256, /* rows gathered at a time */
    TASK_ROWS = 1 << 15,
    N_FIELDS = 2 * HANSE_GROUP_KEYS_MAX
};

static const uint64_t sign_bit = (uint64_t)1 << 63;

/* Smallest and largest number of a key, as unsigned in their order; none yet
 * while low > high. */
typedef struct limits {
    uint64_t low;
    uint64_t high;
} limits;

/* Numbers of a key whose values have labels, in rising order, and the ranks of
 * their texts. */
typedef struct label_ranks {
    hanse_sort_entry *sorted; /* number; index of the rank */
    uint32_t *ranks;
    size_t n;
} label_ranks;

/* How the numbers of a key are compared. */
typedef struct key_order {
    uint64_t flip;        /* makes the order of its numbers unsigned */
    limits limits;        /* of what is compared */
    uint32_t *text_ranks; /* [number]; NULL: no text */
    size_t n_texts;
    bool has_labels;
    label_ranks labels;
} key_order;

typedef struct field {
    size_t position; /* of the key */
    bool is_mark;    /* of missing ones */
    size_t word;
    unsigned shift;
} field;

typedef struct ordering {
    const hanse_group_list *list;
    hanse_sort_entry *entries;
    size_t n;
    size_t n_threads;
    key_order keys[HANSE_GROUP_KEYS_MAX];
    limits *limits; /* [task][position] */
    field fields[N_FIELDS];
    size_t n_fields;
    size_t word; /* being filled */
} ordering;

/* Numbers of some entries. */
typedef struct window {
    size_t n;
    int64_t numbers[WINDOW * HANSE_GROUP_KEYS_MAX];
    uint32_t masks[WINDOW];
} window;

static const hanse_plan_key *key_at(const hanse_partitions *parts,
                                    size_t position)
{
    return &parts->plan->keys[parts->keys[position]];
}

static bool is_text(const hanse_plan_key *key)
{
    return key->type == HANSE_TEXT;
}

static bool has_label_order(const hanse_plan_key *key)
{
    return !is_text(key) && key->n_labels != 0 && !key->by_code;
}

bool hanse_group_order_by_text(const hanse_partitions *parts, size_t position)
{
    const hanse_plan_key *key = key_at(parts, position);
    return is_text(key) || has_label_order(key);
}

static bool any_missing(const ordering *o, size_t position)
{
    return atomic_load(&o->list->parts->any_missing[position]);
}

/* ---- Reading ------------------------------------------------------------ */

/* Entries from `first` on, at most a window and none from `end` on. */
static void read_window(const ordering *o, size_t first, size_t end, window *w)
{
    size_t rows[WINDOW];
    w->n = end - first < WINDOW ? end - first : WINDOW;
    for (size_t i = 0; i < w->n; i++)
        rows[i] = o->entries[first + i].index;
    hanse_group_list_gather(o->list, rows, w->n, w->numbers, w->masks);
}

static size_t count_tasks(const ordering *o)
{
    return (o->n + TASK_ROWS - 1) / TASK_ROWS;
}

static size_t task_end(const ordering *o, size_t task)
{
    const size_t end = (task + 1) * TASK_ROWS;
    return end < o->n ? end : o->n;
}

/* ---- Limits of numbers -------------------------------------------------- */

static void widen_limits(const ordering *o, const window *w, size_t position,
                         limits *out)
{
    const size_t n_keys = o->list->n_keys;
    const uint64_t flip = o->keys[position].flip;
    for (size_t i = 0; i < w->n; i++) {
        if ((w->masks[i] >> position & 1) != 0)
            continue;
        const uint64_t x = (uint64_t)w->numbers[i * n_keys + position] ^ flip;
        out->low = x < out->low ? x : out->low;
        out->high = x > out->high ? x : out->high;
    }
}

static hanse_status limits_of_task(void *context, size_t task,
                                   hanse_error *error)
{
    const ordering *o = context;
    const size_t n_keys = o->list->n_keys;
    limits *out = o->limits + task * n_keys;
    window w;
    (void)error;
    for (size_t i = task * TASK_ROWS; i < task_end(o, task); i += w.n) {
        read_window(o, i, task_end(o, task), &w);
        for (size_t k = 0; k < n_keys; k++)
            if (!hanse_group_order_by_text(o->list->parts, k))
                widen_limits(o, &w, k, &out[k]);
    }
    return HANSE_OK;
}

static hanse_status find_limits(ordering *o, hanse_error *error)
{
    const size_t n_keys = o->list->n_keys, n_tasks = count_tasks(o);
    o->limits = calloc(n_tasks * n_keys + 1, sizeof *o->limits);
    if (o->limits == NULL)
        return hanse_fail_nomem(error, "order of groups", n_tasks);
    for (size_t i = 0; i < n_tasks * n_keys; i++)
        o->limits[i].low = UINT64_MAX;
    const hanse_status status =
        hanse_parallel_for(o->n_threads, n_tasks, limits_of_task, o, error);
    for (size_t i = 0; i < n_tasks * n_keys; i++) {
        limits *all = &o->keys[i % n_keys].limits;
        const limits *one = &o->limits[i];
        all->low = one->low < all->low ? one->low : all->low;
        all->high = one->high > all->high ? one->high : all->high;
    }
    free(o->limits);
    return status;
}

/* ---- Ranks of texts ----------------------------------------------------- */

static hanse_status rank_texts(ordering *o, size_t position, hanse_error *error)
{
    const hanse_group_list *list = o->list;
    key_order *key = &o->keys[position];
    const hanse_text_map *texts = hanse_group_list_texts(list, position);
    key->n_texts = texts->n + 1;
    key->text_ranks =
        hanse_allocate(list->budget, key->n_texts, sizeof *key->text_ranks);
    if (key->text_ranks == NULL)
        return hanse_fail_budget(error, list->budget, "order of groups",
                                 key->n_texts, sizeof *key->text_ranks);
    key->limits = (limits){0, texts->n};
    return hanse_text_map_rank(texts, list->budget, o->n_threads,
                               key->text_ranks, error);
}

/* The different numbers of a key. */
static hanse_status collect_numbers(const ordering *o, size_t position,
                                    hanse_int_map *map, hanse_error *error)
{
    window w;
    int64_t numbers[WINDOW];
    uint32_t codes[WINDOW];
    for (size_t i = 0; i < o->n; i += w.n) {
        size_t n = 0;
        read_window(o, i, o->n, &w);
        for (size_t j = 0; j < w.n; j++)
            if ((w.masks[j] >> position & 1) == 0)
                numbers[n++] = w.numbers[j * o->list->n_keys + position];
        HANSE_TRY(hanse_int_map_codes(map, numbers, n, codes, error));
    }
    return HANSE_OK;
}

static hanse_status rank_numbers(ordering *o, size_t position,
                                 const hanse_int_map *map, hanse_error *error)
{
    hanse_budget *budget = o->list->budget;
    label_ranks *labels = &o->keys[position].labels;
    const size_t n = map->n;
    hanse_ranked_text *texts = hanse_allocate(budget, n + 1, sizeof *texts);
    labels->sorted = hanse_allocate(budget, n + 1, 2 * sizeof *labels->sorted);
    labels->ranks = hanse_allocate(budget, n + 1, sizeof *labels->ranks);
    labels->n = n;
    if (texts == NULL || labels->sorted == NULL || labels->ranks == NULL) {
        hanse_free(budget, texts, n + 1, sizeof *texts);
        return hanse_fail_budget(error, budget, "order of groups", n + 1,
                                 sizeof *texts);
    }
    for (size_t code = 0; code < n; code++) {
        hanse_ranked_text *t = &texts[code];
        t->number = map->values[code];
        t->code = (uint32_t)code;
        t->text = hanse_group_list_text(o->list, position, t->number, t->buffer,
                                        &t->length);
        labels->sorted[code] =
            (hanse_sort_entry){(uint64_t)t->number, (uint32_t)code};
    }
    hanse_rank_texts(texts, n, labels->ranks);
    hanse_sort(labels->sorted, labels->sorted + n, n);
    hanse_free(budget, texts, n + 1, sizeof *texts);
    return HANSE_OK;
}

static hanse_status rank_labels(ordering *o, size_t position,
                                hanse_error *error)
{
    hanse_int_map map;
    hanse_int_map_init(&map, o->list->budget);
    hanse_status status = collect_numbers(o, position, &map, error);
    if (status == HANSE_OK)
        status = rank_numbers(o, position, &map, error);
    if (status == HANSE_OK)
        o->keys[position].limits = (limits){0, map.n};
    hanse_int_map_clear(&map);
    return status;
}

static uint32_t rank_of_label(const label_ranks *labels, int64_t number)
{
    size_t low = 0, high = labels->n;
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (labels->sorted[middle].key <= (uint64_t)number)
            low = middle;
        else
            high = middle;
    }
    return labels->ranks[labels->sorted[low].index];
}

/* ---- Keys --------------------------------------------------------------- */

static hanse_status init_keys(ordering *o, hanse_error *error)
{
    const hanse_partitions *parts = o->list->parts;
    bool any_numbers = false;
    for (size_t k = 0; k < o->list->n_keys; k++) {
        const hanse_plan_key *key = key_at(parts, k);
        o->keys[k].limits.low = UINT64_MAX;
        o->keys[k].has_labels = has_label_order(key);
        if (is_text(key)) {
            HANSE_TRY(rank_texts(o, k, error));
        } else if (has_label_order(key)) {
            HANSE_TRY(rank_labels(o, k, error));
        } else {
            o->keys[k].flip = key->type == HANSE_UINT64 ? 0 : sign_bit;
            any_numbers = true;
        }
    }
    return any_numbers ? find_limits(o, error) : HANSE_OK;
}

static void clear_keys(ordering *o)
{
    hanse_budget *budget = o->list->budget;
    for (size_t k = 0; k < o->list->n_keys; k++) {
        key_order *key = &o->keys[k];
        hanse_free(budget, key->text_ranks, key->n_texts,
                   sizeof *key->text_ranks);
        hanse_free(budget, key->labels.sorted, key->labels.n + 1,
                   2 * sizeof *key->labels.sorted);
        hanse_free(budget, key->labels.ranks, key->labels.n + 1,
                   sizeof *key->labels.ranks);
    }
}

/* ---- Fields ------------------------------------------------------------- */

/* The next field, above those that there are; one of 0 bits is left out. */
static void add_field(ordering *o, size_t position, bool is_mark, uint64_t most,
                      unsigned *n_used)
{
    const unsigned n_bits =
        most == 0 ? 0 : 64 - (unsigned)__builtin_clzll(most);
    if (n_bits == 0)
        return;
    if (*n_used + n_bits > 64) {
        o->word++;
        *n_used = 0;
    }
    o->fields[o->n_fields++] = (field){position, is_mark, o->word, *n_used};
    *n_used += n_bits;
}

/* The last key is lowest; a missing one is above all numbers. */
static size_t lay_out_fields(ordering *o)
{
    unsigned n_used = 0;
    for (size_t k = o->list->n_keys; k-- > 0;) {
        const limits *l = &o->keys[k].limits;
        add_field(o, k, false, l->high > l->low ? l->high - l->low : 0,
                  &n_used);
        add_field(o, k, true, any_missing(o, k), &n_used);
    }
    return o->word + 1;
}

static uint64_t field_value(const key_order *key, int64_t number)
{
    if (key->text_ranks != NULL)
        return key->text_ranks[number];
    if (key->has_labels)
        return rank_of_label(&key->labels, number);
    return ((uint64_t)number ^ key->flip) - key->limits.low;
}

static void fill_field(const ordering *o, const field *f, const window *w,
                       hanse_sort_entry *entries)
{
    const size_t n_keys = o->list->n_keys;
    const key_order *key = &o->keys[f->position];
    for (size_t i = 0; i < w->n; i++) {
        const bool is_missing = (w->masks[i] >> f->position & 1) != 0;
        const uint64_t value =
            f->is_mark ? is_missing
            : is_missing
                ? 0
                : field_value(key, w->numbers[i * n_keys + f->position]);
        entries[i].key |= value << f->shift;
    }
}

static hanse_status fill_task(void *context, size_t task, hanse_error *error)
{
    const ordering *o = context;
    window w;
    (void)error;
    for (size_t i = task * TASK_ROWS; i < task_end(o, task); i += w.n) {
        read_window(o, i, task_end(o, task), &w);
        for (size_t j = 0; j < w.n; j++)
            o->entries[i + j].key = 0;
        for (size_t f = 0; f < o->n_fields; f++)
            if (o->fields[f].word == o->word)
                fill_field(o, &o->fields[f], &w, o->entries + i);
    }
    return HANSE_OK;
}

hanse_status hanse_group_order_sort(const hanse_group_list *list,
                                    hanse_sort_entry *entries, size_t n,
                                    size_t n_threads, hanse_error *error)
{
    ordering o = {
        .list = list, .entries = entries, .n = n, .n_threads = n_threads};
    hanse_status status = init_keys(&o, error);
    const size_t n_words = status == HANSE_OK ? lay_out_fields(&o) : 0;
    for (o.word = 0; status == HANSE_OK && o.word < n_words; o.word++) {
        status = hanse_parallel_for(n_threads, count_tasks(&o), fill_task, &o,
                                    error);
        hanse_sort_parallel(entries, entries + n, n, n_threads);
    }
    clear_keys(&o);
    return status;
}
