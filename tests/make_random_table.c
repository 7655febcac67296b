/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes a table that a seed chooses, through the C interface of HDF5: what
 * h5py does not offer as well, as chunks that are not filtered where the end
 * cuts them, times of allocation and filling, every index of chunks, and user
 * blocks.
 *
 *     make_random_table SEED FILE
 */
#include <hdf5.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state;

/* splitmix64 */
static uint64_t next(void)
{
    uint64_t z = state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static size_t below(size_t n)
{
    return (size_t)(next() % n);
}

static bool coin(void)
{
    return below(2) == 0;
}

static void check(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "make_random_table: %s\n", what);
    exit(EXIT_FAILURE);
}

/* ---- Types -------------------------------------------------------------- */

static hid_t make_number(void)
{
    const hid_t types[] = {
        H5T_STD_I8LE,   H5T_STD_I16LE,  H5T_STD_I32LE,  H5T_STD_I64LE,
        H5T_STD_U8LE,   H5T_STD_U16LE,  H5T_STD_U32LE,  H5T_STD_I16BE,
        H5T_STD_I32BE,  H5T_STD_I64BE,  H5T_STD_U16BE,  H5T_STD_U32BE,
        H5T_IEEE_F32LE, H5T_IEEE_F64LE, H5T_IEEE_F32BE, H5T_IEEE_F64BE};
    return H5Tcopy(types[below(sizeof types / sizeof types[0])]);
}

/* An integer of fewer bits than its bytes have, anywhere in them. */
static hid_t make_odd(void)
{
    const hid_t type = H5Tcopy(coin() ? H5T_STD_I32LE : H5T_STD_U32BE);
    const size_t precision = 5 + below(20);
    check(H5Tset_precision(type, precision) >= 0 &&
              H5Tset_offset(type, below(32 - precision)) >= 0,
          "no such precision");
    return type;
}

static hid_t make_text(bool is_variable)
{
    static const H5T_str_t paddings[] = {H5T_STR_NULLTERM, H5T_STR_NULLPAD,
                                         H5T_STR_SPACEPAD};
    const hid_t type = H5Tcopy(H5T_C_S1);
    check(H5Tset_size(type, is_variable ? H5T_VARIABLE : 1 + below(12)) >= 0 &&
              (is_variable || H5Tset_strpad(type, paddings[below(3)]) >= 0),
          "no such text");
    return type;
}

static hid_t make_enum(void)
{
    const hid_t type = H5Tenum_create(coin() ? H5T_STD_I8LE : H5T_STD_I16BE);
    for (int i = 0; i < 4; i++) {
        char name[24];
        int32_t code = i * 3;
        snprintf(name, sizeof name, "c%d", i);
        int8_t small = (int8_t)code;
        int16_t large = (int16_t)(uint16_t)(code << 8); /* big-endian */
        check(H5Tenum_insert(type, name,
                             H5Tget_size(type) == 1 ? (void *)&small
                                                    : (void *)&large) >= 0,
              "no such label");
    }
    return type;
}

static hid_t make_type(void)
{
    switch (below(12)) {
    case 0:
        return make_odd();
    case 1:
    case 2:
        return make_text(false);
    case 3:
        return make_text(true);
    case 4:
        return make_enum();
    default:
        return make_number();
    }
}

/* ---- Properties --------------------------------------------------------- */

static void add_filters(hid_t creation, hid_t type)
{
    const bool is_number = H5Tget_class(type) == H5T_INTEGER;
    const bool is_variable = H5Tis_variable_str(type) > 0;
    if (below(4) == 0)
        return;
    if (is_number && below(6) == 0)
        check(H5Pset_nbit(creation) >= 0, "nbit");
    if (coin())
        check(H5Pset_shuffle(creation) >= 0, "shuffle");
    if (below(3) != 0)
        check(H5Pset_deflate(creation, (unsigned)below(10)) >= 0, "deflate");
    if (!is_variable && below(3) == 0)
        check(H5Pset_fletcher32(creation) >= 0, "fletcher32");
}

static hid_t make_creation(hid_t type, hsize_t n_rows, hsize_t *max_rows)
{
    static const H5D_alloc_time_t times[] = {
        H5D_ALLOC_TIME_EARLY, H5D_ALLOC_TIME_LATE, H5D_ALLOC_TIME_INCR};
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    const size_t size = H5Tget_size(type);
    const bool is_plain = H5Tis_variable_str(type) <= 0;
    *max_rows = n_rows;
    if (n_rows * size < 60000 && below(6) == 0) {
        check(H5Pset_layout(creation, H5D_COMPACT) >= 0, "compact");
    } else if (n_rows > 0 && below(4) != 0) {
        const hsize_t rows = 1 + below(2 * (size_t)n_rows);
        *max_rows = coin() ? n_rows : coin() ? H5S_UNLIMITED : 2 * n_rows;
        check(H5Pset_chunk(creation, 1, &rows) >= 0 ||
                  H5Pset_layout(creation, H5D_CONTIGUOUS) >= 0,
              "chunks");
        if (coin())
            check(H5Pset_chunk_opts(creation,
                                    H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS) >= 0,
                  "options");
        if (*max_rows < rows)
            *max_rows = H5S_UNLIMITED;
        add_filters(creation, type);
        check(H5Pset_alloc_time(creation, times[below(3)]) >= 0, "allocation");
    }
    if (is_plain && coin()) {
        uint8_t fill[64];
        for (size_t i = 0; i < sizeof fill; i++)
            fill[i] = (uint8_t)('a' + below(20));
        if (H5Tget_class(type) != H5T_ENUM)
            check(H5Pset_fill_value(creation, type, fill) >= 0, "fill");
    }
    return creation;
}

