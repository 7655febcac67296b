/* SPDX-License-Identifier: Apache-2.0
 *
 * Values kept by group: each group has a list of chunks that double in size up
 * to a page, so that values of one group lie together from the start, and
 * small groups cost little. Chunks come from slabs; where states of one run
 * are merged, lists are linked and nothing is copied.
 */
#ifndef HANSE_ENGINE_KEPT_VALUES_H
#define HANSE_ENGINE_KEPT_VALUES_H

#include "engine/extras.h"
#include "engine/select.h"

typedef struct hanse_chunk {
    struct hanse_chunk *next;
    uint32_t size_bytes;
    uint32_t n; /* values, once another chunk is in front */
    int64_t values[];
} hanse_chunk;

/* Of one group. */
typedef struct hanse_kept {
    hanse_chunk *head; /* values are added here; NULL: none yet */
    int64_t *at;
    int64_t *end;
} hanse_kept;

typedef struct hanse_slab hanse_slab;

typedef struct hanse_kept_values {
    hanse_budget *budget;
    hanse_group_array groups; /* of hanse_kept */
    hanse_slab *slabs;        /* the first one is used */
    size_t slab_used;         /* bytes of it */
} hanse_kept_values;

void hanse_kept_values_init(hanse_kept_values *values, hanse_budget *budget);
void hanse_kept_values_clear(hanse_kept_values *values);
hanse_status hanse_kept_values_grow(hanse_kept_values *values, size_t n_groups,
                                    hanse_error *error);

/* Puts an empty chunk in front of a group's list. False without memory: kept
 * values take at most three quarters of a budget, to leave room for other
 * states. */
bool hanse_kept_values_extend(hanse_kept_values *values, hanse_kept *group);

/* Adds a value to a group that has been grown to; false without memory. */
static inline bool hanse_kept_values_add(hanse_kept_values *values,
                                         size_t group, int64_t value)
{
    hanse_kept *kept = (hanse_kept *)values->groups.items + group;
    if (kept->at == kept->end && !hanse_kept_values_extend(values, kept))
        return false;
    *kept->at++ = value;
    return true;
}

/* Adds group `from` of other values to a group; false without memory. */
bool hanse_kept_values_copy(hanse_kept_values *values, size_t group,
                            const hanse_kept_values *other, size_t from);

/* The same by linking; hanse_kept_values_take must follow for all groups. */
void hanse_kept_values_link(hanse_kept_values *values, size_t group,
                            const hanse_kept_values *other, size_t from);
void hanse_kept_values_take(hanse_kept_values *values,
                            hanse_kept_values *other);

/* The chunks of a group as pieces, as far as there is room for; returns how
 * many there are. */
size_t hanse_kept_values_pieces(const hanse_kept_values *values, size_t group,
                                hanse_piece *out, size_t room);

#endif
