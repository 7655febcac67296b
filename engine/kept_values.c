/* SPDX-License-Identifier: Apache-2.0
 *
 * Slabs and chunks.
 */
#include "engine/kept_values.h"

#include "engine/quantile.h"

enum {
    FIRST_CHUNK_BYTES = 64,
    LAST_CHUNK_BYTES = 4096,
    FIRST_SLAB_BYTES = 1 << 16,
    LAST_SLAB_BYTES = 1 << 23
};

struct hanse_slab {
    struct hanse_slab *next;
    size_t size_bytes;
    char pad[HANSE_ALIGNMENT - 2 * sizeof(size_t)];
    char bytes[];
};

void hanse_kept_values_init(hanse_kept_values *values, hanse_budget *budget)
{
    *values = (hanse_kept_values){.budget = budget};
}

void hanse_kept_values_clear(hanse_kept_values *values)
{
    while (values->slabs != NULL) {
        hanse_slab *next = values->slabs->next;
        hanse_free(values->budget, values->slabs, values->slabs->size_bytes, 1);
        values->slabs = next;
    }
    hanse_group_array_clear(&values->groups, values->budget,
                            sizeof(hanse_kept));
    values->slab_used = 0;
}

hanse_status hanse_kept_values_grow(hanse_kept_values *values, size_t n_groups,
                                    hanse_error *error)
{
    return hanse_group_array_grow(&values->groups, values->budget, n_groups,
                                  sizeof(hanse_kept), NULL, error);
}

static bool may_take(const hanse_budget *budget, size_t size_bytes)
{
    if (budget == NULL || budget->limit_bytes == 0)
        return true;
    return hanse_quantiles_may_keep(
        atomic_load(&budget->used_bytes) + size_bytes, budget->limit_bytes);
}

static bool add_slab(hanse_kept_values *values)
{
    size_t size_bytes = FIRST_SLAB_BYTES;
    if (values->slabs != NULL)
        size_bytes = 2 * values->slabs->size_bytes;
    if (size_bytes > LAST_SLAB_BYTES)
        size_bytes = LAST_SLAB_BYTES;
    if (!may_take(values->budget, size_bytes))
        return false;
    hanse_slab *slab = hanse_allocate(values->budget, size_bytes, 1);
    if (slab == NULL)
        return false;
    hanse_prefer_huge_pages(slab, size_bytes);
    slab->next = values->slabs;
    slab->size_bytes = size_bytes;
    values->slabs = slab;
    values->slab_used = 0;
    return true;
}

bool hanse_kept_values_extend(hanse_kept_values *values, hanse_kept *group)
{
    size_t size_bytes = FIRST_CHUNK_BYTES;
    if (group->head != NULL) {
        size_bytes = 2 * (size_t)group->head->size_bytes;
        if (size_bytes > LAST_CHUNK_BYTES)
            size_bytes = LAST_CHUNK_BYTES;
    }
    if ((values->slabs == NULL ||
         values->slab_used + size_bytes + sizeof(hanse_slab) >
             values->slabs->size_bytes) &&
        !add_slab(values))
        return false;
    hanse_chunk *chunk =
        (hanse_chunk *)(void *)(values->slabs->bytes + values->slab_used);
    values->slab_used += size_bytes;
    if (group->head != NULL)
        group->head->n = (uint32_t)(group->at - group->head->values);
    chunk->next = group->head;
    chunk->size_bytes = (uint32_t)size_bytes;
    chunk->n = 0;
    group->head = chunk;
    group->at = chunk->values;
    group->end = (int64_t *)(void *)((char *)chunk + size_bytes);
    return true;
}

static size_t chunk_n(const hanse_kept *kept, const hanse_chunk *chunk)
{
    return chunk == kept->head ? (size_t)(kept->at - chunk->values) : chunk->n;
}

bool hanse_kept_values_copy(hanse_kept_values *values, size_t group,
                            const hanse_kept_values *other, size_t from)
{
    const hanse_kept *kept = (const hanse_kept *)other->groups.items + from;
    for (const hanse_chunk *c = kept->head; c != NULL; c = c->next) {
        const size_t n = chunk_n(kept, c);
        for (size_t i = 0; i < n; i++)
            if (!hanse_kept_values_add(values, group, c->values[i]))
                return false;
    }
    return true;
}

/* The list goes behind the head, to which values are still added. */
void hanse_kept_values_link(hanse_kept_values *values, size_t group,
                            const hanse_kept_values *other, size_t from)
{
    hanse_kept *to = (hanse_kept *)values->groups.items + group;
    const hanse_kept *kept = (const hanse_kept *)other->groups.items + from;
    if (kept->head == NULL)
        return;
    if (to->head == NULL) {
        *to = *kept;
        return;
    }
    hanse_chunk *tail = kept->head;
    tail->n = (uint32_t)(kept->at - tail->values);
    while (tail->next != NULL)
        tail = tail->next;
    tail->next = to->head->next;
    to->head->next = kept->head;
}

void hanse_kept_values_take(hanse_kept_values *values, hanse_kept_values *other)
{
    if (other->slabs != NULL && values->slabs == NULL) {
        values->slabs = other->slabs;
        values->slab_used = other->slab_used;
    } else if (other->slabs != NULL) {
        hanse_slab *tail = other->slabs;
        while (tail->next != NULL)
            tail = tail->next;
        tail->next = values->slabs->next;
        values->slabs->next = other->slabs;
    }
    other->slabs = NULL;
    hanse_kept_values_clear(other);
}

size_t hanse_kept_values_pieces(const hanse_kept_values *values, size_t group,
                                hanse_piece *out, size_t room)
{
    size_t n_pieces = 0;
    if (group >= values->groups.n)
        return 0;
    const hanse_kept *kept = (const hanse_kept *)values->groups.items + group;
    for (const hanse_chunk *c = kept->head; c != NULL; c = c->next) {
        if (n_pieces < room)
            out[n_pieces] = (hanse_piece){c->values, chunk_n(kept, c)};
        n_pieces++;
    }
    return n_pieces;
}
