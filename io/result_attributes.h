/* SPDX-License-Identifier: Apache-2.0
 *
 * Attributes of result files, in the one form that every reader takes, and
 * the names that writer and reader agree on.
 */
#ifndef HANSE_IO_RESULT_ATTRIBUTES_H
#define HANSE_IO_RESULT_ATTRIBUTES_H

#include <hdf5.h>

#include "engine/hanse.h"

/* Attributes of a table's group. */
#define HANSE_ATTRIBUTE_KEYS    "keys"         /* blank-separated names */
#define HANSE_ATTRIBUTE_DROPPED "rows_dropped" /* int64, absent if none */

/* Of a key through a mapping table: rows whose value the table lacks, int64,
 * absent if none. */
#define HANSE_ATTRIBUTE_UNMAPPED "rows_unmapped"

/* Of a key with missing or empty entries: the name of its flags. */
#define HANSE_ATTRIBUTE_FLAGS "ancillary_variables"

/* Values of `<key>_missing`, int8. An empty text has a flag because an empty
 * variable-length string is stored as none at all, which kills readers. */
enum {
    HANSE_FLAG_PRESENT,
    HANSE_FLAG_MISSING,
    HANSE_FLAG_EMPTY
};

/* What stands in the file for a label that is missing or empty. */
#define HANSE_LABEL_MISSING "(missing)"
#define HANSE_LABEL_EMPTY   "(empty)"

/* The HDF5 NAME of a dimension without a variable: netCDF-4's words, then the
 * length in ten columns. */
#define HANSE_DIMENSION_TEXT \
    "This is a netCDF dimension but not a netCDF variable."

/* Variable-length UTF-8, to be closed; negative on failure. */
hid_t hanse_attribute_text_type(void);

/* Writes a text attribute; nothing when text is NULL or empty. Bytes that are
 * not UTF-8 are escaped. False when the library fails. */
bool hanse_attribute_put_text(hid_t object, const char *name, const char *text);

/* Writes what a column's description says: _FillValue, long_name, units or
 * unit_label, cell_methods, flags. `name` is the dataset's: long_name carries
 * the column's own where that is another one. */
bool hanse_attribute_put_column(hid_t dataset, const char *name,
                                const hanse_column *column);

/* Writes flag_values and flag_meanings of a column that has flags. */
bool hanse_attribute_put_flags(hid_t dataset, const hanse_column *column);

/* Writes n values of a numeric type (native, also the stored one). */
bool hanse_attribute_put_values(hid_t object, const char *name, hid_t stored,
                                hid_t native, size_t n, const void *values);

/* Reads a text attribute into memory from malloc; NULL when there is none, it
 * is not a text, or it is longer than 16 MiB. */
char *hanse_attribute_get_text(hid_t object, const char *name);

/* Reads the int8 values of an attribute of rank 0 or 1, at most `room`; returns
 * how many, 0 when there is none of that kind. */
size_t hanse_attribute_get_codes(hid_t object, const char *name, int8_t *out,
                                 size_t room);

/* Reads a scalar integer attribute; false when there is none. */
bool hanse_attribute_get_integer(hid_t object, const char *name, int64_t *out);

#endif
