/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading and decoding by map: chunk by chunk, or a contiguous dataset in
 * pieces that stay in the cache.
 */
#include "io/raw_fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/kernels/kernels.h"

enum {
    /* Bytes of unfiltered compound rows read at a time. */
    PIECE_BYTES = 1 << 18,
    /* Bytes of rows that are taken, turned around and searched for missing
     * values before the next are: half of the first cache level. */
    BLOCK_BYTES = 1 << 14
};

hanse_status hanse_raw_fetcher_init(hanse_raw_fetcher *fetcher,
                                    const hanse_hdf5_source *source,
                                    hanse_error *error)
{
    hanse_cpu cpu;
    HANSE_TRY(hanse_cpu_choose(&cpu, error));
    *fetcher = (hanse_raw_fetcher){.source = source,
                                   .kernels = hanse_kernels_of(cpu),
                                   .part = SIZE_MAX,
                                   .file = {.descriptor = -1}};
    fetcher->slots =
        calloc(source->schema.n_fields + 1, sizeof *fetcher->slots);
    if (fetcher->slots == NULL)
        return hanse_fail_nomem(error, "reader", source->schema.n_fields);
    return hanse_decoder_create(source->base.budget, &fetcher->decoder, error);
}

void hanse_raw_fetcher_clear(hanse_raw_fetcher *fetcher)
{
    if (fetcher->source == NULL)
        return;
    hanse_input_file_close(&fetcher->file);
    for (size_t i = 0;
         fetcher->slots != NULL && i < fetcher->source->schema.n_fields; i++)
        hanse_free(fetcher->source->base.budget, fetcher->slots[i].bytes,
                   fetcher->slots[i].capacity, 1);
    free(fetcher->slots);
    hanse_free(fetcher->source->base.budget, fetcher->stored, fetcher->capacity,
               1);
    hanse_decoder_destroy(fetcher->decoder);
    *fetcher = (hanse_raw_fetcher){0};
}

const char *hanse_raw_fetch_obstacle(const hanse_hdf5_column *column,
                                     const hanse_dataset_map *map)
{
    const hanse_hdf5_type *type = &column->type;
    if (type->form == HANSE_FORM_TEXT_VARIABLE)
        return "texts of varying length";
    if (map->reason[0] != '\0')
        return map->reason;
    if (type->irregular)
        return "numbers of an unusual size or bit layout";
    if (type->form != HANSE_FORM_TEXT_FIXED &&
        hanse_hdf5_type_memory_size(type) != type->size_bytes)
        return "values of another size than in memory";
    return "";
}

/* ---- Bytes of a file ---------------------------------------------------- */

hanse_status hanse_raw_fetch_check(const hanse_raw_fetcher *fetcher,
                                   hanse_error *error)
{
    return hanse_input_file_check(&fetcher->file, error);
}

hanse_status hanse_raw_open_part(hanse_raw_fetcher *f,
                                 const hanse_hdf5_part *part,
                                 hanse_error *error)
{
    const size_t index = (size_t)(part - f->source->parts);
    if (f->part == index)
        return HANSE_OK;
    HANSE_TRY(hanse_raw_fetch_check(f, error));
    hanse_input_file_close(&f->file);
    for (size_t i = 0; i < f->source->schema.n_fields; i++) {
        f->slots[i].map = NULL;
        f->slots[i].touched_first = f->slots[i].touched_end = 0;
    }
    f->part = SIZE_MAX;
    HANSE_TRY(hanse_input_file_open(&f->file, part->table.file,
                                    &part->table.stamp, part->is_mapped,
                                    error));
    f->part = index;
    return HANSE_OK;
}

