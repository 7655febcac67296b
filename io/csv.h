/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading CSV as RFC 4180 has it: fields between commas, records in lines that
 * end with CRLF or LF, the last one perhaps with nothing; a field in double
 * quotes may hold commas, line breaks and quotes, which are doubled. The first
 * record is the header, and every other one has as many fields.
 *
 * The file is read once from front to back, and memory holds one record. It
 * need not be a regular file. Nothing about it is trusted.
 */
#ifndef HANSE_IO_CSV_H
#define HANSE_IO_CSV_H

#include "engine/base/memory.h"

typedef enum hanse_csv_charset {
    HANSE_CSV_BYTES, /* as they are */
    HANSE_CSV_UTF8,  /* checked: anything else is HANSE_ERR_FORMAT */
    HANSE_CSV_LATIN1 /* ISO 8859-1, given as UTF-8 */
} hanse_csv_charset;

typedef struct hanse_csv_options {
    char separator;          /* 0: a comma */
    size_t max_record_bytes; /* 0: 16 MiB */
    hanse_budget *budget;    /* NULL: none */
    hanse_csv_charset charset;
    bool no_header;    /* the first record is one like the others; the columns
                        * are called c1, c2, ... */
    const int *source; /* a descriptor to read from its start or, when it has
                        * none, from where it is; `path` is but its name. The
                        * caller closes it. NULL: open `path` */
} hanse_csv_options;

/* One field: bytes without the quotes around it, with a zero byte behind. */
typedef struct hanse_csv_field {
    const char *text;
    size_t n;
    uint64_t line;   /* where it begins, both from 1; the column counts */
    uint64_t column; /* characters */
    bool quoted;
} hanse_csv_field;

typedef struct hanse_csv hanse_csv;

/* Opens a file and reads its header. `path` must outlive the reader;
 * `options` may be NULL. HANSE_ERR_IO when it cannot be opened or read,
 * HANSE_ERR_FORMAT "FILE:LINE:COLUMN: ..." for what is no CSV, HANSE_ERR_LIMIT
 * for a record beyond the limit. */
hanse_status hanse_csv_open(const char *path, const hanse_csv_options *options,
                            hanse_csv **out, hanse_error *error);
void hanse_csv_close(hanse_csv *csv);

/* Names of the columns, valid until the reader is closed. */
const hanse_csv_field *hanse_csv_header(const hanse_csv *csv, size_t *n_fields);

/* Reads the next record, skipping empty lines (but in a file of one column,
 * where they are an empty field). *fields has as many fields as the header,
 * valid until the next call; NULL at the end of the file. */
hanse_status hanse_csv_next(hanse_csv *csv, const hanse_csv_field **fields,
                            hanse_error *error);

/* Index of a column by its name, SIZE_MAX when there is none. */
size_t hanse_csv_find(const hanse_csv *csv, const char *name);

/* Fails with "FILE:LINE:COLUMN: <message>" at a field. */
__attribute__((format(printf, 5, 6))) hanse_status
hanse_csv_fail(const hanse_csv *csv, const hanse_csv_field *field,
               hanse_error *error, hanse_status status, const char *format,
               ...);

#endif
