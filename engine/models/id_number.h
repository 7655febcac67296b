/* SPDX-License-Identifier: Apache-2.0
 *
 * Integer ids as unsigned numbers in their order.
 */
#ifndef HANSE_ENGINE_MODELS_ID_NUMBER_H
#define HANSE_ENGINE_MODELS_ID_NUMBER_H

#include "engine/hanse.h"

/* Whether a column's values are such ids. */
static inline bool hanse_has_id_numbers(hanse_type type)
{
    return type != HANSE_TEXT && type != HANSE_FLOAT32 && type != HANSE_FLOAT64;
}

/* Of row i of a column; a missing one comes last. */
static inline uint64_t hanse_id_number(const hanse_array *array,
                                       hanse_type type, size_t i)
{
    const uint64_t sign = (uint64_t)1 << 63;
    if (array->missing != NULL && array->missing[i])
        return UINT64_MAX;
    switch (type) {
    case HANSE_INT8:
        return (uint64_t)((const int8_t *)array->values)[i] ^ sign;
    case HANSE_INT16:
        return (uint64_t)((const int16_t *)array->values)[i] ^ sign;
    case HANSE_INT32:
        return (uint64_t)((const int32_t *)array->values)[i] ^ sign;
    case HANSE_INT64:
        return (uint64_t)((const int64_t *)array->values)[i] ^ sign;
    case HANSE_UINT16:
        return ((const uint16_t *)array->values)[i];
    case HANSE_UINT32:
        return ((const uint32_t *)array->values)[i];
    case HANSE_UINT64:
        return ((const uint64_t *)array->values)[i];
    default:
        return ((const uint8_t *)array->values)[i];
    }
}

#endif
