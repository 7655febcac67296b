/* SPDX-License-Identifier: Apache-2.0
 *
 * From different values that were kept to what is known of each group.
 */
#ifndef HANSE_ENGINE_DISTINCT_FIND_H
#define HANSE_ENGINE_DISTINCT_FIND_H

#include "engine/distinct.h"
#include "engine/tally.h"

/* Makes the results of all groupings and measures whose values were kept, on
 * n_threads threads, and gives the memory of the values back. For each of the
 * others, whose results are zero, a tally is begun: tallies[0 .. *n - 1], which
 * has room for all groupings times all measures. */
hanse_status hanse_distinct_find(hanse_fold *fold, size_t n_threads,
                                 hanse_tally *tallies, size_t *n,
                                 hanse_error *error);

#endif
