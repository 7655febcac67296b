/* SPDX-License-Identifier: Apache-2.0
 *
 * The second pass of an import: rows converted and written, block by block.
 */
#ifndef HANSE_DATASETS_IMPORT_WRITE_H
#define HANSE_DATASETS_IMPORT_WRITE_H

#include "datasets/import_columns.h"
#include "io/atomic_file.h"
#include "io/descriptor_driver.h"

/* Where the rows go. */
typedef struct hanse_import_target {
    hid_t file;
    const hanse_descriptor_target *descriptor;
    const hanse_atomic_file *atomic; /* for messages */
} hanse_import_target;

/* Makes the table and fills it with the rows that `csv`, at its first one,
 * gives. The turn of io/hdf5_library.h is held. */
hanse_status hanse_import_write(const hanse_import_target *target,
                                const hanse_import_columns *columns,
                                hanse_csv *csv, hanse_error *error);

#endif
