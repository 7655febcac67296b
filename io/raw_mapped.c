/* SPDX-License-Identifier: Apache-2.0
 *
 * Values that lie in a mapped file as they are wanted, and advice to the
 * system on what is read next.
 */
#include "io/raw_fetch.h"

/* Mapped pages that were used leave the process after so many bytes: each
 * thread and column keeps no more, whatever the file's size. Larger pieces
 * cost fewer interruptions of the other threads. */
static const uint64_t most_touched_bytes = 1 << 23;

/* Between the chunks of a stream: what the library puts there of its own. */
static const uint64_t most_gap_bytes = 1 << 14;

/* Where n rows lie in the file one after the other as they were written; false
 * when they do not. */
static bool find_plain(const hanse_dataset_map *map, uint64_t first, size_t n,
                       uint64_t *address)
{
    if (map->kind == HANSE_LAYOUT_CONTIGUOUS) {
        *address = map->address + first * map->element_bytes;
        return map->address != HANSE_ADDRESS_NONE;
    }
    if (map->kind != HANSE_LAYOUT_CHUNKED)
        return false;
    const size_t chunk = (size_t)(first / map->chunk_rows);
    const uint64_t within = first % map->chunk_rows;
    *address = map->chunks[chunk].address + within * map->element_bytes;
    return map->chunks[chunk].address != HANSE_ADDRESS_NONE &&
           n <= map->chunk_rows - within &&
           hanse_raw_chunk_is_plain(map, chunk);
}

static bool is_ready(const hanse_row_range *rows, size_t field)
{
    const hanse_hdf5_column *column = hanse_hdf5_range_column(rows, field);
    const bool is_float = column->type.type == HANSE_FLOAT32 ||
                          column->type.type == HANSE_FLOAT64;
    return !rows->part->table.is_compound && column->type.type != HANSE_TEXT &&
           !hanse_raw_needs_swap(column) &&
           !(is_float && column->missing.n > 0);
}

/* Notes that a range is in use and lets go of what was before. */
static void touch(hanse_raw_fetcher *f, size_t field, uint64_t address,
                  uint64_t size_bytes)
{
    hanse_raw_slot *slot = &f->slots[field];
    if (address < slot->touched_first ||
        address - slot->touched_first >= most_touched_bytes) {
        hanse_file_pages_drop(&f->file.pages, slot->touched_first,
                              slot->touched_end - slot->touched_first);
        slot->touched_first = address;
    }
    slot->touched_end = address + size_bytes;
}

hanse_status hanse_raw_fetch_mapped(hanse_raw_fetcher *fetcher,
                                    const hanse_row_range *rows, size_t field,
                                    const void **values, hanse_error *error)
{
    const hanse_dataset_map *map = hanse_raw_map(rows, field);
    uint64_t address;
    *values = NULL;
    if (!rows->part->is_mapped || !is_ready(rows, field) ||
        !find_plain(map, rows->first, rows->n, &address))
        return HANSE_OK;
    HANSE_TRY(hanse_raw_open_part(fetcher, rows->part, error));
    const hanse_file_pages *pages = &fetcher->file.pages;
    if (hanse_file_pages_broken(pages))
        return hanse_raw_fetch_check(fetcher, error);
    if (pages->bytes == NULL || address % map->element_bytes != 0)
        return HANSE_OK;
    touch(fetcher, field, address, (uint64_t)rows->n * map->element_bytes);
    *values = pages->bytes + address;
    return HANSE_OK;
}

/* ---- Reading ahead ------------------------------------------------------ */

/* Whether a chunk lies right behind the one before, as in a dataset that was
 * written in one go: reading them in order is a stream to the system. */
static bool follows(const hanse_dataset_map *map, size_t index)
{
    if (index == 0 || map->chunks[index - 1].address == HANSE_ADDRESS_NONE)
        return false;
    const hanse_chunk *before = &map->chunks[index - 1];
    const uint64_t end = before->address + before->stored_bytes;
    return map->chunks[index].address >= end &&
           map->chunks[index].address - end <= most_gap_bytes;
}

static void advise_chunks(hanse_raw_fetcher *f, const hanse_dataset_map *map,
                          uint64_t first, size_t n)
{
    const uint64_t last = first + n - 1;
    const bool streams = hanse_input_file_streams(&f->file);
    for (uint64_t c = first / map->chunk_rows; c <= last / map->chunk_rows;
         c++) {
        const hanse_chunk *chunk = &map->chunks[c];
        const uint64_t start = c * map->chunk_rows;
        if (chunk->address == HANSE_ADDRESS_NONE ||
            (streams && follows(map, (size_t)c)))
            continue;
        if (!hanse_raw_chunk_is_plain(map, (size_t)c)) {
            hanse_input_file_advise(&f->file, chunk->address,
                                    chunk->stored_bytes);
            continue;
        }
        const uint64_t from = first > start ? first - start : 0;
        const uint64_t to = last - start < map->chunk_rows - 1
                                ? last - start + 1
                                : map->chunk_rows;
        hanse_input_file_advise(&f->file,
                                chunk->address + from * map->element_bytes,
                                (to - from) * map->element_bytes);
    }
}

hanse_status hanse_raw_read_ahead(hanse_raw_fetcher *fetcher,
                                  const hanse_row_range *rows,
                                  const size_t *fields, size_t n_fields,
                                  hanse_error *error)
{
    HANSE_TRY(hanse_raw_open_part(fetcher, rows->part, error));
    for (size_t i = 0; i < n_fields; i++) {
        const hanse_dataset_map *map = hanse_raw_map(rows, fields[i]);
        if (!map->is_recorded || map->reason[0] != '\0')
            continue;
        if (map->kind == HANSE_LAYOUT_CHUNKED)
            advise_chunks(fetcher, map, rows->first, rows->n);
        else if (map->kind == HANSE_LAYOUT_CONTIGUOUS &&
                 map->address != HANSE_ADDRESS_NONE &&
                 !hanse_input_file_streams(&fetcher->file))
            hanse_input_file_advise(
                &fetcher->file, map->address + rows->first * map->element_bytes,
                (uint64_t)rows->n * map->element_bytes);
        if (rows->part->table.is_compound)
            break;
    }
    return HANSE_OK;
}

hanse_status hanse_raw_is_cached(hanse_raw_fetcher *fetcher,
                                 const hanse_row_range *rows, size_t field,
                                 bool *is_cached, hanse_error *error)
{
    const hanse_dataset_map *map = hanse_raw_map(rows, field);
    const uint64_t last = rows->first + rows->n - 1;
    uint64_t address = HANSE_ADDRESS_NONE;
    HANSE_TRY(hanse_raw_open_part(fetcher, rows->part, error));
    if (map->is_recorded && map->reason[0] == '\0') {
        if (map->kind == HANSE_LAYOUT_CHUNKED)
            address = map->chunks[last / map->chunk_rows].address;
        else if (map->kind == HANSE_LAYOUT_CONTIGUOUS &&
                 map->address != HANSE_ADDRESS_NONE)
            address = map->address + last * map->element_bytes;
    }
    *is_cached = address == HANSE_ADDRESS_NONE ||
                 hanse_input_file_is_cached(&fetcher->file, address);
    return HANSE_OK;
}
