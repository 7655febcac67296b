/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables as the describing process would find them.
 */
#include "tests/sample_map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    N_ROWS = 1050,
    CHUNK = 100,
    N_CHUNKS = 11
};

static void *allocate(size_t n, size_t size)
{
    void *memory = calloc(n, size);
    if (memory == NULL)
        abort();
    return memory;
}

static char *copy(const char *text)
{
    char *result = strdup(text);
    if (result == NULL)
        abort();
    return result;
}

static hanse_hdf5_column make_column(const char *name, hanse_type type,
                                     hanse_value_form form, size_t size_bytes,
                                     uint64_t n_rows)
{
    hanse_hdf5_column column = {
        .name = copy(name),
        .missing_text = copy(""),
        .type = {.type = type, .form = form, .size_bytes = size_bytes},
        .layout = {.kind = HANSE_LAYOUT_CONTIGUOUS,
                   .n_rows = n_rows,
                   .stored_bytes = n_rows * size_bytes,
                   .rank = 1}};
    snprintf(column.type.text, sizeof column.type.text, "%s",
             hanse_type_name(type));
    return column;
}

static hanse_dataset_map make_map(const hanse_hdf5_column *column)
{
    hanse_dataset_map map = {.is_recorded = true,
                             .kind = column->layout.kind,
                             .element_bytes = (uint32_t)column->type.size_bytes,
                             .n_rows = column->layout.n_rows,
                             .address = HANSE_ADDRESS_NONE};
    map.fill = allocate(map.element_bytes, 1);
    return map;
}

/* An enum with missing codes and units, shuffled and deflated; two chunks were
 * never written. */
static void make_chunked(hanse_hdf5_column *column, hanse_dataset_map *map)
{
    *column = make_column("chain", HANSE_INT32, HANSE_FORM_NUMBER, 4, N_ROWS);
    column->units = copy("1");
    column->long_name = copy("Lieferkette, Stra\xc3\x9f"
                             "e");
    column->type.big_endian = true;
    column->type.labels = allocate(2, sizeof *column->type.labels);
    column->type.n_labels = 2;
    column->type.labels[0] = (hanse_label){-1, copy("none")};
    column->type.labels[1] = (hanse_label){7, copy("steel")};
    column->missing.n = 2;
    column->missing.codes[0] = -1;
    column->missing.codes[1] = INT64_MIN;
    column->layout = (hanse_hdf5_layout){.kind = HANSE_LAYOUT_CHUNKED,
                                         .n_rows = N_ROWS,
                                         .chunk_rows = CHUNK,
                                         .stored_bytes = 900,
                                         .rank = 2,
                                         .row_dimension = 1,
                                         .n_filters = 2,
                                         .filter_ids = {2, 1},
                                         .filters = "shuffle, deflate 4"};
    *map = make_map(column);
    map->chunk_rows = CHUNK;
    map->pipeline = (hanse_pipeline){
        2, {{HANSE_FILTER_SHUFFLE, 1, {4}}, {HANSE_FILTER_DEFLATE, 1, {4}}}};
    map->fill[3] = 9;
    map->n_chunks = N_CHUNKS;
    map->chunks = allocate(N_CHUNKS, sizeof *map->chunks);
    for (unsigned i = 0; i < N_CHUNKS; i++)
        map->chunks[i] = (hanse_chunk){4096 + 90 * i, 90, i == 4 ? 1 : 0};
    map->chunks[2] = map->chunks[9] = (hanse_chunk){HANSE_ADDRESS_NONE, 0, 0};
}

/* Two raw files, the second one to the end. */
static void make_external(hanse_hdf5_column *column, hanse_dataset_map *map)
{
    *column = make_column("outside", HANSE_INT16, HANSE_FORM_NUMBER, 2, N_ROWS);
    column->layout.kind = HANSE_LAYOUT_EXTERNAL;
    *map = make_map(column);
    map->n_files = map->n_pieces = 2;
    map->files = allocate(2, sizeof *map->files);
    map->files[0].name = copy("raw/one");
    map->files[1].name = copy("/two");
    map->pieces = allocate(2, sizeof *map->pieces);
    map->pieces[0] = (hanse_foreign_piece){0, 101, 0, 7};
    map->pieces[1] = (hanse_foreign_piece){101, 2 * N_ROWS - 101, 1, 0};
}

