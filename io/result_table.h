/* SPDX-License-Identifier: Apache-2.0
 *
 * One result table as a group of a netCDF-4 file; used by result_write.c.
 */
#ifndef HANSE_IO_RESULT_TABLE_H
#define HANSE_IO_RESULT_TABLE_H

#include <hdf5.h>

#include "engine/hanse.h"
#include "io/descriptor_driver.h"

/* Writes the table as the group at the path `name`; deferred rows are made, and
 * go to `target`, where the driver of the file writes to. On HANSE_ERR_IO *at
 * names the table or column where the library failed (borrowed from the table)
 * and the message is the caller's to write. */
hanse_status hanse_result_table_write(hid_t file,
                                      hanse_descriptor_target *target,
                                      const char *name,
                                      const hanse_table *table, const char **at,
                                      hanse_error *error);

#endif
