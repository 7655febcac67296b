/* SPDX-License-Identifier: Apache-2.0
 *
 * Columns whose values lie in other files than the table: raw bytes of external
 * storage, and datasets that a virtual one is put together from. Each file of
 * the latter kind is opened like an input file, by a confined process of its
 * own; nothing in it leads any further.
 */
#ifndef HANSE_IO_FOREIGN_H
#define HANSE_IO_FOREIGN_H

#include "io/hdf5_reader.h"

/* One such column of one file, for all threads. */
typedef struct hanse_foreign hanse_foreign;

/* Opens the files of a column whose map is recorded, and checks that they hold
 * what the map says. HANSE_ERR_IO: a file is missing or cannot be read, or is
 * too short; HANSE_ERR_TYPE: a source is of another type than the column; and
 * whatever opening an input file says. */
hanse_status hanse_foreign_open(const hanse_hdf5_source *source,
                                const hanse_hdf5_part *part, size_t column,
                                hanse_foreign **out, hanse_error *error);

/* Accepts NULL. */
void hanse_foreign_close(hanse_foreign *foreign);

/* What one thread has open of a column. Zero-initialised: nothing. */
typedef struct hanse_foreign_fetcher {
    size_t file;          /* which, when one of the two is open */
    hanse_reader *reader; /* of a source dataset */
    int descriptor;       /* of raw bytes, 0: none */
} hanse_foreign_fetcher;

void hanse_foreign_fetcher_clear(hanse_foreign_fetcher *fetcher);

/* Fetches n values from row `first` on, as hanse_raw_fetch does. */
hanse_status hanse_foreign_fetch(hanse_foreign *foreign,
                                 hanse_foreign_fetcher *fetcher, uint64_t first,
                                 size_t n, void *out, hanse_error *error);

#endif
