/* SPDX-License-Identifier: Apache-2.0
 *
 * A source that keeps what has been read from another one, so that the later
 * passes of a job find in memory what the first one has read and decoded.
 */
#ifndef HANSE_ENGINE_KEPT_SOURCE_H
#define HANSE_ENGINE_KEPT_SOURCE_H

#include "engine/source.h"

/* Opens a source of the same rows, columns and morsels as `inner`. What is read
 * of a field of a morsel is copied and charged to the inner source's budget, as
 * long as all copies, with a list of their places, take at most most_bytes
 * bytes and the budget has room; it is then delivered from memory, the first
 * time, too, so that every pass sees the same values. What was not kept is read
 * from the inner source again.
 *
 * The new source owns `inner`: closing it closes both. On failure `inner` stays
 * the caller's. HANSE_ERR_NOMEM. */
hanse_status hanse_kept_source_open(hanse_source *inner, uint64_t most_bytes,
                                    hanse_source **out, hanse_error *error);

/* Memory that the copies take, bytes. From any thread. */
uint64_t hanse_kept_source_bytes(const hanse_source *source);

/* Before the last pass, while no reader is open: nothing more is kept, what is
 * kept stays. */
void hanse_kept_source_stop(hanse_source *source);

#endif
