/* SPDX-License-Identifier: Apache-2.0
 *
 * The structure of a generated table in the file. No object keeps a time of
 * its own, so that the same options give the same file.
 */
#include "datasets/table_writer.h"

#include "datasets/new_file.h"
#include "datasets/write_chunked.h"
#include "engine/base/error.h"
#include "io/native_type.h"
#include "io/result_attributes.h"

/* The stored type, to be closed; negative on failure. */
static hid_t create_type(const hanse_field *field)
{
    const hid_t number = hanse_native_type(field->type);
    if (field->n_labels == 0)
        return H5Tcopy(number);
    const hid_t type = H5Tenum_create(number);
    for (size_t i = 0; type >= 0 && i < field->n_labels; i++) {
        const uint8_t code = (uint8_t)field->labels[i].code;
        if (H5Tenum_insert(type, field->labels[i].text, &code) < 0) {
            (void)H5Tclose(type);
            return H5I_INVALID_HID;
        }
    }
    return type;
}

/* One column, open; negative on failure. */
static hid_t create_column(hid_t group, const hanse_field *field, hid_t space,
                           hid_t list)
{
    const hid_t type = create_type(field);
    if (type < 0)
        return H5I_INVALID_HID;
    const hid_t dataset = H5Dcreate2(group, field->name, type, space,
                                     H5P_DEFAULT, list, H5P_DEFAULT);
    (void)H5Tclose(type);
    if (dataset < 0)
        return dataset;
    if (!hanse_attribute_put_text(dataset, "units", field->units) ||
        !hanse_attribute_put_text(dataset, "long_name", field->long_name)) {
        (void)H5Dclose(dataset);
        return H5I_INVALID_HID;
    }
    return dataset;
}

/* Creates all columns; returns how many, fewer than there are on failure. */
static size_t create_columns(hid_t group, const hanse_storage *storage,
                             const hanse_row_maker *maker, hid_t *datasets)
{
    size_t n = 0;
    const hid_t space = hanse_new_column_space(storage, maker->n_rows);
    const hid_t list = hanse_new_column_list(storage);
    if (space >= 0 && list >= 0) {
        while (n < maker->n_fields) {
            datasets[n] = create_column(group, &maker->fields[n], space, list);
            if (datasets[n] < 0)
                break;
            n++;
        }
    }
    if (space >= 0)
        (void)H5Sclose(space);
    if (list >= 0)
        (void)H5Pclose(list);
    return n;
}

/* HDF5 gives an empty dataset no address; nothing is written to it. */
static bool find_places(const hanse_row_maker *maker, const hid_t *datasets,
                        hanse_table_place *place)
{
    for (size_t i = 0; i < maker->n_fields && maker->n_rows > 0; i++) {
        const haddr_t offset = H5Dget_offset(datasets[i]);
        if (offset == HADDR_UNDEF)
            return false;
        place->offset[i] = offset;
    }
    return true;
}

static hanse_status fail_structure(const hanse_table_target *target,
                                   const char *path, hanse_error *error)
{
    if (target->target->cause != 0)
        return hanse_atomic_file_fail(target->atomic, target->target->cause,
                                      error);
    return hanse_fail(error, HANSE_ERR_IO, "HDF5 cannot create the table %s",
                      path);
}

hanse_status hanse_table_create(const hanse_table_target *target,
                                const hanse_row_maker *maker,
                                hanse_table_place *place, hanse_error *error)
{
    const hanse_storage storage =
        hanse_storage_of_table(target->storage, maker->n_rows);
    hid_t datasets[HANSE_MAX_GENERATED_COLUMNS];
    const hid_t group = hanse_new_group(target->file, maker->path);
    if (group < 0)
        return fail_structure(target, maker->path, error);
    const size_t n = create_columns(group, &storage, maker, datasets);
    hanse_status status = HANSE_OK;
    if (n < maker->n_fields)
        status = fail_structure(target, maker->path, error);
    else if (storage.chunked)
        status = hanse_table_fill_chunked(target, maker, storage.chunk_rows,
                                          datasets, error);
    else if (!find_places(maker, datasets, place))
        status = fail_structure(target, maker->path, error);
    bool closed = true;
    for (size_t i = 0; i < n; i++)
        closed = H5Dclose(datasets[i]) >= 0 && closed;
    closed = H5Gclose(group) >= 0 && closed;
    if (status == HANSE_OK && !closed)
        status = fail_structure(target, maker->path, error);
    return status;
}
