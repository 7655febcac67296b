/* SPDX-License-Identifier: Apache-2.0
 *
 * Dataset maps against the library's own word and against the bytes of the
 * file: every kind of chunk index, both file formats, chunks that were never
 * written or that the end cuts, contiguous and compact data, user blocks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <hdf5.h>

#include "io/dataset_record.h"

enum {
    N_ROWS = 1050,
    CHUNK = 100,
    N_CHUNKS = 11
};

/* One dataset and what becomes of it. */
typedef struct sample {
    const char *name;
    hsize_t n_rows;
    hsize_t most_rows; /* H5S_UNLIMITED: may grow */
    int rank;          /* 2: (n, 1), which may grow both ways */
    hsize_t chunk;     /* 0: not chunked */
    bool is_filtered;
    bool is_early; /* allocated when created */
    bool is_plain_edge;
    bool is_sparse; /* only chunks 0 and 3 are written */
    bool is_unwritten;
    bool is_compact;
    int fill; /* 0: none set */
} sample;

#define GROWS H5S_UNLIMITED
static const sample samples[] = {
    {.name = "fixed",
     .n_rows = N_ROWS,
     .most_rows = N_ROWS,
     .chunk = CHUNK,
     .is_filtered = true},
    {.name = "plain", .n_rows = N_ROWS, .most_rows = N_ROWS, .chunk = CHUNK},
    {.name = "early",
     .n_rows = N_ROWS,
     .most_rows = N_ROWS,
     .chunk = CHUNK,
     .is_early = true},
    {.name = "grows",
     .n_rows = N_ROWS,
     .most_rows = GROWS,
     .chunk = CHUNK,
     .is_filtered = true},
    {.name = "wide",
     .n_rows = N_ROWS,
     .most_rows = GROWS,
     .rank = 2,
     .chunk = CHUNK,
     .is_filtered = true},
    {.name = "single",
     .n_rows = 80,
     .most_rows = 80,
     .chunk = 80,
     .is_filtered = true},
    {.name = "single plain", .n_rows = 80, .most_rows = 80, .chunk = 80},
    {.name = "larger chunk",
     .n_rows = 80,
     .most_rows = GROWS,
     .chunk = CHUNK,
     .is_filtered = true},
    {.name = "edge",
     .n_rows = N_ROWS,
     .most_rows = N_ROWS,
     .chunk = CHUNK,
     .is_filtered = true,
     .is_plain_edge = true},
    {.name = "sparse",
     .n_rows = N_ROWS,
     .most_rows = N_ROWS,
     .chunk = CHUNK,
     .is_filtered = true,
     .is_sparse = true,
     .fill = 77},
    {.name = "sparse grows",
     .n_rows = N_ROWS,
     .most_rows = GROWS,
     .chunk = CHUNK,
     .is_sparse = true,
     .fill = -3},
    {.name = "unwritten",
     .n_rows = N_ROWS,
     .most_rows = GROWS,
     .chunk = CHUNK,
     .is_unwritten = true},
    {.name = "empty", .n_rows = 0, .most_rows = GROWS, .chunk = CHUNK},
    {.name = "contiguous", .n_rows = N_ROWS, .most_rows = N_ROWS},
    {.name = "contiguous unwritten",
     .n_rows = N_ROWS,
     .most_rows = N_ROWS,
     .is_unwritten = true,
     .fill = 5},
    {.name = "compact", .n_rows = 50, .most_rows = 50, .is_compact = true},
};

enum {
    N_SAMPLES = sizeof samples / sizeof samples[0]
};

static int32_t value_of(size_t row)
{
    return (int32_t)(row * 2654435761u);
}

/* ---- Writing ------------------------------------------------------------ */

static hid_t creation_of(const sample *s)
{
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk[2] = {s->chunk, 1};
    const int rank = s->rank == 2 ? 2 : 1;
    if (s->chunk != 0)
        assert_true(H5Pset_chunk(creation, rank, chunk) >= 0);
    if (s->is_filtered)
        assert_true(H5Pset_shuffle(creation) >= 0 &&
                    H5Pset_deflate(creation, 4) >= 0);
    if (s->is_early)
        assert_true(H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY) >= 0);
    if (s->is_plain_edge)
        assert_true(H5Pset_chunk_opts(
                        creation, H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS) >= 0);
    if (s->is_compact)
        assert_true(H5Pset_layout(creation, H5D_COMPACT) >= 0);
    if (s->fill != 0)
        assert_true(H5Pset_fill_value(creation, H5T_NATIVE_INT, &s->fill) >= 0);
    return creation;
}

