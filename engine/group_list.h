/* SPDX-License-Identifier: Apache-2.0
 *
 * The groups of one grouping in the order of its table, wherever their states
 * are: in a thread's fold or in partitions.
 */
#ifndef HANSE_ENGINE_GROUP_LIST_H
#define HANSE_ENGINE_GROUP_LIST_H

#include "engine/order.h"
#include "engine/partitions.h"

typedef struct hanse_group_list {
    const hanse_fold *keys;   /* numbers the groups, when not in partitions */
    const hanse_fold *states; /* has their states, in its `grouping` */
    const hanse_shared *shared;
    hanse_partitions *parts; /* NULL: in a fold */
    hanse_budget *budget;
    size_t grouping;
    size_t n_keys;
    size_t n;           /* rows of the table */
    hanse_large memory; /* of the two that follow */
    uint32_t *groups;   /* [row] */
    uint32_t *owners;   /* [row] partition (page p is p, hashed h is n_pages +
                           h); NULL: in a fold, or all in partition `owner` */
    size_t owner;
    uint64_t n_dropped; /* rows of groups left out for a missing key */
    bool is_by_page;    /* groups in pages stand in the order of pages */
    /* [page] its first row, and the end: all groups are in pages, and there are
     * no `groups` and `owners`, which can be had page by page. NULL: there
     * are. */
    size_t *starts;
    /* Key numbers and masks that are kept apart from the states, [groups[row]]
     * (times n_keys); NULL: they are with the states. */
    const int64_t *numbers;
    const uint32_t *masks;
} hanse_group_list;

/* Groups of a fold that have rows. `states` is the fold itself, or the one
 * with derived states. */
hanse_status hanse_group_list_of_fold(const hanse_fold *keys,
                                      const hanse_fold *states,
                                      const hanse_order *order, size_t grouping,
                                      hanse_group_list *out,
                                      hanse_error *error);

/* Groups in partitions, when all threads are through. Making a table of them
 * may free the states. `may_skip`: `starts` will do where they can. */
hanse_status hanse_group_list_of_partitions(const hanse_shared *shared,
                                            hanse_partitions *parts,
                                            bool may_skip, size_t n_threads,
                                            hanse_group_list *out,
                                            hanse_error *error);

/* Groups of one partition. */
hanse_status hanse_group_list_of_partition(const hanse_shared *shared,
                                           hanse_partitions *parts,
                                           size_t owner, hanse_group_list *out,
                                           hanse_error *error);

/* n groups whose key numbers are kept in arrays (borrowed), of which the first
 * n_paged are from pages: brings them into order. groups[row] is then an index
 * into those arrays. */
hanse_status
hanse_group_list_of_numbers(const hanse_shared *shared, hanse_partitions *parts,
                            const int64_t *numbers, const uint32_t *masks,
                            size_t n, size_t n_paged, size_t n_threads,
                            hanse_group_list *out, hanse_error *error);
void hanse_group_list_clear(hanse_group_list *list);

/* Rows from `row` on, of at most `most`, whose states are in one fold: that
 * fold, and its grouping. Returns their number. */
size_t hanse_group_list_run(const hanse_group_list *list, size_t row,
                            size_t most, const hanse_fold **fold,
                            size_t *grouping);

/* Numbers of the keys of a row's group, in the order of the grouping: values of
 * integers, codes of texts; returns the mask of missing ones (0 there). */
uint32_t hanse_group_list_numbers(const hanse_group_list *list, size_t row,
                                  int64_t *numbers);

/* The same of n rows anywhere, whose memory is asked for first:
 * numbers[i * n_keys] on and masks[i] are those of rows[i]. */
void hanse_group_list_gather(const hanse_group_list *list, const size_t *rows,
                             size_t n, int64_t *numbers, uint32_t *masks);

/* The texts of the text key at `position` of the grouping. */
const hanse_text_map *hanse_group_list_texts(const hanse_group_list *list,
                                             size_t position);

/* Text of the number of a text or labelled key at `position` of the grouping:
 * not terminated, *length bytes, possibly in `buffer` (32 bytes). */
const char *hanse_group_list_text(const hanse_group_list *list, size_t position,
                                  int64_t number, char *buffer, size_t *length);

#endif
