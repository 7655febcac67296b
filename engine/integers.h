/* SPDX-License-Identifier: Apache-2.0
 *
 * Integer columns of any width as int64.
 */
#ifndef HANSE_ENGINE_INTEGERS_H
#define HANSE_ENGINE_INTEGERS_H

#include "engine/hanse.h"

/* out[i] = value first + kept[i], i < n, widened to int64 (the bit pattern of
 * uint64; a bool is 0 or 1). `kept` NULL: the values first .. first + n - 1.
 * Nothing for a type that is not an integer. */
void hanse_gather_integers(hanse_type type, const void *values, size_t first,
                           const uint16_t *kept, size_t n, int64_t *out);

#endif
