/* SPDX-License-Identifier: Apache-2.0
 *
 * A ring of slots, one for each chunk between the first that is not written and
 * the last that may be begun. Their buffers come from a pool: a slot holds some
 * only from its first row to its writing.
 */
#include "io/chunk_window.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"

typedef enum slot_state {
    SLOT_FREE,
    SLOT_OPEN,
    SLOT_ENCODED
} slot_state;

typedef struct slot {
    slot_state state;
    size_t rows_left;
    void **data;                /* [column] */
    void **room;                /* [column], of what is encoded */
    hanse_stored_chunk *stored; /* [column] */
} slot;

/* A buffer that nobody uses begins with this. */
typedef struct spare {
    struct spare *next;
} spare;

struct hanse_chunk_window {
    hanse_chunk_columns columns;
    size_t buffer_bytes;
    size_t n_slots;
    slot *slots;
    void **pointers; /* of all slots */
    hanse_stored_chunk *stored;
    char *memory; /* all buffers */
    size_t n_buffers;
    size_t n_used;    /* that were ever taken; the others are untouched */
    spare *spares;    /* given back */
    size_t n_written; /* chunks */
    bool is_writing;  /* a thread is at it */
    bool is_stopped;
    pthread_mutex_t lock;
    pthread_cond_t moved; /* n_written has grown, or the window is stopped */
};

/* ---- Buffers, under the lock -------------------------------------------- */

/* There are two for each column of each slot, so there is one. */
static void *take_buffer(hanse_chunk_window *w)
{
    spare *buffer = w->spares;
    if (buffer == NULL)
        return w->memory + w->buffer_bytes * w->n_used++;
    w->spares = buffer->next;
    return buffer;
}

static void take_buffers(hanse_chunk_window *w, void **buffers)
{
    for (size_t i = 0; i < w->columns.n_columns; i++)
        buffers[i] = take_buffer(w);
}

/* Accepts NULL. */
static void leave_buffer(hanse_chunk_window *w, void **buffer)
{
    spare *freed = *buffer;
    if (freed == NULL)
        return;
    freed->next = w->spares;
    w->spares = freed;
    *buffer = NULL;
}

static void leave_buffers(hanse_chunk_window *w, void **buffers)
{
    for (size_t i = 0; i < w->columns.n_columns; i++)
        leave_buffer(w, &buffers[i]);
}

/* ---- The window --------------------------------------------------------- */

static size_t round_up(size_t size_bytes)
{
    return (size_bytes + HANSE_ALIGNMENT - 1) & ~(size_t)(HANSE_ALIGNMENT - 1);
}

/* As many chunks as the threads' distance needs, as far as memory goes: two at
 * least, so that the one before the last can be written. */
static size_t choose_slots(const hanse_chunk_columns *c, size_t buffer_bytes)
{
    const uint64_t chunk_rows = c->storage->chunk_rows;
    const uint64_t n_chunks = c->n_rows / chunk_rows + 1;
    const uint64_t far = c->reach_rows / chunk_rows + 2;
    const uint64_t wished = far < n_chunks ? far : n_chunks;
    const uint64_t slot_bytes = 2 * (uint64_t)c->n_columns * buffer_bytes;
    const uint64_t allowed = c->most_bytes / slot_bytes;
    const uint64_t n = wished < allowed ? wished : allowed;
    return n < 2 ? 2 : (size_t)n;
}

static hanse_status make_slots(hanse_chunk_window *w, hanse_error *error)
{
    const size_t n_columns = w->columns.n_columns;
    const size_t n = w->n_slots * n_columns;
    w->slots = calloc(w->n_slots, sizeof *w->slots);
    w->pointers = calloc(2 * n, sizeof *w->pointers);
    w->stored = calloc(n, sizeof *w->stored);
    if (w->slots == NULL || w->pointers == NULL || w->stored == NULL)
        return hanse_fail_nomem(error, "chunks", n);
    for (size_t i = 0; i < w->n_slots; i++) {
        w->slots[i].data = w->pointers + 2 * i * n_columns;
        w->slots[i].room = w->slots[i].data + n_columns;
        w->slots[i].stored = w->stored + i * n_columns;
    }
    w->memory =
        hanse_allocate(w->columns.budget, w->n_buffers, w->buffer_bytes);
    if (w->memory == NULL)
        return hanse_fail_budget(error, w->columns.budget,
                                 "chunks of record-level results", w->n_buffers,
                                 w->buffer_bytes);
    return HANSE_OK;
}

hanse_status hanse_chunk_window_create(const hanse_chunk_columns *columns,
                                       hanse_chunk_window **out,
                                       hanse_error *error)
{
    const size_t chunk_bytes = columns->storage->chunk_rows * sizeof(double);
    hanse_chunk_encoder *encoder;
    HANSE_TRY(hanse_chunk_encoder_create(columns->storage, chunk_bytes,
                                         &encoder, error));
    const size_t bound = hanse_chunk_encoder_bound(encoder, chunk_bytes);
    hanse_chunk_encoder_destroy(encoder);
    hanse_chunk_window *w = calloc(1, sizeof *w);
    if (w == NULL)
        return hanse_fail_nomem(error, "chunks", sizeof *w);
    w->columns = *columns;
    w->buffer_bytes = round_up(bound > chunk_bytes ? bound : chunk_bytes);
    w->n_slots = choose_slots(columns, w->buffer_bytes);
    w->n_buffers = 2 * w->n_slots * columns->n_columns;
    (void)pthread_mutex_init(&w->lock, NULL);
    (void)pthread_cond_init(&w->moved, NULL);
    const hanse_status status = make_slots(w, error);
    if (status != HANSE_OK) {
        hanse_chunk_window_destroy(w);
        return status;
    }
    *out = w;
    return HANSE_OK;
}

