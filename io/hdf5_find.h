/* SPDX-License-Identifier: Apache-2.0
 *
 * Searching a file for tables, and finding the one that is meant.
 */
#ifndef HANSE_IO_HDF5_FIND_H
#define HANSE_IO_HDF5_FIND_H

#include "io/hdf5_table.h"

typedef struct hanse_found_table {
    char *path;
    bool is_compound;
    uint64_t n_rows;
    size_t n_columns;
} hanse_found_table;

typedef struct hanse_found_tables {
    hanse_found_table *items;
    size_t n;
    char *complaint; /* why the first group of datasets that is no table is
                        none; NULL when there is no such group */
} hanse_found_tables;

/* Finds every table of an open file: groups of equally long columns and 1-D
 * compound datasets, groups in depth at most 32. Messages do not name the
 * file. Clear with hanse_found_tables_clear. */
hanse_status hanse_hdf5_find(hid_t file, const hanse_file_facts *facts,
                             hanse_found_tables *out, hanse_error *error);
void hanse_found_tables_clear(hanse_found_tables *tables);

/* Describes the table of an open file that is meant: the one at `path`, or for
 * NULL /enterprises, or the only one. Messages do not name the file. */
hanse_status hanse_hdf5_table_choose(hid_t file, const hanse_file_facts *facts,
                                     const char *path, hanse_hdf5_table *out,
                                     hanse_error *error);

#endif
