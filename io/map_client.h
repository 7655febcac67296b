/* SPDX-License-Identifier: Apache-2.0
 *
 * One input file as everybody else sees it: its table, its maps, and values
 * that only the HDF5 library can read, all found out by a confined child. The
 * file itself is never opened with the library here, unless it is trusted.
 *
 * The child starts with the first question, and again when a later one finds
 * none. Nothing that it says is believed: whatever comes is checked.
 */
#ifndef HANSE_IO_MAP_CLIENT_H
#define HANSE_IO_MAP_CLIENT_H

#include "engine/base/memory.h"
#include "io/hdf5_find.h"

/* Zero-initialised: the defaults. */
typedef struct hanse_map_options {
    bool is_trusted;     /* no child: the library runs in this process */
    bool allow_foreign;  /* columns may lie in other files */
    const char *program; /* that has the child's command; NULL: HANSE_READER,
                            else the installed hanse. Borrowed */
    uint32_t answer_seconds; /* most time for one answer; 0: 600 */
    uint32_t cpu_seconds;    /* of computing for one answer, to which comes a
                                share for what is to be read; 0: 5 */
    uint64_t memory_bytes;   /* of the child; 0: 1 GiB and a share for maps */
    hanse_budget *budget;    /* for shared memory; NULL: none. Borrowed */
} hanse_map_options;

typedef struct hanse_map_client hanse_map_client;

/* Opens a file for reading. HANSE_ERR_IO: missing, a directory, no permission,
 * in use by a writer. `options` may be NULL. Messages of all functions begin
 * with the file's name. */
hanse_status hanse_map_client_open(const char *file,
                                   const hanse_map_options *options,
                                   hanse_map_client **out, hanse_error *error);

/* Ends the child, closes the file. Accepts NULL. */
void hanse_map_client_close(hanse_map_client *client);

/* All functions below may be called from several threads at a time; one
 * question is answered at a time. Common failures: HANSE_ERR_FORMAT
 * (damaged; "damaged or hostile (reader stopped by signal 11)" when the child
 * died of it), HANSE_ERR_IO (changed meanwhile, no child to be had, too slow),
 * HANSE_ERR_LIMIT (the child's memory), HANSE_ERR_NOMEM. */

/* Starts the child already, which gets ready while we do something else. */
hanse_status hanse_map_client_start(hanse_map_client *client,
                                    hanse_error *error);

/* With is_dataset the path is that of a single column. The table at `path`, or
 * for NULL the one that is meant (io/hdf5_find.h). Maps
 * are recorded of columns in few chunks, max_chunks in all; 0: of none. Clear
 * with hanse_hdf5_table_clear. */
hanse_status hanse_map_client_table(hanse_map_client *client, const char *path,
                                    bool is_dataset, uint64_t max_chunks,
                                    hanse_hdf5_table *out, hanse_error *error);

/* All tables of the file. Clear with hanse_found_tables_clear. */
hanse_status hanse_map_client_list(hanse_map_client *client,
                                   hanse_found_tables *out, hanse_error *error);

/* Records those maps of the given columns that are not recorded yet, in a
 * table that this client gave. A map is not changed once it is recorded, so
 * that whoever has asked for it may read it while others ask for more.
 * `was_asked` (may be NULL): the child was needed. */
hanse_status hanse_map_client_record(hanse_map_client *client,
                                     hanse_hdf5_table *table,
                                     const size_t *columns, size_t n_columns,
                                     bool *was_asked, hanse_error *error);

/* Reads n values (at least 1) of a column of such a table into `out`, as the
 * library gives them: hanse_hdf5_type_memory_size bytes each. Not for texts of
 * varying length. */
hanse_status hanse_map_client_values(hanse_map_client *client,
                                     const hanse_hdf5_table *table,
                                     size_t column, uint64_t first, size_t n,
                                     void *out, hanse_error *error);

/* Gives room for so many bytes, which stays valid after the call; NULL when
 * there is none. */
typedef void *hanse_text_room(void *context, size_t size_bytes);

/* Reads n texts of varying length: text i is bytes offsets[i] to
 * offsets[i + 1] - 1 of what `room` gave; offsets has n + 1 entries. When there
 * is no room HANSE_ERR_NOMEM. */
hanse_status hanse_map_client_texts(hanse_map_client *client,
                                    const hanse_hdf5_table *table,
                                    size_t column, uint64_t first, size_t n,
                                    int32_t *offsets, hanse_text_room *room,
                                    void *context, hanse_error *error);

/* The file, open for reading (pread) until the client rests; and what it was
 * when it was opened. */
int hanse_map_client_descriptor(const hanse_map_client *client);
hanse_file_stamp hanse_map_client_stamp(const hanse_map_client *client);

/* Lets the child go and closes the file, to save memory and descriptors; the
 * next question starts another. Called again, it waits for the child's end.
 * False when it is just answering another thread. */
bool hanse_map_client_rest(hanse_map_client *client);

/* How far the child is confined: "seccomp and Landlock 7", "seccomp, no
 * Landlock", "none: trusted", "" before the first answer. */
void hanse_map_client_level(hanse_map_client *client, char *text, size_t size);

#endif