void hanse_chunk_window_destroy(hanse_chunk_window *w)
{
    if (w == NULL)
        return;
    hanse_free(w->columns.budget, w->memory, w->n_buffers, w->buffer_bytes);
    free(w->slots);
    free(w->pointers);
    free(w->stored);
    (void)pthread_cond_destroy(&w->moved);
    (void)pthread_mutex_destroy(&w->lock);
    free(w);
}

void hanse_chunk_window_stop(hanse_chunk_window *w)
{
    (void)pthread_mutex_lock(&w->lock);
    w->is_stopped = true;
    (void)pthread_cond_broadcast(&w->moved);
    (void)pthread_mutex_unlock(&w->lock);
}

bool hanse_chunk_window_is_done(const hanse_chunk_window *w)
{
    const uint64_t chunk_rows = w->columns.storage->chunk_rows;
    return w->n_written * chunk_rows >= w->columns.n_rows;
}

/* ---- Filling ------------------------------------------------------------ */

static size_t rows_of(const hanse_chunk_window *w, size_t chunk)
{
    const uint64_t chunk_rows = w->columns.storage->chunk_rows;
    const uint64_t left = w->columns.n_rows - chunk * chunk_rows;
    return (size_t)(left < chunk_rows ? left : chunk_rows);
}

static void open_slot(hanse_chunk_window *w, slot *s, size_t chunk)
{
    if (s->state == SLOT_OPEN)
        return;
    take_buffers(w, s->data);
    s->state = SLOT_OPEN;
    s->rows_left = rows_of(w, chunk);
}

hanse_status hanse_chunk_window_enter(hanse_chunk_window *w, size_t chunk,
                                      void *const **data)
{
    slot *s = &w->slots[chunk % w->n_slots];
    (void)pthread_mutex_lock(&w->lock);
    /* The rows of the first chunk that is not written are with threads that
     * fill in order, so none of them waits. */
    while (!w->is_stopped && chunk >= w->n_written + w->n_slots)
        (void)pthread_cond_wait(&w->moved, &w->lock);
    const bool stopped = w->is_stopped;
    if (!stopped)
        open_slot(w, s, chunk);
    (void)pthread_mutex_unlock(&w->lock);
    *data = s->data;
    return stopped ? HANSE_ERR_INTERRUPTED : HANSE_OK;
}

/* ---- Encoding and writing ----------------------------------------------- */

/* What lies beyond the table's end is zero. */
static void clear_end(const hanse_chunk_window *w, slot *s, size_t chunk)
{
    const size_t chunk_rows = w->columns.storage->chunk_rows;
    const size_t n = rows_of(w, chunk);
    for (size_t i = 0; n < chunk_rows && i < w->columns.n_columns; i++) {
        const size_t size_bytes = w->columns.element_bytes[i];
        memset((char *)s->data[i] + n * size_bytes, 0,
               (chunk_rows - n) * size_bytes);
    }
}

static hanse_status encode(hanse_chunk_window *w, slot *s, size_t chunk,
                           hanse_chunk_encoder *encoder, hanse_error *error)
{
    (void)pthread_mutex_lock(&w->lock);
    take_buffers(w, s->room);
    (void)pthread_mutex_unlock(&w->lock);
    clear_end(w, s, chunk);
    for (size_t i = 0; i < w->columns.n_columns; i++) {
        const size_t size_bytes = w->columns.element_bytes[i];
        HANSE_TRY(hanse_chunk_encode(
            encoder, s->data[i], w->columns.storage->chunk_rows * size_bytes,
            size_bytes, s->room[i], &s->stored[i], error));
    }
    return HANSE_OK;
}

/* Writes the chunks whose turn it is. Entered and left with the lock, which is
 * given up while one is written. */
static hanse_status write_ready(hanse_chunk_window *w, hanse_error *error)
{
    hanse_status status = HANSE_OK;
    if (w->is_writing)
        return HANSE_OK;
    w->is_writing = true;
    for (;;) {
        slot *s = &w->slots[w->n_written % w->n_slots];
        if (s->state != SLOT_ENCODED || w->is_stopped)
            break;
        (void)pthread_mutex_unlock(&w->lock);
        status = w->columns.write(w->columns.context, w->n_written, s->stored,
                                  error);
        (void)pthread_mutex_lock(&w->lock);
        if (status != HANSE_OK)
            break;
        leave_buffers(w, s->data);
        leave_buffers(w, s->room);
        s->state = SLOT_FREE;
        w->n_written++;
        (void)pthread_cond_broadcast(&w->moved);
    }
    w->is_writing = false;
    return status;
}

/* Gives the buffers back that do not hold what is to be written. */
static void finish_slot(hanse_chunk_window *w, slot *s)
{
    for (size_t i = 0; i < w->columns.n_columns; i++)
        leave_buffer(w, s->stored[i].bytes == s->data[i] ? &s->room[i]
                                                         : &s->data[i]);
    s->state = SLOT_ENCODED;
}

hanse_status hanse_chunk_window_fill(hanse_chunk_window *w, size_t chunk,
                                     size_t n, hanse_chunk_encoder *encoder,
                                     hanse_error *error)
{
    slot *s = &w->slots[chunk % w->n_slots];
    (void)pthread_mutex_lock(&w->lock);
    s->rows_left -= n;
    const bool complete = s->rows_left == 0;
    (void)pthread_mutex_unlock(&w->lock);
    if (!complete)
        return HANSE_OK;
    HANSE_TRY(encode(w, s, chunk, encoder, error));
    (void)pthread_mutex_lock(&w->lock);
    finish_slot(w, s);
    const hanse_status status = write_ready(w, error);
    (void)pthread_mutex_unlock(&w->lock);
    return status;
}
