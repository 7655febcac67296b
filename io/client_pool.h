/* SPDX-License-Identifier: Apache-2.0
 *
 * How many of the processes that read a table's files live at a time: a few,
 * those that were asked last. The others start again when they are asked.
 */
#ifndef HANSE_IO_CLIENT_POOL_H
#define HANSE_IO_CLIENT_POOL_H

#include <pthread.h>

#include "io/map_client.h"

typedef struct hanse_client_pool {
    pthread_mutex_t mutex;
    hanse_map_client **clients; /* that live, the last asked last */
    size_t n;
    size_t capacity;
    size_t most;
    hanse_map_client *left; /* the last that was let go; NULL: none */
} hanse_client_pool;

/* For clients of which about `most` live at a time. Destroy before the clients
 * are closed. HANSE_ERR_NOMEM. */
hanse_status hanse_client_pool_init(hanse_client_pool *pool, size_t most,
                                    hanse_error *error);
void hanse_client_pool_destroy(hanse_client_pool *pool);

/* Tells that a client has just been asked, and lets others go for it. Several
 * threads may call it at a time. */
void hanse_client_pool_note(hanse_client_pool *pool, hanse_map_client *client);

/* Forgets a client that is about to be closed. */
void hanse_client_pool_forget(hanse_client_pool *pool,
                              const hanse_map_client *client);

/* Lets all go. */
void hanse_client_pool_rest(hanse_client_pool *pool);

#endif
