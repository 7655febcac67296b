/* SPDX-License-Identifier: Apache-2.0
 *
 * Sorting the groups of a list by their keys.
 */
#ifndef HANSE_ENGINE_GROUP_ORDER_H
#define HANSE_ENGINE_GROUP_ORDER_H

#include "engine/group_list.h"
#include "engine/sort.h"

/* Whether the key at a position of the grouping goes by its text. */
bool hanse_group_order_by_text(const hanse_partitions *parts, size_t position);

/* Sorts n entries, whose indices are rows of a list in partitions, by the keys
 * of the rows, first key first, missing ones last. Behind the entries is room
 * for as many. */
hanse_status hanse_group_order_sort(const hanse_group_list *list,
                                    hanse_sort_entry *entries, size_t n,
                                    size_t n_threads, hanse_error *error);

#endif
