/* SPDX-License-Identifier: Apache-2.0
 *
 * An input file as one thread reads it: by copies, from mapped pages, and with
 * word to the system of what comes next.
 */
#ifndef HANSE_IO_INPUT_FILE_H
#define HANSE_IO_INPUT_FILE_H

#include "engine/base/error.h"
#include "io/file_pages.h"
#include "io/hdf5_library.h"

typedef struct hanse_input_file {
    const char *name;              /* borrowed */
    const hanse_file_stamp *stamp; /* borrowed */
    int descriptor;                /* negative: not open */
    hanse_file_pages pages;
    uint64_t advice_bytes; /* that the system takes in one go; 0: not asked */
} hanse_input_file;

/* Opens a file, mapped if that is wanted and possible, and notices when it is
 * no longer the one with the stamp. Close it in any case. HANSE_ERR_IO. */
hanse_status hanse_input_file_open(hanse_input_file *file, const char *name,
                                   const hanse_file_stamp *stamp, bool map,
                                   hanse_error *error);

/* Accepts one that is zero with a negative descriptor, or already closed. */
void hanse_input_file_close(hanse_input_file *file);

/* Whether the file is still the one with the stamp, and every mapped byte was
 * its own: HANSE_ERR_IO when what was delivered cannot be believed. */
hanse_status hanse_input_file_check(const hanse_input_file *file,
                                    hanse_error *error);

/* Copies bytes; HANSE_ERR_IO when the file ends before them. */
hanse_status hanse_input_file_read(const hanse_input_file *file,
                                   uint64_t address, size_t size_bytes,
                                   void *out, hanse_error *error);

/* Whether a byte lies in the page cache; false when the system cannot say. */
bool hanse_input_file_is_cached(const hanse_input_file *file, uint64_t address);

/* Whether the system by itself reads far enough ahead of what is read in order,
 * so that advice is for what is not. */
bool hanse_input_file_streams(hanse_input_file *file);

/* Has bytes brought into the page cache while the caller goes on. */
void hanse_input_file_advise(hanse_input_file *file, uint64_t address,
                             uint64_t size_bytes);

/* Whether a file lies on a disk or in the memory of this machine, not on a
 * network or parallel file system. */
bool hanse_file_is_local(const char *name);

#endif
