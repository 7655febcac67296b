/* SPDX-License-Identifier: Apache-2.0
 *
 * Attributes of result files. Texts are variable-length UTF-8 scalars: h5py
 * gives them as str, and netCDF-4, xarray and R read them as well.
 */
#include "io/result_attributes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/utf8.h"

enum {
    MAX_TEXT_BYTES = 1 << 24
};

hid_t hanse_attribute_text_type(void)
{
    const hid_t type = H5Tcopy(H5T_C_S1);
    if (type < 0)
        return H5I_INVALID_HID;
    if (H5Tset_size(type, H5T_VARIABLE) < 0 ||
        H5Tset_cset(type, H5T_CSET_UTF8) < 0) {
        (void)H5Tclose(type);
        return H5I_INVALID_HID;
    }
    return type;
}

static bool put(hid_t object, const char *name, hid_t space, hid_t stored,
                hid_t native, const void *values)
{
    const hid_t attribute =
        H5Acreate2(object, name, stored, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute < 0)
        return false;
    const bool written = H5Awrite(attribute, native, values) >= 0;
    return H5Aclose(attribute) >= 0 && written;
}

bool hanse_attribute_put_text(hid_t object, const char *name, const char *text)
{
    if (text == NULL || *text == '\0')
        return true;
    char *valid = malloc(hanse_utf8_escaped_length(text) + 1);
    if (valid == NULL)
        return false;
    hanse_utf8_escape(text, valid);
    const hid_t type = hanse_attribute_text_type();
    const hid_t space = H5Screate(H5S_SCALAR);
    const char *value = valid;
    const bool written =
        type >= 0 && space >= 0 && put(object, name, space, type, type, &value);
    if (space >= 0)
        (void)H5Sclose(space);
    if (type >= 0)
        (void)H5Tclose(type);
    free(valid);
    return written;
}

bool hanse_attribute_put_values(hid_t object, const char *name, hid_t stored,
                                hid_t native, size_t n, const void *values)
{
    const hsize_t extent = n;
    const hid_t space = H5Screate_simple(1, &extent, NULL);
    if (space < 0)
        return false;
    const bool written = put(object, name, space, stored, native, values);
    (void)H5Sclose(space);
    return written;
}

/* All of them, a blank between two, from malloc. */
static char *join_words(const char *const *words, size_t n)
{
    size_t room = 1;
    for (size_t i = 0; i < n; i++)
        room += strlen(words[i]) + 1;
    char *list = malloc(room);
    char *at = list;
    for (size_t i = 0; list != NULL && i < n; i++) {
        if (i != 0)
            *at++ = ' ';
        at = stpcpy(at, words[i]);
    }
    return list;
}

bool hanse_attribute_put_flags(hid_t dataset, const hanse_column *column)
{
    if (column->n_flags == 0)
        return true;
    char *list = join_words(column->flag_meanings, column->n_flags);
    const bool written =
        list != NULL &&
        hanse_attribute_put_values(dataset, "flag_values", H5T_STD_I8LE,
                                   H5T_NATIVE_INT8, column->n_flags,
                                   column->flag_values) &&
        hanse_attribute_put_text(dataset, "flag_meanings", list);
    free(list);
    return written;
}

/* ---- Of a column ------------------------------------------------------------
 */

/* `long_name` carries the original name where the file has another one. */
static bool put_long_name(hid_t dataset, const char *name,
                          const hanse_column *column)
{
    char text[1024];
    const bool renamed = strcmp(name, column->name) != 0;
    if (column->long_name == NULL)
        return hanse_attribute_put_text(dataset, "long_name", column->name);
    if (!renamed)
        return hanse_attribute_put_text(dataset, "long_name",
                                        column->long_name);
    snprintf(text, sizeof text, "%s: %s", column->name, column->long_name);
    return hanse_attribute_put_text(dataset, "long_name", text);
}

/* Whether a word of the units is a currency code, three capitals. UDUNITS
 * knows none, so such units go to `unit_label`. */
static bool names_currency(const char *units)
{
    size_t n_capitals = 0, n_letters = 0;
    for (const char *c = units;; c++) {
        const bool capital = *c >= 'A' && *c <= 'Z';
        if (capital || (*c >= 'a' && *c <= 'z')) {
            n_letters++;
            n_capitals += capital;
            continue;
        }
        if (n_letters == 3 && n_capitals == 3)
            return true;
        if (*c == '\0')
            return false;
        n_letters = n_capitals = 0;
    }
}

