/* SPDX-License-Identifier: Apache-2.0
 *
 * Mappings: a hash table of the values mapped, and their targets by entry.
 */
#include "engine/mapping.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/seed.h"

enum {
    FIRST_CAPACITY = 64,
    /* A table by value is used while it has at most this many places an
     * entry: it is then no larger than entries and slots together. */
    DENSE_PLACES = 8
};

typedef struct entry {
    int64_t value;   /* of an integer mapping */
    int64_t integer; /* target; of a text first its number, then its rank */
    uint64_t row;
    bool missing; /* target */
} entry;

struct hanse_mapping {
    _Atomic size_t n_references;
    hanse_budget *budget;
    bool from_text, to_text;
    uint64_t seed;
    entry *entries;
    size_t n, capacity;
    uint32_t *slots; /* integers: hash table, HANSE_CODE_NONE where free */
    size_t n_slots;
    uint32_t *dense; /* integers: dense[value - base], NULL: not in use */
    int64_t base;
    size_t n_dense;
    hanse_text_map from_texts;
    hanse_text_map to_texts;
    hanse_label *labels; /* by rank; texts follow in label_bytes */
    size_t n_labels;
    char *label_bytes;
    size_t n_label_bytes;
};

hanse_status hanse_mapping_create(bool from_text, bool to_text,
                                  hanse_budget *budget, hanse_mapping **out,
                                  hanse_error *error)
{
    hanse_mapping *mapping = hanse_allocate_zero(budget, 1, sizeof *mapping);
    if (mapping == NULL)
        return hanse_fail_budget(error, budget, "mapping", 1, sizeof *mapping);
    mapping->n_references = 1;
    mapping->budget = budget;
    mapping->from_text = from_text;
    mapping->to_text = to_text;
    mapping->seed = hanse_hash_seed();
    hanse_text_map_init(&mapping->from_texts, budget);
    hanse_text_map_init(&mapping->to_texts, budget);
    *out = mapping;
    return HANSE_OK;
}

hanse_mapping *hanse_mapping_share(const hanse_mapping *mapping)
{
    hanse_mapping *shared = (hanse_mapping *)(uintptr_t)mapping;
    atomic_fetch_add(&shared->n_references, 1);
    return shared;
}

void hanse_mapping_release(hanse_mapping *mapping)
{
    if (mapping == NULL || atomic_fetch_sub(&mapping->n_references, 1) != 1)
        return;
    hanse_budget *budget = mapping->budget;
    hanse_free(budget, mapping->entries, mapping->capacity, sizeof(entry));
    hanse_free(budget, mapping->slots, mapping->n_slots, sizeof(uint32_t));
    hanse_free(budget, mapping->dense, mapping->n_dense, sizeof(uint32_t));
    hanse_free(budget, mapping->labels, mapping->n_labels, sizeof(hanse_label));
    hanse_free(budget, mapping->label_bytes, mapping->n_label_bytes, 1);
    hanse_text_map_clear(&mapping->from_texts);
    hanse_text_map_clear(&mapping->to_texts);
    hanse_free(budget, mapping, 1, sizeof *mapping);
}

/* ---- Integers ----------------------------------------------------------- */

static size_t slot_of(const hanse_mapping *mapping, int64_t value)
{
    const unsigned __int128 product =
        (unsigned __int128)((uint64_t)value ^ mapping->seed) *
        0xa0761d6478bd642fu;
    const uint64_t folded = (uint64_t)product ^ (uint64_t)(product >> 64);
    const uint64_t hash = (folded ^ mapping->seed) * 0xe7037ed1a0b428dbu;
    return (size_t)(hash >> 32) & (mapping->n_slots - 1);
}

/* The slot that holds a value, or the free one where it belongs. */
static size_t find_slot(const hanse_mapping *mapping, int64_t value)
{
    size_t slot = slot_of(mapping, value);
    while (mapping->slots[slot] != HANSE_CODE_NONE &&
           mapping->entries[mapping->slots[slot]].value != value)
        slot = (slot + 1) & (mapping->n_slots - 1);
    return slot;
}

