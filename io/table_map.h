/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables and maps as messages: what the process that opens an untrusted file
 * sends, and what the process that believes none of it takes.
 */
#ifndef HANSE_IO_TABLE_MAP_H
#define HANSE_IO_TABLE_MAP_H

#include "io/hdf5_find.h"
#include "io/message.h"

/* Writes everything in the table but the name and the stamp of the file, which
 * the reader of the message knows better. */
void hanse_table_map_put(hanse_message *message, const hanse_hdf5_table *table);

/* Reads a table, in a file of file_bytes, and checks every field: enums, sizes
 * and counts in range, names UTF-8, columns of one length, members inside the
 * row, rows that a file of this size can hold, maps that are sound
 * (hanse_dataset_map_check). Allocates no more than a small multiple of the
 * message. HANSE_ERR_FORMAT when something does not hold, HANSE_ERR_NOMEM. The
 * table's `file` is NULL. Clear with hanse_hdf5_table_clear. */
hanse_status hanse_table_map_get(hanse_cursor *cursor, uint64_t file_bytes,
                                 hanse_hdf5_table *out, hanse_error *error);

/* The map of one dataset by itself. Reading, it must suit the column of the
 * table that it is for. Clear with hanse_dataset_map_clear. */
void hanse_dataset_map_put(hanse_message *message,
                           const hanse_dataset_map *map);
hanse_status hanse_dataset_map_get(hanse_cursor *cursor, uint64_t file_bytes,
                                   const hanse_hdf5_table *table, size_t column,
                                   hanse_dataset_map *out, hanse_error *error);

/* The tables of a file. Clear with hanse_found_tables_clear. */
void hanse_found_tables_put(hanse_message *message,
                            const hanse_found_tables *tables);
hanse_status hanse_found_tables_get(hanse_cursor *cursor,
                                    hanse_found_tables *out,
                                    hanse_error *error);

#endif
