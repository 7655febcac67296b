/* SPDX-License-Identifier: Apache-2.0
 *
 * Checking a dataset map. The child that made it read an untrusted file, and
 * may have been taken over by it: nothing here is believed.
 */
#include "io/dataset_map.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

void hanse_dataset_map_clear(hanse_dataset_map *map)
{
    free(map->fill);
    free(map->compact);
    free(map->chunks);
    for (size_t i = 0; i < map->n_files; i++) {
        free(map->files[i].name);
        free(map->files[i].dataset);
    }
    free(map->files);
    free(map->pieces);
    *map = (hanse_dataset_map){0};
}

bool hanse_dataset_map_chunk_bytes(const hanse_dataset_map *map,
                                   size_t *size_bytes)
{
    return map->chunk_rows <= SIZE_MAX &&
           hanse_size_multiply((size_t)map->chunk_rows, map->element_bytes,
                               size_bytes);
}

static bool inside_file(uint64_t address, uint64_t size_bytes,
                        uint64_t file_bytes)
{
    return address <= file_bytes && size_bytes <= file_bytes - address;
}

static hanse_status check_contiguous(const hanse_dataset_map *map,
                                     uint64_t file_bytes, const char *what,
                                     hanse_error *error)
{
    uint64_t size_bytes;
    if (__builtin_mul_overflow(map->n_rows, (uint64_t)map->element_bytes,
                               &size_bytes))
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "%s: damaged: %llu rows of %u bytes", what,
                          (unsigned long long)map->n_rows, map->element_bytes);
    if (map->address != HANSE_ADDRESS_NONE &&
        !inside_file(map->address, size_bytes, file_bytes))
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "%s: damaged: its values lie at byte %llu, beyond "
                          "the end of the file at %llu; is the file cut off?",
                          what, (unsigned long long)(map->address + size_bytes),
                          (unsigned long long)file_bytes);
    return HANSE_OK;
}

/* An unfiltered chunk is stored as it is; a filtered one may be any size up to
 * a little over its own, for what filters add. */
static hanse_status check_chunk(const hanse_dataset_map *map, size_t index,
                                size_t chunk_bytes, uint64_t file_bytes,
                                const char *what, hanse_error *error)
{
    const hanse_chunk *chunk = &map->chunks[index];
    if (chunk->address == HANSE_ADDRESS_NONE)
        return HANSE_OK;
    const bool plain = map->pipeline.n_filters == 0;
    if (!inside_file(chunk->address, chunk->stored_bytes, file_bytes) ||
        (plain && chunk->stored_bytes != chunk_bytes))
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "%s: damaged: chunk %zu has %u bytes at byte %llu of "
                          "a file of %llu",
                          what, index, chunk->stored_bytes,
                          (unsigned long long)chunk->address,
                          (unsigned long long)file_bytes);
    return HANSE_OK;
}

static hanse_status check_chunks(const hanse_dataset_map *map,
                                 uint64_t file_bytes, const char *what,
                                 hanse_error *error)
{
    size_t chunk_bytes;
    if (map->chunk_rows == 0 ||
        !hanse_dataset_map_chunk_bytes(map, &chunk_bytes) ||
        chunk_bytes > UINT32_MAX)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "%s: damaged: chunks of %llu rows of %u bytes", what,
                          (unsigned long long)map->chunk_rows,
                          map->element_bytes);
    const uint64_t needed =
        map->n_rows / map->chunk_rows + (map->n_rows % map->chunk_rows != 0);
    if (map->n_chunks != needed)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "%s: damaged: %zu chunks, the rows need %llu", what,
                          map->n_chunks, (unsigned long long)needed);
    for (size_t i = 0; i < map->n_chunks; i++)
        HANSE_TRY(check_chunk(map, i, chunk_bytes, file_bytes, what, error));
    return HANSE_OK;
}

/* Of external storage every byte must lie somewhere. */
static hanse_status check_foreign(const hanse_dataset_map *map,
                                  const char *what, hanse_error *error)
{
    const bool is_raw = map->kind == HANSE_LAYOUT_EXTERNAL;
    uint64_t size = map->n_rows, next = 0, end;
    bool is_sound = !is_raw || !__builtin_mul_overflow(
                                   size, (uint64_t)map->element_bytes, &size);
    for (size_t i = 0; i < map->n_files; i++)
        is_sound = is_sound && map->files[i].name != NULL &&
                   is_raw == (map->files[i].dataset == NULL);
    for (size_t i = 0; i < map->n_pieces && is_sound; i++) {
        const hanse_foreign_piece *piece = &map->pieces[i];
        is_sound = piece->n > 0 && piece->file < map->n_files &&
                   piece->first >= next && piece->first <= size &&
                   piece->n <= size - piece->first &&
                   !__builtin_add_overflow(piece->start, piece->n, &end) &&
                   end <= INT64_MAX && (!is_raw || piece->first == next);
        next = piece->first + piece->n;
    }
    if (is_sound && (!is_raw || next == size))
        return HANSE_OK;
    return hanse_fail(error, HANSE_ERR_FORMAT,
                      "%s: damaged: its values lie nowhere", what);
}

hanse_status hanse_dataset_map_check(const hanse_dataset_map *map,
                                     uint64_t file_bytes, const char *what,
                                     hanse_error *error)
{
    if (map->reason[0] != '\0')
        return HANSE_OK;
    if (map->element_bytes == 0 || map->fill == NULL)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "%s: damaged: elements of no bytes", what);
    switch (map->kind) {
    case HANSE_LAYOUT_CONTIGUOUS:
        return check_contiguous(map, file_bytes, what, error);
    case HANSE_LAYOUT_CHUNKED:
        return check_chunks(map, file_bytes, what, error);
    case HANSE_LAYOUT_COMPACT:
        if (map->compact != NULL || map->n_rows == 0)
            return HANSE_OK;
        break;
    case HANSE_LAYOUT_EXTERNAL:
    case HANSE_LAYOUT_VIRTUAL:
        return check_foreign(map, what, error);
    }
    return hanse_fail(error, HANSE_ERR_FORMAT, "%s: damaged: no known layout",
                      what);
}
