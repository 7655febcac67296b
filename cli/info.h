/* SPDX-License-Identifier: Apache-2.0
 *
 * What `hanse info` says, as text and as JSON.
 */
#ifndef HANSE_CLI_INFO_H
#define HANSE_CLI_INFO_H

#include "io/hdf5_find.h"
#include "io/hdf5_source.h"

/* One column over all files. */
typedef struct hanse_info_column {
    const hanse_field *field;
    const char *type;   /* as stored; by its name where files differ */
    const char *layout; /* "varies" where files differ, as the two below */
    const char *filters;
    const char *missing;
    const char *library; /* why only the HDF5 library can decode it, in the
                            first file of which that holds; "": it need not */
    uint64_t chunk_rows; /* 0: not chunked, UINT64_MAX: varies */
    uint64_t stored_bytes;
    uint64_t raw_bytes;
} hanse_info_column;

hanse_info_column hanse_info_column_of(const hanse_source *source,
                                       size_t field);

/* A table, and the links between its rows where the files have them. */
typedef struct hanse_info {
    const hanse_source *source;
    const hanse_source *links; /* NULL: none */
    const char *links_fault;   /* why they cannot be used; NULL: they can */
} hanse_info;

/* Print on stdout. Each returns false when memory is exhausted; that stdout
 * cannot be written shows itself when the program closes it. */
bool hanse_info_print_text(const hanse_info *info);
bool hanse_info_print_json(const hanse_info *info);

/* The same for a file of which no single table is meant. */
void hanse_info_print_tables_text(const char *file,
                                  const hanse_found_tables *tables);
bool hanse_info_print_tables_json(const char *file,
                                  const hanse_found_tables *tables);

#endif
