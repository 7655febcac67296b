/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups of partitions on their way into a list. Inside: group_list.h is what
 * others use.
 */
#ifndef HANSE_ENGINE_GROUP_COLLECT_H
#define HANSE_ENGINE_GROUP_COLLECT_H

#include "engine/group_list.h"

/* Where memory for a list may be when the budget is exhausted; NULL: nowhere.
 */
hanse_spill *hanse_group_list_spill(const hanse_group_list *list);

/* Room for n rows. */
hanse_status hanse_group_list_allocate(hanse_group_list *list, size_t n,
                                       bool has_owners, hanse_error *error);

/* All groups of the partitions, pages first; *n_paged of them are in pages.
 * `may_skip`: when all are, only where those of each page begin. */
hanse_status hanse_group_list_collect(hanse_group_list *list, bool may_skip,
                                      size_t n_threads, size_t *n_paged,
                                      hanse_error *error);

#endif