/* Makes a buffer at least so large; what it held is lost. */
static hanse_status reserve(const hanse_raw_fetcher *f, uint8_t **bytes,
                            size_t *capacity, size_t size_bytes,
                            const char *what, hanse_error *error)
{
    hanse_budget *budget = f->source->base.budget;
    if (size_bytes <= *capacity)
        return HANSE_OK;
    hanse_free(budget, *bytes, *capacity, 1);
    *capacity = 0;
    *bytes = hanse_allocate(budget, size_bytes, 1);
    if (*bytes == NULL)
        return hanse_fail_budget(error, budget, what, size_bytes, 1);
    *capacity = size_bytes;
    return HANSE_OK;
}

static hanse_status reserve_stored(hanse_raw_fetcher *f, size_t size_bytes,
                                   hanse_error *error)
{
    return reserve(f, &f->stored, &f->capacity, size_bytes,
                   "stored bytes of a chunk", error);
}

/* ---- Values ------------------------------------------------------------- */

/* The fields that are fetched together. */
typedef struct request {
    hanse_raw_fetcher *fetcher;
    const hanse_row_range *rows;
    const hanse_dataset_map *map;
    const size_t *fields;
    size_t n_fields;
    hanse_raw_target *targets;
} request;

static const hanse_hdf5_column *column_of(const request *r, size_t i)
{
    return hanse_hdf5_range_column(r->rows, r->fields[i]);
}

static bool is_number(const hanse_hdf5_column *column)
{
    return column->type.form == HANSE_FORM_NUMBER ||
           column->type.form == HANSE_FORM_BITS;
}

bool hanse_raw_needs_swap(const hanse_hdf5_column *column)
{
    const bool machine_is_big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    return column->type.form == HANSE_FORM_NUMBER &&
           column->type.size_bytes > 1 &&
           column->type.big_endian != machine_is_big;
}

/* Whether a field has numbers that are to be found missing. */
static bool has_missing(const request *r, size_t i)
{
    const hanse_hdf5_column *column = column_of(r, i);
    return !r->targets[i].as_stored && is_number(column) &&
           column->missing.n > 0;
}

/* Whether stored values are not yet what is delivered. */
static bool needs_conversion(const request *r, size_t i)
{
    return hanse_raw_needs_swap(column_of(r, i)) || has_missing(r, i);
}

/* In place, by way of a block that stays in the first cache level. */
static void swap_bytes(const hanse_kernels *kernels, uint8_t *values, size_t n,
                       size_t width)
{
    uint8_t block[4096];
    const size_t block_values = sizeof block / width;
    for (size_t first = 0; first < n; first += block_values) {
        const size_t left = n - first;
        const size_t m = left < block_values ? left : block_values;
        uint8_t *out = values + first * width;
        memcpy(block, out, m * width);
        kernels->byte_swap(block, width, m, out);
    }
}

/* Makes n stored values of a field, from row `to` of its target on, what is
 * delivered. */
static void convert(const request *r, size_t i, size_t to, size_t n)
{
    const hanse_hdf5_column *column = column_of(r, i);
    const hanse_type type = column->type.type;
    hanse_raw_target *target = &r->targets[i];
    const size_t width = column->type.size_bytes;
    uint8_t *values = (uint8_t *)target->values + to * width;
    if (hanse_raw_needs_swap(column))
        swap_bytes(r->fetcher->kernels, values, n, width);
    if (!has_missing(r, i))
        return;
    if (type == HANSE_FLOAT32 || type == HANSE_FLOAT64)
        hanse_replace_missing(type, values, n, &column->missing);
    else if (hanse_mark_missing(type, values, n, &column->missing,
                                target->missing + to))
        target->any_missing = true;
}

/* Rows that are worked on at a time: all n where one pass over one field is
 * all there is to do. */
static size_t block_rows(const request *r, size_t n)
{
    bool one_pass = r->n_fields == 1;
    for (size_t i = 0; i < r->n_fields; i++)
        one_pass = one_pass && !needs_conversion(r, i);
    if (one_pass)
        return n;
    const size_t rows = BLOCK_BYTES / r->map->element_bytes;
    return rows < 64 ? 64 : rows;
}

