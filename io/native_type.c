/* SPDX-License-Identifier: Apache-2.0
 *
 * Types of numbers in memory.
 */
#include "io/native_type.h"

hid_t hanse_native_type(hanse_type type)
{
    switch (type) {
    case HANSE_INT8:
    case HANSE_BOOL:
        return H5T_NATIVE_INT8;
    case HANSE_INT16:
        return H5T_NATIVE_INT16;
    case HANSE_INT32:
        return H5T_NATIVE_INT32;
    case HANSE_INT64:
        return H5T_NATIVE_INT64;
    case HANSE_UINT8:
        return H5T_NATIVE_UINT8;
    case HANSE_UINT16:
        return H5T_NATIVE_UINT16;
    case HANSE_UINT32:
        return H5T_NATIVE_UINT32;
    case HANSE_UINT64:
        return H5T_NATIVE_UINT64;
    case HANSE_FLOAT32:
        return H5T_NATIVE_FLOAT;
    case HANSE_FLOAT64:
        return H5T_NATIVE_DOUBLE;
    default:
        return H5I_INVALID_HID;
    }
}
