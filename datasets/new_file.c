/* SPDX-License-Identifier: Apache-2.0
 *
 * Making a file with tables.
 */
#include "datasets/new_file.h"

#include <sys/stat.h>

#include "engine/base/error.h"

enum {
    ALIGN_FROM_BYTES = 65536,
    ALIGN_TO_BYTES = 4096
};

hanse_status hanse_new_file_check(const char *path, hanse_error *error)
{
    struct stat status;
    if (lstat(path, &status) != 0)
        return HANSE_OK;
    return hanse_fail(error, HANSE_ERR_IO,
                      "%s exists; use --force to replace it, or another name",
                      path);
}

hid_t hanse_new_file_create(const hanse_atomic_file *atomic,
                            hanse_descriptor_target *target, bool aligned,
                            hid_t *driver)
{
    hid_t file = H5I_INVALID_HID;
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    const hid_t creation = H5Pcreate(H5P_FILE_CREATE);
    *driver = access < 0 ? H5I_INVALID_HID
                         : hanse_descriptor_driver_set(access, target);
    const bool placed = !aligned || H5Pset_alignment(access, ALIGN_FROM_BYTES,
                                                     ALIGN_TO_BYTES) >= 0;
    if (*driver >= 0 && creation >= 0 && placed &&
        H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_LATEST) >= 0 &&
        H5Pset_obj_track_times(creation, 0) >= 0)
        file = H5Fcreate(hanse_atomic_file_temporary(atomic), H5F_ACC_TRUNC,
                         creation, access);
    if (access >= 0)
        (void)H5Pclose(access);
    if (creation >= 0)
        (void)H5Pclose(creation);
    return file;
}

hanse_status hanse_new_file_fail(const hanse_atomic_file *atomic,
                                 const hanse_descriptor_target *target,
                                 hanse_error *error)
{
    if (target->cause != 0)
        return hanse_atomic_file_fail(atomic, target->cause, error);
    return hanse_fail(error, HANSE_ERR_IO, "HDF5 cannot make the file %s",
                      hanse_atomic_file_temporary(atomic));
}

hid_t hanse_new_group(hid_t file, const char *path)
{
    const hid_t list = H5Pcreate(H5P_GROUP_CREATE);
    const hid_t link = H5Pcreate(H5P_LINK_CREATE);
    hid_t group = H5I_INVALID_HID;
    if (list >= 0 && link >= 0 && H5Pset_obj_track_times(list, 0) >= 0 &&
        H5Pset_create_intermediate_group(link, 1) >= 0 &&
        H5Pset_link_creation_order(list, H5P_CRT_ORDER_TRACKED |
                                             H5P_CRT_ORDER_INDEXED) >= 0)
        group = H5Gcreate2(file, path, link, list, H5P_DEFAULT);
    if (list >= 0)
        (void)H5Pclose(list);
    if (link >= 0)
        (void)H5Pclose(link);
    return group;
}

hid_t hanse_new_column_list(const hanse_storage *storage)
{
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    if (list < 0)
        return list;
    if (H5Pset_obj_track_times(list, 0) < 0 ||
        H5Pset_fill_time(list, H5D_FILL_TIME_NEVER) < 0 ||
        !hanse_storage_apply(storage, list)) {
        (void)H5Pclose(list);
        return H5I_INVALID_HID;
    }
    return list;
}

hid_t hanse_new_column_space(const hanse_storage *storage, uint64_t n_rows)
{
    const hsize_t size = n_rows;
    const hsize_t limit = storage->chunked ? H5S_UNLIMITED : size;
    return H5Screate_simple(1, &size, &limit);
}
