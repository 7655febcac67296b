/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks of rows in memory, and failure among threads.
 */
#include "datasets/row_block.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"

static hanse_status allocate_columns(hanse_row_block *block, hanse_error *error)
{
    for (size_t i = 0; i < block->maker->n_fields; i++) {
        const size_t size_bytes = hanse_type_size(block->maker->fields[i].type);
        block->columns[i] = calloc(block->capacity_rows, size_bytes);
        if (block->columns[i] == NULL)
            return hanse_fail_nomem(error, "rows of a table",
                                    block->capacity_rows * size_bytes);
    }
    return HANSE_OK;
}

hanse_status hanse_row_block_init(hanse_row_block *block,
                                  const hanse_row_maker *maker,
                                  size_t capacity_rows, hanse_error *error)
{
    *block = (hanse_row_block){.maker = maker, .capacity_rows = capacity_rows};
    hanse_status status = allocate_columns(block, error);
    if (status == HANSE_OK && maker->open != NULL)
        status = maker->open(maker->context, &block->scratch, error);
    if (status != HANSE_OK)
        hanse_row_block_clear(block);
    return status;
}

void hanse_row_block_clear(hanse_row_block *block)
{
    for (size_t i = 0; i < HANSE_MAX_GENERATED_COLUMNS; i++)
        free(block->columns[i]);
    if (block->scratch != NULL)
        block->maker->close(block->scratch);
    *block = (hanse_row_block){0};
}

size_t hanse_row_block_fill(hanse_row_block *block, uint64_t first)
{
    const hanse_row_maker *maker = block->maker;
    const uint64_t left = maker->n_rows - first;
    const size_t n =
        left < block->capacity_rows ? (size_t)left : block->capacity_rows;
    maker->fill(maker->context, block->scratch, first, n, block->columns);
    for (size_t i = 0; i < maker->n_fields && n < block->capacity_rows; i++) {
        const size_t size_bytes = hanse_type_size(maker->fields[i].type);
        memset((char *)block->columns[i] + n * size_bytes, 0,
               (block->capacity_rows - n) * size_bytes);
    }
    return n;
}

int64_t hanse_row_block_count(const hanse_row_maker *maker, size_t block_rows)
{
    const uint64_t whole = maker->n_rows / block_rows;
    return (int64_t)(whole + (maker->n_rows % block_rows != 0 ? 1 : 0));
}

void hanse_team_fail(hanse_team *team, hanse_status status,
                     const hanse_error *error)
{
#pragma omp critical(hanse_team_fail)
    {
        if (team->status == HANSE_OK) {
            team->status = status;
            team->error = *error;
        }
    }
    atomic_store(&team->failed, 1);
}

hanse_status hanse_team_status(const hanse_team *team, hanse_error *error)
{
    if (team->status != HANSE_OK && error != NULL)
        *error = team->error;
    return team->status;
}
