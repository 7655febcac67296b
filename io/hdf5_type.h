/* SPDX-License-Identifier: Apache-2.0
 *
 * How the values of a column are stored: an HDF5 datatype reduced to what a
 * decoder needs, and what it becomes in memory.
 */
#ifndef HANSE_IO_HDF5_TYPE_H
#define HANSE_IO_HDF5_TYPE_H

#include "io/column_values.h"
#include "io/hdf5_library.h"

typedef enum hanse_value_form {
    HANSE_FORM_NUMBER,       /* integer, float or boolean of a fixed width */
    HANSE_FORM_BITS,         /* bit field of one byte: boolean */
    HANSE_FORM_TEXT_FIXED,   /* size_bytes bytes, padded */
    HANSE_FORM_TEXT_VARIABLE /* a reference to text elsewhere in the file */
} hanse_value_form;

typedef struct hanse_hdf5_type {
    hanse_type type; /* in memory */
    hanse_value_form form;
    size_t size_bytes; /* of one stored value */
    bool big_endian;
    bool irregular; /* size or bits of no C type: only the library converts */
    bool utf8;      /* text: the file says UTF-8, else ASCII */
    hanse_text_padding padding;
    hanse_label *labels; /* of an enum that is not a boolean, by code */
    size_t n_labels;
    char text[64]; /* "int32 big-endian", "text[8] null-padded" */
} hanse_hdf5_type;

/* Describes a datatype. When its values cannot be used, says why in `reason`
 * (HANSE_REASON_SIZE bytes) and leaves `out` empty; else reason is "". Fails
 * with HANSE_ERR_NOMEM or HANSE_ERR_FORMAT. Free with hanse_hdf5_type_clear. */
hanse_status hanse_hdf5_type_describe(hid_t datatype, hanse_hdf5_type *out,
                                      char *reason, hanse_error *error);
void hanse_hdf5_type_clear(hanse_hdf5_type *type);

/* Bytes of a value as hanse_hdf5_type_memory lays it out. */
size_t hanse_hdf5_type_memory_size(const hanse_hdf5_type *type);

/* The datatype into which the library converts the values: the machine's
 * number, fixed text as stored, or a pointer to terminated text. To be closed;
 * negative on failure. Irregular numbers keep their byte order until
 * hanse_hdf5_type_finish is called for them: between byte orders HDF5 1.10
 * forgets that not all bits count. */
hid_t hanse_hdf5_type_memory(const hanse_hdf5_type *type);
void hanse_hdf5_type_finish(const hanse_hdf5_type *type, void *values,
                            size_t n);

/* Whether two columns can be parts of one: type in memory and labels. */
bool hanse_hdf5_type_same(const hanse_hdf5_type *a, const hanse_hdf5_type *b);

#endif
