/* SPDX-License-Identifier: Apache-2.0
 *
 * What every chunk must stand, whatever its filters: decoded through each
 * function it gives its data, cut short it fails, damaged it does no harm.
 * Chunks and outputs end at unmapped pages.
 */
#ifndef HANSE_TESTS_DECODE_CHECK_H
#define HANSE_TESTS_DECODE_CHECK_H

#include "io/decode.h"

enum {
    CHECK_BYTES_MAX = 1 << 18
};

typedef struct chunk {
    hanse_pipeline pipeline;
    uint32_t filter_mask;
    size_t stored_bytes;
    size_t raw_bytes;
    size_t row_bytes; /* raw_bytes is a multiple of it */
    uint8_t stored[CHECK_BYTES_MAX];
    uint8_t raw[CHECK_BYTES_MAX];
} chunk;

/* For cmocka_run_group_tests: memory and a decoder per instruction set. */
int decode_check_set_up(void **state);
int decode_check_tear_down(void **state);

/* Raw data of so many bytes: small numbers that compress, with noise. */
void chunk_fill(chunk *c, size_t n_rows, size_t row_bytes);

/* Appends a filter to the pipeline. */
hanse_filter *chunk_add_filter(chunk *c, uint32_t id);

/* Decodes through all functions on all instruction sets; fails the test when
 * anything but c->raw comes out. */
void check_decodes(const chunk *c);

/* Every shorter chunk must fail. */
void check_cut_short(const chunk *c);

/* Every byte changed in several ways, once each. What decodes without an
 * error must have the right size, by construction; with `checked`, it must
 * also be c->raw. Returns the number of errors. */
size_t check_damaged(const chunk *c, bool checked);

/* Decodes on the best instruction set; the error's text must hold `part`. */
void check_fails(const chunk *c, size_t raw_bytes, const char *part);

#endif
