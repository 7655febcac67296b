/* SPDX-License-Identifier: Apache-2.0
 *
 * Open addressing, linear probing.
 */
#include "engine/value_counts.h"

#include "engine/value_order.h"

static inline size_t after(const hanse_value_counts *counts, size_t at)
{
    return at + 1 == counts->n_slots ? 0 : at + 1;
}

hanse_value_slot *hanse_value_counts_find(const hanse_value_counts *counts,
                                          int64_t value, uint32_t group,
                                          uint64_t hash)
{
    size_t at = hanse_value_place(counts, hash);
    while (counts->slots[at].count != 0 && (counts->slots[at].value != value ||
                                            counts->slots[at].group != group))
        at = after(counts, at);
    return &counts->slots[at];
}

static hanse_status add_large(hanse_value_counts *counts,
                              const hanse_value_item *item, hanse_error *error)
{
    hanse_value_item *large = counts->large.items;
    const size_t n = counts->large.n;
    for (size_t i = 0; i < n; i++)
        if (large[i].value == item->value && large[i].group == item->group) {
            large[i].count += item->count;
            return HANSE_OK;
        }
    return hanse_group_array_grow(&counts->large, counts->budget, n + 1,
                                  sizeof *item, item, error);
}

hanse_status hanse_value_counts_add(hanse_value_counts *counts,
                                    const hanse_value_item *item, uint64_t hash,
                                    hanse_error *error)
{
    hanse_value_slot *slot =
        hanse_value_counts_find(counts, item->value, item->group, hash);
    if (slot->count == 0) {
        slot->value = item->value;
        slot->group = item->group;
        counts->n++;
    }
    const uint64_t count = slot->count + item->count;
    if (count <= UINT32_MAX) {
        slot->count = (uint32_t)count;
        return HANSE_OK;
    }
    slot->count = 1;
    return add_large(counts,
                     &(hanse_value_item){item->value, count - 1, item->group},
                     error);
}

/* ---- Purging ------------------------------------------------------------ */

static uint64_t hash_of(const hanse_value_counts *counts,
                        const hanse_value_slot *slot)
{
    return hanse_value_hash(slot->value, slot->group, counts->seed);
}

/* Frees a slot; those behind it that would no longer be found move up. */
static void take_out(hanse_value_counts *counts, size_t hole)
{
    hanse_value_slot *slots = counts->slots;
    for (size_t at = after(counts, hole); slots[at].count != 0;
         at = after(counts, at)) {
        const size_t place =
            hanse_value_place(counts, hash_of(counts, &slots[at]));
        const bool is_found = hole <= at ? hole < place && place <= at
                                         : hole < place || place <= at;
        if (is_found)
            continue;
        slots[hole] = slots[at];
        hole = at;
    }
    slots[hole].count = 0;
    counts->n--;
}

void hanse_value_counts_purge(hanse_value_counts *counts, uint64_t last)
{
    hanse_value_item *large = counts->large.items;
    size_t n_large = 0;
    /* What comes from behind the end to the start has been looked at. */
    for (size_t i = 0; i < counts->n_slots; i++)
        while (counts->slots[i].count != 0 &&
               hash_of(counts, &counts->slots[i]) > last)
            take_out(counts, i);
    for (size_t i = 0; i < counts->large.n; i++)
        if (hanse_value_hash(large[i].value, large[i].group, counts->seed) <=
            last)
            large[n_large++] = large[i];
    counts->large.n = n_large;
}

/* ---- Summaries ---------------------------------------------------------- */

static inline void note(hanse_value_summary *of, int64_t value, uint64_t count,
                        hanse_number number)
{
    if (count < of->count ||
        (count == of->count && hanse_order_value(value, number) >=
                                   hanse_order_value(of->mode, number)))
        return;
    of->count = count;
    of->mode = value;
}

uint64_t hanse_value_counts_summarise(const hanse_value_counts *counts,
                                      uint64_t last, hanse_number number,
                                      hanse_value_summary *summaries)
{
    const hanse_value_item *large = counts->large.items;
    uint64_t n = 0;
    for (size_t i = 0; i < counts->n_slots; i++) {
        const hanse_value_slot *slot = &counts->slots[i];
        if (slot->count == 0 ||
            (last != UINT64_MAX && hash_of(counts, slot) > last))
            continue;
        summaries[slot->group].n_values++;
        note(&summaries[slot->group], slot->value, slot->count, number);
        n++;
    }
    for (size_t i = 0; i < counts->large.n; i++) {
        const hanse_value_item *item = &large[i];
        const uint64_t hash =
            hanse_value_hash(item->value, item->group, counts->seed);
        if (hash <= last)
            note(&summaries[item->group], item->value,
                 item->count + hanse_value_counts_find(counts, item->value,
                                                       item->group, hash)
                                   ->count,
                 number);
    }
    return n;
}
