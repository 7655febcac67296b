/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of one dataset of a result file, which is not trusted: its type,
 * shape, layout and filters must be such as results have, and no size is
 * believed that the file's own size does not bear out.
 */
#include "io/result_read.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "io/native_type.h"
#include "io/result_attributes.h"

/* Deflate's largest expansion is 1032; somebody may have packed the file. */
enum {
    MAX_EXPANSION = 1032,
    MAX_FLAGS = 256 /* there are no more codes in a byte */
};

hanse_status hanse_result_reader_fail(const hanse_result_reader *reader,
                                      const char *table, const char *column,
                                      const char *what, hanse_error *error)
{
    return hanse_fail(error, HANSE_ERR_FORMAT,
                      "%s: table %s, %s: %s; the file is damaged or not a "
                      "result of hanse",
                      reader->path, table, column, what);
}

/* Only what the library decodes by itself, from this file alone. */
static const char *find_foreign_storage(hid_t dataset)
{
    const hid_t list = H5Dget_create_plist(dataset);
    if (list < 0)
        return "the layout cannot be read";
    const char *fault = NULL;
    const H5D_layout_t layout = H5Pget_layout(list);
    if (layout != H5D_COMPACT && layout != H5D_CONTIGUOUS &&
        layout != H5D_CHUNKED)
        fault = "the layout is not one of results";
    else if (H5Pget_external_count(list) != 0)
        fault = "the data lie in another file";
    const int n_filters = fault == NULL ? H5Pget_nfilters(list) : 0;
    if (n_filters < 0)
        fault = "the filters cannot be read";
    for (int i = 0; i < n_filters && fault == NULL; i++) {
        size_t n_values = 0;
        unsigned flags;
        const H5Z_filter_t filter = H5Pget_filter2(
            list, (unsigned)i, &flags, &n_values, NULL, 0, NULL, NULL);
        if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
            filter != H5Z_FILTER_FLETCHER32)
            fault = "a filter is not deflate, shuffle or fletcher32";
    }
    (void)H5Pclose(list);
    return fault;
}

/* The column type of a stored type; false when results have no such type. */
static bool classify(hid_t type, hanse_type *out)
{
    static const hanse_type integers[2][4] = {
        {HANSE_UINT8, HANSE_UINT16, HANSE_UINT32, HANSE_UINT64},
        {HANSE_INT8, HANSE_INT16, HANSE_INT32, HANSE_INT64}};
    const size_t size_bytes = H5Tget_size(type);
    size_t power = 0;
    switch (H5Tget_class(type)) {
    case H5T_STRING:
        *out = HANSE_TEXT;
        return H5Tis_variable_str(type) > 0;
    case H5T_FLOAT:
        *out = size_bytes == 4 ? HANSE_FLOAT32 : HANSE_FLOAT64;
        return size_bytes == 4 || size_bytes == 8;
    case H5T_INTEGER:
        while (power < 4 && (size_t)1 << power != size_bytes)
            power++;
        if (power == 4)
            return false;
        *out = integers[H5Tget_sign(type) == H5T_SGN_2][power];
        return true;
    default:
        return false;
    }
}

static bool read_shape(hid_t dataset, size_t *n_rows, bool *is_scalar)
{
    const hid_t space = H5Dget_space(dataset);
    hsize_t extent = 1;
    if (space < 0)
        return false;
    const int rank = H5Sget_simple_extent_ndims(space);
    const bool good =
        H5Sget_simple_extent_type(space) != H5S_NULL &&
        (rank == 0 ||
         (rank == 1 && H5Sget_simple_extent_dims(space, &extent, NULL) == 1));
    (void)H5Sclose(space);
    *n_rows = (size_t)extent;
    *is_scalar = rank == 0;
    return good;
}

/* Whether n_rows stored elements can come out of the bytes that are there. */
static bool is_plausible(const hanse_result_reader *reader, hid_t dataset,
                         size_t n_rows, size_t size_bytes)
{
    const uint64_t stored = H5Dget_storage_size(dataset);
    if (stored > reader->file_bytes)
        return false;
    return size_bytes != 0 &&
           n_rows <= (stored + 1) * MAX_EXPANSION / size_bytes &&
           (n_rows == 0 || stored != 0);
}

/* The library's allocation of a label while it reads: from the arena, within
 * the size of the file. A damaged heap may claim anything. */
static void *take_label(size_t size_bytes, void *context)
{
    hanse_result_reader *reader = context;
    if (size_bytes > reader->file_bytes - reader->text_bytes)
        return NULL;
    reader->text_bytes += size_bytes;
    return hanse_arena_take(&reader->arena, size_bytes);
}

static void leave_label(void *label, void *context)
{
    (void)label;
    (void)context;
}