static void write_rows(hid_t dataset, int rank, hsize_t first, hsize_t n)
{
    int32_t values[N_ROWS];
    const hsize_t start[2] = {first, 0};
    const hsize_t count[2] = {n, 1};
    for (size_t i = 0; i < n; i++)
        values[i] = value_of(first + i);
    const hid_t memory = H5Screate_simple(rank, count, NULL);
    const hid_t space = H5Dget_space(dataset);
    assert_true(H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count,
                                    NULL) >= 0);
    assert_true(H5Dwrite(dataset, H5T_NATIVE_INT32, memory, space, H5P_DEFAULT,
                         values) >= 0);
    assert_true(H5Sclose(memory) >= 0 && H5Sclose(space) >= 0);
}

static void write_sample(hid_t file, const sample *s)
{
    const int rank = s->rank == 2 ? 2 : 1;
    const hsize_t extent[2] = {s->n_rows, 1};
    const hsize_t most[2] = {s->most_rows, GROWS};
    const hid_t space = H5Screate_simple(rank, extent, most);
    const hid_t creation = creation_of(s);
    const hid_t dataset = H5Dcreate2(file, s->name, H5T_STD_I32LE, space,
                                     H5P_DEFAULT, creation, H5P_DEFAULT);
    assert_true(dataset >= 0);
    if (s->is_sparse) {
        write_rows(dataset, rank, 0, CHUNK);
        write_rows(dataset, rank, 3 * CHUNK, CHUNK);
    } else if (!s->is_unwritten && s->n_rows != 0) {
        write_rows(dataset, rank, 0, s->n_rows);
    }
    assert_true(H5Dclose(dataset) >= 0 && H5Sclose(space) >= 0 &&
                H5Pclose(creation) >= 0);
}

static void write_file(const char *path, H5F_libver_t low, hsize_t user_block)
{
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    const hid_t creation = H5Pcreate(H5P_FILE_CREATE);
    assert_true(H5Pset_libver_bounds(access, low, H5F_LIBVER_LATEST) >= 0);
    assert_true(H5Pset_userblock(creation, user_block) >= 0);
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
    assert_true(file >= 0);
    for (size_t i = 0; i < N_SAMPLES; i++)
        write_sample(file, &samples[i]);
    assert_true(H5Fclose(file) >= 0 && H5Pclose(access) >= 0 &&
                H5Pclose(creation) >= 0);
}

/* ---- Comparing ---------------------------------------------------------- */

/* The same file twice: through the recording driver and as usual. */
typedef struct twice {
    hanse_recording recording;
    hid_t driver;
    hid_t recorded;
    hid_t usual;
    hsize_t user_block;
} twice;

static twice open_twice(const char *path)
{
    twice t = {.recording = {.descriptor = open(path, O_RDONLY)}};
    struct stat facts;
    assert_true(t.recording.descriptor >= 0);
    assert_int_equal(fstat(t.recording.descriptor, &facts), 0);
    t.recording.file_bytes = (uint64_t)facts.st_size;
    t.usual = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    return t;
}

/* Puts the driver to use; the caller's recording has to stay where it is. */
static void start_recording(twice *t)
{
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    t->driver = hanse_recording_driver_set(access, &t->recording);
    assert_true(t->driver >= 0);
    t->recorded = H5Fopen("/anything", H5F_ACC_RDONLY, access);
    assert_true(t->recorded >= 0 && t->usual >= 0);
    assert_true(H5Pclose(access) >= 0);
}

static void close_twice(twice *t)
{
    assert_true(H5Fclose(t->recorded) >= 0 && H5Fclose(t->usual) >= 0);
    assert_true(H5FDunregister(t->driver) >= 0);
    assert_int_equal(close(t->recording.descriptor), 0);
}

static void describe(hid_t dataset, const twice *t, hanse_hdf5_layout *layout)
{
    char reason[HANSE_REASON_SIZE];
    hanse_error error = {0};
    const hanse_file_facts facts = {.size_bytes = t->recording.file_bytes};
    assert_int_equal(
        hanse_hdf5_layout_describe(dataset, 4, &facts, layout, reason, &error),
        HANSE_OK);
    assert_string_equal(reason, "");
}

