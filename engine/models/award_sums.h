/* SPDX-License-Identifier: Apache-2.0
 *
 * Exact sums of awards and of R_i by group, and the largest of them, in one
 * pass over the columns of an allocation.
 *
 * Sums are kept in 128 bits. Awards are not negative and add up to the pool,
 * so that they and their sum fit below 4 times the largest pool; what has bits
 * further down than 2^-68 of that is added to long integers instead, as is R_i
 * of rows that take no part.
 */
#ifndef HANSE_ENGINE_MODELS_AWARD_SUMS_H
#define HANSE_ENGINE_MODELS_AWARD_SUMS_H

#include <stdatomic.h>

#include "engine/models/allocate_internal.h"
#include "engine/wide_sums.h"

enum {
    HANSE_N_TOP = 2
};

#define HANSE_NO_SLOT UINT32_MAX
#define HANSE_NO_ROW  UINT64_MAX

typedef struct hanse_award_member {
    double award; /* NaN: takes no part */
    double kept;
    double integrated;
    uint64_t id;
    uint64_t row; /* HANSE_NO_ROW: none */
} hanse_award_member;

/* The largest of a group, largest first. */
typedef struct hanse_award_tops {
    hanse_award_member by_award[HANSE_N_TOP];
    hanse_award_member by_integrated[HANSE_N_TOP];
} hanse_award_tops;

/* What every row of a group needs; the largest lie elsewhere, so that these
 * stay in the cache. */
typedef struct hanse_award_slot {
    __int128 awards; /* sums in units of 2^low */
    __int128 integrated;
    double last_award; /* that of the last of the largest */
    double last_integrated;
} hanse_award_slot;

/* One thread's. */
typedef struct hanse_award_part {
    hanse_award_slot *slots;
    hanse_award_tops *tops;
    hanse_wide_sums awards; /* what 128 bits do not hold */
    hanse_wide_sums integrated;
} hanse_award_part;

typedef struct hanse_award_sums {
    /* Set by the caller, the first six before the pass. Borrowed. */
    hanse_model_run *run;
    const hanse_allocation *a;
    const uint32_t *map; /* [group] its slot, or HANSE_NO_SLOT */
    size_t n_slots;
    double most_pool; /* of all groups that have a slot */
    double most_total;
    /* R_i is the award wherever there is one: only rows that take no part are
     * in the sums of R_i and in by_integrated. */
    bool is_alike;

    int low_awards;
    int low_integrated;
    hanse_award_part *parts; /* all in the first after the pass */
    size_t n_parts_max;
    _Atomic size_t n_parts;
    size_t fields[HANSE_ALLOCATE_COLUMNS + 1]; /* the last is the id */
    size_t n_fields;
    size_t id;
    hanse_type id_type;
} hanse_award_sums;

/* The pass; clear the sums at the end, after a failure, too. */
hanse_status hanse_award_sums_find(hanse_award_sums *sums, hanse_error *error);
void hanse_award_sums_clear(hanse_award_sums *sums);

/* The exact sum of awards of a slot, or that of R_i. */
void hanse_award_sums_get(const hanse_award_sums *sums, size_t slot,
                          bool of_awards, hanse_wide *out);

/* Puts a member among the largest; of equal ones the smaller id comes first,
 * then the smaller row. */
void hanse_award_enter(hanse_award_member *top,
                       const hanse_award_member *member, bool by_award);

static inline double hanse_award_rank(const hanse_award_member *m,
                                      bool by_award)
{
    return by_award ? m->award : m->integrated;
}

#endif
