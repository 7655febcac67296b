/* SPDX-License-Identifier: Apache-2.0
 *
 * Missing values declared by attributes. An attribute may have another type
 * than its column (-9999 as int64 for a column of int8); it is read in the
 * widest type of its class and then fitted, never clipped.
 */
#include "io/hdf5_missing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "io/result_attributes.h"
#include "io/utf8.h"

/* One value of an attribute. */
typedef struct number {
    enum {
        NUMBER_SIGNED,
        NUMBER_UNSIGNED,
        NUMBER_FLOAT
    } kind;
    union {
        int64_t i;
        uint64_t u;
        double f;
    } value;
} number;

char *hanse_hdf5_read_text(hid_t object, const char *name)
{
    char *text = hanse_attribute_get_text(object, name);
    if (text == NULL)
        return NULL;
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == ' ')
        text[--length] = '\0';
    if (hanse_utf8_is_valid(text))
        return text;
    char *valid = malloc(hanse_utf8_escaped_length(text) + 1);
    if (valid != NULL)
        hanse_utf8_escape(text, valid);
    free(text);
    return valid;
}

/* ---- Reading ------------------------------------------------------------ */

/* How the values of an attribute are read; false when they are no numbers. */
static bool number_kind(hid_t datatype, number *out)
{
    hid_t base = H5I_INVALID_HID;
    switch (H5Tget_class(datatype)) {
    case H5T_FLOAT:
        out->kind = NUMBER_FLOAT;
        return true;
    case H5T_INTEGER:
        base = H5Tcopy(datatype);
        break;
    case H5T_ENUM:
        base = H5Tget_super(datatype);
        break;
    default:
        return false;
    }
    if (base < 0)
        return false;
    out->kind =
        H5Tget_sign(base) == H5T_SGN_2 ? NUMBER_SIGNED : NUMBER_UNSIGNED;
    (void)H5Tclose(base);
    return true;
}

static hid_t widest_type(const number *like)
{
    switch (like->kind) {
    case NUMBER_SIGNED:
        return H5T_NATIVE_INT64;
    case NUMBER_UNSIGNED:
        return H5T_NATIVE_UINT64;
    default:
        return H5T_NATIVE_DOUBLE;
    }
}

/* Number of elements; -1 when the library fails. */
static hssize_t count_elements(hid_t attribute)
{
    const hid_t space = H5Aget_space(attribute);
    if (space < 0)
        return -1;
    const hssize_t n = H5Sget_simple_extent_npoints(space);
    (void)H5Sclose(space);
    return n;
}

/* Reads up to HANSE_MAX_MISSING_CODES numbers. */
static hanse_status read_open(hid_t attribute, hid_t datatype, const char *name,
                              number *out, size_t *n, char *reason,
                              hanse_error *error)
{
    union {
        int64_t i;
        uint64_t u;
        double f;
    } values[HANSE_MAX_MISSING_CODES];
    number like;
    const hssize_t count = count_elements(attribute);
    *n = 0;
    if (count < 0)
        return hanse_hdf5_fail(error, "attribute");
    if (!number_kind(datatype, &like))
        return HANSE_OK;
    if (count > HANSE_MAX_MISSING_CODES)
        return hanse_hdf5_refuse(reason,
                                 "attribute '%s' names %lld values, at most %d "
                                 "are understood",
                                 name, (long long)count,
                                 HANSE_MAX_MISSING_CODES);
    if (count > 0 && H5Aread(attribute, widest_type(&like), values) < 0)
        return hanse_hdf5_fail(error, "attribute");
    for (size_t k = 0; k < (size_t)count; k++) {
        out[k].kind = like.kind;
        memcpy(&out[k].value, &values[k], sizeof values[k]);
    }
    *n = (size_t)count;
    return HANSE_OK;
}

static hanse_status read_numbers(hid_t dataset, const char *name, number *out,
                                 size_t *n, char *reason, hanse_error *error)
{
    *n = 0;
    const htri_t exists = H5Aexists(dataset, name);
    if (exists == 0)
        return HANSE_OK;
    const hid_t attribute =
        exists > 0 ? H5Aopen(dataset, name, H5P_DEFAULT) : H5I_INVALID_HID;
    if (attribute < 0)
        return hanse_hdf5_fail(error, "attribute");
    const hid_t datatype = H5Aget_type(attribute);
    hanse_status status = datatype < 0 ? hanse_hdf5_fail(error, "attribute")
                                       : read_open(attribute, datatype, name,
                                                   out, n, reason, error);
    if (datatype >= 0)
        (void)H5Tclose(datatype);
    (void)H5Aclose(attribute);
    return status;
}

/* ---- Fitting ------------------------------------------------------------ */

static double to_double(const number *n)
{
    switch (n->kind) {
    case NUMBER_SIGNED:
        return (double)n->value.i;
    case NUMBER_UNSIGNED:
        return (double)n->value.u;
    default:
        return n->value.f;
    }
}

/* A whole float as an integer; false when it is none or too large. */
static bool make_integer(number *n)
{
    if (n->kind != NUMBER_FLOAT)
        return true;
    const double value = n->value.f;
    if (!(value >= -9223372036854775808.0 && value < 18446744073709551616.0) ||
        value != trunc(value))
        return false;
    if (value < 0.0) {
        n->kind = NUMBER_SIGNED;
        n->value.i = (int64_t)value;
    } else {
        n->kind = NUMBER_UNSIGNED;
        n->value.u = (uint64_t)value;
    }
    return true;
}

/* The bits of the number in an integer type of `bits` bits; false when it is
 * out of that type's range. */
