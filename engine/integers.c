/* SPDX-License-Identifier: Apache-2.0
 *
 * Widening integers.
 */
#include "engine/integers.h"

void hanse_gather_integers(hanse_type type, const void *values, size_t first,
                           const uint16_t *kept, size_t n, int64_t *out)
{
#define GATHER(c_type)                                       \
    do {                                                     \
        const c_type *from = (const c_type *)values + first; \
        if (kept == NULL)                                    \
            for (size_t i = 0; i < n; i++)                   \
                out[i] = (int64_t)from[i];                   \
        else                                                 \
            for (size_t i = 0; i < n; i++)                   \
                out[i] = (int64_t)from[kept[i]];             \
    } while (0)
    switch (type) {
    case HANSE_INT8:
        GATHER(int8_t);
        break;
    case HANSE_INT16:
        GATHER(int16_t);
        break;
    case HANSE_INT32:
        GATHER(int32_t);
        break;
    case HANSE_INT64:
        GATHER(int64_t);
        break;
    case HANSE_UINT8:
        GATHER(uint8_t);
        break;
    case HANSE_UINT16:
        GATHER(uint16_t);
        break;
    case HANSE_UINT32:
        GATHER(uint32_t);
        break;
    case HANSE_UINT64:
        GATHER(uint64_t);
        break;
    case HANSE_BOOL:
        GATHER(uint8_t);
        for (size_t i = 0; i < n; i++)
            out[i] = out[i] != 0;
        break;
    default:
        break;
    }
#undef GATHER
}
