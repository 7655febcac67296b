/* SPDX-License-Identifier: Apache-2.0
 *
 * Result files: HDF5 that is also valid netCDF-4, written atomically, and the
 * reading of them back for `hanse show`.
 */
#ifndef HANSE_IO_RESULT_FILE_H
#define HANSE_IO_RESULT_FILE_H

#include "engine/hanse.h"
#include "engine/sink.h"
#include "io/storage.h"

/* What is written besides the tables; every text may be NULL. */
typedef struct hanse_result_info {
    const char *title;
    const char *history;         /* command line; newest first */
    const char *provenance_json; /* goes to /provenance/run, not compared */
    bool group_readable;         /* mode 0640 instead of 0600 */
    /* Of the record-level outputs, chunked; NULL: gzip:1+shuffle. */
    const hanse_storage *records;
} hanse_result_info;

/* A sink that builds the file under a temporary name in the same directory;
 * commit flushes it and renames it to `path`. What `info` points to is copied.
 * Fails before any work when the directory cannot be written. */
hanse_status hanse_result_sink_open(const char *path,
                                    const hanse_result_info *info,
                                    hanse_sink **out, hanse_error *error);

/* The tables of a result file. */
typedef struct hanse_result_file hanse_result_file;
hanse_status hanse_result_file_open(const char *path, hanse_result_file **out,
                                    hanse_error *error);
size_t hanse_result_file_n_tables(const hanse_result_file *file);
const hanse_table *hanse_result_file_table(const hanse_result_file *file,
                                           size_t index);
void hanse_result_file_close(hanse_result_file *file);

#endif
