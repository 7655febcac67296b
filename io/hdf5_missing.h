/* SPDX-License-Identifier: Apache-2.0
 *
 * Attributes of a dataset that say how its values are to be understood.
 */
#ifndef HANSE_IO_HDF5_MISSING_H
#define HANSE_IO_HDF5_MISSING_H

#include "io/column_values.h"
#include "io/hdf5_type.h"

/* Reads `_FillValue` and `missing_value`, in this order, as values of a column
 * of the given type; those that the type cannot hold never occur and are left
 * out. `reason` (HANSE_REASON_SIZE bytes) is set when they cannot be honoured,
 * or when other attributes change the values themselves (scale_factor,
 * add_offset, _Unsigned). Free out->text. */
hanse_status hanse_hdf5_missing_read(hid_t dataset, const hanse_hdf5_type *type,
                                     hanse_missing_codes *out, char *reason,
                                     hanse_error *error);

/* The codes as text, "NaN, -999" or "-1"; "" when nothing is declared and the
 * type has no NaN. From malloc; NULL when memory is exhausted. */
char *hanse_missing_describe(const hanse_missing_codes *missing,
                             hanse_type type);

/* A text attribute without trailing spaces and zeros, as UTF-8 (other bytes
 * escaped), from malloc; NULL when there is none. */
char *hanse_hdf5_read_text(hid_t object, const char *name);

#endif
