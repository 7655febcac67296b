/* SPDX-License-Identifier: Apache-2.0
 *
 * Our decoders as filters of the HDF5 library: LZF, Blosc, bitshuffle
 * and bzip2, so
 * that what only the library can read (texts of varying length) needs no
 * plug-in, and nobody's code but ours runs on the bytes of a file.
 */
#ifndef HANSE_IO_HDF5_DECODERS_H
#define HANSE_IO_HDF5_DECODERS_H

#include "engine/hanse.h"

/* Makes them known to the library, in front of any plug-in, for reading. The
 * lock of the library must be held. */
hanse_status hanse_hdf5_register_decoders(hanse_error *error);

#endif