/* Moves n rows from `first` of what is decoded to row `to` of the targets. */
static void put_rows(const request *r, const hanse_decoded *decoded,
                     size_t first, size_t n, size_t to)
{
    const size_t step = block_rows(r, n);
    for (size_t done = 0; done < n; done += step) {
        const size_t m = n - done < step ? n - done : step;
        for (size_t i = 0; i < r->n_fields; i++) {
            const hanse_hdf5_column *column = column_of(r, i);
            const size_t width = column->type.size_bytes;
            uint8_t *out = r->targets[i].values;
            hanse_decoded_read(decoded, column->member_offset, width,
                               first + done, m, out + (to + done) * width);
            if (needs_conversion(r, i))
                convert(r, i, to + done, m);
        }
    }
}

/* Rows as they lie in memory, n of them. */
static hanse_decoded plain_rows(const request *r, const uint8_t *data, size_t n)
{
    return (hanse_decoded){.data = data,
                           .n_rows = n,
                           .row_bytes = r->map->element_bytes,
                           .kernels = r->fetcher->kernels};
}

static void fill_rows(const request *r, size_t n, size_t to)
{
    for (size_t i = 0; i < r->n_fields; i++) {
        const hanse_hdf5_column *column = column_of(r, i);
        const size_t width = column->type.size_bytes;
        uint8_t *out = (uint8_t *)r->targets[i].values + to * width;
        memcpy(out, r->map->fill + column->member_offset, width);
        /* What is filled already is copied behind itself. */
        for (size_t done = 1; done < n;) {
            const size_t m = n - done < done ? n - done : done;
            memcpy(out + done * width, out, m * width);
            done += m;
        }
        convert(r, i, to, n);
    }
}

/* ---- Unfiltered rows ---------------------------------------------------- */

/* n rows that lie at an address just as they were written, to row `to`. A
 * column alone is read straight to its place; of compound rows the fields are
 * picked from pieces that stay in the cache. */
static hanse_status fetch_plain(const request *r, uint64_t address, size_t n,
                                size_t to, hanse_error *error)
{
    hanse_raw_fetcher *f = r->fetcher;
    const size_t row_bytes = r->map->element_bytes;
    if (!r->rows->part->table.is_compound) {
        uint8_t *out = (uint8_t *)r->targets[0].values + to * row_bytes;
        HANSE_TRY(hanse_input_file_read(&f->file, address, n * row_bytes, out,
                                        error));
        convert(r, 0, to, n);
        return HANSE_OK;
    }
    const size_t piece_rows =
        row_bytes < PIECE_BYTES ? PIECE_BYTES / row_bytes : 1;
    HANSE_TRY(reserve_stored(f, piece_rows * row_bytes, error));
    for (size_t done = 0; done < n; done += piece_rows) {
        const size_t m = n - done < piece_rows ? n - done : piece_rows;
        HANSE_TRY(hanse_input_file_read(&f->file, address + done * row_bytes,
                                        m * row_bytes, f->stored, error));
        const hanse_decoded rows = plain_rows(r, f->stored, m);
        put_rows(r, &rows, 0, m, to + done);
    }
    return HANSE_OK;
}

static hanse_status fetch_contiguous(const request *r, hanse_error *error)
{
    if (r->map->address == HANSE_ADDRESS_NONE) {
        fill_rows(r, r->rows->n, 0);
        return HANSE_OK;
    }
    return fetch_plain(r,
                       r->map->address + r->rows->first * r->map->element_bytes,
                       r->rows->n, 0, error);
}

static void fetch_compact(const request *r)
{
    const hanse_decoded rows =
        plain_rows(r, r->map->compact, (size_t)r->map->n_rows);
    put_rows(r, &rows, (size_t)r->rows->first, r->rows->n, 0);
}

/* ---- Chunks ------------------------------------------------------------- */

