/* SPDX-License-Identifier: Apache-2.0
 *
 * What needs files or calls that are forbidden later comes first: the library
 * and its filters. Then the process gives up everything but its descriptors,
 * and only then is the file looked at.
 */
#include "io/map_child.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "io/decode.h"
#include "io/hdf5_decoders.h"
#include "io/hdf5_library.h"
#include "io/map_process.h"
#include "io/map_server.h"

/* Requests come from the parent, who is believed; the limit is for when
 * somebody else starts the command. */
enum {
    MAX_REQUEST_BYTES = 1 << 26
};

typedef struct child {
    hanse_map_server *server;
    void *shared;
    size_t shared_bytes;
} child;

/* ---- Bytes -------------------------------------------------------------- */

static bool receive(void *bytes, size_t n)
{
    char *next = bytes;
    while (n > 0) {
        const ssize_t got = read(HANSE_CHILD_SOCKET, next, n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        next += got;
        n -= (size_t)got;
    }
    return true;
}

/* Length and bytes in one go, so that the parent wakes once. */
static bool send_all(struct iovec *pieces, int n_pieces)
{
    while (n_pieces > 0) {
        const ssize_t sent = writev(HANSE_CHILD_SOCKET, pieces, n_pieces);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return false;
        size_t left = (size_t)sent;
        while (n_pieces > 0 && left >= pieces->iov_len) {
            left -= pieces->iov_len;
            pieces++;
            n_pieces--;
        }
        if (n_pieces > 0) {
            pieces->iov_base = (char *)pieces->iov_base + left;
            pieces->iov_len -= left;
        }
    }
    return true;
}

static bool send_message(hanse_message *message)
{
    uint64_t head[2] = {message->n, 0};
    struct iovec pieces[2] = {{head, sizeof head},
                              {message->bytes, message->n}};
    const bool done = !message->failed && send_all(pieces, 2);
    free(message->bytes);
    return done;
}

/* ---- Requests ----------------------------------------------------------- */

/* The parent has made the shared memory so large. */
static bool share(child *c, size_t size_bytes)
{
    if (size_bytes == c->shared_bytes)
        return true;
    if (c->shared != NULL)
        (void)munmap(c->shared, c->shared_bytes);
    c->shared_bytes = 0;
    c->shared = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                     HANSE_CHILD_SHARED, 0);
    if (c->shared == MAP_FAILED) {
        c->shared = NULL;
        return false;
    }
    c->shared_bytes = size_bytes;
    return true;
}

static bool answer_one(child *c)
{
    uint64_t head[2];
    hanse_message answer = {0};
    if (!receive(head, sizeof head) || head[0] > MAX_REQUEST_BYTES)
        return false;
    uint8_t *request = malloc((size_t)head[0] + 1);
    if (request == NULL || !receive(request, (size_t)head[0])) {
        free(request);
        return false;
    }
    hanse_cursor cursor = {.next = request, .left = (size_t)head[0]};
    if (share(c, (size_t)head[1])) {
        hanse_map_server_answer(c->server, &cursor, c->shared, c->shared_bytes,
                                &answer);
    } else {
        hanse_message_put_u64(&answer, HANSE_ERR_NOMEM);
        hanse_message_put_text(&answer, "shared memory cannot be mapped");
    }
    free(request);
    return send_message(&answer);
}

/* ---- Beginning ---------------------------------------------------------- */

static hanse_status prepare(const hanse_confine_limits *limits, bool with_blosc,
                            hanse_confinement *level, hanse_error *error)
{
    if (with_blosc)
        HANSE_TRY(hanse_decode_blosc_load(error));
    hanse_hdf5_lock();
    hanse_status status = hanse_hdf5_start(error);
    if (status == HANSE_OK)
        status = hanse_hdf5_register_decoders(error);
    /* Plug-ins are somebody's code. */
    if (status == HANSE_OK && H5PLset_loading_state(0) < 0)
        status = hanse_hdf5_fail(error, "HDF5 library");
    hanse_hdf5_unlock();
    return status == HANSE_OK ? hanse_confine(limits, level, error) : status;
}

/* Says who we are, and NULL or why we cannot work. */
static bool greet(const hanse_confinement *level, const char *fault)
{
    hanse_message greeting = {0};
    hanse_message_put_text(&greeting, HANSE_CHILD_VERSION);
    hanse_message_put_text(&greeting, fault);
    hanse_message_put_u64(&greeting, level->seccomp);
    hanse_message_put_u64(&greeting, (uint64_t)level->landlock_abi);
    return send_message(&greeting);
}

int hanse_map_child_run(const hanse_confine_limits *limits, bool with_blosc)
{
    hanse_confinement level = {0};
    hanse_error error = {0};
    char rest[256];
    child c = {.server = NULL};
    if (prepare(limits, with_blosc, &level, &error) != HANSE_OK) {
        const bool told = greet(&level, error.message);
        /* What the parent sends is read, so that it sees the greeting and not
         * a broken connection. */
        while (read(HANSE_CHILD_SOCKET, rest, sizeof rest) > 0)
            ;
        return told ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    c.server = hanse_map_server_create(HANSE_CHILD_INPUT, NULL);
    if (c.server == NULL || !greet(&level, NULL))
        return EXIT_FAILURE;
    while (answer_one(&c))
        ;
    return EXIT_SUCCESS;
}
