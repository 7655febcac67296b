/* SPDX-License-Identifier: Apache-2.0
 *
 * The HDF5 library as this project uses it for input: one thread at a time,
 * silent, without plug-ins that nobody asked for, and never led from one file
 * to another.
 */
#ifndef HANSE_IO_HDF5_LIBRARY_H
#define HANSE_IO_HDF5_LIBRARY_H

#include <hdf5.h>
#include <stdint.h>

#include "engine/hanse.h"

/* Takes the process-wide turn for calls of the HDF5 library and silences its
 * error output, which unlocking restores. Not recursive. Everything in io/
 * that takes or gives a hid_t is called with the turn held. */
void hanse_hdf5_lock(void);
void hanse_hdf5_unlock(void);

/* What must come before the first use: keeps the library from crashing at exit
 * after a failed close, and registers the filters of io/hdf5_filters.h. May be
 * called any number of times; the lock must be held. */
hanse_status hanse_hdf5_start(hanse_error *error);

/* Identity of an open file, to notice when another one took its place. */
typedef struct hanse_file_stamp {
    uint64_t device;
    uint64_t inode;
    uint64_t size_bytes;
    int64_t changed_ns; /* time of the last change, since 1970 */
} hanse_file_stamp;

/* Opens a file read-only. HANSE_ERR_IO: missing, a directory, no permission,
 * in use by a writer; HANSE_ERR_FORMAT: not HDF5, truncated, damaged. Close
 * with H5Fclose. */
hanse_status hanse_hdf5_open_file(const char *path, hid_t *out,
                                  hanse_error *error);

/* HANSE_ERR_IO or HANSE_ERR_FORMAT: why the library could not open a file, by
 * the failure that it reported last. */
hanse_status hanse_hdf5_fail_open(const char *path, hanse_error *error);

/* HANSE_ERR_FORMAT: the file is no HDF5 file at all. */
hanse_status hanse_hdf5_fail_foreign(const char *path, hanse_error *error);

/* Opens the object at `path` in a file; external links are not followed, on no
 * part of the path. Negative when there is none. Close with H5Oclose. */
hid_t hanse_hdf5_open_object(hid_t location, const char *path);

/* Room for the reason why something in a file cannot be used, terminator
 * included. */
enum {
    HANSE_REASON_SIZE = 256
};

/* Writes the reason; returns HANSE_OK, because a file may well hold things
 * that we do not use. */
__attribute__((format(printf, 2, 3))) hanse_status
hanse_hdf5_refuse(char *reason, const char *format, ...);

/* HANSE_ERR_FORMAT: "damaged <what>: <innermost cause>". */
hanse_status hanse_hdf5_fail(hanse_error *error, const char *what);

/* Innermost cause of the failure that the library reported last, as one short
 * line: "inflate() failed". `size_bytes` counts the terminator. */
void hanse_hdf5_cause(char *text, size_t size_bytes);

#endif
