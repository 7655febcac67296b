/* SPDX-License-Identifier: Apache-2.0
 *
 * The largest values of a group and the enterprises that they belong to: a
 * short list for each group, largest first. Of equal values the smaller id
 * comes first (a missing one last), then the smaller row number, so that the
 * list does not depend on the order in which rows come.
 *
 * An id is an integer, the number of the row, or a text. Texts are copied
 * when their row enters a list, and cleared away when most have left.
 */
#include "engine/extras.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/key_map.h"

enum {
    SPARE_TEXTS = 4096
};

typedef struct entry {
    int64_t value;
    int64_t id; /* number, or code of a text */
    uint64_t row;
    bool id_missing;
} entry;

typedef struct list {
    size_t n;
    entry entries[];
} list;

typedef struct top {
    const hanse_plan *plan;
    hanse_budget *budget;
    size_t n_most; /* of each list */
    size_t item_bytes;
    bool is_text;
    hanse_text_map texts;
    hanse_group_array *measures; /* of list */
} top;

/* A row that may enter a list. */
typedef struct candidate {
    entry entry;
    const char *text; /* of the id, where it is one */
    size_t length;
} candidate;

static bool needed(const hanse_plan *plan)
{
    return plan->set.n_top != 0;
}

static void destroy(void *state)
{
    top *t = state;
    if (t == NULL)
        return;
    for (size_t m = 0; t->measures != NULL && m < t->plan->n_measures; m++)
        hanse_group_array_clear(&t->measures[m], t->budget, t->item_bytes);
    hanse_text_map_clear(&t->texts);
    free(t->measures);
    free(t);
}

static hanse_status create(const hanse_plan *plan, size_t grouping,
                           hanse_budget *budget, void **state,
                           hanse_error *error)
{
    (void)grouping;
    top *t = calloc(1, sizeof *t);
    if (t == NULL)
        return hanse_fail_nomem(error, "largest values", sizeof *t);
    t->plan = plan;
    t->budget = budget;
    t->n_most = plan->set.n_top;
    t->item_bytes = sizeof(list) + t->n_most * sizeof(entry);
    t->is_text =
        plan->id_field != SIZE_MAX && plan->types[plan->id_field] == HANSE_TEXT;
    hanse_text_map_init(&t->texts, budget);
    t->measures = calloc(plan->n_measures, sizeof *t->measures);
    if (t->measures == NULL) {
        destroy(t);
        return hanse_fail_nomem(error, "largest values", plan->n_measures);
    }
    *state = t;
    return HANSE_OK;
}

static list *list_of(const top *t, size_t measure, size_t group)
{
    return (list *)(void *)((char *)t->measures[measure].items +
                            group * t->item_bytes);
}

/* ---- Order -------------------------------------------------------------- */

static int compare_numbers(int64_t a, int64_t b, hanse_number number)
{
    if (number == HANSE_NUMBER_FLOAT) {
        double x, y;
        memcpy(&x, &a, sizeof x);
        memcpy(&y, &b, sizeof y);
        return (x > y) - (x < y); /* -0.0 equals 0.0 */
    }
    if (number == HANSE_NUMBER_UINT)
        return ((uint64_t)a > (uint64_t)b) - ((uint64_t)a < (uint64_t)b);
    return (a > b) - (a < b);
}

static int compare_texts(const char *a, size_t n_a, const char *b, size_t n_b)
{
    const size_t n = n_a < n_b ? n_a : n_b;
    const int order = n == 0 ? 0 : memcmp(a, b, n);
    return order != 0 ? order : (n_a > n_b) - (n_a < n_b);
}

/* Whether the candidate goes before an entry of the list. */
static bool goes_before(const top *t, size_t measure, const candidate *a,
                        const entry *b)
{
    int order = compare_numbers(a->entry.value, b->value,
                                t->plan->measures[measure].number);
    if (order != 0)
        return order > 0;
    if (a->entry.id_missing != b->id_missing)
        return b->id_missing;
    if (!b->id_missing && t->is_text) {
        size_t length;
        const char *text =
            hanse_text_map_text(&t->texts, (size_t)b->id, &length);
        order = compare_texts(a->text, a->length, text, length);
    } else if (!b->id_missing && t->plan->id != SIZE_MAX) {
        order = compare_numbers(a->entry.id, b->id,
                                t->plan->measures[t->plan->id].number);
    }
    if (order != 0)
        return order < 0;
    if (a->entry.row != b->row)
        return a->entry.row < b->row;
    /* -0.0 and 0.0 of one row number, which only a merge can bring. */
    return (uint64_t)a->entry.value > (uint64_t)b->value;
}

/* ---- Texts -------------------------------------------------------------- */

static hanse_status renew_list(const top *t, list *l, hanse_text_map *texts,
                               hanse_error *error)
{
    for (size_t i = 0; i < l->n; i++) {
        uint32_t code;
        size_t length;
        if (l->entries[i].id_missing)
            continue;
        const char *text =
            hanse_text_map_text(&t->texts, (size_t)l->entries[i].id, &length);
        HANSE_TRY(hanse_text_map_code(texts, text, length, &code, error));
        l->entries[i].id = code;
    }
    return HANSE_OK;
}

