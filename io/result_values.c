/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups and datasets of result files, and the values of a column. Data lie
 * contiguous and uncompressed, so that a program may map them.
 */
#include "io/result_values.h"

#include <hdf5_hl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/result_attributes.h"
#include "io/utf8.h"

/* Labels go to the library in blocks of this many rows: 256 KiB of pointers,
 * and room for repaired labels of no more rows than that. */
enum {
    BLOCK_ROWS = 16384
};

/* Texts pass through two buffers of the library, of a megabyte each unless
 * told otherwise; that many pages would cost a small result a tenth of its
 * run. */
static const size_t text_buffer_bytes = 1 << 15;

/* ---- Objects ------------------------------------------------------------ */

bool hanse_result_object_list_init(hid_t list)
{
    return H5Pset_obj_track_times(list, false) >= 0 &&
           H5Pset_attr_creation_order(list, H5P_CRT_ORDER_TRACKED |
                                                H5P_CRT_ORDER_INDEXED) >= 0;
}

bool hanse_result_link_order_set(hid_t list)
{
    return H5Pset_link_creation_order(list, H5P_CRT_ORDER_TRACKED |
                                                H5P_CRT_ORDER_INDEXED) >= 0;
}

hid_t hanse_result_create_group(hid_t parent, const char *name)
{
    const hid_t list = H5Pcreate(H5P_GROUP_CREATE);
    hid_t group = H5I_INVALID_HID;
    if (list < 0)
        return group;
    if (hanse_result_object_list_init(list) &&
        hanse_result_link_order_set(list))
        group = H5Gcreate2(parent, name, H5P_DEFAULT, list, H5P_DEFAULT);
    (void)H5Pclose(list);
    return group;
}

/* netCDF-4 looks for the missing value of floats in the fill value, too. The
 * library insists on filling what has variable length. */
hid_t hanse_result_create_dataset(hid_t parent, const char *name, hid_t stored,
                                  hid_t space, const hanse_storage *storage)
{
    static const double nan_value = NAN;
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    hid_t dataset = H5I_INVALID_HID;
    if (list < 0)
        return dataset;
    if (hanse_result_object_list_init(list) &&
        (storage == NULL || hanse_storage_apply(storage, list)) &&
        (H5Tget_class(stored) == H5T_STRING ||
         H5Pset_fill_time(list, H5D_FILL_TIME_NEVER) >= 0) &&
        (H5Tget_class(stored) != H5T_FLOAT ||
         H5Pset_fill_value(list, H5T_NATIVE_DOUBLE, &nan_value) >= 0))
        dataset = H5Dcreate2(parent, name, stored, space, H5P_DEFAULT, list,
                             H5P_DEFAULT);
    (void)H5Pclose(list);
    return dataset;
}

hid_t hanse_result_create_dimension(hid_t parent, const char *name,
                                    uint64_t n_rows)
{
    const hsize_t extent = n_rows;
    char text[96];
    snprintf(text, sizeof text, HANSE_DIMENSION_TEXT "%10" PRIu64, n_rows);
    const hid_t space = H5Screate_simple(1, &extent, NULL);
    if (space < 0)
        return H5I_INVALID_HID;
    const hid_t scale =
        hanse_result_create_dataset(parent, name, H5T_IEEE_F32BE, space, NULL);
    (void)H5Sclose(space);
    if (scale >= 0 && H5DSset_scale(scale, text) < 0) {
        (void)H5Dclose(scale);
        return H5I_INVALID_HID;
    }
    return scale;
}

/* Writes values of a native type to a selection of a dataset. */
static bool write_values(hid_t dataset, hid_t native, hid_t memory_space,
                         hid_t file_space, const void *values)
{
    if (H5Tget_class(native) != H5T_STRING)
        return H5Dwrite(dataset, native, memory_space, file_space, H5P_DEFAULT,
                        values) >= 0;
    const hid_t transfer = H5Pcreate(H5P_DATASET_XFER);
    if (transfer < 0)
        return false;
    const bool written =
        H5Pset_buffer(transfer, text_buffer_bytes, NULL, NULL) >= 0 &&
        H5Dwrite(dataset, native, memory_space, file_space, transfer, values) >=
            0;
    return H5Pclose(transfer) >= 0 && written;
}

hid_t hanse_result_create_scalar(hid_t parent, const char *name, hid_t stored,
                                 hid_t native, const void *value)
{
    const hid_t space = H5Screate(H5S_SCALAR);
    if (space < 0)
        return H5I_INVALID_HID;
    hid_t dataset =
        hanse_result_create_dataset(parent, name, stored, space, NULL);
    (void)H5Sclose(space);
    if (dataset >= 0 &&
        !write_values(dataset, native, H5S_ALL, H5S_ALL, value)) {
        (void)H5Dclose(dataset);
        return H5I_INVALID_HID;
    }
    return dataset;
}

/* A dataset over the rows of the table, attached to its dimension. The place of
 * numbers in the file is chosen at once. */
static hid_t create_variable(const hanse_result_place *place, const char *name,
                             hid_t stored)
{
    static const hanse_storage contiguous = {0};
    const hanse_storage *storage =
        H5Tget_class(stored) == H5T_STRING ? NULL : &contiguous;
    const hsize_t extent = place->n_rows;
    const hid_t space = place->is_scalar ? H5Screate(H5S_SCALAR)
                                         : H5Screate_simple(1, &extent, NULL);
    if (space < 0)
        return H5I_INVALID_HID;
    hid_t dataset =
        hanse_result_create_dataset(place->group, name, stored, space, storage);
    (void)H5Sclose(space);
    if (dataset >= 0 && place->scale >= 0 &&
        H5DSattach_scale(dataset, place->scale, 0) < 0) {
        (void)H5Dclose(dataset);
        return H5I_INVALID_HID;
    }
    return dataset;
}

