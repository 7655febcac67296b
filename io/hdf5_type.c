/* SPDX-License-Identifier: Apache-2.0
 *
 * HDF5 datatypes and column types.
 */
#include "io/hdf5_type.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "io/hdf5_library.h"
#include "io/native_type.h"
#include "io/utf8.h"

enum {
    MAX_LABELS = 65536,
    MAX_TEXT_BYTES = 1 << 20
};

/* ---- Numbers ------------------------------------------------------------ */

/* Name, with what is unusual about the storage. */
static void name_number(hanse_hdf5_type *out)
{
    snprintf(out->text, sizeof out->text, "%s%s%s", hanse_type_name(out->type),
             out->big_endian ? " big-endian" : "",
             out->irregular ? " reduced" : "");
}

static hanse_status describe_integer(hid_t datatype, hanse_hdf5_type *out,
                                     char *reason)
{
    static const hanse_type types[2][4] = {
        {HANSE_UINT8, HANSE_UINT16, HANSE_UINT32, HANSE_UINT64},
        {HANSE_INT8, HANSE_INT16, HANSE_INT32, HANSE_INT64}};
    const size_t size = H5Tget_size(datatype);
    if (size == 0 || size > 8)
        return hanse_hdf5_refuse(reason, "integers of %zu bytes", size);
    const size_t width = size <= 1 ? 0 : size <= 2 ? 1 : size <= 4 ? 2 : 3;
    const bool is_signed = H5Tget_sign(datatype) == H5T_SGN_2;
    out->type = types[is_signed][width];
    out->form = HANSE_FORM_NUMBER;
    out->size_bytes = size;
    out->big_endian = size > 1 && H5Tget_order(datatype) == H5T_ORDER_BE;
    out->irregular = size != (size_t)1 << width ||
                     H5Tget_precision(datatype) != 8 * size ||
                     H5Tget_offset(datatype) != 0;
    name_number(out);
    return HANSE_OK;
}

static hanse_status describe_float(hid_t datatype, hanse_hdf5_type *out,
                                   char *reason)
{
    const size_t size = H5Tget_size(datatype);
    const bool is_big = H5Tget_order(datatype) == H5T_ORDER_BE;
    const hid_t wide = is_big ? H5T_IEEE_F64BE : H5T_IEEE_F64LE;
    const hid_t narrow = is_big ? H5T_IEEE_F32BE : H5T_IEEE_F32LE;
    if (H5Tequal(datatype, wide) > 0)
        out->type = HANSE_FLOAT64;
    else if (H5Tequal(datatype, narrow) > 0)
        out->type = HANSE_FLOAT32;
    else
        return hanse_hdf5_refuse(
            reason,
            "floats of %zu bits that are not IEEE 32 or 64; convert "
            "to float32 or float64",
            8 * size);
    out->form = HANSE_FORM_NUMBER;
    out->size_bytes = size;
    out->big_endian = is_big;
    name_number(out);
    return HANSE_OK;
}

/* PyTables' booleans. */
static hanse_status describe_bits(hid_t datatype, hanse_hdf5_type *out,
                                  char *reason)
{
    const size_t size = H5Tget_size(datatype);
    if (size != 1)
        return hanse_hdf5_refuse(reason, "bit fields of %zu bytes", size);
    out->type = HANSE_BOOL;
    out->form = HANSE_FORM_BITS;
    out->size_bytes = 1;
    snprintf(out->text, sizeof out->text, "bool (bit field)");
    return HANSE_OK;
}

/* ---- Enums -------------------------------------------------------------- */

/* Value of member i, whatever width and byte order the file has. */
static bool get_code(hid_t datatype, hid_t base, unsigned i, int64_t *code)
{
    union {
        uint8_t bytes[8];
        int64_t code;
    } value = {{0}};
    const bool is_signed = H5Tget_sign(base) == H5T_SGN_2;
    if (H5Tget_member_value(datatype, i, value.bytes) < 0 ||
        H5Tconvert(base, is_signed ? H5T_NATIVE_INT64 : H5T_NATIVE_UINT64, 1,
                   value.bytes, NULL, H5P_DEFAULT) < 0)
        return false;
    *code = value.code;
    return true;
}

static char *get_label(hid_t datatype, unsigned i)
{
    char *name = H5Tget_member_name(datatype, i);
    if (name == NULL)
        return NULL;
    char *label = malloc(hanse_utf8_escaped_length(name) + 1);
    if (label != NULL)
        hanse_utf8_escape(name, label);
    (void)H5free_memory(name);
    return label;
}

static int compare_labels(const void *a, const void *b)
{
    const hanse_label *x = a;
    const hanse_label *y = b;
    return (x->code > y->code) - (x->code < y->code);
}

