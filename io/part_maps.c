/* SPDX-License-Identifier: Apache-2.0
 *
 * Maps by way of the HDF5 library in this process.
 */
#include "io/part_maps.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static hanse_dataset_map *map_of(hanse_hdf5_part *part, size_t field)
{
    hanse_hdf5_table *table = &part->table;
    return &table->maps[hanse_hdf5_table_map(table, part->columns[field])];
}

static hanse_status record_field(hanse_hdf5_part *part, hid_t file,
                                 hanse_recording *recording, size_t field,
                                 hanse_error *error)
{
    hanse_dataset_map *map = map_of(part, field);
    const hanse_hdf5_column *column =
        &part->table.columns[part->columns[field]];
    if (map->is_recorded)
        return HANSE_OK;
    HANSE_TRY(hanse_hdf5_table_record(file, recording, &part->table,
                                      part->columns[field], error));
    const hanse_status status = hanse_dataset_map_check(
        map, recording->file_bytes, column->name, error);
    if (status != HANSE_OK)
        hanse_dataset_map_clear(map);
    return status;
}

static hanse_status record_in(hanse_hdf5_part *part, int descriptor,
                              const size_t *fields, size_t n_fields,
                              hanse_error *error)
{
    hanse_recording recording = {.descriptor = descriptor,
                                 .file_bytes = part->table.stamp.size_bytes};
    hid_t driver = H5I_INVALID_HID, file = H5I_INVALID_HID;
    hanse_status status = HANSE_OK;
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access >= 0)
        driver = hanse_recording_driver_set(access, &recording);
    if (driver >= 0)
        file = H5Fopen(part->table.file, H5F_ACC_RDONLY, access);
    if (file < 0)
        status = hanse_hdf5_fail(error, "file");
    for (size_t i = 0; status == HANSE_OK && i < n_fields; i++)
        status = record_field(part, file, &recording, fields[i], error);
    if (file >= 0)
        (void)H5Fclose(file);
    if (driver >= 0)
        (void)H5FDunregister(driver);
    if (access >= 0)
        (void)H5Pclose(access);
    return status;
}

static bool all_recorded(hanse_hdf5_part *part, const size_t *fields,
                         size_t n_fields)
{
    for (size_t i = 0; i < n_fields; i++)
        if (!map_of(part, fields[i])->is_recorded)
            return false;
    return true;
}

static hanse_status record_locked(hanse_hdf5_part *part, const size_t *fields,
                                  size_t n_fields, hanse_error *error)
{
    if (all_recorded(part, fields, n_fields))
        return HANSE_OK;
    const int descriptor = open(part->table.file, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return hanse_fail(error, HANSE_ERR_IO, "%s: %s", part->table.file,
                          strerror(errno));
    const hanse_status status =
        record_in(part, descriptor, fields, n_fields, error);
    (void)close(descriptor);
    if (status != HANSE_OK)
        hanse_error_prefix(error, "%s", part->table.file);
    return status;
}

hanse_status hanse_part_record_maps(hanse_hdf5_part *part, const size_t *fields,
                                    size_t n_fields, hanse_error *error)
{
    hanse_hdf5_lock();
    const hanse_status status = record_locked(part, fields, n_fields, error);
    hanse_hdf5_unlock();
    return status;
}
