/* SPDX-License-Identifier: Apache-2.0
 *
 * Chunks of several columns on their way into a file. Threads fill rows in any
 * order; who completes a chunk encodes it; chunks leave in order, so that the
 * bytes of the file do not depend on the number of threads. Only so many chunks
 * are under way at a time: a thread that is too far ahead waits.
 */
#ifndef HANSE_IO_CHUNK_WINDOW_H
#define HANSE_IO_CHUNK_WINDOW_H

#include "engine/base/memory.h"
#include "io/storage.h"

typedef struct hanse_chunk_window hanse_chunk_window;

/* What a window is made for. */
typedef struct hanse_chunk_columns {
    const size_t *element_bytes; /* [column], 1 to 8 */
    size_t n_columns;
    uint64_t n_rows;
    const hanse_storage *storage; /* chunked, fitted to the rows */
    uint64_t reach_rows;  /* that the threads may be apart without waiting */
    hanse_budget *budget; /* for the chunks; NULL: none */
    uint64_t most_bytes;  /* they take, unless two of a column take more */

    /* Writes chunk `chunk` of all columns; one thread at a time, in order. */
    hanse_status (*write)(void *context, size_t chunk,
                          const hanse_stored_chunk *stored, hanse_error *error);
    void *context;
} hanse_chunk_columns;

/* Everything in `columns` is borrowed until the window is destroyed. All memory
 * is taken here: HANSE_ERR_LIMIT, HANSE_ERR_NOMEM. */
hanse_status hanse_chunk_window_create(const hanse_chunk_columns *columns,
                                       hanse_chunk_window **out,
                                       hanse_error *error);
void hanse_chunk_window_destroy(hanse_chunk_window *window);

/* Waits until chunk `chunk` may be filled; data[column] is then where its
 * elements belong. HANSE_ERR_INTERRUPTED without a message when another thread
 * has failed. */
hanse_status hanse_chunk_window_enter(hanse_chunk_window *window, size_t chunk,
                                      void *const **data);

/* Says that n rows more of the chunk are filled, in all columns. The last ones
 * have the chunk encoded, with the caller's encoder, and written when its turn
 * comes. A thread must enter and fill chunks in order. */
hanse_status hanse_chunk_window_fill(hanse_chunk_window *window, size_t chunk,
                                     size_t n, hanse_chunk_encoder *encoder,
                                     hanse_error *error);

/* Makes all who wait or come give up. */
void hanse_chunk_window_stop(hanse_chunk_window *window);

/* Whether every chunk has been written. */
bool hanse_chunk_window_is_done(const hanse_chunk_window *window);

#endif