static hanse_status grow_slots(hanse_mapping *mapping, hanse_error *error)
{
    const size_t n_slots =
        mapping->n_slots == 0 ? 4 * FIRST_CAPACITY : 2 * mapping->n_slots;
    uint32_t *slots = hanse_allocate(mapping->budget, n_slots, sizeof *slots);
    if (slots == NULL)
        return hanse_fail_budget(error, mapping->budget, "mapping", n_slots,
                                 sizeof *slots);
    memset(slots, 0xff, n_slots * sizeof *slots);
    hanse_free(mapping->budget, mapping->slots, mapping->n_slots,
               sizeof *slots);
    mapping->slots = slots;
    mapping->n_slots = n_slots;
    for (size_t i = 0; i < mapping->n; i++)
        slots[find_slot(mapping, mapping->entries[i].value)] = (uint32_t)i;
    return HANSE_OK;
}

/* Number of the entry for an integer; mapping->n when it is new. */
static hanse_status integer_entry(hanse_mapping *mapping, int64_t value,
                                  size_t *out, hanse_error *error)
{
    if (2 * (mapping->n + 1) > mapping->n_slots)
        HANSE_TRY(grow_slots(mapping, error));
    const size_t slot = find_slot(mapping, value);
    if (mapping->slots[slot] == HANSE_CODE_NONE)
        mapping->slots[slot] = (uint32_t)mapping->n;
    *out = mapping->slots[slot];
    return HANSE_OK;
}

/* ---- Building ----------------------------------------------------------- */

static hanse_status reserve_entry(hanse_mapping *mapping, hanse_error *error)
{
    if (mapping->n < mapping->capacity)
        return HANSE_OK;
    if (mapping->n >= HANSE_CODE_NONE - 1)
        return hanse_fail(error, HANSE_ERR_LIMIT,
                          "mapping: more than %u values", HANSE_CODE_NONE - 1);
    const size_t capacity =
        mapping->capacity == 0 ? FIRST_CAPACITY : 2 * mapping->capacity;
    entry *entries = hanse_grow(mapping->budget, mapping->entries,
                                mapping->capacity, capacity, sizeof *entries);
    if (entries == NULL)
        return hanse_fail_budget(error, mapping->budget, "mapping", capacity,
                                 sizeof *entries);
    mapping->entries = entries;
    mapping->capacity = capacity;
    return HANSE_OK;
}

hanse_status hanse_mapping_add(hanse_mapping *mapping,
                               const hanse_mapping_value *from,
                               const hanse_mapping_value *to, uint64_t row,
                               uint64_t *conflict, hanse_error *error)
{
    entry new = {.value = from->integer,
                 .integer = to->missing ? 0 : to->integer,
                 .row = row,
                 .missing = to->missing};
    *conflict = UINT64_MAX;
    HANSE_TRY(reserve_entry(mapping, error));
    if (mapping->to_text && !to->missing) {
        uint32_t number;
        HANSE_TRY(hanse_text_map_code(&mapping->to_texts, to->text, to->n_text,
                                      &number, error));
        new.integer = number;
    }
    size_t index;
    if (mapping->from_text) {
        uint32_t code;
        HANSE_TRY(hanse_text_map_code(&mapping->from_texts, from->text,
                                      from->n_text, &code, error));
        index = code;
    } else {
        HANSE_TRY(integer_entry(mapping, from->integer, &index, error));
    }
    if (index == mapping->n) {
        mapping->entries[mapping->n++] = new;
        return HANSE_OK;
    }
    const entry *old = &mapping->entries[index];
    if (old->missing != new.missing || old->integer != new.integer)
        *conflict = old->row;
    return HANSE_OK;
}

/* ---- Finishing ---------------------------------------------------------- */