/* ---- Values ------------------------------------------------------------- */

typedef struct type_pair {
    hid_t stored;
    hid_t native;
} type_pair;

/* Unsigned 64-bit integers that fit are stored signed: R has no others. */
static type_pair numeric_types(const hanse_column *column, size_t n_rows)
{
    switch (column->type) {
    case HANSE_BOOL:
    case HANSE_INT8:
        return (type_pair){H5T_STD_I8LE, H5T_NATIVE_INT8};
    case HANSE_INT16:
        return (type_pair){H5T_STD_I16LE, H5T_NATIVE_INT16};
    case HANSE_INT32:
        return (type_pair){H5T_STD_I32LE, H5T_NATIVE_INT32};
    case HANSE_UINT8:
        return (type_pair){H5T_STD_U8LE, H5T_NATIVE_UINT8};
    case HANSE_UINT16:
        return (type_pair){H5T_STD_U16LE, H5T_NATIVE_UINT16};
    case HANSE_UINT32:
        return (type_pair){H5T_STD_U32LE, H5T_NATIVE_UINT32};
    case HANSE_FLOAT32:
        return (type_pair){H5T_IEEE_F32LE, H5T_NATIVE_FLOAT};
    case HANSE_FLOAT64:
        return (type_pair){H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE};
    case HANSE_UINT64:
        for (size_t i = 0; i < n_rows; i++)
            if (((const uint64_t *)column->values)[i] > INT64_MAX)
                return (type_pair){H5T_STD_U64LE, H5T_NATIVE_UINT64};
        break;
    default:
        break;
    }
    return (type_pair){H5T_STD_I64LE, H5T_NATIVE_INT64};
}

/* The label of row i as stored: never NULL, never empty, always UTF-8. A text
 * that had to be made is also put into *made, to be freed. */
static const char *stored_label(const hanse_column *key, size_t i, char **made)
{
    const char *text = ((const char *const *)key->values)[i];
    if (key->missing != NULL && key->missing[i])
        return HANSE_LABEL_MISSING;
    if (text == NULL || *text == '\0')
        return HANSE_LABEL_EMPTY;
    if (hanse_utf8_is_valid(text))
        return text;
    *made = malloc(hanse_utf8_escaped_length(text) + 1);
    if (*made != NULL)
        hanse_utf8_escape(text, *made);
    return *made;
}

/* Writes rows first to first + n - 1, n at most BLOCK_ROWS. `labels` and
 * `made` have room for that many; `made` is all NULL before and after. */
static bool write_labels(hid_t dataset, hid_t type, const hanse_column *key,
                         size_t first, size_t n, const char **labels,
                         char **made)
{
    const hsize_t start = first, count = n;
    bool written = true;
    for (size_t i = 0; i < n; i++) {
        labels[i] = stored_label(key, first + i, &made[i]);
        written = written && labels[i] != NULL;
    }
    const hid_t file_space = H5Dget_space(dataset);
    const hid_t memory_space = H5Screate_simple(1, &count, NULL);
    /* A table without keys has scalars, which have no parts to select. */
    written = written && file_space >= 0 && memory_space >= 0 &&
              (H5Sget_simple_extent_ndims(file_space) == 0 ||
               H5Sselect_hyperslab(file_space, H5S_SELECT_SET, &start, NULL,
                                   &count, NULL) >= 0) &&
              write_values(dataset, type, memory_space, file_space, labels);
    if (memory_space >= 0)
        (void)H5Sclose(memory_space);
    if (file_space >= 0)
        (void)H5Sclose(file_space);
    for (size_t i = 0; i < n; i++) {
        free(made[i]);
        made[i] = NULL;
    }
    return written;
}

static bool write_text_values(hid_t dataset, hid_t type,
                              const hanse_column *key, size_t n_rows)
{
    const char **labels = calloc(BLOCK_ROWS, sizeof *labels);
    char **made = calloc(BLOCK_ROWS, sizeof *made);
    bool written = labels != NULL && made != NULL;
    for (size_t first = 0; written && first < n_rows; first += BLOCK_ROWS) {
        const size_t left = n_rows - first;
        written =
            write_labels(dataset, type, key, first,
                         left < BLOCK_ROWS ? left : BLOCK_ROWS, labels, made);
    }
    free(labels);
    free(made);
    return written;
}

hid_t hanse_result_write_column(const hanse_result_place *place,
                                const char *name, const hanse_column *column)
{
    const size_t n_rows = place->n_rows;
    if (column->type == HANSE_TEXT) {
        const hid_t type = hanse_attribute_text_type();
        if (type < 0)
            return H5I_INVALID_HID;
        hid_t dataset = create_variable(place, name, type);
        if (dataset >= 0 && !write_text_values(dataset, type, column, n_rows)) {
            (void)H5Dclose(dataset);
            dataset = H5I_INVALID_HID;
        }
        (void)H5Tclose(type);
        return dataset;
    }
    const type_pair types = numeric_types(column, n_rows);
    const hid_t dataset = create_variable(place, name, types.stored);
    if (dataset >= 0 && n_rows != 0 && column->values != NULL &&
        !write_values(dataset, types.native, H5S_ALL, H5S_ALL,
                      column->values)) {
        (void)H5Dclose(dataset);
        return H5I_INVALID_HID;
    }
    return dataset;
}
