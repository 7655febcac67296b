/* SPDX-License-Identifier: Apache-2.0
 *
 * Chunked columns: threads make and encode chunks at the same time and hand
 * them to the HDF5 library one after the other, in the order of the rows.
 */
#include "datasets/write_chunked.h"

#include <stdlib.h>

#include "datasets/row_block.h"
#include "engine/base/error.h"

/* What a thread needs for one chunk of every column. */
typedef struct chunk_worker {
    hanse_row_block block;
    hanse_chunk_encoder *encoder;
    void *room[HANSE_MAX_GENERATED_COLUMNS];
    hanse_stored_chunk stored[HANSE_MAX_GENERATED_COLUMNS];
} chunk_worker;

static void worker_clear(chunk_worker *worker)
{
    for (size_t i = 0; i < HANSE_MAX_GENERATED_COLUMNS; i++)
        free(worker->room[i]);
    hanse_chunk_encoder_destroy(worker->encoder);
    hanse_row_block_clear(&worker->block);
    *worker = (chunk_worker){0};
}

static hanse_status worker_prepare(chunk_worker *worker,
                                   const hanse_table_target *target,
                                   const hanse_row_maker *maker,
                                   size_t chunk_rows, hanse_error *error)
{
    HANSE_TRY(hanse_row_block_init(&worker->block, maker, chunk_rows, error));
    HANSE_TRY(hanse_chunk_encoder_create(
        target->storage, chunk_rows * sizeof(double), &worker->encoder, error));
    for (size_t i = 0; i < maker->n_fields; i++) {
        const size_t room_bytes = hanse_chunk_encoder_bound(
            worker->encoder,
            chunk_rows * hanse_type_size(maker->fields[i].type));
        worker->room[i] = malloc(room_bytes > 0 ? room_bytes : 1);
        if (worker->room[i] == NULL)
            return hanse_fail_nomem(error, "encoded chunk", room_bytes);
    }
    return HANSE_OK;
}

static hanse_status worker_encode(chunk_worker *worker, uint64_t first,
                                  hanse_error *error)
{
    const hanse_row_maker *maker = worker->block.maker;
    (void)hanse_row_block_fill(&worker->block, first);
    for (size_t i = 0; i < maker->n_fields; i++) {
        const size_t size_bytes = hanse_type_size(maker->fields[i].type);
        HANSE_TRY(hanse_chunk_encode(worker->encoder, worker->block.columns[i],
                                     worker->block.capacity_rows * size_bytes,
                                     size_bytes, worker->room[i],
                                     &worker->stored[i], error));
    }
    return HANSE_OK;
}

/* One thread at a time. */
static hanse_status worker_write(const chunk_worker *worker,
                                 const hanse_table_target *target,
                                 uint64_t first, const hid_t *datasets,
                                 hanse_error *error)
{
    const hsize_t offset = first;
    for (size_t i = 0; i < worker->block.maker->n_fields; i++) {
        const hanse_stored_chunk *stored = &worker->stored[i];
        const herr_t written =
            H5Dwrite_chunk(datasets[i], H5P_DEFAULT, stored->filter_mask,
                           &offset, stored->size_bytes, stored->bytes);
        if (target->target->cause != 0)
            return hanse_atomic_file_fail(target->atomic, target->target->cause,
                                          error);
        if (written < 0)
            return hanse_fail(error, HANSE_ERR_IO,
                              "HDF5 cannot write rows from %llu on of the "
                              "column %s",
                              (unsigned long long)first,
                              worker->block.maker->fields[i].name);
    }
    return HANSE_OK;
}

static void team_try(hanse_team *team, hanse_status status,
                     const hanse_error *error)
{
    if (status != HANSE_OK)
        hanse_team_fail(team, status, error);
}

hanse_status hanse_table_fill_chunked(const hanse_table_target *target,
                                      const hanse_row_maker *maker,
                                      size_t chunk_rows, const hid_t *datasets,
                                      hanse_error *error)
{
    hanse_team team = {0};
    const int64_t n_chunks = hanse_row_block_count(maker, chunk_rows);
#pragma omp parallel num_threads(target->n_threads)
    {
        chunk_worker worker = {0};
        hanse_error own;
        /* The library keeps the switch for its own messages per thread. */
        (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
        team_try(&team,
                 worker_prepare(&worker, target, maker, chunk_rows, &own),
                 &own);
#pragma omp for ordered schedule(dynamic)
        for (int64_t c = 0; c < n_chunks; c++) {
            const uint64_t first = (uint64_t)c * chunk_rows;
            if (!atomic_load(&team.failed))
                team_try(&team, worker_encode(&worker, first, &own), &own);
#pragma omp ordered
            {
                if (!atomic_load(&team.failed))
                    team_try(
                        &team,
                        worker_write(&worker, target, first, datasets, &own),
                        &own);
            }
        }
        worker_clear(&worker);
    }
    return hanse_team_status(&team, error);
}
