/* SPDX-License-Identifier: Apache-2.0
 *
 * A part of the groups of a grouping.
 */
#ifndef HANSE_ENGINE_PART_H
#define HANSE_ENGINE_PART_H

#include <stdint.h>

/* Of the groups, those whose keys hash to `index` of n; n = 0 or 1: all. */
typedef struct hanse_part {
    uint32_t index;
    uint32_t n;
    uint64_t seed;
} hanse_part;

#endif
