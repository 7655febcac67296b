/* SPDX-License-Identifier: Apache-2.0
 *
 * The sink over HDF5: opening, provenance, committing. The tables themselves
 * are in result_table.c.
 *
 * The file is created in the descriptor of the atomic file's temporary
 * (descriptor_driver.h): no copy of the results in memory, whatever their
 * size, and every failure to write is an errno of ours. Equal tables and
 * equal info give equal bytes: no times, no padding that is not zero.
 */
#include "io/result_file.h"

#include <stdlib.h>

#include "engine/base/error.h"
#include "engine/base/memory.h"
#include "io/atomic_file.h"
#include "io/descriptor_driver.h"
#include "io/hdf5_library.h"
#include "io/record_write.h"
#include "io/result_attributes.h"
#include "io/result_paths.h"
#include "io/result_table.h"
#include "io/result_values.h"

/* Of record-level outputs: what every reader of HDF5 and netCDF-4 decodes. */
static const hanse_storage default_storage = {
    .chunked = true,
    .chunk_rows = HANSE_DEFAULT_CHUNK_ROWS,
    .compression = HANSE_COMPRESSION_GZIP,
    .level = 1,
    .shuffle = true,
};

typedef struct result_sink {
    hanse_sink base;
    hanse_atomic_file *file;
    hanse_descriptor_target target;
    hid_t driver;
    hid_t h5;
    hanse_result_paths paths; /* of the tables */
    char *provenance;
    hanse_storage records; /* how they are stored */
    bool has_records;
    bool failed; /* nothing may be committed any more */
} result_sink;

static hanse_status fail(result_sink *sink, const char *what,
                         hanse_error *error)
{
    sink->failed = true;
    if (sink->target.cause != 0)
        return hanse_atomic_file_fail(sink->file, sink->target.cause, error);
    return hanse_fail(error, HANSE_ERR_IO,
                      "cannot write the result: the HDF5 library failed at "
                      "%s; free memory and try again",
                      what);
}

/* ---- Creation ----------------------------------------------------------- */

/* Creation list of the file: nothing in it may depend on the clock, names and
 * attributes keep their order. */
static hid_t create_file_list(void)
{
    const hid_t list = H5Pcreate(H5P_FILE_CREATE);
    if (list >= 0 && hanse_result_object_list_init(list) &&
        hanse_result_link_order_set(list))
        return list;
    if (list >= 0)
        (void)H5Pclose(list);
    return H5I_INVALID_HID;
}

/* Object format of HDF5 1.8, which every reader in use knows and whose
 * metadata carry check sums. */
static hid_t create_access_list(result_sink *sink)
{
    const hid_t list = H5Pcreate(H5P_FILE_ACCESS);
    if (list < 0)
        return H5I_INVALID_HID;
    sink->driver = hanse_descriptor_driver_set(list, &sink->target);
    if (sink->driver >= 0 &&
        H5Pset_libver_bounds(list, H5F_LIBVER_V18, H5F_LIBVER_V18) >= 0)
        return list;
    (void)H5Pclose(list);
    return H5I_INVALID_HID;
}

static bool create_file(result_sink *sink)
{
    const hid_t access = create_access_list(sink);
    const hid_t creation = create_file_list();
    if (access >= 0 && creation >= 0)
        sink->h5 = H5Fcreate("hanse-result", H5F_ACC_TRUNC, creation, access);
    if (creation >= 0)
        (void)H5Pclose(creation);
    if (access >= 0)
        (void)H5Pclose(access);
    return sink->h5 >= 0;
}

/* Global attributes, and the scalar coordinate that gives `cell_methods` its
 * name. It stands in the root, where CF's rule of proximity finds it: in each
 * group it would be one more column of every data frame. */
static bool write_root(const result_sink *sink, const hanse_result_info *info)
{
    static const int8_t zero = 0;
    const char *title = info->title != NULL
                            ? info->title
                            : "Statistics of enterprises by group";
    if (!hanse_attribute_put_text(sink->h5, "Conventions", "CF-1.8") ||
        !hanse_attribute_put_text(sink->h5, "title", title) ||
        !hanse_attribute_put_text(sink->h5, "source",
                                  "hanse " HANSE_VERSION_STRING) ||
        !hanse_attribute_put_text(sink->h5, "history", info->history))
        return false;
    const hid_t scalar = hanse_result_create_scalar(
        sink->h5, "enterprise", H5T_STD_I8LE, H5T_NATIVE_INT8, &zero);
    if (scalar < 0)
        return false;
    const bool written = hanse_attribute_put_text(
        scalar, "long_name", "enterprises that a statistic is taken over");
    return H5Dclose(scalar) >= 0 && written;
}

/* ---- The sink's operations ---------------------------------------------- */

static hanse_status sink_table(hanse_sink *base, const hanse_table *table,
                               hanse_error *error)
{
    result_sink *sink = (result_sink *)base;
    hanse_status status = HANSE_OK;
    if (sink->failed)
        return fail(sink, "an earlier table", error);
    const char *at = table->name;
    hanse_hdf5_lock();
    status = hanse_result_paths_add(&sink->paths, sink->h5, table->name, error);
    if (status == HANSE_OK)
        status = hanse_result_table_write(sink->h5, &sink->target,
                                          sink->paths.path, table, &at, error);
    hanse_hdf5_unlock();
    if (status == HANSE_OK && sink->target.cause == 0)
        return HANSE_OK;
    if (status != HANSE_OK && status != HANSE_ERR_IO) {
        sink->failed = true;
        return status;
    }
    return fail(sink, at, error);
}

