/* SPDX-License-Identifier: Apache-2.0
 *
 * Order-preserving integers: values of a measure as signed integers that
 * compare as the numbers do.
 */
#ifndef HANSE_ENGINE_VALUE_ORDER_H
#define HANSE_ENGINE_VALUE_ORDER_H

#include "engine/plan.h"

/* binary64 to int64 so that a < b as numbers implies a < b as integers, and
 * -0.0 < 0.0; its own inverse on the bit patterns. NaN must not occur. */
static inline int64_t hanse_order_bits(int64_t bits)
{
    return bits ^ ((bits >> 63) & INT64_MAX);
}

/* uint64 to int64, keeping the order; its own inverse. */
static inline int64_t hanse_order_u64(int64_t pattern)
{
    return pattern ^ INT64_MIN;
}

/* A value as a block holds it, and back: its own inverse. */
static inline int64_t hanse_order_value(int64_t value, hanse_number number)
{
    if (number == HANSE_NUMBER_FLOAT)
        return hanse_order_bits(value);
    return number == HANSE_NUMBER_UINT ? hanse_order_u64(value) : value;
}

#endif