/* Values that lie as they are: the bytes at that address must be the rows'. */
static void check_bytes(const twice *t, uint64_t address, size_t first,
                        size_t n)
{
    int32_t stored[N_ROWS];
    const ssize_t n_bytes = (ssize_t)(n * sizeof *stored);
    assert_int_equal(
        pread(t->recording.descriptor, stored, (size_t)n_bytes, (off_t)address),
        n_bytes);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(stored[i], value_of(first + i));
}

/* The bytes at that address are those that the library reads. */
static void check_stored(const twice *t, hid_t usual, const hsize_t *offset,
                         const hanse_chunk *chunk)
{
    uint8_t ours[2 * N_ROWS];
    uint8_t theirs[2 * N_ROWS];
    uint32_t mask;
    assert_in_range(chunk->stored_bytes, 1, sizeof ours);
    assert_int_equal(pread(t->recording.descriptor, ours, chunk->stored_bytes,
                           (off_t)chunk->address),
                     chunk->stored_bytes);
    assert_true(H5Dread_chunk(usual, H5P_DEFAULT, offset, &mask, theirs) >= 0);
    assert_memory_equal(ours, theirs, chunk->stored_bytes);
}

static void check_chunk(const twice *t, const sample *s, hid_t usual,
                        const hanse_dataset_map *map, size_t index)
{
    const hanse_chunk *chunk = &map->chunks[index];
    const hsize_t first = index * s->chunk;
    const hsize_t offset[2] = {first, 0};
    const bool is_cut = first + s->chunk > s->n_rows;
    unsigned mask = 0;
    haddr_t address = HADDR_UNDEF;
    hsize_t size_bytes = 0;
    assert_true(H5Dget_chunk_info_by_coord(usual, offset, &mask, &address,
                                           &size_bytes) >= 0);
    assert_true((address == HADDR_UNDEF) ==
                (chunk->address == HANSE_ADDRESS_NONE));
    if (address == HADDR_UNDEF) {
        assert_true(s->is_sparse || s->is_unwritten);
        return;
    }
    /* Here the library does not count the user block. */
    if (t->user_block == 0)
        assert_int_equal(chunk->address, address);
    assert_int_equal(chunk->stored_bytes, size_bytes);
    check_stored(t, usual, offset, chunk);
    const bool is_plain = !s->is_filtered || (s->is_plain_edge && is_cut);
    if (s->is_plain_edge && is_cut)
        assert_int_equal(chunk->filter_mask, UINT32_MAX);
    else
        assert_int_equal(chunk->filter_mask, mask);
    if (is_plain)
        check_bytes(t, chunk->address, first,
                    is_cut ? s->n_rows - first : s->chunk);
}

static void check_map(const twice *t, const sample *s, hid_t usual,
                      const hanse_dataset_map *map)
{
    int32_t fill;
    assert_string_equal(map->reason, "");
    assert_int_equal(map->n_rows, s->n_rows);
    assert_int_equal(map->element_bytes, 4);
    assert_int_equal(map->pipeline.n_filters, s->is_filtered ? 2 : 0);
    memcpy(&fill, map->fill, sizeof fill);
    assert_int_equal(fill, s->fill);
    switch (map->kind) {
    case HANSE_LAYOUT_CHUNKED:
        assert_int_equal(map->chunk_rows, s->chunk);
        for (size_t i = 0; i < map->n_chunks; i++)
            check_chunk(t, s, usual, map, i);
        break;
    case HANSE_LAYOUT_CONTIGUOUS:
        assert_false(s->is_compact);
        if (s->is_unwritten)
            assert_true(map->address == HANSE_ADDRESS_NONE);
        else
            check_bytes(t, map->address, 0, s->n_rows);
        break;
    case HANSE_LAYOUT_COMPACT:
        assert_true(s->is_compact);
        for (size_t i = 0; i < s->n_rows; i++) {
            int32_t value;
            memcpy(&value, map->compact + 4 * i, sizeof value);
            assert_int_equal(value, value_of(i));
        }
        break;
    case HANSE_LAYOUT_EXTERNAL:
    case HANSE_LAYOUT_VIRTUAL:
        fail();
    }
}

