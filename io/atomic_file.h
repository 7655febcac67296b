/* SPDX-License-Identifier: Apache-2.0
 *
 * A file that appears under its name complete or not at all: written to
 * `.NAME.hanse-XXXXXX` in the same directory, flushed, renamed, and the
 * directory flushed. The temporary name goes away on failure and on SIGINT,
 * SIGTERM and SIGHUP; after SIGKILL it may stay behind, the old file intact.
 */
#ifndef HANSE_IO_ATOMIC_FILE_H
#define HANSE_IO_ATOMIC_FILE_H

#include <sys/types.h>

#include "engine/hanse.h"

typedef struct hanse_atomic_file hanse_atomic_file;

/* Opens the temporary for writing with the given mode; fails when the
 * directory is missing or not writable, or `path` is a directory. */
hanse_status hanse_atomic_file_open(const char *path, mode_t mode,
                                    hanse_atomic_file **out,
                                    hanse_error *error);
/* Descriptor and name of the temporary. */
int hanse_atomic_file_descriptor(const hanse_atomic_file *file);
const char *hanse_atomic_file_temporary(const hanse_atomic_file *file);
hanse_status hanse_atomic_file_write(hanse_atomic_file *file, const void *data,
                                     size_t size_bytes, hanse_error *error);
/* Flush, rename, flush the directory. The handle stays to be closed. */
hanse_status hanse_atomic_file_commit(hanse_atomic_file *file,
                                      hanse_error *error);
/* Removes the temporary unless committed. Accepts NULL. */
void hanse_atomic_file_close(hanse_atomic_file *file);

#endif
