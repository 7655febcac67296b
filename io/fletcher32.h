/* SPDX-License-Identifier: Apache-2.0
 *
 * The checksum of HDF5's filter fletcher32.
 */
#ifndef HANSE_IO_FLETCHER32_H
#define HANSE_IO_FLETCHER32_H

#include <stddef.h>
#include <stdint.h>

/* Fletcher's checksum over 16-bit words, high byte first, the last one filled
 * up with a zero byte; sum of sums in the upper half. As the library stores
 * it: 65535 rather than 0 for a sum that is a multiple of 65535 and not 0. */
uint32_t hanse_fletcher32(const void *data, size_t n_bytes);

/* The same with the bytes of both halves swapped: what libraries before 1.6.3
 * wrote on little-endian machines, and all libraries accept. */
uint32_t hanse_fletcher32_swapped(uint32_t checksum);

#endif
