/* SPDX-License-Identifier: Apache-2.0
 *
 * The order of groups: by their keys, first key first, missing keys last.
 */
#ifndef HANSE_ENGINE_ORDER_H
#define HANSE_ENGINE_ORDER_H

#include "engine/fold.h"

/* Ranks of the codes of every key and of the groups of every node. */
typedef struct hanse_order {
    uint32_t **keys;  /* [key][code] */
    uint32_t **nodes; /* [node][group]; shared with keys for roots */
} hanse_order;

hanse_status hanse_order_init(hanse_order *order, const hanse_fold *fold,
                              hanse_error *error);
void hanse_order_clear(hanse_order *order, const hanse_fold *fold);

/* Text of a value of a labelled key, or its digits in `buffer` (32 bytes) where
 * it has no label: not terminated, *length bytes. */
const char *hanse_label_text(const hanse_plan_key *key, int64_t value,
                             char *buffer, size_t *length);

/* One of the texts of a key, on the way to its rank. */
typedef struct hanse_ranked_text {
    const char *text; /* not terminated, possibly in the buffer */
    size_t length;
    int64_t number; /* decides between equal texts */
    uint32_t code;
    char buffer[32];
} hanse_ranked_text;

/* ranks[code] of n entries, from 0, by text and then by number. The entries
 * change places. */
void hanse_rank_texts(hanse_ranked_text *entries, size_t n, uint32_t *ranks);

/* Text of a code of a text or labelled key: not terminated, *length bytes.
 * `buffer` (32 bytes) holds the number where a code has no label. */
const char *hanse_key_text(const hanse_fold *fold, size_t key, size_t code,
                           char *buffer, size_t *length);

/* Codes of a group, codes[0 .. n_keys - 1] in the order of the grouping. */
void hanse_group_codes(const hanse_fold *fold, size_t grouping, size_t group,
                       uint32_t *codes);

#endif
