/* SPDX-License-Identifier: Apache-2.0
 *
 * Chunked columns, between the parts of the table writer.
 */
#ifndef HANSE_DATASETS_WRITE_CHUNKED_H
#define HANSE_DATASETS_WRITE_CHUNKED_H

#include "datasets/table_writer.h"

/* Makes, encodes and writes all chunks of the open datasets, one per field, in
 * the same order whatever the number of threads. chunk_rows is what the
 * datasets were created with. */
hanse_status hanse_table_fill_chunked(const hanse_table_target *target,
                                      const hanse_row_maker *maker,
                                      size_t chunk_rows, const hid_t *datasets,
                                      hanse_error *error);

#endif
