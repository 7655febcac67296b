/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading and decoding by map: chunk by chunk, or a contiguous dataset in
 * pieces that stay in the cache.
 */
#include "io/raw_fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/kernels/kernels.h"

/* Bytes of contiguous compound rows read at a time. */
enum {
    PIECE_BYTES = 1 << 18
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
                                   .descriptor = -1};
    return hanse_decoder_create(source->base.budget, &fetcher->decoder, error);
}

void hanse_raw_fetcher_clear(hanse_raw_fetcher *fetcher)
{
    if (fetcher->source == NULL)
        return;
    if (fetcher->descriptor >= 0)
        (void)close(fetcher->descriptor);
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

static bool same_file(const struct stat *facts, const hanse_file_stamp *stamp)
{
    return facts->st_dev == stamp->device && facts->st_ino == stamp->inode &&
           (uint64_t)facts->st_size == stamp->size_bytes &&
           facts->st_mtim.tv_sec * INT64_C(1000000000) +
                   facts->st_mtim.tv_nsec ==
               stamp->changed_ns;
}

/* Opens the file of a part, and notices when it is no longer the one that was
 * mapped. */
static hanse_status open_part(hanse_raw_fetcher *f, const hanse_hdf5_part *part,
                              hanse_error *error)
{
    const size_t index = (size_t)(part - f->source->parts);
    struct stat facts;
    if (f->part == index)
        return HANSE_OK;
    if (f->descriptor >= 0)
        (void)close(f->descriptor);
    f->part = SIZE_MAX;
    f->map = NULL;
    f->descriptor = open(part->table.file, O_RDONLY | O_CLOEXEC);
    if (f->descriptor < 0 || fstat(f->descriptor, &facts) != 0)
        return hanse_fail(error, HANSE_ERR_IO, "%s: %s", part->table.file,
                          strerror(errno));
    if (!same_file(&facts, &part->table.stamp))
        return hanse_fail(error, HANSE_ERR_IO,
                          "%s: changed while it was being read; run again "
                          "when it is complete",
                          part->table.file);
    f->part = index;
    return HANSE_OK;
}

static hanse_status read_bytes(const hanse_raw_fetcher *f,
                               const hanse_hdf5_part *part, uint64_t address,
                               size_t size_bytes, void *out, hanse_error *error)
{
    char *next = out;
    while (size_bytes > 0) {
        const ssize_t n =
            pread(f->descriptor, next, size_bytes, (off_t)address);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return hanse_fail(error, HANSE_ERR_IO, "%s: cannot be read: %s",
                              part->table.file, strerror(errno));
        if (n == 0)
            return hanse_fail(error, HANSE_ERR_IO,
                              "%s: became shorter while it was being read",
                              part->table.file);
        next += n;
        address += (uint64_t)n;
        size_bytes -= (size_t)n;
    }
    return HANSE_OK;
}

static hanse_status reserve(hanse_raw_fetcher *f, size_t size_bytes,
                            hanse_error *error)
{
    hanse_budget *budget = f->source->base.budget;
    if (size_bytes <= f->capacity)
        return HANSE_OK;
    hanse_free(budget, f->stored, f->capacity, 1);
    f->map = NULL;
    f->capacity = 0;
    f->stored = hanse_allocate(budget, size_bytes, 1);
    if (f->stored == NULL)
        return hanse_fail_budget(error, budget, "stored bytes of a chunk",
                                 size_bytes, 1);
    f->capacity = size_bytes;
    return HANSE_OK;
}

/* ---- One dataset -------------------------------------------------------- */

/* The fields that are fetched together. */
typedef struct request {
    hanse_raw_fetcher *fetcher;
    const hanse_row_range *rows;
    const hanse_dataset_map *map;
    const size_t *fields;
    size_t n_fields;
    void *const *outs;
} request;

static const hanse_hdf5_column *column_of(const request *r, size_t i)
{
    return hanse_hdf5_range_column(r->rows, r->fields[i]);
}

/* Copies n rows from `first` of what is decoded to row `to` of the outputs. */
static void copy_fields(const request *r, const hanse_decoded *decoded,
                        size_t first, size_t n, size_t to)
{
    for (size_t i = 0; i < r->n_fields; i++) {
        const hanse_hdf5_column *column = column_of(r, i);
        const size_t width = column->type.size_bytes;
        hanse_decoded_read(decoded, column->member_offset, width, first, n,
                           (uint8_t *)r->outs[i] + to * width);
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
        uint8_t *out = (uint8_t *)r->outs[i] + to * width;
        for (size_t k = 0; k < n; k++)
            memcpy(out + k * width, r->map->fill + column->member_offset,
                   width);
    }
}

/* Puts file, column, chunk and its rows before a message. */
static void name_chunk(const request *r, size_t index, hanse_error *error)
{
    const hanse_hdf5_table *table = &r->rows->part->table;
    const uint64_t first = index * r->map->chunk_rows;
    const uint64_t left = r->map->n_rows - first;
    const uint64_t n = left < r->map->chunk_rows ? left : r->map->chunk_rows;
    hanse_error_prefix(error, "%s: %s '%s', chunk %zu (rows %llu to %llu)",
                       table->file, table->is_compound ? "table" : "column",
                       table->is_compound ? table->path : column_of(r, 0)->name,
                       index, (unsigned long long)first,
                       (unsigned long long)(first + n - 1));
}

/* Makes the fetcher hold a chunk, decoded. */
static hanse_status load_chunk(const request *r, size_t index,
                               hanse_error *error)
{
    hanse_raw_fetcher *f = r->fetcher;
    const hanse_chunk *chunk = &r->map->chunks[index];
    if (f->map == r->map && f->chunk == index)
        return HANSE_OK;
    f->map = NULL;
    HANSE_TRY(reserve(f, chunk->stored_bytes, error));
    HANSE_TRY(read_bytes(f, r->rows->part, chunk->address, chunk->stored_bytes,
                         f->stored, error));
    const hanse_status status = hanse_decoder_open(
        f->decoder, &r->map->pipeline, chunk->filter_mask, f->stored,
        chunk->stored_bytes, (size_t)r->map->chunk_rows, r->map->element_bytes,
        &f->decoded, error);
    if (status != HANSE_OK) {
        name_chunk(r, index, error);
        return status;
    }
    f->map = r->map;
    f->chunk = index;
    return HANSE_OK;
}

static hanse_status fetch_chunked(const request *r, hanse_error *error)
{
    const uint64_t chunk_rows = r->map->chunk_rows;
    for (size_t done = 0; done < r->rows->n;) {
        const uint64_t row = r->rows->first + done;
        const size_t index = (size_t)(row / chunk_rows);
        const size_t first = (size_t)(row % chunk_rows);
        const size_t left = r->rows->n - done;
        const size_t n =
            chunk_rows - first < left ? (size_t)chunk_rows - first : left;
        if (r->map->chunks[index].address == HANSE_ADDRESS_NONE) {
            fill_rows(r, n, done);
        } else {
            HANSE_TRY(load_chunk(r, index, error));
            copy_fields(r, &r->fetcher->decoded, first, n, done);
        }
        done += n;
    }
    return HANSE_OK;
}

/* A column alone is read straight to its place; of compound rows the fields
 * are picked from pieces that stay in the cache. */
static hanse_status fetch_contiguous(const request *r, hanse_error *error)
{
    const size_t row_bytes = r->map->element_bytes;
    const uint64_t start = r->map->address + r->rows->first * row_bytes;
    if (r->map->address == HANSE_ADDRESS_NONE) {
        fill_rows(r, r->rows->n, 0);
        return HANSE_OK;
    }
    if (!r->rows->part->table.is_compound)
        return read_bytes(r->fetcher, r->rows->part, start,
                          r->rows->n * row_bytes, r->outs[0], error);
    const size_t piece_rows =
        row_bytes < PIECE_BYTES ? PIECE_BYTES / row_bytes : 1;
    HANSE_TRY(reserve(r->fetcher, piece_rows * row_bytes, error));
    for (size_t done = 0; done < r->rows->n; done += piece_rows) {
        const size_t left = r->rows->n - done;
        const size_t n = left < piece_rows ? left : piece_rows;
        HANSE_TRY(read_bytes(r->fetcher, r->rows->part,
                             start + done * row_bytes, n * row_bytes,
                             r->fetcher->stored, error));
        const hanse_decoded rows = plain_rows(r, r->fetcher->stored, n);
        copy_fields(r, &rows, 0, n, done);
    }
    return HANSE_OK;
}

static void fetch_compact(const request *r)
{
    const hanse_decoded rows =
        plain_rows(r, r->map->compact, (size_t)r->map->n_rows);
    copy_fields(r, &rows, (size_t)r->rows->first, r->rows->n, 0);
}

/* ---- Byte order --------------------------------------------------------- */

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

/* Numbers to the machine's byte order. */
static void normalise(const request *r)
{
    const bool machine_is_big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    for (size_t i = 0; i < r->n_fields; i++) {
        const hanse_hdf5_type *type = &column_of(r, i)->type;
        if (type->form == HANSE_FORM_NUMBER &&
            type->big_endian != machine_is_big)
            swap_bytes(r->fetcher->kernels, r->outs[i], r->rows->n,
                       type->size_bytes);
    }
}

hanse_status hanse_raw_fetch(hanse_raw_fetcher *fetcher,
                             const hanse_row_range *rows, const size_t *fields,
                             size_t n_fields, void *const *outs,
                             hanse_error *error)
{
    const hanse_hdf5_table *table = &rows->part->table;
    const size_t column = rows->part->columns[fields[0]];
    const request r = {.fetcher = fetcher,
                       .rows = rows,
                       .map = &table->maps[hanse_hdf5_table_map(table, column)],
                       .fields = fields,
                       .n_fields = n_fields,
                       .outs = outs};
    HANSE_TRY(open_part(fetcher, rows->part, error));
    switch (r.map->kind) {
    case HANSE_LAYOUT_CHUNKED:
        HANSE_TRY(fetch_chunked(&r, error));
        break;
    case HANSE_LAYOUT_CONTIGUOUS:
        HANSE_TRY(fetch_contiguous(&r, error));
        break;
    case HANSE_LAYOUT_COMPACT:
        fetch_compact(&r);
        break;
    case HANSE_LAYOUT_EXTERNAL: /* io/foreign.h */
    case HANSE_LAYOUT_VIRTUAL:
        break;
    }
    normalise(&r);
    return HANSE_OK;
}