/* The value of an integer in the one way in which programs write it. */
static bool parse_integer(const char *text, size_t n, int64_t *out)
{
    const bool negative = n > 0 && text[0] == '-';
    size_t i = negative ? 1 : 0;
    const bool zero = n - i == 1 && text[i] == '0';
    if (i == n || (text[i] == '0' && (!zero || negative)))
        return false;
    int64_t value = 0;
    for (; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        const int64_t digit = text[i] - '0';
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, digit, &value))
            return false;
    }
    if (!negative && value == INT64_MIN)
        return false;
    *out = negative ? value : -value;
    return true;
}

/* Targets become integers if all texts are. */
static bool infer_integers(hanse_mapping *mapping)
{
    int64_t value;
    size_t n;
    for (size_t i = 0; i < mapping->to_texts.n; i++) {
        const char *text = hanse_text_map_text(&mapping->to_texts, i, &n);
        if (!parse_integer(text, n, &value))
            return false;
    }
    for (size_t i = 0; i < mapping->n; i++) {
        entry *e = &mapping->entries[i];
        if (e->missing)
            continue;
        const char *text =
            hanse_text_map_text(&mapping->to_texts, (size_t)e->integer, &n);
        (void)parse_integer(text, n, &e->integer);
    }
    mapping->to_text = false;
    return true;
}

static int compare_labels(const void *a, const void *b)
{
    const hanse_label *x = a, *y = b;
    const int order = strcmp(x->text, y->text);
    return order != 0 ? order : (x->code > y->code) - (x->code < y->code);
}

/* Labels in the order of their texts; a label's code is its rank. A text ends
 * at a NUL byte, as labels do. */
static hanse_status make_labels(hanse_mapping *mapping, hanse_error *error)
{
    const hanse_text_map *texts = &mapping->to_texts;
    hanse_budget *budget = mapping->budget;
    mapping->n_label_bytes = texts->n_bytes + texts->n;
    mapping->n_labels = texts->n;
    mapping->labels = hanse_allocate(budget, texts->n, sizeof(hanse_label));
    mapping->label_bytes = hanse_allocate(budget, mapping->n_label_bytes, 1);
    int64_t *ranks = hanse_allocate(budget, texts->n, sizeof *ranks);
    if (mapping->labels == NULL || mapping->label_bytes == NULL ||
        ranks == NULL) {
        hanse_free(budget, ranks, texts->n, sizeof *ranks);
        return hanse_fail_budget(error, budget, "labels of a mapping",
                                 mapping->n_label_bytes, 1);
    }
    char *end = mapping->label_bytes;
    for (size_t i = 0; i < texts->n; i++) {
        size_t n;
        const char *text = hanse_text_map_text(texts, i, &n);
        memcpy(end, text, n);
        end[n] = '\0';
        mapping->labels[i] = (hanse_label){(int64_t)i, end};
        end += n + 1;
    }
    if (texts->n > 1)
        qsort(mapping->labels, texts->n, sizeof(hanse_label), compare_labels);
    for (size_t i = 0; i < texts->n; i++) {
        ranks[mapping->labels[i].code] = (int64_t)i;
        mapping->labels[i].code = (int64_t)i;
    }
    for (size_t i = 0; i < mapping->n; i++)
        if (!mapping->entries[i].missing)
            mapping->entries[i].integer = ranks[mapping->entries[i].integer];
    hanse_free(budget, ranks, texts->n, sizeof *ranks);
    return HANSE_OK;
}

