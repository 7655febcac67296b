/* SPDX-License-Identifier: Apache-2.0
 *
 * An HDF5 file driver that reads from an open descriptor and can tell where
 * raw data lie instead of reading them.
 *
 * The library's own ways of asking for the address of a chunk walk its whole
 * index for each one, which makes listing a dataset quadratic. Reading a chunk
 * (H5Dread_chunk) looks it up once; with this driver recording, that read
 * touches no data and leaves address and size behind. 200,000 chunks take a
 * tenth of a second, with every kind of chunk index.
 */
#ifndef HANSE_IO_RECORDING_DRIVER_H
#define HANSE_IO_RECORDING_DRIVER_H

#include <hdf5.h>

#include "engine/hanse.h"

/* Belongs to the caller and outlives the file. */
typedef struct hanse_recording {
    int descriptor;      /* open for reading; borrowed */
    uint64_t file_bytes; /* its size */
    bool active;         /* record raw data reads, leave the buffer alone */
    uint64_t address;    /* of the last raw read that was recorded */
    uint64_t size_bytes;
    uint64_t n_recorded; /* raw reads since this was set to 0 */
} hanse_recording;

/* Makes the file access property list use the driver for the next H5Fopen
 * (read-only; its name may be anything). Returns the driver's id, to be given
 * to H5FDunregister after H5Fclose; negative on failure. */
hid_t hanse_recording_driver_set(hid_t access, hanse_recording *recording);

#endif
