/* SPDX-License-Identifier: Apache-2.0
 *
 * Types of numbers in memory, as the HDF5 library calls them.
 */
#ifndef HANSE_IO_NATIVE_TYPE_H
#define HANSE_IO_NATIVE_TYPE_H

#include <hdf5.h>

#include "engine/hanse.h"

/* The library's own, not to be closed; a bool is an int8. H5I_INVALID_HID for
 * texts. */
hid_t hanse_native_type(hanse_type type);

#endif
