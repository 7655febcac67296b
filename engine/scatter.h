/* SPDX-License-Identifier: Apache-2.0
 *
 * One thread's rows on their way to the partitions of a grouping. Rows are
 * collected per partition, packed, and added under its lock when there are
 * enough of them.
 */
#ifndef HANSE_ENGINE_SCATTER_H
#define HANSE_ENGINE_SCATTER_H

#include "engine/partitions.h"

typedef struct hanse_scatter hanse_scatter;

hanse_status hanse_scatter_create(hanse_partitions *parts, hanse_scatter **out,
                                  hanse_error *error);

/* Accepts NULL; rows that were not flushed are lost. */
void hanse_scatter_destroy(hanse_scatter *scatter);

/* Takes the rows of a block: key numbers, missing marks and measures. */
hanse_status hanse_scatter_add(hanse_scatter *scatter, const hanse_block *block,
                               hanse_error *error);

/* Adds all that is still collected. */
hanse_status hanse_scatter_flush(hanse_scatter *scatter, hanse_error *error);

/* Adds the rows of a partition that are in the spill, when all threads are
 * through. */
hanse_status hanse_scatter_load(hanse_scatter *scatter,
                                hanse_partition *partition, hanse_error *error);

#endif
