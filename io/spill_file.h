/* SPDX-License-Identifier: Apache-2.0
 *
 * A spill over a temporary file that has no name: it takes space in the
 * directory's file system and is gone with the process, however that ends.
 */
#ifndef HANSE_IO_SPILL_FILE_H
#define HANSE_IO_SPILL_FILE_H

#include "engine/spill.h"

/* HANSE_ERR_IO when no file can be made in `directory`. Close with
 * spill->ops->close. */
hanse_status hanse_spill_file_open(const char *directory, hanse_spill **out,
                                   hanse_error *error);

/* Bytes that were kept so far. */
uint64_t hanse_spill_file_bytes(const hanse_spill *spill);

/* The file alone: a descriptor for reading and writing; -1 with errno set. */
int hanse_spill_file_nameless(const char *directory);

#endif
