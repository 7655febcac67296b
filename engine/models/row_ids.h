/* SPDX-License-Identifier: Apache-2.0
 *
 * From the ends of links to row numbers: an index over the ids of a table, made
 * and used by all threads. Ids are integers of any width or texts; an integer
 * is the same id whatever the width of the columns.
 *
 * Hashes start from a random number of each index, so that ids cannot be chosen
 * to meet in one place. No row number depends on a hash.
 */
#ifndef HANSE_ENGINE_MODELS_ROW_IDS_H
#define HANSE_ENGINE_MODELS_ROW_IDS_H

#include "engine/base/memory.h"

typedef struct hanse_row_ids hanse_row_ids;

/* For a column of integers or texts without labels (else HANSE_ERR_TYPE) of a
 * table with n_rows rows, below 2^32 - 1; the field's name is copied. */
hanse_status hanse_row_ids_create(const hanse_field *field, size_t n_rows,
                                  hanse_budget *budget, hanse_row_ids **out,
                                  hanse_error *error);
void hanse_row_ids_destroy(hanse_row_ids *ids);

/* The ids of rows first_row .. first_row + n - 1, values 0 .. n - 1 of the
 * array; copied. Every row is given once; several threads may give rows at a
 * time. A row whose id is missing has none. */
hanse_status hanse_row_ids_add(hanse_row_ids *ids, const hanse_array *array,
                               uint64_t first_row, size_t n,
                               hanse_error *error);

/* After all rows: makes the index. An id that two rows have is
 * HANSE_ERR_FORMAT, with the id and the first two of its rows; of several such
 * ids the smallest is named. */
hanse_status hanse_row_ids_finish(hanse_row_ids *ids, size_t n_threads,
                                  hanse_error *error);

/* The first end of a link that is no row. Initialise with
 * HANSE_NO_BAD_END. */
typedef struct hanse_bad_end {
    uint64_t link;    /* UINT64_MAX: none */
    const char *role; /* of the end; static storage of the caller */
    bool is_missing;
    char id[160]; /* the end as text, cut if it is longer */
} hanse_bad_end;

#define HANSE_NO_BAD_END ((hanse_bad_end){.link = UINT64_MAX})

/* A column of ends of links. */
typedef struct hanse_ends {
    hanse_type type;
    const hanse_array *array;
    uint64_t first_link; /* number of value 0 */
    size_t n;
    const char *role; /* "source" */
} hanse_ends;

/* Whether ends of this field can be looked up; HANSE_ERR_TYPE says why not.
 * ids NULL: for ends that are row numbers. */
hanse_status hanse_row_ids_accept(const hanse_row_ids *ids,
                                  const hanse_field *field, hanse_error *error);

/* rows[i] = number of the row with the id that end i is; the first one that no
 * row has goes to *bad if it comes before what is there. Several threads may
 * look up ends at a time. */
void hanse_row_ids_find(const hanse_row_ids *ids, const hanse_ends *ends,
                        uint32_t *rows, hanse_bad_end *bad);

/* The same where ends are row numbers from 0, of integer type. */
void hanse_row_numbers_find(size_t n_rows, const hanse_ends *ends,
                            uint32_t *rows, hanse_bad_end *bad);

/* Keeps the earlier one in *bad. */
void hanse_bad_end_merge(hanse_bad_end *bad, const hanse_bad_end *other);

/* HANSE_OK when there is none, else HANSE_ERR_FORMAT with the number of the
 * link (from 0) and the id. ids NULL: of row numbers. */
hanse_status hanse_bad_end_report(const hanse_bad_end *bad,
                                  const hanse_row_ids *ids, size_t n_rows,
                                  hanse_error *error);

/* The most that an index needs, beside the bytes of texts. */
uint64_t hanse_row_ids_bytes(size_t n_rows, bool is_text);

#endif