static void compare_sample(twice *t, const sample *s)
{
    const hid_t recorded = H5Dopen2(t->recorded, s->name, H5P_DEFAULT);
    const hid_t usual = H5Dopen2(t->usual, s->name, H5P_DEFAULT);
    hanse_hdf5_layout layout;
    hanse_dataset_map map;
    hanse_error error = {0};
    describe(recorded, t, &layout);
    if (hanse_dataset_record(recorded, &layout, &t->recording, &map, &error) !=
        HANSE_OK)
        fail_msg("%s: %s", s->name, error.message);
    check_map(t, s, usual, &map);
    if (hanse_dataset_map_check(&map, t->recording.file_bytes, s->name,
                                &error) != HANSE_OK)
        fail_msg("%s", error.message);
    hanse_dataset_map_clear(&map);
    assert_true(H5Dclose(recorded) >= 0 && H5Dclose(usual) >= 0);
}

static void compare_file(H5F_libver_t low, hsize_t user_block)
{
    char path[] = "/tmp/hanse-test-recording-XXXXXX";
    const int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    close(descriptor);
    write_file(path, low, user_block);
    twice t = open_twice(path);
    t.user_block = user_block;
    start_recording(&t);
    for (size_t i = 0; i < N_SAMPLES; i++)
        compare_sample(&t, &samples[i]);
    close_twice(&t);
    unlink(path);
}

/* ---- Tests -------------------------------------------------------------- */

static void record_earliest_format_is_what_the_library_says(void **state)
{
    (void)state;
    compare_file(H5F_LIBVER_EARLIEST, 0);
}

static void record_latest_format_is_what_the_library_says(void **state)
{
    (void)state;
    compare_file(H5F_LIBVER_LATEST, 0);
}

static void record_user_block_is_counted(void **state)
{
    (void)state;
    compare_file(H5F_LIBVER_EARLIEST, 1024);
    compare_file(H5F_LIBVER_LATEST, 2048);
}

static void check_impossible_maps_are_refused(void **state)
{
    (void)state;
    uint8_t fill[4] = {0};
    hanse_chunk chunks[2] = {{100, 40, 0}, {140, 40, 0}};
    const hanse_dataset_map good = {.kind = HANSE_LAYOUT_CHUNKED,
                                    .element_bytes = 4,
                                    .n_rows = 15,
                                    .chunk_rows = 10,
                                    .address = HANSE_ADDRESS_NONE,
                                    .fill = fill,
                                    .chunks = chunks,
                                    .n_chunks = 2};
    assert_int_equal(hanse_dataset_map_check(&good, 180, "a", NULL), HANSE_OK);
    assert_int_equal(hanse_dataset_map_check(&good, 179, "a", NULL),
                     HANSE_ERR_FORMAT);
    hanse_dataset_map bad = good;
    bad.n_rows = 21;
    assert_int_equal(hanse_dataset_map_check(&bad, 180, "a", NULL),
                     HANSE_ERR_FORMAT);
    bad = good;
    bad.chunk_rows = UINT64_MAX / 2;
    assert_int_equal(hanse_dataset_map_check(&bad, 180, "a", NULL),
                     HANSE_ERR_FORMAT);
    chunks[1].stored_bytes = 39;
    assert_int_equal(hanse_dataset_map_check(&good, 180, "a", NULL),
                     HANSE_ERR_FORMAT);
    chunks[1] = (hanse_chunk){UINT64_MAX - 10, 40, 0};
    assert_int_equal(hanse_dataset_map_check(&good, 180, "a", NULL),
                     HANSE_ERR_FORMAT);
    bad = (hanse_dataset_map){.kind = HANSE_LAYOUT_CONTIGUOUS,
                              .element_bytes = 8,
                              .n_rows = UINT64_MAX / 4,
                              .fill = fill};
    assert_int_equal(hanse_dataset_map_check(&bad, 180, "a", NULL),
                     HANSE_ERR_FORMAT);
    bad.n_rows = 20;
    bad.address = 20;
    assert_int_equal(hanse_dataset_map_check(&bad, 180, "a", NULL), HANSE_OK);
    bad.address = 21;
    assert_int_equal(hanse_dataset_map_check(&bad, 180, "a", NULL),
                     HANSE_ERR_FORMAT);
}

static int silence_library(void **state)
{
    (void)state;
    return H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(record_earliest_format_is_what_the_library_says),
        cmocka_unit_test(record_latest_format_is_what_the_library_says),
        cmocka_unit_test(record_user_block_is_counted),
        cmocka_unit_test(check_impossible_maps_are_refused),
    };
    return cmocka_run_group_tests(tests, silence_library, NULL);
}