bool hanse_raw_chunk_is_plain(const hanse_dataset_map *map, size_t index)
{
    const hanse_chunk *chunk = &map->chunks[index];
    const uint32_t all = (UINT32_C(1) << map->pipeline.n_filters) - 1;
    return (chunk->filter_mask & all) == all &&
           chunk->stored_bytes == map->chunk_rows * map->element_bytes;
}

/* Puts file, column, chunk and its rows before a message. */
static hanse_status name_chunk(const request *r, size_t index,
                               hanse_status status, hanse_error *error)
{
    if (status == HANSE_OK)
        return status;
    const hanse_hdf5_table *table = &r->rows->part->table;
    const uint64_t first = index * r->map->chunk_rows;
    const uint64_t left = r->map->n_rows - first;
    const uint64_t n = left < r->map->chunk_rows ? left : r->map->chunk_rows;
    hanse_error_prefix(error, "%s: %s '%s', chunk %zu (rows %llu to %llu)",
                       table->file, table->is_compound ? "table" : "column",
                       table->is_compound ? table->path : column_of(r, 0)->name,
                       index, (unsigned long long)first,
                       (unsigned long long)(first + n - 1));
    return status;
}

/* Reads the stored bytes of a chunk. */
static hanse_status read_chunk(const request *r, size_t index,
                               hanse_error *error)
{
    hanse_raw_fetcher *f = r->fetcher;
    const hanse_chunk *chunk = &r->map->chunks[index];
    HANSE_TRY(name_chunk(r, index,
                         reserve_stored(f, chunk->stored_bytes, error), error));
    return hanse_input_file_read(&f->file, chunk->address, chunk->stored_bytes,
                                 f->stored, error);
}

/* A chunk all of whose rows are wanted now, to row `to` of the targets. What
 * was shuffled last is undone on the way there; else the last filter of a
 * column writes to its place. */
static hanse_status fetch_whole(const request *r, size_t index, size_t to,
                                hanse_error *error)
{
    hanse_raw_fetcher *f = r->fetcher;
    const hanse_dataset_map *map = r->map;
    const hanse_chunk *chunk = &map->chunks[index];
    const size_t n = (size_t)map->chunk_rows;
    const size_t row_bytes = map->element_bytes;
    HANSE_TRY(read_chunk(r, index, error));
    if (!r->rows->part->table.is_compound &&
        map->pipeline.filters[0].id != HANSE_FILTER_SHUFFLE) {
        HANSE_TRY(name_chunk(
            r, index,
            hanse_decoder_decode_into(
                f->decoder, &map->pipeline, chunk->filter_mask, f->stored,
                chunk->stored_bytes, n * row_bytes,
                (uint8_t *)r->targets[0].values + to * row_bytes, error),
            error));
        convert(r, 0, to, n);
        return HANSE_OK;
    }
    hanse_decoded decoded;
    HANSE_TRY(name_chunk(r, index,
                         hanse_decoder_open(f->decoder, &map->pipeline,
                                            chunk->filter_mask, f->stored,
                                            chunk->stored_bytes, n, row_bytes,
                                            &decoded, error),
                         error));
    put_rows(r, &decoded, 0, n, to);
    return HANSE_OK;
}

/* Makes the fetcher keep a chunk, decoded, for the morsels that share it. */
static hanse_status keep_chunk(const request *r, size_t index,
                               hanse_raw_slot *slot, hanse_error *error)
{
    hanse_raw_fetcher *f = r->fetcher;
    const hanse_dataset_map *map = r->map;
    const hanse_chunk *chunk = &map->chunks[index];
    const size_t n = (size_t)map->chunk_rows;
    if (slot->map == map && slot->chunk == index)
        return HANSE_OK;
    slot->map = NULL;
    HANSE_TRY(
        name_chunk(r, index,
                   reserve(f, &slot->bytes, &slot->capacity,
                           n * map->element_bytes, "a decoded chunk", error),
                   error));
    HANSE_TRY(read_chunk(r, index, error));
    HANSE_TRY(name_chunk(
        r, index,
        hanse_decoder_open_into(f->decoder, &map->pipeline, chunk->filter_mask,
                                f->stored, chunk->stored_bytes, n,
                                map->element_bytes, slot->bytes, &slot->decoded,
                                error),
        error));
    slot->map = map;
    slot->chunk = index;
    return HANSE_OK;
}