bool hanse_attribute_put_column(hid_t dataset, const char *name,
                                const hanse_column *column)
{
    static const double nan_64 = NAN;
    static const float nan_32 = NAN;
    const char *units_name =
        column->units != NULL && names_currency(column->units) ? "unit_label"
                                                               : "units";
    if (column->type == HANSE_FLOAT64 &&
        !hanse_attribute_put_values(dataset, "_FillValue", H5T_IEEE_F64LE,
                                    H5T_NATIVE_DOUBLE, 1, &nan_64))
        return false;
    if (column->type == HANSE_FLOAT32 &&
        !hanse_attribute_put_values(dataset, "_FillValue", H5T_IEEE_F32LE,
                                    H5T_NATIVE_FLOAT, 1, &nan_32))
        return false;
    return put_long_name(dataset, name, column) &&
           hanse_attribute_put_text(dataset, units_name, column->units) &&
           hanse_attribute_put_text(dataset, "cell_methods",
                                    column->cell_methods) &&
           hanse_attribute_put_flags(dataset, column);
}

/* ---- Reading ----------------------------------------------------------------
 */

/* Elements, whatever the rank of the attribute's space; negative on failure. */
static hssize_t count_values(hid_t attribute)
{
    const hid_t space = H5Aget_space(attribute);
    if (space < 0)
        return -1;
    const hssize_t n = H5Sget_simple_extent_npoints(space);
    (void)H5Sclose(space);
    return n;
}

static bool has_one_value(hid_t attribute)
{
    return count_values(attribute) == 1;
}

static char *read_fixed(hid_t attribute, hid_t type)
{
    const size_t size_bytes = H5Tget_size(type);
    if (size_bytes == 0 || size_bytes > MAX_TEXT_BYTES)
        return NULL;
    char *text = calloc(1, size_bytes + 1);
    if (text != NULL && H5Aread(attribute, type, text) < 0) {
        free(text);
        return NULL;
    }
    return text;
}

static char *read_variable(hid_t attribute, hid_t type)
{
    char *stored = NULL;
    if (H5Aread(attribute, type, &stored) < 0 || stored == NULL)
        return NULL;
    const size_t length = strnlen(stored, MAX_TEXT_BYTES);
    char *text = length < MAX_TEXT_BYTES ? strndup(stored, length) : NULL;
    (void)H5free_memory(stored);
    return text;
}

static char *read_text(hid_t attribute)
{
    const hid_t type = H5Aget_type(attribute);
    char *text = NULL;
    if (type < 0)
        return NULL;
    if (H5Tget_class(type) == H5T_STRING && has_one_value(attribute))
        text = H5Tis_variable_str(type) > 0 ? read_variable(attribute, type)
                                            : read_fixed(attribute, type);
    (void)H5Tclose(type);
    return text;
}

static hid_t open_if_there(hid_t object, const char *name)
{
    if (H5Aexists(object, name) <= 0)
        return H5I_INVALID_HID;
    return H5Aopen(object, name, H5P_DEFAULT);
}

char *hanse_attribute_get_text(hid_t object, const char *name)
{
    const hid_t attribute = open_if_there(object, name);
    if (attribute < 0)
        return NULL;
    char *text = read_text(attribute);
    (void)H5Aclose(attribute);
    return text;
}

bool hanse_attribute_get_integer(hid_t object, const char *name, int64_t *out)
{
    const hid_t attribute = open_if_there(object, name);
    if (attribute < 0)
        return false;
    int64_t value = 0;
    const hid_t type = H5Aget_type(attribute);
    const bool found = type >= 0 && H5Tget_class(type) == H5T_INTEGER &&
                       has_one_value(attribute) &&
                       H5Aread(attribute, H5T_NATIVE_INT64, &value) >= 0;
    if (type >= 0)
        (void)H5Tclose(type);
    (void)H5Aclose(attribute);
    if (found)
        *out = value;
    return found;
}

size_t hanse_attribute_get_codes(hid_t object, const char *name, int8_t *out,
                                 size_t room)
{
    const hid_t attribute = open_if_there(object, name);
    if (attribute < 0)
        return 0;
    const hid_t type = H5Aget_type(attribute);
    const hssize_t n = count_values(attribute);
    const bool read = type >= 0 && H5Tequal(type, H5T_STD_I8LE) > 0 && n > 0 &&
                      (size_t)n <= room &&
                      H5Aread(attribute, H5T_NATIVE_INT8, out) >= 0;
    if (type >= 0)
        (void)H5Tclose(type);
    (void)H5Aclose(attribute);
    return read ? (size_t)n : 0;
}
