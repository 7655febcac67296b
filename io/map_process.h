/* SPDX-License-Identifier: Apache-2.0
 *
 * The confined child as its parent sees it: started, asked, timed, ended. One
 * thread at a time uses a process.
 *
 * Child and parent share a socket. A message is its length and the length of
 * the shared memory (8 bytes each, the machine's order; the child leaves the
 * second one 0), then its bytes.
 */
#ifndef HANSE_IO_MAP_PROCESS_H
#define HANSE_IO_MAP_PROCESS_H

#include "engine/hanse.h"
#include "io/confine.h"
#include "io/message.h"

/* Descriptors that the child finds open, besides 0 to 2. */
enum {
    HANSE_CHILD_INPUT = 3,  /* the file, read-only */
    HANSE_CHILD_SOCKET = 4, /* to the parent */
    HANSE_CHILD_SHARED = 5  /* memory for values */
};

/* First text of the child's first message: both must be of one make. */
#define HANSE_CHILD_VERSION "hanse map 1"

/* Limits that the child is told in its arguments. */
typedef struct hanse_process_options {
    const char *program; /* NULL: HANSE_READER, else the installed hanse */
    hanse_confine_limits limits;
    bool with_blosc;         /* it may have to decode that */
    uint32_t answer_seconds; /* most time for an answer */
    uint64_t answer_bytes;   /* largest answer */
} hanse_process_options;

typedef struct hanse_map_process {
    int pid;    /* 0: none, or reaped */
    int socket; /* negative: none, or left */
    hanse_process_options options;
    hanse_confinement level; /* from the first answer on */
} hanse_map_process;

/* Starts a child that has `input` and `shared` open and nothing else. Returns
 * before it is ready; that it cannot work shows in the first answer.
 * HANSE_ERR_IO. */
hanse_status hanse_map_process_start(hanse_map_process *process, int input,
                                     int shared,
                                     const hanse_process_options *options,
                                     hanse_error *error);

/* Sends a request and waits for the answer (free answer->bytes, on success
 * only). cpu_seconds is what the answer may take in processor time. A child
 * that dies or says nonsense is ended and reaped: HANSE_ERR_FORMAT with
 * "damaged or hostile (reader stopped by signal 11)"; HANSE_ERR_IO when it
 * cannot be reached or is too slow; HANSE_ERR_NOMEM. Messages do not name the
 * file. */
hanse_status hanse_map_process_ask(hanse_map_process *process,
                                   const hanse_message *request,
                                   size_t shared_bytes, uint64_t cpu_seconds,
                                   hanse_message *answer, hanse_error *error);

/* Lets the child go, which ends by itself while we do something else. Stopping
 * it later waits for that. */
void hanse_map_process_leave(hanse_map_process *process);

/* Ends and reaps the child; accepts one that is ended. */
void hanse_map_process_stop(hanse_map_process *process);

#endif
