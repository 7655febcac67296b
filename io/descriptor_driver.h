/* SPDX-License-Identifier: Apache-2.0
 *
 * An HDF5 file driver that creates a file in an open descriptor.
 *
 * The library crashes when a write fails and it then has to close a file whose
 * caches it cannot empty. With this driver no write ever fails from the
 * library's view: the first failure is kept in `cause`, later writes are
 * ignored, the file closes in the ordinary way, and the caller looks at
 * `cause` to know that what it has is not a file. The path of the file plays
 * no part, so nobody can put another file under it meanwhile.
 */
#ifndef HANSE_IO_DESCRIPTOR_DRIVER_H
#define HANSE_IO_DESCRIPTOR_DRIVER_H

#include <hdf5.h>

#include "engine/hanse.h"

/* Belongs to the caller and outlives the file. */
typedef struct hanse_descriptor_target {
    int descriptor; /* an empty file, open for reading and writing; borrowed */
    _Atomic int cause; /* errno value of the first failed write, 0: none */
} hanse_descriptor_target;

/* Writes past the library, from any thread, to a range that is allocated in the
 * file and that the library neither reads nor writes. A failure is kept as
 * above; returns false after one. */
bool hanse_descriptor_write(hanse_descriptor_target *target, uint64_t address,
                            const void *data, size_t size_bytes);

/* Makes the file access property list use the driver for the next H5Fcreate
 * (whose name may be anything). Returns the driver's id, to be given to
 * H5FDunregister after H5Fclose; negative on failure. */
hid_t hanse_descriptor_driver_set(hid_t access,
                                  hanse_descriptor_target *target);

#endif
