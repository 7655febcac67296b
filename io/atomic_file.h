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

/* Opens the temporary for reading and writing with exactly the given mode,
 * whatever the umask; fails when the directory is missing or not writable, or
 * `path` is something other than a regular file (a directory, a device). A
 * symbolic link to a regular file is replaced, not followed. HANSE_ERR_IO,
 * HANSE_ERR_NOMEM, HANSE_ERR_ARGUMENT (empty path). */
hanse_status hanse_atomic_file_open(const char *path, mode_t mode,
                                    hanse_atomic_file **out,
                                    hanse_error *error);
/* Descriptor and path of the temporary; both belong to the handle. */
int hanse_atomic_file_descriptor(const hanse_atomic_file *file);
const char *hanse_atomic_file_temporary(const hanse_atomic_file *file);

/* Appends size_bytes bytes; HANSE_ERR_IO when not all could be written. */
hanse_status hanse_atomic_file_write(hanse_atomic_file *file, const void *data,
                                     size_t size_bytes, hanse_error *error);

/* The HANSE_ERR_IO for a write through the descriptor that failed with errno
 * value `cause`: names the final path and what to do. */
hanse_status hanse_atomic_file_fail(const hanse_atomic_file *file, int cause,
                                    hanse_error *error);

/* Flush, rename, flush the directory. The handle stays to be closed. */
hanse_status hanse_atomic_file_commit(hanse_atomic_file *file,
                                      hanse_error *error);
/* Removes the temporary unless committed. Accepts NULL. */
void hanse_atomic_file_close(hanse_atomic_file *file);

/* Handler for a signal that ends the process: removes the temporaries of this
 * process, restores the signal's default action and raises it again. Async
 * signal safe. */
void hanse_atomic_file_on_signal(int signal_number);

/* Installs a handler, with flags as for sigaction, for SIGINT, SIGTERM and
 * SIGHUP where they are not ignored (nohup). */
void hanse_atomic_file_handle_signals(void (*handler)(int), int flags);

/* For the program's start: installs hanse_atomic_file_on_signal for these, and
 * ignores SIGXFSZ, so that a file size
 * limit is an error of the write and not the death of the process. */
void hanse_atomic_file_install_signal_handlers(void);

#endif