/* Keeps only the texts that a list holds, when most of them have left. After a
 * failure the state can only be destroyed, as the fold that it is of. */
static hanse_status clear_texts(top *t, hanse_error *error)
{
    size_t n_live = 0;
    for (size_t m = 0; m < t->plan->n_measures; m++)
        n_live += t->n_most * t->measures[m].n;
    if (t->texts.n < 2 * n_live + SPARE_TEXTS)
        return HANSE_OK;
    hanse_text_map texts;
    hanse_text_map_init(&texts, t->budget);
    hanse_status status = HANSE_OK;
    for (size_t m = 0; m < t->plan->n_measures; m++)
        for (size_t g = 0; status == HANSE_OK && g < t->measures[m].n; g++)
            status = renew_list(t, list_of(t, m, g), &texts, error);
    if (status != HANSE_OK) {
        hanse_text_map_clear(&texts);
        return status;
    }
    hanse_text_map_clear(&t->texts);
    t->texts = texts;
    return HANSE_OK;
}

/* ---- Adding ------------------------------------------------------------- */

static hanse_status insert(top *t, size_t measure, size_t group,
                           const candidate *c, hanse_error *error)
{
    list *l = list_of(t, measure, group);
    if (l->n == t->n_most && !goes_before(t, measure, c, &l->entries[l->n - 1]))
        return HANSE_OK;
    entry new = c->entry;
    if (t->is_text && !new.id_missing) {
        uint32_t code;
        HANSE_TRY(
            hanse_text_map_code(&t->texts, c->text, c->length, &code, error));
        new.id = code;
    }
    size_t at = l->n < t->n_most ? l->n++ : l->n - 1;
    for (; at > 0 && goes_before(t, measure, c, &l->entries[at - 1]); at--)
        l->entries[at] = l->entries[at - 1];
    l->entries[at] = new;
    return HANSE_OK;
}

static void find_id(const top *t, const hanse_extra_rows *rows, size_t i,
                    candidate *c)
{
    const size_t id = t->plan->id;
    if (t->is_text) {
        const hanse_array *array = rows->id_texts;
        const size_t position = (size_t)rows->id_positions[i];
        const int32_t start = array->offsets[position];
        c->length = (size_t)(array->offsets[position + 1] - start);
        c->text =
            array->values != NULL ? (const char *)array->values + start : "";
        c->entry.id_missing =
            array->missing != NULL && array->missing[position] != 0;
    } else if (id != SIZE_MAX) {
        c->entry.id = rows->values[id][i];
        c->entry.id_missing =
            hanse_extra_absent(rows, t->plan->measures[id].number, id, i);
    } else {
        c->entry.id = (int64_t)rows->numbers[i];
    }
}

/* Whether a value is below all of a full list: most rows end here. */
static inline bool is_too_small(const top *t, const list *l, int64_t value,
                                hanse_number number)
{
    return l->n == t->n_most &&
           compare_numbers(value, l->entries[l->n - 1].value, number) < 0;
}

static hanse_status grow(top *t, size_t n_groups, hanse_error *error)
{
    for (size_t m = 0; m < t->plan->n_measures; m++)
        HANSE_TRY(hanse_group_array_grow(&t->measures[m], t->budget, n_groups,
                                         t->item_bytes, NULL, error));
    return HANSE_OK;
}

static hanse_status add(void *state, const hanse_extra_rows *rows,
                        hanse_error *error)
{
    top *t = state;
    HANSE_TRY(grow(t, rows->n_groups, error));
    for (size_t m = 0; m < t->plan->n_measures; m++) {
        const hanse_number number = t->plan->measures[m].number;
        for (size_t i = 0; i < rows->n; i++) {
            const int64_t value = rows->values[m][i];
            const size_t group = hanse_extra_group(rows, i);
            if (hanse_extra_absent(rows, number, m, i) ||
                is_too_small(t, list_of(t, m, group), value, number))
                continue;
            candidate c = {.entry = {.value = value, .row = rows->numbers[i]}};
            find_id(t, rows, i, &c);
            HANSE_TRY(insert(t, m, group, &c, error));
        }
    }
    return clear_texts(t, error);
}

static hanse_status merge_list(top *t, const top *other, size_t measure,
                               size_t group, size_t from, hanse_error *error)
{
    const list *l = list_of(other, measure, from);
    for (size_t i = 0; i < l->n; i++) {
        candidate c = {.entry = l->entries[i]};
        if (t->is_text && !c.entry.id_missing)
            c.text = hanse_text_map_text(&other->texts, (size_t)c.entry.id,
                                         &c.length);
        HANSE_TRY(insert(t, measure, group, &c, error));
    }
    return HANSE_OK;
}

static hanse_status merge(void *state, size_t n_groups, void *from,
                          size_t n_from, const uint32_t *map, bool take,
                          hanse_error *error)
{
    top *t = state;
    const top *other = from;
    (void)take;
    HANSE_TRY(grow(t, n_groups, error));
    for (size_t m = 0; m < t->plan->n_measures; m++)
        for (size_t g = 0; g < n_from && g < other->measures[m].n; g++)
            HANSE_TRY(
                merge_list(t, other, m, map == NULL ? 0 : map[g], g, error));
    return clear_texts(t, error);
}

