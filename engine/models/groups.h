/* SPDX-License-Identifier: Apache-2.0
 *
 * Group numbers: what a pass over the table found, so that later passes know
 * to which group each row belongs. The number of a group is the number of its
 * row in the pass's result table, where keys are sorted.
 */
#ifndef HANSE_ENGINE_MODELS_GROUPS_H
#define HANSE_ENGINE_MODELS_GROUPS_H

#include "engine/source.h"

/* Of a row that the filter leaves out, or whose missing key is dropped. */
#define HANSE_NO_GROUP UINT32_MAX

typedef struct hanse_groups hanse_groups;

/* Folds the source, which must have a budget, by a specification with one
 * grouping (or none but "total"). *result has its table as the first one; it
 * belongs to the caller, as the groups do. The source must outlive the groups;
 * fields may be added behind those of its schema. */
hanse_status hanse_groups_create(const hanse_spec *spec, hanse_source *source,
                                 const hanse_run_options *options,
                                 hanse_groups **out, hanse_result **result,
                                 hanse_error *error);
void hanse_groups_destroy(hanse_groups *groups);

/* Number of groups. */
size_t hanse_groups_count(const hanse_groups *groups);

/* Keeps the number of each row once it has been found, 4 bytes a row, so that
 * later passes look up no keys; where these would take more than half of what
 * the source's budget has left, nothing is kept. Before numberings are open. */
void hanse_groups_remember(hanse_groups *groups);

/* Fields of the source that numbering reads: keys and filter. Borrowed. */
const size_t *hanse_groups_fields(const hanse_groups *groups, size_t *n_fields);

/* Numbers rows of batches; one for each thread. */
typedef struct hanse_numbering hanse_numbering;
hanse_status hanse_numbering_open(const hanse_groups *groups,
                                  hanse_numbering **out, hanse_error *error);
void hanse_numbering_close(hanse_numbering *numbering);

/* Numbers of rows first .. first + n - 1 of a batch that has the fields above,
 * n <= HANSE_BLOCK_ROWS. Row 0 of the batch is row batch_first_row of the
 * table. */
hanse_status hanse_numbering_fill(hanse_numbering *numbering,
                                  const hanse_batch *batch,
                                  uint64_t batch_first_row, size_t first,
                                  size_t n, uint32_t *out, hanse_error *error);

/* Numbers of all rows of the table, into an array of as many, on all threads.
 */
hanse_status hanse_groups_collect(const hanse_groups *groups,
                                  const hanse_run_options *options,
                                  uint32_t *out, hanse_error *error);

#endif
