/* SPDX-License-Identifier: Apache-2.0
 *
 * The callbacks of the recording driver. A read beyond the end of the file is
 * an error: nothing in a sound file points there.
 */
#include "io/recording_driver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The library's view of an open file; H5FD_t has to come first. */
typedef struct recording_file {
    H5FD_t pub;
    hanse_recording *recording;
    haddr_t allocated_end;
} recording_file;

static H5FD_t *driver_open(const char *name, unsigned flags, hid_t access,
                           haddr_t max_address)
{
    (void)name;
    (void)max_address;
    hanse_recording *const *info = H5Pget_driver_info(access);
    if (info == NULL || (flags & H5F_ACC_RDWR) != 0)
        return NULL;
    recording_file *file = calloc(1, sizeof *file);
    if (file == NULL)
        return NULL;
    file->recording = *info;
    return &file->pub;
}

static herr_t driver_close(H5FD_t *file)
{
    free(file);
    return 0;
}

static int driver_compare(const H5FD_t *a, const H5FD_t *b)
{
    const int first = ((const recording_file *)a)->recording->descriptor;
    const int second = ((const recording_file *)b)->recording->descriptor;
    return (first > second) - (first < second);
}

/* No data sieve: a raw read must be the one that was asked for. */
static herr_t driver_query(const H5FD_t *file, unsigned long *flags)
{
    (void)file;
    *flags = H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
    return 0;
}

static haddr_t driver_get_allocated_end(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    return ((const recording_file *)file)->allocated_end;
}

static herr_t driver_set_allocated_end(H5FD_t *file, H5FD_mem_t type,
                                       haddr_t address)
{
    (void)type;
    ((recording_file *)file)->allocated_end = address;
    return 0;
}

static haddr_t driver_get_file_end(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    return ((const recording_file *)file)->recording->file_bytes;
}

static herr_t read_fully(int descriptor, char *next, size_t size_bytes,
                         uint64_t address)
{
    while (size_bytes > 0) {
        const ssize_t n = pread(descriptor, next, size_bytes, (off_t)address);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        next += n;
        address += (uint64_t)n;
        size_bytes -= (size_t)n;
    }
    return 0;
}

static herr_t driver_read(H5FD_t *file, H5FD_mem_t type, hid_t transfer,
                          haddr_t address, size_t size_bytes, void *buffer)
{
    (void)transfer;
    hanse_recording *recording = ((const recording_file *)file)->recording;
    if (address > recording->file_bytes ||
        size_bytes > recording->file_bytes - address)
        return -1;
    if (recording->active && type == H5FD_MEM_DRAW) {
        recording->address = address;
        recording->size_bytes = size_bytes;
        recording->n_recorded++;
        return 0;
    }
    return read_fully(recording->descriptor, buffer, size_bytes, address);
}

/* The library insists on a write call; files are opened read-only. */
static herr_t driver_write(H5FD_t *file, H5FD_mem_t type, hid_t transfer,
                           haddr_t address, size_t size_bytes,
                           const void *buffer)
{
    (void)file;
    (void)type;
    (void)transfer;
    (void)address;
    (void)size_bytes;
    (void)buffer;
    return -1;
}

static const H5FD_class_t recording_class = {
    .name = "hanse_recording",
    .maxaddr = (haddr_t)INT64_MAX,
    .fc_degree = H5F_CLOSE_STRONG,
    .fapl_size = sizeof(hanse_recording *),
    .open = driver_open,
    .close = driver_close,
    .cmp = driver_compare,
    .query = driver_query,
    .get_eoa = driver_get_allocated_end,
    .set_eoa = driver_set_allocated_end,
    .get_eof = driver_get_file_end,
    .read = driver_read,
    .write = driver_write,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

hid_t hanse_recording_driver_set(hid_t access, hanse_recording *recording)
{
    const hid_t driver = H5FDregister(&recording_class);
    if (driver < 0)
        return H5I_INVALID_HID;
    if (H5Pset_driver(access, driver, &recording) < 0) {
        (void)H5FDunregister(driver);
        return H5I_INVALID_HID;
    }
    return driver;
}