/* A table by value, where the values lie close together. */
static hanse_status make_dense(hanse_mapping *mapping, hanse_error *error)
{
    if (mapping->from_text || mapping->n == 0)
        return HANSE_OK;
    int64_t low = INT64_MAX, high = INT64_MIN;
    for (size_t i = 0; i < mapping->n; i++) {
        const int64_t value = mapping->entries[i].value;
        low = value < low ? value : low;
        high = value > high ? value : high;
    }
    const uint64_t width = (uint64_t)high - (uint64_t)low;
    if (width / DENSE_PLACES > mapping->n)
        return HANSE_OK;
    mapping->n_dense = (size_t)width + 1;
    mapping->dense =
        hanse_allocate(mapping->budget, mapping->n_dense, sizeof(uint32_t));
    if (mapping->dense == NULL)
        return hanse_fail_budget(error, mapping->budget, "mapping",
                                 mapping->n_dense, sizeof(uint32_t));
    memset(mapping->dense, 0xff, mapping->n_dense * sizeof(uint32_t));
    for (size_t i = 0; i < mapping->n; i++)
        mapping->dense[(uint64_t)mapping->entries[i].value - (uint64_t)low] =
            (uint32_t)i;
    mapping->base = low;
    return HANSE_OK;
}

hanse_status hanse_mapping_finish(hanse_mapping *mapping, bool infer,
                                  hanse_error *error)
{
    if (mapping->to_text && !(infer && infer_integers(mapping)))
        HANSE_TRY(make_labels(mapping, error));
    hanse_text_map_clear(&mapping->to_texts);
    return make_dense(mapping, error);
}

/* ---- Use ---------------------------------------------------------------- */

bool hanse_mapping_from_text(const hanse_mapping *mapping)
{
    return mapping->from_text;
}

size_t hanse_mapping_n(const hanse_mapping *mapping)
{
    return mapping->n;
}

size_t hanse_mapping_labels(const hanse_mapping *mapping,
                            const hanse_label **labels)
{
    *labels = mapping->labels;
    return mapping->n_labels;
}

static hanse_mapped answer(const hanse_mapping *mapping, uint32_t index,
                           int64_t *target)
{
    if (index == HANSE_CODE_NONE)
        return HANSE_UNMAPPED;
    const entry *e = &mapping->entries[index];
    if (e->missing)
        return HANSE_MAPPED_TO_MISSING;
    *target = e->integer;
    return HANSE_MAPPED;
}

hanse_mapped hanse_mapping_integer(const hanse_mapping *mapping, int64_t value,
                                   int64_t *target)
{
    if (mapping->dense != NULL) {
        const uint64_t place = (uint64_t)value - (uint64_t)mapping->base;
        return answer(mapping,
                      place < mapping->n_dense ? mapping->dense[place]
                                               : HANSE_CODE_NONE,
                      target);
    }
    return mapping->n_slots == 0
               ? HANSE_UNMAPPED
               : answer(mapping, mapping->slots[find_slot(mapping, value)],
                        target);
}

hanse_mapped hanse_mapping_text(const hanse_mapping *mapping, const char *text,
                                size_t n, int64_t *target)
{
    return answer(mapping, hanse_text_map_find(&mapping->from_texts, text, n),
                  target);
}

static bool same_target(const hanse_mapping *a, const entry *e,
                        const hanse_mapping *b, hanse_mapped found,
                        int64_t target)
{
    if (found != (e->missing ? HANSE_MAPPED_TO_MISSING : HANSE_MAPPED))
        return false;
    if (e->missing || !a->to_text)
        return e->missing || e->integer == target;
    return strcmp(a->labels[e->integer].text, b->labels[target].text) == 0;
}

bool hanse_mapping_equal(const hanse_mapping *a, const hanse_mapping *b)
{
    if (a == b)
        return true;
    if (a->n != b->n || a->from_text != b->from_text ||
        a->to_text != b->to_text)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        int64_t target = 0;
        size_t n = 0;
        const char *text =
            a->from_text ? hanse_text_map_text(&a->from_texts, i, &n) : NULL;
        const hanse_mapped found =
            a->from_text
                ? hanse_mapping_text(b, text, n, &target)
                : hanse_mapping_integer(b, a->entries[i].value, &target);
        if (!same_target(a, &a->entries[i], b, found, target))
            return false;
    }
    return true;
}
