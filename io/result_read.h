/* SPDX-License-Identifier: Apache-2.0
 *
 * Parts of the reading of result files: one dataset (result_read_column.c), one
 * table (result_read_table.c).
 */
#ifndef HANSE_IO_RESULT_READ_H
#define HANSE_IO_RESULT_READ_H

#include <hdf5.h>

#include "engine/hanse.h"
#include "io/arena.h"

/* What the datasets of one file share. */
typedef struct hanse_result_reader {
    const char *path;    /* for messages */
    uint64_t file_bytes; /* no column can have stored more */
    uint64_t text_bytes; /* of labels so far */
    hanse_arena arena;   /* owns all that is read */
} hanse_result_reader;

/* More objects in a group than any job makes; a damaged count must not take all
 * memory. */
enum {
    HANSE_MAX_RESULT_OBJECTS = 1 << 16
};

/* The members of a group, in the order of their creation where it is kept. */
typedef struct hanse_result_members {
    hid_t group;
    H5_index_t index;
    size_t n;
} hanse_result_members;

/* False when they cannot be listed. */
bool hanse_result_members_list(hid_t group, hanse_result_members *out);

/* Name of member i, from the arena, or NULL; only hard links count, which
 * cannot lead out of the file. */
char *hanse_result_member_name(hanse_result_reader *reader,
                               const hanse_result_members *m, size_t i);

/* HANSE_ERR_FORMAT: "<path>: table <table>, <column>: <what>; ..." */
hanse_status hanse_result_reader_fail(const hanse_result_reader *reader,
                                      const char *table, const char *column,
                                      const char *what, hanse_error *error);

/* Reads a dataset of rank 0 or 1 as a column (name, type, values and texts
 * from the arena; no `missing`) and its number of rows; *is_scalar tells the
 * rank. Everything the file says is checked before memory is taken. */
hanse_status hanse_result_reader_column(hanse_result_reader *reader,
                                        hid_t dataset, const char *table,
                                        const char *name, hanse_column *column,
                                        size_t *n_rows, bool *is_scalar,
                                        hanse_error *error);

/* A group as a table, all of it from the arena, and the groups in it. */
typedef struct hanse_result_group {
    hanse_table table;
    size_t n_datasets; /* 0: there is no table, only groups */
    const char **groups;
    size_t n_groups;
} hanse_result_group;

/* Reads the group that is table `name`. */
hanse_status hanse_result_reader_group(hanse_result_reader *reader, hid_t group,
                                       const char *name,
                                       hanse_result_group *out,
                                       hanse_error *error);

#endif