static bool fit_integer(number n, unsigned bits, bool is_signed, int64_t *code)
{
    if (!make_integer(&n))
        return false;
    const bool is_negative = n.kind == NUMBER_SIGNED && n.value.i < 0;
    if (is_negative) {
        const int64_t least = -(int64_t)(UINT64_MAX >> (65 - bits)) - 1;
        *code = n.value.i;
        return is_signed && n.value.i >= least;
    }
    const uint64_t most = UINT64_MAX >> (64 - bits + is_signed);
    *code = (int64_t)n.value.u;
    return n.value.u <= most;
}

static bool is_signed_type(const hanse_hdf5_type *type)
{
    return type->form == HANSE_FORM_NUMBER &&
           (type->type <= HANSE_INT64 || type->type == HANSE_BOOL);
}

static void add_code(hanse_missing_codes *out, const hanse_hdf5_type *type,
                     number n)
{
    const unsigned bits = 8 * (unsigned)hanse_type_size(type->type);
    int64_t code;
    if (!fit_integer(n, bits, is_signed_type(type), &code))
        return;
    for (size_t i = 0; i < out->n; i++)
        if (out->codes[i] == code)
            return;
    if (out->n < HANSE_MAX_MISSING_CODES)
        out->codes[out->n++] = code;
}

/* NaN is missing without being declared. */
static void add_value(hanse_missing_codes *out, hanse_type type, number n)
{
    const double wide = to_double(&n);
    const double value = type == HANSE_FLOAT32 ? (double)(float)wide : wide;
    if (isnan(value))
        return;
    for (size_t i = 0; i < out->n; i++)
        if (out->values[i] == value)
            return;
    if (out->n < HANSE_MAX_MISSING_CODES)
        out->values[out->n++] = value;
}

static hanse_status read_codes(hid_t dataset, const hanse_hdf5_type *type,
                               hanse_missing_codes *out, char *reason,
                               hanse_error *error)
{
    static const char *const names[] = {"_FillValue", "missing_value"};
    for (size_t a = 0; a < 2 && reason[0] == '\0'; a++) {
        number numbers[HANSE_MAX_MISSING_CODES];
        size_t n;
        HANSE_TRY(read_numbers(dataset, names[a], numbers, &n, reason, error));
        for (size_t i = 0; i < n; i++) {
            if (type->type == HANSE_FLOAT32 || type->type == HANSE_FLOAT64)
                add_value(out, type->type, numbers[i]);
            else
                add_code(out, type, numbers[i]);
        }
    }
    return HANSE_OK;
}

/* Attributes by which the values are other ones than those stored. */
static hanse_status check_packing(hid_t dataset, const hanse_hdf5_type *type,
                                  char *reason, hanse_error *error)
{
    static const char *const names[] = {"scale_factor", "add_offset"};
    for (int a = 0; a < 2; a++) {
        number numbers[HANSE_MAX_MISSING_CODES];
        size_t n;
        HANSE_TRY(read_numbers(dataset, names[a], numbers, &n, reason, error));
        const double neutral = a == 0 ? 1.0 : 0.0;
        if (n > 0 && to_double(&numbers[0]) != neutral)
            return hanse_hdf5_refuse(reason,
                                     "packed values (attribute %s); store the "
                                     "true ones",
                                     names[a]);
    }
    char *text = hanse_hdf5_read_text(dataset, "_Unsigned");
    if (text != NULL && strcmp(text, "true") == 0 && is_signed_type(type))
        (void)hanse_hdf5_refuse(reason, "unsigned values stored as signed "
                                        "ones (attribute _Unsigned)");
    free(text);
    return HANSE_OK;
}

hanse_status hanse_hdf5_missing_read(hid_t dataset, const hanse_hdf5_type *type,
                                     hanse_missing_codes *out, char *reason,
                                     hanse_error *error)
{
    *out = (hanse_missing_codes){0};
    reason[0] = '\0';
    if (type->type == HANSE_TEXT) {
        out->text = hanse_hdf5_read_text(dataset, "_FillValue");
        if (out->text == NULL)
            out->text = hanse_hdf5_read_text(dataset, "missing_value");
        return HANSE_OK;
    }
    HANSE_TRY(check_packing(dataset, type, reason, error));
    if (reason[0] == '\0')
        HANSE_TRY(read_codes(dataset, type, out, reason, error));
    return HANSE_OK;
}

/* ---- Text --------------------------------------------------------------- */

/* The shortest text that reads back as the same value. */
static void print_float(FILE *stream, double value, bool is_narrow)
{
    char text[40];
    for (int digits = is_narrow ? 6 : 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        const double back =
            is_narrow ? (double)strtof(text, NULL) : strtod(text, NULL);
        if (back == value)
            break;
    }
    fputs(text, stream);
}

static void print_codes(FILE *stream, const hanse_missing_codes *missing,
                        hanse_type type)
{
    const bool is_float = type == HANSE_FLOAT32 || type == HANSE_FLOAT64;
    if (is_float)
        fputs("NaN", stream);
    if (missing->text != NULL)
        fprintf(stream, "'%s'", missing->text);
    for (size_t i = 0; i < missing->n; i++) {
        if (is_float || i > 0)
            fputs(", ", stream);
        if (is_float)
            print_float(stream, missing->values[i], type == HANSE_FLOAT32);
        else if (type == HANSE_UINT64)
            fprintf(stream, "%llu", (unsigned long long)missing->codes[i]);
        else
            fprintf(stream, "%lld", (long long)missing->codes[i]);
    }
}

char *hanse_missing_describe(const hanse_missing_codes *missing,
                             hanse_type type)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (stream == NULL)
        return NULL;
    print_codes(stream, missing, type);
    const bool failed = ferror(stream) != 0;
    if (fclose(stream) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}
