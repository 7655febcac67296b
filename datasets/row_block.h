/* SPDX-License-Identifier: Apache-2.0
 *
 * What a thread owns while it makes the rows of a table, and how the threads
 * of a team learn that one of them failed.
 */
#ifndef HANSE_DATASETS_ROW_BLOCK_H
#define HANSE_DATASETS_ROW_BLOCK_H

#include <stdatomic.h>

#include "datasets/table_writer.h"

/* Rows of all columns. */
typedef struct hanse_row_block {
    const hanse_row_maker *maker;
    void *scratch;
    size_t capacity_rows;
    void *columns[HANSE_MAX_GENERATED_COLUMNS];
} hanse_row_block;

/* Memory for capacity_rows rows; on failure the block is empty. */
hanse_status hanse_row_block_init(hanse_row_block *block,
                                  const hanse_row_maker *maker,
                                  size_t capacity_rows, hanse_error *error);
void hanse_row_block_clear(hanse_row_block *block);

/* Makes up to capacity_rows rows from row `first` on; the rest of the block,
 * beyond the end of the table, is zero. Returns the rows made. */
size_t hanse_row_block_fill(hanse_row_block *block, uint64_t first);

/* Blocks that a table has. */
int64_t hanse_row_block_count(const hanse_row_maker *maker, size_t block_rows);

/* The first failure of a team. Zero-initialise. */
typedef struct hanse_team {
    _Atomic int failed; /* to be looked at before each piece of work */
    hanse_status status;
    hanse_error error;
} hanse_team;

/* Records a failure; from any thread. */
void hanse_team_fail(hanse_team *team, hanse_status status,
                     const hanse_error *error);

/* After the team's end: the status, and the error's copy. */
hanse_status hanse_team_status(const hanse_team *team, hanse_error *error);

#endif
