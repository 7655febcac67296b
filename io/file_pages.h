/* SPDX-License-Identifier: Apache-2.0
 *
 * Files mapped into memory.
 *
 * The kernel ends a program that touches a page of a mapped file which has
 * been cut off meanwhile, or which the disk fails to deliver, with SIGBUS. A
 * program that installs the guard goes on instead, with zeros in the place of
 * what cannot be had, and finds the mapping broken when it asks. Who maps must
 * ask before it believes what it computed.
 */
#ifndef HANSE_IO_FILE_PAGES_H
#define HANSE_IO_FILE_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A whole file. Zero-initialised: nothing is mapped. */
typedef struct hanse_file_pages {
    const uint8_t *bytes;
    size_t size_bytes;
    size_t slot; /* the guard's */
} hanse_file_pages;

/* Handles SIGBUS for the whole process, from now on; a fault outside mapped
 * files does what it did before. For programs, not for libraries inside other
 * people's. Once is enough, and not while other threads run; false when the
 * system refuses. */
bool hanse_file_pages_guard(void);

/* Maps size_bytes bytes of a file for reading. False, and nothing is mapped,
 * without the guard, when the address space does not suffice, or when very
 * many files are mapped: read it then. Any thread. */
bool hanse_file_pages_map(hanse_file_pages *pages, int descriptor,
                          uint64_t size_bytes);

/* Accepts one that is not mapped. */
void hanse_file_pages_unmap(hanse_file_pages *pages);

/* Whether zeros had to stand in for bytes of the file. */
bool hanse_file_pages_broken(const hanse_file_pages *pages);

/* Takes the pages that lie wholly in a range out of this process's memory;
 * the page cache keeps them, and using them again brings them back. */
void hanse_file_pages_drop(const hanse_file_pages *pages, uint64_t address,
                           uint64_t size_bytes);

#endif
