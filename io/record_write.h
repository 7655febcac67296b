/* SPDX-License-Identifier: Apache-2.0
 *
 * Record-level outputs as group `records` of a result file: one dimension
 * `record`, as long as the input and in its order, and a variable over it for
 * each output, in compressed chunks; used by result_write.c.
 */
#ifndef HANSE_IO_RECORD_WRITE_H
#define HANSE_IO_RECORD_WRITE_H

#include <hdf5.h>

#include "engine/sink.h"
#include "io/descriptor_driver.h"
#include "io/storage.h"

/* Where they go. */
typedef struct hanse_record_target {
    hid_t file;
    const hanse_descriptor_target *descriptor; /* of the file's driver */
    const hanse_storage *storage;              /* chunked */
} hanse_record_target;

/* Reads, encodes and writes on all threads; the file's bytes do not depend on
 * their number. The turn of hdf5_library.h must not be held. Where the library
 * fails or a write does, *at names the variable (borrowed from the set), the
 * status is HANSE_ERR_IO and the message is the caller's to write; otherwise
 * *at stays as it is. */
hanse_status hanse_record_write(const hanse_record_target *target,
                                const hanse_record_set *records,
                                const char **at, hanse_error *error);

#endif