/* Rows of a chunk that is kept. Values of a column that lie there as they are
 * wanted are not moved when they are all there is. */
static hanse_status fetch_kept(const request *r, size_t index, size_t first,
                               size_t n, size_t to, hanse_error *error)
{
    const bool is_compound = r->rows->part->table.is_compound;
    const hanse_hdf5_column *column = column_of(r, 0);
    hanse_raw_slot *slot = &r->fetcher->slots[is_compound ? 0 : r->fields[0]];
    HANSE_TRY(keep_chunk(r, index, slot, error));
    if (!is_compound && !slot->decoded.shuffled && n == r->rows->n &&
        is_number(column) && !needs_conversion(r, 0))
        r->targets[0].values = slot->bytes + first * r->map->element_bytes;
    else
        put_rows(r, &slot->decoded, first, n, to);
    return HANSE_OK;
}

/* Rows `first` to first + n - 1 of a chunk, to row `to` of the targets. */
static hanse_status fetch_chunk(const request *r, size_t index, size_t first,
                                size_t n, size_t to, hanse_error *error)
{
    const hanse_dataset_map *map = r->map;
    const hanse_chunk *chunk = &map->chunks[index];
    if (chunk->address == HANSE_ADDRESS_NONE) {
        fill_rows(r, n, to);
        return HANSE_OK;
    }
    if (hanse_raw_chunk_is_plain(map, index))
        return fetch_plain(r, chunk->address + first * map->element_bytes, n,
                           to, error);
    return n == map->chunk_rows ? fetch_whole(r, index, to, error)
                                : fetch_kept(r, index, first, n, to, error);
}

static hanse_status fetch_chunked(const request *r, hanse_error *error)
{
    const uint64_t chunk_rows = r->map->chunk_rows;
    for (size_t done = 0; done < r->rows->n;) {
        const uint64_t row = r->rows->first + done;
        const size_t first = (size_t)(row % chunk_rows);
        const size_t left = r->rows->n - done;
        const size_t n =
            chunk_rows - first < left ? (size_t)chunk_rows - first : left;
        HANSE_TRY(
            fetch_chunk(r, (size_t)(row / chunk_rows), first, n, done, error));
        done += n;
    }
    return HANSE_OK;
}

hanse_status hanse_raw_fetch(hanse_raw_fetcher *fetcher,
                             const hanse_row_range *rows, const size_t *fields,
                             size_t n_fields, hanse_raw_target *targets,
                             hanse_error *error)
{
    const request r = {.fetcher = fetcher,
                       .rows = rows,
                       .map = hanse_raw_map(rows, fields[0]),
                       .fields = fields,
                       .n_fields = n_fields,
                       .targets = targets};
    for (size_t i = 0; i < n_fields; i++)
        targets[i].any_missing = false;
    HANSE_TRY(hanse_raw_open_part(fetcher, rows->part, error));
    switch (r.map->kind) {
    case HANSE_LAYOUT_CHUNKED:
        return fetch_chunked(&r, error);
    case HANSE_LAYOUT_CONTIGUOUS:
        return fetch_contiguous(&r, error);
    case HANSE_LAYOUT_COMPACT:
        fetch_compact(&r);
        break;
    case HANSE_LAYOUT_EXTERNAL: /* io/foreign.h */
    case HANSE_LAYOUT_VIRTUAL:
        break;
    }
    return HANSE_OK;
}
