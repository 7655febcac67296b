/* SPDX-License-Identifier: Apache-2.0
 *
 * Result tables made by hand, with everything that readers stumble over, for
 * the tests of result files, of other programs' reading and of `hanse show`.
 */
#ifndef HANSE_TESTS_SAMPLE_TABLES_H
#define HANSE_TESTS_SAMPLE_TABLES_H

#include "engine/hanse.h"

enum {
    SAMPLE_BY_CLUSTER, /* int32 key; int64 beyond 2^53, uint64, NaN, units */
    SAMPLE_BY_CHAIN,   /* text key: Latin, Chinese, empty, bad, missing */
    SAMPLE_BY_CHAIN_PLATFORM, /* two keys, one with a missing entry; dropped */
    SAMPLE_TOTAL,
    SAMPLE_FLOWS, /* in a group of tables; codes with flags, one unknown */
    N_SAMPLE_TABLES
};

extern const hanse_table sample_tables[N_SAMPLE_TABLES];

/* Writes tables through the sink. */
hanse_status sample_write(const char *path, const hanse_table *tables,
                          size_t n_tables, const char *provenance,
                          hanse_error *error);

/* A table by_enterprise of n_rows rows with a text key and one float column,
 * freed by sample_destroy; `salt` changes the values. Asserts on failure. */
hanse_table *sample_create_large(size_t n_rows, unsigned salt);
void sample_destroy(hanse_table *table);

#endif