/* A gap before, between and after. */
static void make_virtual(hanse_hdf5_column *column, hanse_dataset_map *map)
{
    *column = make_column("put", HANSE_FLOAT32, HANSE_FORM_NUMBER, 4, N_ROWS);
    column->layout.kind = HANSE_LAYOUT_VIRTUAL;
    *map = make_map(column);
    map->n_files = 1;
    map->files = allocate(1, sizeof *map->files);
    map->files[0] = (hanse_foreign_file){copy("a.h5"), copy("/g/x")};
    map->n_pieces = 2;
    map->pieces = allocate(2, sizeof *map->pieces);
    map->pieces[0] = (hanse_foreign_piece){10, 20, 0, 100};
    map->pieces[1] = (hanse_foreign_piece){40, N_ROWS - 50, 0, 0};
}

hanse_hdf5_table sample_map_columns(void)
{
    enum {
        N = 7
    };
    hanse_hdf5_table table = {.path = copy("/enterprises"),
                              .n_rows = N_ROWS,
                              .stored_bytes = 12345,
                              .raw_bytes = 54321,
                              .n_columns = N,
                              .n_maps = N};
    table.columns = allocate(N, sizeof *table.columns);
    table.maps = allocate(N, sizeof *table.maps);
    hanse_hdf5_column *columns = table.columns;
    hanse_dataset_map *maps = table.maps;
    make_chunked(&columns[0], &maps[0]);
    columns[1] =
        make_column("size", HANSE_FLOAT64, HANSE_FORM_NUMBER, 8, N_ROWS);
    columns[1].missing.n = 1;
    columns[1].missing.values[0] = -999.5;
    maps[1] = make_map(&columns[1]);
    maps[1].address = 20000;
    columns[2] =
        make_column("code", HANSE_TEXT, HANSE_FORM_TEXT_FIXED, 6, N_ROWS);
    columns[2].type.padding = HANSE_PADDING_SPACE;
    columns[2].missing.text = copy("-");
    columns[2].layout.kind = HANSE_LAYOUT_COMPACT;
    maps[2] = make_map(&columns[2]);
    maps[2].compact = allocate(N_ROWS, 6);
    memset(maps[2].compact, 'x', 6 * N_ROWS);
    columns[3] =
        make_column("name", HANSE_TEXT, HANSE_FORM_TEXT_VARIABLE, 8, N_ROWS);
    maps[3].is_recorded = true;
    snprintf(maps[3].reason, sizeof maps[3].reason, "texts elsewhere");
    columns[4] = make_column("active", HANSE_BOOL, HANSE_FORM_BITS, 1, N_ROWS);
    make_external(&columns[5], &maps[5]);
    make_virtual(&columns[6], &maps[6]);
    table.n_refusals = 1;
    table.refusals = allocate(1, sizeof *table.refusals);
    table.refusals[0] =
        (hanse_hdf5_refusal){copy("link"), copy("an external link")};
    return table;
}

hanse_hdf5_table sample_map_compound(void)
{
    hanse_hdf5_table table = {.path = copy("/t"),
                              .is_compound = true,
                              .n_rows = N_ROWS,
                              .row_bytes = 24,
                              .n_columns = 2,
                              .n_maps = 1};
    table.columns = allocate(2, sizeof *table.columns);
    table.maps = allocate(1, sizeof *table.maps);
    table.columns[0] =
        make_column("id", HANSE_UINT16, HANSE_FORM_NUMBER, 2, N_ROWS);
    table.columns[1] =
        make_column("v", HANSE_FLOAT32, HANSE_FORM_NUMBER, 4, N_ROWS);
    table.columns[1].member = 3;
    table.columns[1].member_offset = 20;
    table.maps[0] = make_map(&table.columns[0]);
    table.maps[0].element_bytes = 24;
    free(table.maps[0].fill);
    table.maps[0].fill = allocate(24, 1);
    table.maps[0].address = 2048;
    return table;
}
