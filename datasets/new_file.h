/* SPDX-License-Identifier: Apache-2.0
 *
 * What all files with tables that hanse makes have in common: made through the
 * driver over a temporary file's descriptor, in the format of HDF5 1.8, no time
 * in any object. The turn of io/hdf5_library.h is held.
 */
#ifndef HANSE_DATASETS_NEW_FILE_H
#define HANSE_DATASETS_NEW_FILE_H

#include "io/atomic_file.h"
#include "io/descriptor_driver.h"
#include "io/storage.h"

/* HANSE_ERR_IO when there is something under the name. */
hanse_status hanse_new_file_check(const char *path, hanse_error *error);

/* The file, open for the library; negative on failure. `driver` is to be
 * unregistered after it is closed. `aligned`: large contiguous columns begin at
 * pages, for readers that map them. */
hid_t hanse_new_file_create(const hanse_atomic_file *atomic,
                            hanse_descriptor_target *target, bool aligned,
                            hid_t *driver);

/* HANSE_ERR_IO: the first write that failed, or the library's refusal. */
hanse_status hanse_new_file_fail(const hanse_atomic_file *atomic,
                                 const hanse_descriptor_target *target,
                                 hanse_error *error);

/* A group that remembers the order of its columns, under a path whose groups
 * are made as needed; negative on failure. */
hid_t hanse_new_group(hid_t file, const char *path);

/* Creation list and extent of the columns, to be closed; negative on failure.
 * A chunked column can be appended to, like one that grew. */
hid_t hanse_new_column_list(const hanse_storage *storage);
hid_t hanse_new_column_space(const hanse_storage *storage, uint64_t n_rows);

#endif
