/* SPDX-License-Identifier: Apache-2.0
 *
 * A list in the order of use. It is noted after a client was asked: whoever is
 * busy is then alive and at worst not in the list, so that the number of
 * processes is bounded by `most` and the number of threads.
 */
#include "io/client_pool.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"

hanse_status hanse_client_pool_init(hanse_client_pool *pool, size_t most,
                                    hanse_error *error)
{
    *pool = (hanse_client_pool){.most = most, .capacity = 2 * most};
    pool->clients = calloc(pool->capacity, sizeof *pool->clients);
    if (pool->clients == NULL || pthread_mutex_init(&pool->mutex, NULL) != 0) {
        free(pool->clients);
        return hanse_fail_nomem(error, "input files",
                                pool->capacity * sizeof *pool->clients);
    }
    return HANSE_OK;
}

void hanse_client_pool_destroy(hanse_client_pool *pool)
{
    (void)pthread_mutex_destroy(&pool->mutex);
    free(pool->clients);
}

static void remove_at(hanse_client_pool *pool, size_t index)
{
    pool->n--;
    memmove(&pool->clients[index], &pool->clients[index + 1],
            (pool->n - index) * sizeof *pool->clients);
}

static void forget(hanse_client_pool *pool, const hanse_map_client *client)
{
    for (size_t i = 0; i < pool->n; i++)
        if (pool->clients[i] == client) {
            remove_at(pool, i);
            return;
        }
}

/* Lets the one go that was asked longest ago and is not busy. The one before it
 * has had time to end, and is reaped. False when all are busy. */
static bool let_one_go(hanse_client_pool *pool)
{
    for (size_t i = 0; i < pool->n; i++) {
        hanse_map_client *client = pool->clients[i];
        if (!hanse_map_client_rest(client))
            continue;
        remove_at(pool, i);
        if (pool->left != NULL && pool->left != client)
            (void)hanse_map_client_rest(pool->left);
        forget(pool, pool->left);
        pool->left = client;
        return true;
    }
    return false;
}

/* Room for one more; all may be busy, as many as there are threads. */
static bool grow(hanse_client_pool *pool)
{
    if (pool->n < pool->capacity)
        return true;
    hanse_map_client **larger =
        realloc(pool->clients, 2 * pool->capacity * sizeof *pool->clients);
    if (larger == NULL)
        return false;
    pool->clients = larger;
    pool->capacity *= 2;
    return true;
}

void hanse_client_pool_note(hanse_client_pool *pool, hanse_map_client *client)
{
    pthread_mutex_lock(&pool->mutex);
    forget(pool, client);
    if (pool->left == client)
        pool->left = NULL;
    while (pool->n >= pool->most && let_one_go(pool))
        ;
    if (grow(pool))
        pool->clients[pool->n++] = client;
    else
        (void)hanse_map_client_rest(client);
    pthread_mutex_unlock(&pool->mutex);
}

void hanse_client_pool_forget(hanse_client_pool *pool,
                              const hanse_map_client *client)
{
    pthread_mutex_lock(&pool->mutex);
    forget(pool, client);
    if (pool->left == client)
        pool->left = NULL;
    pthread_mutex_unlock(&pool->mutex);
}

void hanse_client_pool_rest(hanse_client_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    while (pool->n > 0 && let_one_go(pool))
        ;
    pthread_mutex_unlock(&pool->mutex);
}
