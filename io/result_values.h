/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups and datasets of result files. All keep their attributes in the order
 * of creation and have no times. New objects are returned open, negative on
 * failure.
 */
#ifndef HANSE_IO_RESULT_VALUES_H
#define HANSE_IO_RESULT_VALUES_H

#include <hdf5.h>

#include "engine/hanse.h"
#include "io/storage.h"

/* Where the variables of a table go. */
typedef struct hanse_result_place {
    hid_t group;
    hid_t scale; /* dimension scale to attach; negative: none yet */
    size_t n_rows;
    bool is_scalar; /* no dimension; n_rows is 1 */
} hanse_result_place;

/* Sets on a creation list of any object: attributes in the order of their
 * creation, no times. */
bool hanse_result_object_list_init(hid_t list);

/* Sets on a creation list of a group or file: links in that order, too. */
bool hanse_result_link_order_set(hid_t list);

hid_t hanse_result_create_group(hid_t parent, const char *name);

/* A dataset that either has every element written or none. Stored in chunks as
 * `storage` says; NULL: contiguous, with a place in the file when there are
 * values. */
hid_t hanse_result_create_dataset(hid_t parent, const char *name, hid_t stored,
                                  hid_t space, const hanse_storage *storage);

/* A dimension of n_rows without a variable: a scale without values. */
hid_t hanse_result_create_dimension(hid_t parent, const char *name,
                                    uint64_t n_rows);

hid_t hanse_result_create_scalar(hid_t parent, const char *name, hid_t stored,
                                 hid_t native, const void *value);

/* Creates the variable of a column over the rows of the place, attaches the
 * scale and writes the values, if it has any; no attributes. */
hid_t hanse_result_write_column(const hanse_result_place *place,
                                const char *name, const hanse_column *column);

#endif
