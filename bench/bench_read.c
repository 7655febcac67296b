/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading by layout: the columns of the usual job (a key and the three models)
 * through the HDF5 source, morsel by morsel, and nothing done with them. The
 * files lie in the page cache, so decoding is measured, not the disk.
 */
#include <omp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/cases.h"
#include "engine/base/error.h"
#include "io/hdf5_source.h"

enum {
    MAX_COLUMNS = 4
};

typedef struct layout {
    const char *name;
    hanse_storage storage;
} layout;

typedef struct read_case {
    const hanse_bench_settings *settings;
    const layout *layout;
    size_t n_threads;
} read_case;

/* What the threads of one reading share. */
typedef struct reading {
    hanse_source *source;
    size_t columns[MAX_COLUMNS]; /* fields, ascending */
    size_t n_columns;
    uint64_t n_rows;
    uint64_t n_bytes;
    hanse_error error;
} reading;

/* A fifth of the rows of a job keeps six files within a gigabyte. */
static uint64_t rows_of(const hanse_bench_settings *settings)
{
    return settings->n_rows / 5 > 0 ? settings->n_rows / 5 : 1;
}

static hanse_status find_columns(reading *r)
{
    static const char *const names[MAX_COLUMNS] = {"cluster", "resource",
                                                   "information", "strategy"};
    const hanse_schema *schema = hanse_source_schema(r->source);
    r->n_columns = 0;
    for (size_t f = 0; f < schema->n_fields; f++)
        for (size_t i = 0; i < MAX_COLUMNS; i++)
            if (strcmp(schema->fields[f].name, names[i]) == 0)
                r->columns[r->n_columns++] = f;
    if (r->n_columns == MAX_COLUMNS)
        return HANSE_OK;
    return hanse_fail(&r->error, HANSE_ERR_COLUMN, "a column is missing");
}

/* One thread's share: every n_threads-th span of morsels. */
static hanse_status read_share(reading *r, size_t thread, size_t n_threads,
                               hanse_error *error)
{
    const hanse_source_ops *ops = r->source->ops;
    hanse_reader *reader;
    HANSE_TRY(ops->open_reader(r->source, &reader, error));
    hanse_status status = HANSE_OK;
    uint64_t n_rows = 0, n_bytes = 0;
    const size_t n_morsels = ops->n_morsels(r->source);
    size_t end, turn = 0;
    for (size_t m = 0; m < n_morsels && status == HANSE_OK; m = end) {
        end = hanse_source_span_end(r->source, m);
        if (turn++ % n_threads != thread)
            continue;
        for (; m < end && status == HANSE_OK; m++) {
            hanse_morsel morsel;
            status =
                ops->read(reader, m, r->columns, r->n_columns, &morsel, error);
            if (status != HANSE_OK)
                break;
            hanse_bench_keep(morsel.batch.arrays);
            n_rows += morsel.batch.n_rows;
            n_bytes += morsel.n_bytes;
        }
    }
    ops->close_reader(reader);
#pragma omp critical(hanse_bench_read)
    {
        r->n_rows += n_rows;
        r->n_bytes += n_bytes;
    }
    return status;
}

/* Opens the file, reads the columns, closes it. */
static hanse_status read_once(reading *r, const char *path, size_t n_threads)
{
    r->n_rows = r->n_bytes = 0;
    HANSE_TRY(hanse_hdf5_source_open(&path, 1, NULL, &r->source, &r->error));
    hanse_status status = find_columns(r);
    if (status == HANSE_OK) {
#pragma omp parallel num_threads((int)n_threads)
        {
            hanse_error own = {0};
            const hanse_status one =
                read_share(r, (size_t)omp_get_thread_num(),
                           (size_t)omp_get_num_threads(), &own);
#pragma omp critical(hanse_bench_read)
            {
                if (one != HANSE_OK && status == HANSE_OK) {
                    status = one;
                    r->error = own;
                }
            }
        }
    }
    hanse_source_close(r->source);
    return status;
}

static void read_file(hanse_bench_state *state, const void *context)
{
    const read_case *c = context;
    const uint64_t n_rows = rows_of(c->settings);
    char path[HANSE_BENCH_PATH];
    struct stat file;
    reading r = {0};
    hanse_status status = hanse_bench_file(c->settings, c->layout->name, n_rows,
                                           &c->layout->storage, path, &r.error);
    /* Once before the clock runs: the file comes into the page cache. */
    if (status == HANSE_OK)
        status = read_once(&r, path, c->n_threads);
    if (status == HANSE_OK && r.n_rows != n_rows)
        status = hanse_fail(&r.error, HANSE_ERR_IO, "not all rows were read");
    if (status != HANSE_OK)
        hanse_bench_fail(state, r.error.message);
    while (hanse_bench_continue(state))
        if (read_once(&r, path, c->n_threads) != HANSE_OK)
            hanse_bench_fail(state, r.error.message);
    hanse_bench_set_rows(state, r.n_rows);
    hanse_bench_set_bytes(state, r.n_bytes);
    if (status == HANSE_OK && stat(path, &file) == 0)
        hanse_bench_set_counter(state, "file_MB", (double)file.st_size * 1e-6);
}

void hanse_bench_add_read(hanse_bench_settings *settings)
{
    enum {
        CHUNK = HANSE_DEFAULT_CHUNK_ROWS
    };
    static const layout layouts[] = {
        {"contiguous", {0}},
        {"chunked", {.chunked = true, .chunk_rows = CHUNK}},
        {"gzip", {true, CHUNK, HANSE_COMPRESSION_GZIP, 6, false}},
        {"gzip_shuffle", {true, CHUNK, HANSE_COMPRESSION_GZIP, 6, true}},
        {"lz4", {true, CHUNK, HANSE_COMPRESSION_LZ4, 0, true}},
        {"zstd", {true, CHUNK, HANSE_COMPRESSION_ZSTD, 3, true}},
    };
    char name[64];
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
        read_case c = {settings, &layouts[i], 1};
        for (; c.n_threads <= 2; c.n_threads++) {
            (void)snprintf(name, sizeof name, "read/%s/threads:%zu",
                           layouts[i].name, c.n_threads);
            hanse_bench_add(name, read_file, &c, sizeof c);
        }
    }
}
