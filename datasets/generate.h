/* SPDX-License-Identifier: Apache-2.0
 *
 * Generating a file: a population of enterprises and, if wished, their links.
 */
#ifndef HANSE_DATASETS_GENERATE_H
#define HANSE_DATASETS_GENERATE_H

#include "datasets/population.h"
#include "io/storage.h"

typedef struct hanse_generate_options {
    hanse_population_options population;
    uint64_t n_rows; /* up to HANSE_MAX_ENTERPRISES */
    bool links;
    hanse_storage storage;
    size_t n_threads; /* 0: as OpenMP decides */
    bool replace;     /* an existing file, otherwise an error */
} hanse_generate_options;

typedef struct hanse_generate_summary {
    uint64_t n_links;
    uint64_t file_bytes;
} hanse_generate_summary;

/* Two million rows, contiguous, hanse_population_defaults(). */
hanse_generate_options hanse_generate_defaults(void);

/* Writes the file at `path`; it appears under its name when it is complete.
 * Its values depend on n_rows, links and population alone, its bytes also on
 * storage and the codecs' versions, nothing on the number of threads. `summary`
 * may be NULL. HANSE_ERR_ARGUMENT, HANSE_ERR_IO, HANSE_ERR_NOMEM. */
hanse_status hanse_generate_file(const char *path,
                                 const hanse_generate_options *options,
                                 hanse_generate_summary *summary,
                                 hanse_error *error);

#endif
