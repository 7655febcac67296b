/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables in HDF5 files as a source: a group of equally long 1-D datasets, or
 * one 1-D dataset of compound type; several files with the same columns are
 * one table, in the order given.
 */
#ifndef HANSE_IO_HDF5_SOURCE_H
#define HANSE_IO_HDF5_SOURCE_H

#include "engine/base/memory.h"
#include "engine/source.h"

/* How the bytes of unfiltered columns reach the program. */
typedef enum hanse_read_way {
    HANSE_READ_AUTO, /* as suits the file system */
    HANSE_READ_COPY, /* copied piece by piece into buffers that stay in cache */
    HANSE_READ_MAP   /* from mapped pages, where the program has the guard
                        (io/file_pages.h) and values lie as they are wanted */
} hanse_read_way;

typedef struct hanse_hdf5_options {
    const char *table;    /* path; NULL: /enterprises, else the only table */
    size_t morsel_rows;   /* wished for; 0: default. Aligned to chunks */
    hanse_budget *budget; /* for readers; NULL: none */
    bool is_trusted;      /* the HDF5 library may open the files in this
                             process, and no confined one is started */
    bool allow_foreign;   /* columns may lie in other files, which external
                             storage and virtual datasets name */
    bool library_only;    /* decode nothing ourselves; for comparisons */
    /* Called once, when the processes that open the files have been started and
     * before their answers are awaited: for whatever else begins a run. */
    void (*meanwhile)(void *context);
    void *meanwhile_context;
    hanse_read_way read;
    bool no_read_ahead; /* for comparisons */
} hanse_hdf5_options;

/* Opens the files, checks that all have the same columns, and cuts the table
 * into morsels. `options` may be NULL. */
hanse_status hanse_hdf5_source_open(const char *const *files, size_t n_files,
                                    const hanse_hdf5_options *options,
                                    hanse_source **out, hanse_error *error);

/* Lists the tables of a file: for when none is meant more than the others.
 * `options` as above. Clear with hanse_found_tables_clear (io/hdf5_find.h). */
struct hanse_found_tables;
hanse_status hanse_hdf5_source_tables(const char *file,
                                      const hanse_hdf5_options *options,
                                      struct hanse_found_tables *out,
                                      hanse_error *error);

/* How one column is stored in one file, for `hanse info`. */
typedef struct hanse_column_storage {
    const char *type_text; /* "int32 big-endian", "text[8] null-padded" */
    const char *layout;    /* "contiguous", "chunked", "compact", ... */
    const char *filters;   /* "shuffle, deflate 4", "" for none */
    uint64_t chunk_rows;   /* 0 when not chunked */
    uint64_t stored_bytes; /* on disk; 0 for members of a compound, which
                              share their chunks */
    uint64_t raw_bytes;    /* decoded */
    const char *missing;   /* "NaN", "-1", "" when nothing marks it */
    const char *library;   /* why only the HDF5 library can decode it, or why
                              it is damaged; "" when we can, NULL: not known */
} hanse_column_storage;

/* Facts of an open source; texts are borrowed from it. `path` is where the
 * table lies in the files, `shape` says "columns" or "compound". */
const char *hanse_hdf5_source_path(const hanse_source *source);
const char *hanse_hdf5_source_shape(const hanse_source *source);
size_t hanse_hdf5_source_n_files(const hanse_source *source);
const char *hanse_hdf5_source_file(const hanse_source *source, size_t file,
                                   uint64_t *n_rows);
const hanse_column_storage *
hanse_hdf5_source_storage(const hanse_source *source, size_t file,
                          size_t field);

/* Finds out which columns only the library can decode, for the `library` of
 * every storage. Takes time by the number of chunks. */
hanse_status hanse_hdf5_source_find_decoders(hanse_source *source,
                                             hanse_error *error);

/* How far the processes are confined that open the files: "seccomp and
 * Landlock 7", "seccomp, no Landlock", "none: trusted". */
const char *hanse_hdf5_source_confinement(const hanse_source *source);

/* Why a column of that name, which the table holds but the schema does not
 * list, cannot be used: "references to other objects". NULL when the table
 * holds no such column. */
const char *hanse_hdf5_source_unsupported(const hanse_source *source,
                                          const char *name);

/* Everything known about the table of one file (io/hdf5_table.h). */
typedef struct hanse_hdf5_table hanse_hdf5_table;
const hanse_hdf5_table *hanse_hdf5_source_table(const hanse_source *source,
                                                size_t file);

#endif