/* ---- Values ------------------------------------------------------------- */

static void write_texts(hid_t dataset, hid_t type, hid_t memory, hid_t space,
                        size_t n)
{
    static char room[64][32];
    char **texts = calloc(n + 1, sizeof *texts);
    for (size_t i = 0; i < 64; i++)
        snprintf(room[i], sizeof room[i], "%.*s%zu", (int)below(9), "abcdefgh",
                 i);
    for (size_t i = 0; i < n; i++)
        texts[i] = room[below(64)];
    check(H5Dwrite(dataset, type, memory, space, H5P_DEFAULT, texts) >= 0,
          "texts");
    free(texts);
}

/* Random bytes are values of every type but these. */
static void write_bytes(hid_t dataset, hid_t type, hid_t memory, hid_t space,
                        size_t n)
{
    const size_t size = H5Tget_size(type);
    const bool is_text = H5Tget_class(type) == H5T_STRING;
    const bool is_enum = H5Tget_class(type) == H5T_ENUM;
    uint8_t *values = calloc(n + 1, size);
    for (size_t i = 0; i < n * size; i++)
        values[i] = (uint8_t)(is_text   ? (below(5) == 0 ? ' ' : 'a' + below(9))
                              : is_enum ? 0
                              : coin()  ? next()
                                        : 0);
    for (size_t i = 0; is_enum && i < n; i++)
        values[i * size + size - 1] = (uint8_t)(3 * below(4));
    check(H5Dwrite(dataset, type, memory, space, H5P_DEFAULT, values) >= 0,
          "values");
    free(values);
}

/* Writes a range, or nothing: the rest holds the fill value. */
static void write_values(hid_t dataset, hid_t type, hsize_t n_rows)
{
    const hid_t space = H5Dget_space(dataset);
    hsize_t first = 0, n = n_rows;
    if (n_rows == 0 || below(8) == 0)
        return;
    if (coin()) {
        first = below((size_t)n_rows);
        n = 1 + below((size_t)(n_rows - first));
    }
    const hid_t memory = H5Screate_simple(1, &n, NULL);
    check(H5Sselect_hyperslab(space, H5S_SELECT_SET, &first, NULL, &n, NULL) >=
              0,
          "selection");
    if (H5Tis_variable_str(type) > 0)
        write_texts(dataset, type, memory, space, (size_t)n);
    else
        write_bytes(dataset, type, memory, space, (size_t)n);
    H5Sclose(memory);
    H5Sclose(space);
}

static void add_column(hid_t group, const char *name, hsize_t n_rows)
{
    hsize_t max_rows;
    const hid_t type = make_type();
    const hid_t creation = make_creation(type, n_rows, &max_rows);
    const bool is_chunked = H5Pget_layout(creation) == H5D_CHUNKED;
    const hid_t space =
        H5Screate_simple(1, &n_rows, is_chunked ? &max_rows : NULL);
    const hid_t dataset = H5Dcreate2(group, name, type, space, H5P_DEFAULT,
                                     creation, H5P_DEFAULT);
    check(dataset >= 0, name);
    write_values(dataset, type, n_rows);
    H5Dclose(dataset);
    H5Sclose(space);
    H5Pclose(creation);
    H5Tclose(type);
}

int main(int argc, char **argv)
{
    check(argc == 3, "usage: make_random_table SEED FILE");
    state = strtoull(argv[1], NULL, 10);
    const hid_t creation = H5Pcreate(H5P_FILE_CREATE);
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (below(4) == 0)
        H5Pset_userblock(creation, (hsize_t)512 << below(3));
    if (coin())
        H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
    const hid_t file = H5Fcreate(argv[2], H5F_ACC_TRUNC, creation, access);
    const hid_t group =
        H5Gcreate2(file, "enterprises", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    check(file >= 0 && group >= 0, argv[2]);
    const hsize_t n_rows = below(20) == 0 ? 0 : 1 + below(3000);
    const size_t n_columns = 1 + below(5);
    for (size_t i = 0; i < n_columns; i++) {
        char name[24];
        snprintf(name, sizeof name, "c%zu", i);
        add_column(group, name, n_rows);
    }
    check(H5Gclose(group) >= 0 && H5Fclose(file) >= 0, "cannot close");
    return EXIT_SUCCESS;
}