static hanse_status read_labels(hid_t datatype, hid_t base, size_t n,
                                hanse_hdf5_type *out, hanse_error *error)
{
    out->labels = calloc(n, sizeof *out->labels);
    if (out->labels == NULL)
        return hanse_fail_nomem(error, "enum labels", n * sizeof *out->labels);
    for (unsigned i = 0; i < n; i++) {
        out->labels[i].text = get_label(datatype, i);
        out->n_labels = i + 1;
        if (out->labels[i].text == NULL ||
            !get_code(datatype, base, i, &out->labels[i].code))
            return hanse_hdf5_fail(error, "datatype");
    }
    qsort(out->labels, n, sizeof *out->labels, compare_labels);
    return HANSE_OK;
}

static void clear_labels(hanse_hdf5_type *type)
{
    for (size_t i = 0; i < type->n_labels; i++)
        free((void *)type->labels[i].text);
    free(type->labels);
    type->labels = NULL;
    type->n_labels = 0;
}

/* The form in which h5py and others store booleans. */
static bool is_boolean(const hanse_hdf5_type *type)
{
    const hanse_label *labels = type->labels;
    return type->size_bytes == 1 && type->n_labels == 2 &&
           labels[0].code == 0 && strcmp(labels[0].text, "FALSE") == 0 &&
           labels[1].code == 1 && strcmp(labels[1].text, "TRUE") == 0;
}

static hanse_status describe_enum_of(hid_t datatype, hid_t base,
                                     hanse_hdf5_type *out, char *reason,
                                     hanse_error *error)
{
    const int n = H5Tget_nmembers(datatype);
    if (n < 0 || H5Tget_class(base) != H5T_INTEGER)
        return hanse_hdf5_fail(error, "datatype");
    if (n == 0 || n > MAX_LABELS)
        return hanse_hdf5_refuse(reason, "an enum of %d labels", n);
    (void)describe_integer(base, out, reason);
    if (reason[0] != '\0')
        return HANSE_OK;
    HANSE_TRY(read_labels(datatype, base, (size_t)n, out, error));
    if (is_boolean(out)) {
        clear_labels(out);
        out->type = HANSE_BOOL;
        snprintf(out->text, sizeof out->text, "bool (enum)");
        return HANSE_OK;
    }
    char number[sizeof out->text];
    memcpy(number, out->text, sizeof number);
    snprintf(out->text, sizeof out->text, "enum of %d, %.40s", n, number);
    return HANSE_OK;
}

static hanse_status describe_enum(hid_t datatype, hanse_hdf5_type *out,
                                  char *reason, hanse_error *error)
{
    const hid_t base = H5Tget_super(datatype);
    if (base < 0)
        return hanse_hdf5_fail(error, "datatype");
    const hanse_status status =
        describe_enum_of(datatype, base, out, reason, error);
    (void)H5Tclose(base);
    return status;
}

/* ---- Texts -------------------------------------------------------------- */

static hanse_status describe_text(hid_t datatype, hanse_hdf5_type *out,
                                  char *reason, hanse_error *error)
{
    static const char *const names[] = {"null-terminated", "null-padded",
                                        "space-padded"};
    const htri_t is_variable = H5Tis_variable_str(datatype);
    const H5T_str_t padding = H5Tget_strpad(datatype);
    const size_t size = H5Tget_size(datatype);
    if (is_variable < 0 || padding < 0 || size == 0)
        return hanse_hdf5_fail(error, "datatype");
    out->type = HANSE_TEXT;
    out->utf8 = H5Tget_cset(datatype) == H5T_CSET_UTF8;
    if (is_variable > 0) {
        out->form = HANSE_FORM_TEXT_VARIABLE;
        out->size_bytes = size;
        snprintf(out->text, sizeof out->text, "text");
        return HANSE_OK;
    }
    if (size > MAX_TEXT_BYTES)
        return hanse_hdf5_refuse(reason,
                                 "texts of %zu bytes each; at most %d are read",
                                 size, MAX_TEXT_BYTES);
    if (padding > H5T_STR_SPACEPAD)
        return hanse_hdf5_refuse(reason, "texts with unknown padding");
    out->form = HANSE_FORM_TEXT_FIXED;
    out->size_bytes = size;
    out->padding = padding == H5T_STR_NULLTERM  ? HANSE_PADDING_TERMINATED
                   : padding == H5T_STR_NULLPAD ? HANSE_PADDING_ZERO
                                                : HANSE_PADDING_SPACE;
    snprintf(out->text, sizeof out->text, "text[%zu] %s", size,
             names[out->padding]);
    return HANSE_OK;
}

/* ---- All ---------------------------------------------------------------- */

