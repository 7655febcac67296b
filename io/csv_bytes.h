/* SPDX-License-Identifier: Apache-2.0
 *
 * The bytes behind a CSV reader: a buffer that holds the record under way and
 * what was read behind it, and grows with the longest record.
 */
#ifndef HANSE_IO_CSV_BYTES_H
#define HANSE_IO_CSV_BYTES_H

#include "engine/base/memory.h"

typedef struct hanse_csv_bytes {
    const char *path;
    int descriptor;    /* -1: none */
    const int *source; /* the caller's descriptor; NULL: `path` is opened */
    bool latin1;       /* to be converted to UTF-8 */
    size_t max_record_bytes;
    hanse_budget *budget;
    uint64_t line; /* where the record begins */
    char *bytes;
    size_t capacity_bytes;
    size_t start; /* of the record */
    size_t end;   /* of what was read; one more byte can be written there */
    bool at_end;  /* of the file */
} hanse_csv_bytes;

/* Opens the file and skips a byte order mark. HANSE_ERR_IO; HANSE_ERR_FORMAT
 * for Latin-1 with the mark of UTF-8. */
hanse_status hanse_csv_bytes_start(hanse_csv_bytes *in, hanse_error *error);
void hanse_csv_bytes_close(hanse_csv_bytes *in);

/* Reads more bytes behind those of the record; notes the end of the file.
 * HANSE_ERR_LIMIT when the record is too long. */
hanse_status hanse_csv_bytes_more(hanse_csv_bytes *in, hanse_error *error);

#endif