static bool read_labels(hanse_result_reader *reader, hid_t dataset,
                        size_t n_rows, const char **labels)
{
    const hid_t type = hanse_attribute_text_type();
    const hid_t transfer = H5Pcreate(H5P_DATASET_XFER);
    const bool read =
        type >= 0 && transfer >= 0 &&
        H5Pset_vlen_mem_manager(transfer, take_label, reader, leave_label,
                                reader) >= 0 &&
        H5Dread(dataset, type, H5S_ALL, H5S_ALL, transfer, labels) >= 0;
    if (transfer >= 0)
        (void)H5Pclose(transfer);
    if (type >= 0)
        (void)H5Tclose(type);
    for (size_t i = 0; i < n_rows && read; i++)
        if (labels[i] == NULL)
            labels[i] = "";
    return read;
}

/* Type, as the file has it and as a column has it. */
static bool read_type(hid_t dataset, hanse_type *type, size_t *stored_bytes)
{
    const hid_t stored = H5Dget_type(dataset);
    if (stored < 0)
        return false;
    const bool known = classify(stored, type);
    *stored_bytes = H5Tget_size(stored);
    (void)H5Tclose(stored);
    return known;
}

/* `units`, or where currencies are. */
static hanse_status read_texts(hanse_result_reader *reader, hid_t dataset,
                               hanse_column *column, hanse_error *error)
{
    static const char *const names[] = {"long_name", "units", "unit_label",
                                        "cell_methods"};
    const char **const places[] = {&column->long_name, &column->units,
                                   &column->units, &column->cell_methods};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *text = hanse_attribute_get_text(dataset, names[i]);
        if (text == NULL)
            continue;
        *places[i] = hanse_arena_copy(&reader->arena, text);
        free(text);
        if (*places[i] == NULL)
            return hanse_fail_nomem(error, "attributes of a column", 1);
    }
    return HANSE_OK;
}

/* Cuts the words of CF's flag_meanings apart in place: letters, digits and a
 * few signs, one blank between two. False when there are not n of them. */
static bool split_words(char *list, size_t n, const char **words)
{
    for (size_t i = 0; i < n; i++) {
        words[i] = list;
        list += strspn(list, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                             "abcdefghijklmnopqrstuvwxyz0123456789_-.+@");
        if (list == words[i] || *list != (i + 1 < n ? ' ' : '\0'))
            return false;
        *list++ = '\0';
    }
    return n != 0;
}

static hanse_status read_flags(hanse_result_reader *reader, hid_t dataset,
                               const char *table, hanse_column *column,
                               hanse_error *error)
{
    int8_t values[MAX_FLAGS];
    if (column->type != HANSE_INT8)
        return HANSE_OK;
    char *text = hanse_attribute_get_text(dataset, "flag_meanings");
    if (text == NULL)
        return HANSE_OK;
    const size_t n =
        hanse_attribute_get_codes(dataset, "flag_values", values, MAX_FLAGS);
    char *list = hanse_arena_copy(&reader->arena, text);
    int8_t *kept = hanse_arena_take(&reader->arena, n + 1);
    const char **words =
        hanse_arena_take(&reader->arena, (n + 1) * sizeof *words);
    free(text);
    if (list == NULL || kept == NULL || words == NULL)
        return hanse_fail_nomem(error, "flags of a column", n);
    if (!split_words(list, n, words))
        return hanse_result_reader_fail(reader, table, column->name,
                                        "its flags and their meanings do not "
                                        "go together",
                                        error);
    memcpy(kept, values, n);
    column->n_flags = n;
    column->flag_values = kept;
    column->flag_meanings = words;
    return HANSE_OK;
}

hanse_status hanse_result_reader_column(hanse_result_reader *reader,
                                        hid_t dataset, const char *table,
                                        const char *name, hanse_column *column,
                                        size_t *n_rows, bool *is_scalar,
                                        hanse_error *error)
{
    hanse_column read = {.name = hanse_arena_copy(&reader->arena, name)};
    size_t stored_bytes = 0;
    const char *fault = find_foreign_storage(dataset);
    if (fault == NULL && !read_shape(dataset, n_rows, is_scalar))
        fault = "it has more than one dimension";
    if (fault == NULL && !read_type(dataset, &read.type, &stored_bytes))
        fault = "results have no values of this type";
    if (fault == NULL && !is_plausible(reader, dataset, *n_rows, stored_bytes))
        fault = "it claims more values than the file can hold";
    if (fault != NULL)
        return hanse_result_reader_fail(reader, table, name, fault, error);
    const size_t size_bytes =
        read.type == HANSE_TEXT ? sizeof(char *) : hanse_type_size(read.type);
    void *values = hanse_arena_take(&reader->arena, *n_rows * size_bytes);
    if (values == NULL || read.name == NULL)
        return hanse_fail_nomem(error, name, *n_rows * size_bytes);
    const bool good =
        read.type == HANSE_TEXT
            ? read_labels(reader, dataset, *n_rows, values)
            : *n_rows == 0 ||
                  H5Dread(dataset, hanse_native_type(read.type), H5S_ALL,
                          H5S_ALL, H5P_DEFAULT, values) >= 0;
    if (!good)
        return hanse_result_reader_fail(reader, table, name,
                                        "the values cannot be read", error);
    read.values = values;
    HANSE_TRY(read_texts(reader, dataset, &read, error));
    HANSE_TRY(read_flags(reader, dataset, table, &read, error));
    *column = read;
    return HANSE_OK;
}
