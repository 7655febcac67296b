/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading ahead: while threads work on their morsels, the stored bytes of the
 * next ones are on their way into the page cache.
 */
#ifndef HANSE_IO_READ_AHEAD_H
#define HANSE_IO_READ_AHEAD_H

#include "io/raw_fetch.h"

/* What all readers of a source share. Zero-initialised: nothing advised. */
typedef struct hanse_read_ahead {
    _Atomic size_t next_morsel; /* of whose bytes the system does not know */
    _Atomic size_t cold_end;    /* morsels up to here are taken to be on disk */
} hanse_read_ahead;

/* Before a thread reads the fields of a morsel: advises those morsels behind
 * it that are due, each once by whichever thread comes first, and none beyond
 * the file. Where the bytes are in the page cache already, little is done. */
hanse_status hanse_read_ahead_of(hanse_read_ahead *ahead,
                                 hanse_raw_fetcher *fetcher,
                                 const hanse_hdf5_part *part, size_t morsel,
                                 const size_t *fields, size_t n_fields,
                                 hanse_error *error);

#endif