static hanse_status sink_records(hanse_sink *base,
                                 const hanse_record_set *records,
                                 hanse_error *error)
{
    result_sink *sink = (result_sink *)base;
    const hanse_record_target target = {sink->h5, &sink->target,
                                        &sink->records};
    const char *at = NULL;
    if (sink->failed)
        return fail(sink, "an earlier table", error);
    if (sink->has_records)
        return hanse_fail(error, HANSE_ERR_ARGUMENT,
                          "the result has its record-level outputs already");
    sink->has_records = true;
    const hanse_status status =
        hanse_record_write(&target, records, &at, error);
    if (status != HANSE_OK)
        sink->failed = true;
    return at != NULL ? fail(sink, at, error) : status;
}

static bool write_provenance(const result_sink *sink)
{
    if (sink->provenance == NULL)
        return true;
    const hid_t group = hanse_result_create_group(sink->h5, "provenance");
    if (group < 0)
        return false;
    const hid_t type = hanse_attribute_text_type();
    const char *text = sink->provenance;
    hid_t run = H5I_INVALID_HID;
    if (type >= 0) {
        run = hanse_result_create_scalar(group, "run", type, type, &text);
        (void)H5Tclose(type);
    }
    bool written =
        run >= 0 && hanse_attribute_put_text(run, "long_name",
                                             "how this file was made, JSON");
    written = run >= 0 && H5Dclose(run) >= 0 && written;
    return H5Gclose(group) >= 0 && written;
}

/* H5Fclose is called once, whatever it returns. */
static bool close_file(result_sink *sink)
{
    const hid_t h5 = sink->h5;
    sink->h5 = H5I_INVALID_HID;
    const bool closed = h5 < 0 || H5Fclose(h5) >= 0;
    if (sink->driver >= 0)
        (void)H5FDunregister(sink->driver);
    sink->driver = H5I_INVALID_HID;
    return closed && sink->target.cause == 0;
}

static hanse_status sink_commit(hanse_sink *base, hanse_error *error)
{
    result_sink *sink = (result_sink *)base;
    bool written = false;
    if (sink->failed || sink->h5 < 0)
        return fail(sink, "an earlier step", error);
    hanse_hdf5_lock();
    written = write_provenance(sink);
    written = close_file(sink) && written;
    hanse_hdf5_unlock();
    if (!written)
        return fail(sink, "the end of the file", error);
    return hanse_atomic_file_commit(sink->file, error);
}

static void sink_close(hanse_sink *base)
{
    result_sink *sink = (result_sink *)base;
    if (sink == NULL)
        return;
    hanse_hdf5_lock();
    (void)close_file(sink);
    hanse_hdf5_unlock();
    hanse_atomic_file_close(sink->file);
    hanse_result_paths_clear(&sink->paths);
    free(sink->provenance);
    free(sink);
}

static const hanse_sink_ops result_sink_ops = {
    .table = sink_table,
    .records = sink_records,
    .commit = sink_commit,
    .close = sink_close,
};

static hanse_status sink_init(result_sink *sink, const char *path,
                              const hanse_result_info *info, hanse_error *error)
{
    /* Taken from the start, so that no table has the name. */
    static const char *const taken[] = {"provenance", "enterprise", "records"};
    const mode_t mode = info->group_readable ? 0640 : 0600;
    HANSE_TRY(hanse_result_paths_init(&sink->paths, taken,
                                      sizeof taken / sizeof taken[0], error));
    HANSE_TRY(hanse_atomic_file_open(path, mode, &sink->file, error));
    sink->target.descriptor = hanse_atomic_file_descriptor(sink->file);
    sink->records = info->records != NULL ? *info->records : default_storage;
    sink->provenance = hanse_text_copy(info->provenance_json);
    if (info->provenance_json != NULL && sink->provenance == NULL)
        return hanse_fail_nomem(error, "provenance", 1);
    hanse_hdf5_lock();
    hanse_status status = hanse_hdf5_start(error);
    if (status == HANSE_OK && !(create_file(sink) && write_root(sink, info)))
        status = fail(sink, "the start of the file", error);
    hanse_hdf5_unlock();
    return status;
}

hanse_status hanse_result_sink_open(const char *path,
                                    const hanse_result_info *info,
                                    hanse_sink **out, hanse_error *error)
{
    static const hanse_result_info no_info = {0};
    result_sink *sink = calloc(1, sizeof *sink);
    if (sink == NULL)
        return hanse_fail_nomem(error, "result file", sizeof *sink);
    sink->base.ops = &result_sink_ops;
    sink->driver = H5I_INVALID_HID;
    sink->h5 = H5I_INVALID_HID;
    const hanse_status status =
        sink_init(sink, path, info != NULL ? info : &no_info, error);
    if (status != HANSE_OK) {
        sink_close(&sink->base);
        return status;
    }
    *out = &sink->base;
    return HANSE_OK;
}

hanse_status hanse_result_write(const hanse_result *result, const char *path,
                                const char *history, hanse_error *error)
{
    const hanse_result_info info = {.history = history};
    hanse_sink *sink = NULL;
    HANSE_TRY(hanse_result_sink_open(path, &info, &sink, error));
    hanse_status status = HANSE_OK;
    const size_t n = hanse_result_n_tables(result);
    for (size_t i = 0; i < n && status == HANSE_OK; i++)
        status = sink->ops->table(sink, hanse_result_table(result, i), error);
    if (status == HANSE_OK)
        status = sink->ops->commit(sink, error);
    sink->ops->close(sink);
    return status;
}