/* ---- Columns ------------------------------------------------------------ */

/* Entry number `index` of the lists of a measure. */
typedef struct place {
    const top *top;
    size_t measure;
    size_t index;
} place;

static const entry *entry_of(const place *p, size_t group)
{
    if (group >= p->top->measures[p->measure].n)
        return NULL;
    const list *l = list_of(p->top, p->measure, group);
    return p->index < l->n ? &l->entries[p->index] : NULL;
}

static bool get_value(const void *context, size_t group, int64_t *value)
{
    const entry *e = entry_of(context, group);
    *value = e != NULL ? e->value : 0;
    return e != NULL;
}

static const char *text_of(const place *p, size_t group, size_t *length)
{
    const entry *e = entry_of(p, group);
    const char *text = e == NULL ? "(none)" : "(missing)";
    *length = strlen(text);
    return e == NULL || e->id_missing
               ? text
               : hanse_text_map_text(&p->top->texts, (size_t)e->id, length);
}

static hanse_status emit_texts(const place *p, const hanse_extra_target *target,
                               const hanse_extra_column *column,
                               hanse_error *error)
{
    size_t length, size_bytes = 0;
    char *bytes;
    void *values;
    HANSE_TRY(hanse_emit_column(target, column, HANSE_TEXT, &values, error));
    for (size_t r = 0; r < target->n; r++) {
        text_of(p, target->groups[r], &length);
        size_bytes += length + 1;
    }
    HANSE_TRY(hanse_result_add_texts(target->table,
                                     target->table->n_columns - 1, size_bytes,
                                     &bytes, error));
    for (size_t r = 0; r < target->n; r++) {
        const char *text = text_of(p, target->groups[r], &length);
        memcpy(bytes, text, length);
        bytes[length] = '\0';
        ((const char **)values)[r] = bytes;
        bytes += length + 1;
    }
    return HANSE_OK;
}

/* 0 stands for no entry, and for a missing id. */
static hanse_status emit_numbers(const place *p,
                                 const hanse_extra_target *target,
                                 const hanse_extra_column *column,
                                 hanse_error *error)
{
    const size_t id = p->top->plan->id;
    const bool is_unsigned =
        id != SIZE_MAX &&
        p->top->plan->measures[id].number == HANSE_NUMBER_UINT;
    hanse_type type = HANSE_INT64;
    void *values;
    for (size_t r = 0; r < target->n && is_unsigned; r++) {
        const entry *e = entry_of(p, target->groups[r]);
        if (e != NULL && !e->id_missing && e->id < 0)
            type = HANSE_UINT64;
    }
    HANSE_TRY(hanse_emit_column(target, column, type, &values, error));
    for (size_t r = 0; r < target->n; r++) {
        const entry *e = entry_of(p, target->groups[r]);
        ((int64_t *)values)[r] = e == NULL || e->id_missing ? 0 : e->id;
    }
    return HANSE_OK;
}

static hanse_status emit_place(const place *p, const hanse_extra_target *target,
                               hanse_error *error)
{
    const top *t = p->top;
    const hanse_plan_measure *m = &t->plan->measures[p->measure];
    char name[256], words[512];
    snprintf(name, sizeof name, "%s_top%zu", m->name, p->index + 1);
    char rank[64] = "largest value";
    if (p->index != 0)
        snprintf(rank, sizeof rank, "largest value number %zu", p->index + 1);
    hanse_extra_column column = {
        .name = name,
        .about = m->long_name,
        .words = rank,
        .units = m->units,
        .cell_methods = p->index == 0 ? "enterprise: maximum" : NULL};
    HANSE_TRY(
        hanse_emit_values(target, &column, m->number, get_value, p, error));
    snprintf(name, sizeof name, "%s_top%zu_id", m->name, p->index + 1);
    if (t->plan->id_field != SIZE_MAX)
        snprintf(words, sizeof words, "%.200s of the %s", t->plan->id_name,
                 rank);
    else
        snprintf(words, sizeof words, "number of the row, from 0, of the %s",
                 rank);
    column.words = words;
    column.units = NULL;
    column.cell_methods = NULL;
    return t->is_text ? emit_texts(p, target, &column, error)
                      : emit_numbers(p, target, &column, error);
}

static hanse_status emit(const void *state, const hanse_extra_target *target,
                         uint32_t statistic, size_t measure, hanse_error *error)
{
    const top *t = state;
    (void)statistic;
    for (size_t i = 0; i < t->n_most; i++) {
        const place p = {t, measure, i};
        HANSE_TRY(emit_place(&p, target, error));
    }
    return HANSE_OK;
}

const hanse_extra_ops hanse_top_ops = {
    .needed = needed,
    .create = create,
    .destroy = destroy,
    .add = add,
    .merge = merge,
    .emit = emit,
    .statistics = HANSE_EXTRA_TOP,
};
