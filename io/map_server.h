/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers questions about one file with the HDF5 library: which table, where
 * its bytes lie, and values that only the library can read. Runs in the
 * confined child; for trusted input in the process itself.
 *
 * A request is its kind and then, as numbers unless it says otherwise:
 *   TABLE   name of the file (text), its size, path of the table (text or
 *           none), bits, m -> the table (hanse_table_map_put), with the maps of
 *           columns that lie in few chunks, m of them in all
 *   LIST    name of the file (text), its size -> hanse_found_tables_put
 *   MAPS    n, n columns -> a map for each (hanse_dataset_map_put)
 *   VALUES  column, first row, n -> bytes needed; when shared memory holds as
 *           many, the values are there, hanse_hdf5_type_memory_size each, or
 *           for texts of varying length n + 1 ends (int32, the first 0) and
 *           after them the texts
 * MAPS and VALUES are for the table that was described last. An answer is a
 * status and, unless that is HANSE_OK, a message (text).
 */
#ifndef HANSE_IO_MAP_SERVER_H
#define HANSE_IO_MAP_SERVER_H

#include "engine/base/memory.h"
#include "engine/hanse.h"
#include "io/message.h"

typedef enum hanse_request {
    HANSE_REQUEST_TABLE,
    HANSE_REQUEST_LIST,
    HANSE_REQUEST_MAPS,
    HANSE_REQUEST_VALUES
} hanse_request;

/* Bits of a request for a table. */
enum {
    HANSE_TABLE_FOREIGN = 1, /* columns may lie in other files */
    HANSE_TABLE_DATASET = 2, /* the path is that of a single column */
    HANSE_TABLE_BITS = 3
};

typedef struct hanse_map_server hanse_map_server;

/* For the file that `descriptor` (borrowed) has open. Texts of varying length
 * are charged to the budget, which may be NULL. NULL: no memory. */
hanse_map_server *hanse_map_server_create(int descriptor, hanse_budget *budget);

/* Accepts NULL. */
void hanse_map_server_destroy(hanse_map_server *server);

/* Puts the answer to a request in an empty message. Takes and gives back the
 * lock of the HDF5 library, which has been started. */
void hanse_map_server_answer(hanse_map_server *server, hanse_cursor *request,
                             void *shared, size_t shared_bytes,
                             hanse_message *answer);

#endif