static hanse_status describe(hid_t datatype, hanse_hdf5_type *out, char *reason,
                             hanse_error *error)
{
    switch (H5Tget_class(datatype)) {
    case H5T_INTEGER:
        return describe_integer(datatype, out, reason);
    case H5T_FLOAT:
        return describe_float(datatype, out, reason);
    case H5T_BITFIELD:
        return describe_bits(datatype, out, reason);
    case H5T_ENUM:
        return describe_enum(datatype, out, reason, error);
    case H5T_STRING:
        return describe_text(datatype, out, reason, error);
    case H5T_TIME:
        return hanse_hdf5_refuse(
            reason, "HDF5 time values, which have no agreed meaning; "
                    "store seconds as integers");
    case H5T_OPAQUE:
        return hanse_hdf5_refuse(reason, "opaque bytes");
    case H5T_REFERENCE:
        return hanse_hdf5_refuse(reason, "references to other objects");
    case H5T_COMPOUND:
        return hanse_hdf5_refuse(
            reason, "compound values; store each part as a column");
    case H5T_ARRAY:
        return hanse_hdf5_refuse(reason,
                                 "arrays; store each element as a column");
    case H5T_VLEN:
        return hanse_hdf5_refuse(reason, "lists of varying length");
    default:
        return hanse_hdf5_fail(error, "datatype");
    }
}

hanse_status hanse_hdf5_type_describe(hid_t datatype, hanse_hdf5_type *out,
                                      char *reason, hanse_error *error)
{
    hanse_hdf5_type type = {0};
    reason[0] = '\0';
    const hanse_status status = describe(datatype, &type, reason, error);
    if (status == HANSE_OK && reason[0] == '\0')
        *out = type;
    else
        hanse_hdf5_type_clear(&type);
    return status;
}

void hanse_hdf5_type_clear(hanse_hdf5_type *type)
{
    clear_labels(type);
    *type = (hanse_hdf5_type){0};
}

size_t hanse_hdf5_type_memory_size(const hanse_hdf5_type *type)
{
    switch (type->form) {
    case HANSE_FORM_TEXT_FIXED:
        return type->size_bytes;
    case HANSE_FORM_TEXT_VARIABLE:
        return sizeof(char *);
    default:
        return hanse_type_size(type->type);
    }
}

static hid_t memory_text(const hanse_hdf5_type *type)
{
    static const H5T_str_t paddings[] = {H5T_STR_NULLTERM, H5T_STR_NULLPAD,
                                         H5T_STR_SPACEPAD};
    const size_t size = type->form == HANSE_FORM_TEXT_VARIABLE
                            ? H5T_VARIABLE
                            : type->size_bytes;
    const hid_t text = H5Tcopy(H5T_C_S1);
    if (text < 0)
        return text;
    /* As stored, so that nothing is converted: NULLTERM to NULLTERM would cut
     * the last byte of a text that fills its place (LAYOUTS.md 1.1). */
    if (H5Tset_size(text, size) < 0 ||
        H5Tset_strpad(text, paddings[type->padding]) < 0 ||
        H5Tset_cset(text, type->utf8 ? H5T_CSET_UTF8 : H5T_CSET_ASCII) < 0) {
        (void)H5Tclose(text);
        return H5I_INVALID_HID;
    }
    return text;
}

hid_t hanse_hdf5_type_memory(const hanse_hdf5_type *type)
{
    if (type->type == HANSE_TEXT)
        return memory_text(type);
    if (type->form == HANSE_FORM_BITS)
        return H5Tcopy(H5T_NATIVE_B8);
    const hid_t number = H5Tcopy(hanse_native_type(type->type));
    if (number >= 0 && type->irregular)
        (void)H5Tset_order(number,
                           type->big_endian ? H5T_ORDER_BE : H5T_ORDER_LE);
    return number;
}

void hanse_hdf5_type_finish(const hanse_hdf5_type *type, void *values, size_t n)
{
    const bool machine_is_big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    const size_t width = hanse_hdf5_type_memory_size(type);
    if (type->form != HANSE_FORM_NUMBER || !type->irregular ||
        type->big_endian == machine_is_big)
        return;
    uint8_t *value = values;
    for (size_t i = 0; i < n; i++, value += width)
        for (size_t b = 0; b < width / 2; b++) {
            const uint8_t low = value[b];
            value[b] = value[width - 1 - b];
            value[width - 1 - b] = low;
        }
}

bool hanse_hdf5_type_same(const hanse_hdf5_type *a, const hanse_hdf5_type *b)
{
    if (a->type != b->type || a->n_labels != b->n_labels)
        return false;
    for (size_t i = 0; i < a->n_labels; i++)
        if (a->labels[i].code != b->labels[i].code ||
            strcmp(a->labels[i].text, b->labels[i].text) != 0)
            return false;
    return true;
}
