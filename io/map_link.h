/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the map client: the open file, and whoever answers questions about it,
 * a confined child or for a trusted file a server in this process. One thread
 * at a time uses a link.
 */
#ifndef HANSE_IO_MAP_LINK_H
#define HANSE_IO_MAP_LINK_H

#include "io/map_client.h"
#include "io/map_process.h"
#include "io/map_server.h"

typedef struct hanse_map_link {
    char *file;
    hanse_map_options options;
    int descriptor; /* negative: not open */
    hanse_file_stamp stamp;
    bool with_blosc; /* the child must decode that */
    hanse_map_process process;
    hanse_map_server *server;
    char *table;     /* that the other side knows; NULL: none */
    int shared_file; /* negative: none */
    void *shared;
    size_t shared_bytes;
    hanse_confinement level;
} hanse_map_link;

/* Opens the file; close what was opened, on failure too. Messages of all
 * functions begin with the name of the file. */
hanse_status hanse_map_link_open(hanse_map_link *link, const char *file,
                                 const hanse_map_options *options,
                                 hanse_error *error);
void hanse_map_link_close(hanse_map_link *link);

/* Lets the other side go, closes the file and gives back shared memory; the
 * child is reaped at the next start, or when this is called again. */
void hanse_map_link_rest(hanse_map_link *link);

/* To be called before a question is made: the file is what it was, and there is
 * somebody to ask. */
hanse_status hanse_map_link_ready(hanse_map_link *link, hanse_error *error);

/* Makes shared memory hold so many bytes at least, of `what` ("texts of a
 * column"); what it held is lost. */
hanse_status hanse_map_link_share(hanse_map_link *link, uint64_t size_bytes,
                                  const char *what, hanse_error *error);

/* Sends a question, whose bytes it takes, and gets what follows a good status:
 * `cursor` is over answer->bytes, to be freed, on success only. time_share is
 * what the answer may take in seconds of computing beyond the usual. */
hanse_status hanse_map_link_ask(hanse_map_link *link, hanse_message *question,
                                uint64_t time_share, hanse_message *answer,
                                hanse_cursor *cursor, hanse_error *error);

#endif
