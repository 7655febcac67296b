/* SPDX-License-Identifier: Apache-2.0
 *
 * Contiguous columns: the file already has its structure and its size, and
 * every thread writes its blocks of rows where they belong.
 */
#include <errno.h>
#include <unistd.h>

#include "datasets/row_block.h"
#include "engine/base/error.h"

/* 0.6 MB of the widest table's columns for each thread: stays in its cache. */
enum {
    BLOCK_ROWS = 8192
};

/* 0, or the errno value of what failed. */
static int write_at(int descriptor, const char *data, size_t size_bytes,
                    uint64_t offset)
{
    while (size_bytes > 0) {
        const ssize_t n = pwrite(descriptor, data, size_bytes, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : EIO;
        data += n;
        size_bytes -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}

static void write_block(const hanse_table_target *target,
                        hanse_row_block *block, const hanse_table_place *place,
                        uint64_t first, hanse_team *team)
{
    const hanse_row_maker *maker = block->maker;
    const size_t n = hanse_row_block_fill(block, first);
    const int descriptor = hanse_atomic_file_descriptor(target->atomic);
    for (size_t i = 0; i < maker->n_fields; i++) {
        const size_t size_bytes = hanse_type_size(maker->fields[i].type);
        const int cause =
            write_at(descriptor, block->columns[i], n * size_bytes,
                     place->offset[i] + first * size_bytes);
        if (cause != 0) {
            hanse_error error;
            hanse_team_fail(
                team, hanse_atomic_file_fail(target->atomic, cause, &error),
                &error);
            return;
        }
    }
}

hanse_status hanse_table_fill_contiguous(const hanse_table_target *target,
                                         const hanse_row_maker *maker,
                                         const hanse_table_place *place,
                                         hanse_error *error)
{
    hanse_team team = {0};
    const int64_t n_blocks = hanse_row_block_count(maker, BLOCK_ROWS);
#pragma omp parallel num_threads(target->n_threads)
    {
        hanse_row_block block;
        hanse_error own;
        const hanse_status status =
            hanse_row_block_init(&block, maker, BLOCK_ROWS, &own);
        if (status != HANSE_OK)
            hanse_team_fail(&team, status, &own);
#pragma omp for schedule(dynamic)
        for (int64_t b = 0; b < n_blocks; b++)
            if (!atomic_load(&team.failed))
                write_block(target, &block, place, (uint64_t)b * BLOCK_ROWS,
                            &team);
        hanse_row_block_clear(&block);
    }
    return hanse_team_status(&team, error);
}
