/* SPDX-License-Identifier: Apache-2.0
 *
 * Options of the commands that make tables: how columns are stored.
 */
#ifndef HANSE_CLI_STORAGE_OPTIONS_H
#define HANSE_CLI_STORAGE_OPTIONS_H

#include "io/storage.h"

/* Entries of a table of options. */
#define HANSE_OPTION_LAYOUT                                          \
    {                                                                \
        "layout", 0, "LAYOUT",                                       \
            "contiguous (default) or chunked (default with any of\n" \
            "--chunk, --compress, --shuffle)"                        \
    }
#define HANSE_OPTION_CHUNK                                            \
    {                                                                 \
        "chunk", 0, "ROWS", "rows of a chunk (65536), up to 16777216" \
    }
#define HANSE_OPTION_COMPRESS                              \
    {                                                      \
        "compress", 0, "METHOD",                           \
            "none, gzip[:1-9] (6), lz4 or zstd[:1-19] (3)" \
    }
#define HANSE_OPTION_SHUFFLE                                         \
    {                                                                \
        "shuffle", 0, NULL, "put the bytes of equal weight together" \
    }

/* What was said. Zero-initialised: nothing. */
typedef struct hanse_storage_words {
    const char *layout;
    const char *compression;
    uint32_t chunk_rows;
    bool shuffle;
} hanse_storage_words;

/* What was not said follows from what was. Returns 0, or the exit status after
 * an error that has been reported. */
int hanse_storage_from_words(const hanse_storage_words *words,
                             hanse_storage *out);

/* A number of rows: as hanse_parse_count, and 2e6, and underscores between
 * digits. */
bool hanse_parse_rows(const char *text, uint64_t *out);

#endif
