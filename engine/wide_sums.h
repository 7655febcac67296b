/* SPDX-License-Identifier: Apache-2.0
 *
 * Exact sums of products: cubes, fourth powers, x * y. Like the windows of
 * limbs of exact.h, for terms that no kernel splits: a group's sum is one long
 * integer in two's complement, all groups with one exponent and length, which
 * widen when a term needs it. There are always 66 bits more than any term has,
 * so that 2^63 rows cannot overflow.
 */
#ifndef HANSE_ENGINE_WIDE_SUMS_H
#define HANSE_ENGINE_WIDE_SUMS_H

#include "engine/base/memory.h"
#include "engine/plan.h"
#include "engine/wide.h"

typedef struct hanse_wide_sums {
    const char *what; /* for messages */
    hanse_budget *budget;
    size_t n_groups;
    size_t capacity;
    int exponent;    /* of word 0, a multiple of 64 */
    size_t n_words;  /* of each group; 0: nothing but zeros so far */
    uint64_t *words; /* [group][n_words] */
} hanse_wide_sums;

/* (-1)^negative * sum_i word[i] 2^(64 i) * 2^exponent; zero has no bits. */
typedef struct hanse_term {
    uint64_t word[4];
    int exponent;
    bool negative;
} hanse_term;

/* A factor of terms: (-1)^negative * magnitude * 2^exponent, odd magnitude. */
typedef struct hanse_factor {
    uint64_t magnitude; /* 0: zero */
    int exponent;
    bool negative;
} hanse_factor;

/* The factor of a value as a block holds it; false for an infinity. */
bool hanse_factor_of(int64_t value, hanse_number number, hanse_factor *out);

/* x * y, and x itself. */
hanse_term hanse_term_product(const hanse_factor *x, const hanse_factor *y);
hanse_term hanse_term_single(const hanse_factor *x);

void hanse_wide_sums_init(hanse_wide_sums *sums, const char *what,
                          hanse_budget *budget);
void hanse_wide_sums_clear(hanse_wide_sums *sums);

/* At least n_groups groups, new ones zero. */
hanse_status hanse_wide_sums_grow(hanse_wide_sums *sums, size_t n_groups,
                                  hanse_error *error);

/* Adds a term to a group; a failure leaves the sums as they were. */
hanse_status hanse_wide_sums_add(hanse_wide_sums *sums, size_t group,
                                 const hanse_term *term, hanse_error *error);

/* Adds a group of other sums. */
hanse_status hanse_wide_sums_merge(hanse_wide_sums *sums, size_t group,
                                   const hanse_wide_sums *other, size_t from,
                                   hanse_error *error);

void hanse_wide_sums_get(const hanse_wide_sums *sums, size_t group,
                         hanse_wide *out);

#endif
