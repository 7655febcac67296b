/* SPDX-License-Identifier: Apache-2.0
 *
 * Different values and the most frequent one. While they fit in memory all
 * different values of all groups are kept; those of a measure that do not are
 * dropped and the table is read again (passes.h). -0.0 counts as 0.0.
 *
 * As with quantiles, a grouping whose groups are unions of another one's takes
 * its values from there (hanse_quantiles_keeper).
 */
#ifndef HANSE_ENGINE_DISTINCT_H
#define HANSE_ENGINE_DISTINCT_H

#include "engine/fold.h"
#include "engine/value_counts.h"

typedef struct hanse_distinct hanse_distinct; /* of one grouping */

/* Whether a plan asks for any of it. */
bool hanse_distinct_needed(const hanse_plan *plan);

/* The most bytes that the different values of n_rows rows may take, and whether
 * so much may be kept with a limit of memory (0: none). */
uint64_t hanse_distinct_bytes(const hanse_plan *plan, uint64_t n_rows);
bool hanse_distinct_may_keep(uint64_t size_bytes, uint64_t limit_bytes);

/* That of a grouping of a fold, NULL when it was not asked for. */
hanse_distinct *hanse_distinct_of(const hanse_fold *fold, size_t grouping);

/* What is kept of a measure; NULL: it did not fit and was dropped. */
const hanse_value_counts *hanse_distinct_counts(const hanse_distinct *distinct,
                                                size_t measure);

/* Room for what is known of n_groups groups, zero at first, from which the
 * columns of the measure are then made; from then on nothing else is looked at.
 * NULL without memory. */
hanse_value_summary *hanse_distinct_results(hanse_distinct *distinct,
                                            size_t measure, size_t n_groups,
                                            hanse_error *error);

/* Gives the memory of a measure's kept values back. */
void hanse_distinct_release(hanse_distinct *distinct, size_t measure);

#endif
