/* SPDX-License-Identifier: Apache-2.0
 *
 * The callbacks of the descriptor driver: pread and pwrite, the end of the
 * allocated space as the library sets it, and the end of the file.
 */
#include "io/descriptor_driver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PIECE_BYTES = 1 << 22,    /* written at a time */
    LEAST_WRITEBACK = 1 << 19 /* bytes that the disk is told of */
};

/* The library's view of an open file; H5FD_t has to come first. */
typedef struct descriptor_file {
    H5FD_t pub;
    hanse_descriptor_target *target;
    haddr_t allocated_end;
    haddr_t file_end; /* as if every write had succeeded */
} descriptor_file;

static H5FD_t *driver_open(const char *name, unsigned flags, hid_t access,
                           haddr_t max_address)
{
    (void)name;
    (void)flags;
    (void)max_address;
    hanse_descriptor_target *const *info = H5Pget_driver_info(access);
    if (info == NULL)
        return NULL;
    descriptor_file *file = calloc(1, sizeof *file);
    if (file == NULL)
        return NULL;
    file->target = *info;
    return &file->pub;
}

static herr_t driver_close(H5FD_t *file)
{
    free(file);
    return 0;
}

static int driver_compare(const H5FD_t *a, const H5FD_t *b)
{
    const int first = ((const descriptor_file *)a)->target->descriptor;
    const int second = ((const descriptor_file *)b)->target->descriptor;
    return (first > second) - (first < second);
}

static herr_t driver_query(const H5FD_t *file, unsigned long *flags)
{
    (void)file;
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA |
             H5FD_FEAT_DATA_SIEVE | H5FD_FEAT_AGGREGATE_SMALLDATA |
             H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
    return 0;
}

static haddr_t driver_get_allocated_end(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    return ((const descriptor_file *)file)->allocated_end;
}

static herr_t driver_set_allocated_end(H5FD_t *file, H5FD_mem_t type,
                                       haddr_t address)
{
    (void)type;
    ((descriptor_file *)file)->allocated_end = address;
    return 0;
}

static haddr_t driver_get_file_end(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    return ((const descriptor_file *)file)->file_end;
}

/* Keeps the first failure. */
static void note_failure(hanse_descriptor_target *target, int cause)
{
    int none = 0;
    (void)atomic_compare_exchange_strong(&target->cause, &none, cause);
}

/* What lies beyond the end, or was lost with a failed write, reads as zero. */
static herr_t driver_read(H5FD_t *file, H5FD_mem_t type, hid_t transfer,
                          haddr_t address, size_t size_bytes, void *buffer)
{
    (void)type;
    (void)transfer;
    const descriptor_file *self = (const descriptor_file *)file;
    char *next = buffer;
    while (size_bytes > 0) {
        const ssize_t n =
            pread(self->target->descriptor, next, size_bytes, (off_t)address);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            note_failure(self->target, errno);
            return -1;
        }
        if (n == 0)
            break;
        next += n;
        address += (haddr_t)n;
        size_bytes -= (size_t)n;
    }
    memset(next, 0, size_bytes);
    return 0;
}

/* Lets the disk begin while more is written, so that there is less to wait for
 * at the end. Only a hint: what fails here fails at the flush. */
static void start_writeback(const hanse_descriptor_target *target,
                            uint64_t address, size_t size_bytes)
{
    if (size_bytes >= LEAST_WRITEBACK)
        (void)sync_file_range(target->descriptor, (off_t)address,
                              (off_t)size_bytes, SYNC_FILE_RANGE_WRITE);
}

bool hanse_descriptor_write(hanse_descriptor_target *target, uint64_t address,
                            const void *data, size_t size_bytes)
{
    const char *next = data;
    while (size_bytes > 0 && target->cause == 0) {
        const size_t most = size_bytes < PIECE_BYTES ? size_bytes : PIECE_BYTES;
        const ssize_t n =
            pwrite(target->descriptor, next, most, (off_t)address);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            note_failure(target, n < 0 ? errno : EIO);
            break;
        }
        start_writeback(target, address, (size_t)n);
        next += n;
        address += (uint64_t)n;
        size_bytes -= (size_t)n;
    }
    return target->cause == 0;
}

static herr_t driver_write(H5FD_t *file, H5FD_mem_t type, hid_t transfer,
                           haddr_t address, size_t size_bytes,
                           const void *buffer)
{
    (void)type;
    (void)transfer;
    descriptor_file *self = (descriptor_file *)file;
    if (address + size_bytes > self->file_end)
        self->file_end = address + size_bytes;
    (void)hanse_descriptor_write(self->target, address, buffer, size_bytes);
    return 0;
}

static herr_t driver_truncate(H5FD_t *file, hid_t transfer, hbool_t closing)
{
    (void)transfer;
    (void)closing;
    descriptor_file *self = (descriptor_file *)file;
    if (self->file_end == self->allocated_end)
        return 0;
    self->file_end = self->allocated_end;
    int result = 0;
    while (self->target->cause == 0) {
        result = ftruncate(self->target->descriptor, (off_t)self->file_end);
        if (result == 0 || errno != EINTR)
            break;
    }
    if (result != 0)
        note_failure(self->target, errno);
    return 0;
}

static const H5FD_class_t descriptor_class = {
    .name = "hanse_descriptor",
    .maxaddr = (haddr_t)INT64_MAX,
    .fc_degree = H5F_CLOSE_STRONG,
    .fapl_size = sizeof(hanse_descriptor_target *),
    .open = driver_open,
    .close = driver_close,
    .cmp = driver_compare,
    .query = driver_query,
    .get_eoa = driver_get_allocated_end,
    .set_eoa = driver_set_allocated_end,
    .get_eof = driver_get_file_end,
    .read = driver_read,
    .write = driver_write,
    .truncate = driver_truncate,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

hid_t hanse_descriptor_driver_set(hid_t access, hanse_descriptor_target *target)
{
    const hid_t driver = H5FDregister(&descriptor_class);
    if (driver < 0)
        return H5I_INVALID_HID;
    if (H5Pset_driver(access, driver, &target) < 0) {
        (void)H5FDunregister(driver);
        return H5I_INVALID_HID;
    }
    return driver;
}
