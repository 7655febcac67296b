/* SPDX-License-Identifier: Apache-2.0
 *
 * Descriptions of tables made by hand, with everything that a description can
 * hold, for the tests of their messages.
 */
#ifndef HANSE_TESTS_SAMPLE_MAP_H
#define HANSE_TESTS_SAMPLE_MAP_H

#include "io/table_map.h"

enum {
    SAMPLE_MAP_FILE_BYTES = 1 << 20
};

/* A group of columns: enum, chunked with filters, contiguous, compact, texts
 * of both kinds, refusals, columns without a map. From malloc throughout;
 * asserts on failure. */
hanse_hdf5_table sample_map_columns(void);

/* A compound dataset with two members. */
hanse_hdf5_table sample_map_compound(void);

#endif
