/* SPDX-License-Identifier: Apache-2.0
 *
 * Fetching through the HDF5 library. Files and datasets are opened when they
 * are first needed; one file is open at a time.
 */
#include "io/hdf5_fetch.h"

#include <stdlib.h>
#include <string.h>

/* ---- Files and datasets, with the lock held ----------------------------- */

static void close_file(hanse_hdf5_fetcher *f)
{
    for (size_t i = 0; i < f->source->schema.n_fields; i++) {
        if (f->datasets[i] >= 0)
            (void)H5Dclose(f->datasets[i]);
        f->datasets[i] = H5I_INVALID_HID;
    }
    if (f->file >= 0)
        (void)H5Fclose(f->file);
    f->file = H5I_INVALID_HID;
    f->part = SIZE_MAX;
}

/* Opens the file of a part unless it is the one that is open. */
static hanse_status open_file(hanse_hdf5_fetcher *f,
                              const hanse_hdf5_part *part, hanse_error *error)
{
    const size_t index = (size_t)(part - f->source->parts);
    const hanse_hdf5_table *table = &part->table;
    hanse_file_stamp stamp;
    if (f->part == index)
        return HANSE_OK;
    close_file(f);
    HANSE_TRY(hanse_hdf5_open_file(table->file, &f->file, &stamp, error));
    if (memcmp(&stamp, &table->stamp, sizeof stamp) != 0) {
        close_file(f);
        return hanse_fail(error, HANSE_ERR_IO,
                          "%s: changed while it was being read; run again when "
                          "nobody writes to it",
                          table->file);
    }
    f->part = index;
    return HANSE_OK;
}

/* Opens the dataset of a field, or that of all fields. */
static hanse_status open_dataset(hanse_hdf5_fetcher *f,
                                 const hanse_hdf5_table *table, size_t slot,
                                 const char *name, hanse_error *error)
{
    if (f->datasets[slot] >= 0)
        return HANSE_OK;
    const hid_t parent = hanse_hdf5_open_object(f->file, table->path);
    hid_t dataset = parent;
    if (parent >= 0 && name != NULL) {
        dataset = hanse_hdf5_open_object(parent, name);
        (void)H5Oclose(parent);
    }
    if (dataset < 0)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "%s: %s%s%s cannot be opened any more", table->file,
                          table->path, name != NULL ? "/" : "",
                          name != NULL ? name : "");
    f->datasets[slot] = dataset;
    return HANSE_OK;
}

static bool select_rows(hid_t space, const hanse_hdf5_layout *layout,
                        const hanse_row_range *rows)
{
    hsize_t start[2] = {0, 0};
    hsize_t count[2] = {1, 1};
    start[layout->row_dimension] = rows->first;
    count[layout->row_dimension] = rows->n;
    return H5Sget_simple_extent_ndims(space) == layout->rank &&
           H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count,
                               NULL) >= 0;
}

/* Reads a range of rows of a dataset, as values of type `memory`. A later call
 * of the library would wipe out the cause of a failure, so it is kept. */
static bool read_rows(hanse_hdf5_fetcher *f, hid_t dataset, hid_t memory,
                      const hanse_hdf5_layout *layout,
                      const hanse_row_range *rows, void *values)
{
    const hsize_t n = rows->n;
    const hid_t stored = H5Dget_space(dataset);
    const hid_t flat = H5Screate_simple(1, &n, NULL);
    const bool is_read =
        stored >= 0 && flat >= 0 && select_rows(stored, layout, rows) &&
        H5Dread(dataset, memory, flat, stored, f->transfer, values) >= 0;
    if (!is_read)
        hanse_hdf5_cause(f->cause, sizeof f->cause);
    if (flat >= 0)
        (void)H5Sclose(flat);
    if (stored >= 0)
        (void)H5Sclose(stored);
    return is_read;
}

/* Why a read failed; the library's own words come last. */
static hanse_status fail_read(const hanse_hdf5_fetcher *f,
                              const hanse_row_range *rows, const char *column,
                              hanse_error *error)
{
    const hanse_hdf5_table *table = &rows->part->table;
    if (f->arena.is_full)
        return hanse_fail(error, HANSE_ERR_LIMIT,
                          "%s: column '%s': texts of more than 2 GiB in %zu "
                          "rows",
                          table->file, column, rows->n);
    if (f->arena.refused_bytes != 0)
        return hanse_fail_budget(error, f->source->base.budget,
                                 "texts of a column", f->arena.refused_bytes,
                                 1);
    return hanse_fail(error, HANSE_ERR_FORMAT,
                      "%s: %s '%s', rows %llu to %llu: cannot be read (%s); "
                      "the file is damaged or incomplete",
                      table->file, table->is_compound ? "table" : "column",
                      table->is_compound ? table->path : column,
                      (unsigned long long)rows->first,
                      (unsigned long long)(rows->first + rows->n - 1),
                      f->cause);
}

/* ---- Columns and rows --------------------------------------------------- */

static hanse_status fetch_column(hanse_hdf5_fetcher *f,
                                 const hanse_row_range *rows, size_t field,
                                 void *out, hanse_error *error)
{
    const hanse_hdf5_column *column = hanse_hdf5_range_column(rows, field);
    HANSE_TRY(open_file(f, rows->part, error));
    HANSE_TRY(open_dataset(f, &rows->part->table, field, column->name, error));
    const hid_t memory = hanse_hdf5_type_memory(&column->type);
    if (memory < 0)
        return hanse_hdf5_fail(error, "datatype");
    const bool is_read =
        read_rows(f, f->datasets[field], memory, &column->layout, rows, out);
    (void)H5Tclose(memory);
    return is_read ? HANSE_OK : fail_read(f, rows, column->name, error);
}

size_t hanse_hdf5_place_bytes(const hanse_row_range *rows, size_t field)
{
    const hanse_hdf5_column *column = hanse_hdf5_range_column(rows, field);
    return (hanse_hdf5_type_memory_size(&column->type) + 7) & ~(size_t)7;
}

size_t hanse_hdf5_row_bytes(const hanse_row_range *rows, const size_t *fields,
                            size_t n_fields)
{
    size_t row_bytes = 0;
    for (size_t i = 0; i < n_fields; i++)
        row_bytes += hanse_hdf5_place_bytes(rows, fields[i]);
    return row_bytes;
}

static bool add_member(hid_t row, const hanse_hdf5_column *column,
                       size_t offset)
{
    const hid_t member = hanse_hdf5_type_memory(&column->type);
    if (member < 0)
        return false;
    const bool is_added = H5Tinsert(row, column->name, offset, member) >= 0;
    (void)H5Tclose(member);
    return is_added;
}

/* The compound type of the wanted members alone; the library reads no others
 * into memory. Negative on failure. */
static hid_t make_row_type(const hanse_row_range *rows, const size_t *fields,
                           size_t n_fields)
{
    const hanse_hdf5_table *table = &rows->part->table;
    const hid_t row =
        H5Tcreate(H5T_COMPOUND, hanse_hdf5_row_bytes(rows, fields, n_fields));
    size_t offset = 0;
    for (size_t i = 0; i < n_fields && row >= 0; i++) {
        const size_t index = rows->part->columns[fields[i]];
        if (!add_member(row, &table->columns[index], offset)) {
            (void)H5Tclose(row);
            return H5I_INVALID_HID;
        }
        offset += hanse_hdf5_place_bytes(rows, fields[i]);
    }
    return row;
}

static hanse_status fetch_rows(hanse_hdf5_fetcher *f,
                               const hanse_row_range *rows,
                               const size_t *fields, size_t n_fields, void *out,
                               hanse_error *error)
{
    const hanse_hdf5_table *table = &rows->part->table;
    HANSE_TRY(open_file(f, rows->part, error));
    HANSE_TRY(open_dataset(f, table, 0, NULL, error));
    const hid_t memory = make_row_type(rows, fields, n_fields);
    if (memory < 0)
        return hanse_hdf5_fail(error, "compound type");
    const bool is_read = read_rows(f, f->datasets[0], memory,
                                   &table->columns[0].layout, rows, out);
    (void)H5Tclose(memory);
    return is_read ? HANSE_OK : fail_read(f, rows, table->path, error);
}

hanse_status hanse_hdf5_fetch_column(hanse_hdf5_fetcher *f,
                                     const hanse_row_range *rows, size_t field,
                                     void *out, hanse_error *error)
{
    hanse_hdf5_lock();
    const hanse_status status = fetch_column(f, rows, field, out, error);
    hanse_hdf5_unlock();
    return status;
}

hanse_status hanse_hdf5_fetch_rows(hanse_hdf5_fetcher *f,
                                   const hanse_row_range *rows,
                                   const size_t *fields, size_t n_fields,
                                   void *out, hanse_error *error)
{
    hanse_hdf5_lock();
    const hanse_status status =
        fetch_rows(f, rows, fields, n_fields, out, error);
    hanse_hdf5_unlock();
    return status;
}

/* ---- Beginning and end -------------------------------------------------- */

/* The library hands variable-length texts to our arena. */
static hid_t make_transfer(hanse_text_arena *arena)
{
    const hid_t transfer = H5Pcreate(H5P_DATASET_XFER);
    if (transfer >= 0 &&
        H5Pset_vlen_mem_manager(transfer, hanse_text_arena_allocate, arena,
                                hanse_text_arena_free, arena) < 0) {
        (void)H5Pclose(transfer);
        return H5I_INVALID_HID;
    }
    return transfer;
}

hanse_status hanse_hdf5_fetcher_init(hanse_hdf5_fetcher *f,
                                     const hanse_hdf5_source *source,
                                     hanse_error *error)
{
    const size_t n = source->schema.n_fields;
    *f = (hanse_hdf5_fetcher){.source = source,
                              .arena = {.budget = source->base.budget},
                              .transfer = H5I_INVALID_HID,
                              .file = H5I_INVALID_HID,
                              .part = SIZE_MAX};
    f->datasets = calloc(n, sizeof *f->datasets);
    if (f->datasets == NULL)
        return hanse_fail_nomem(error, "reader", n * sizeof *f->datasets);
    for (size_t i = 0; i < n; i++)
        f->datasets[i] = H5I_INVALID_HID;
    hanse_hdf5_lock();
    f->transfer = make_transfer(&f->arena);
    hanse_hdf5_unlock();
    if (f->transfer >= 0)
        return HANSE_OK;
    free(f->datasets);
    f->datasets = NULL;
    return hanse_fail(error, HANSE_ERR_IO,
                      "the HDF5 library cannot prepare a read");
}

void hanse_hdf5_fetcher_clear(hanse_hdf5_fetcher *f)
{
    if (f->datasets == NULL)
        return;
    hanse_hdf5_lock();
    close_file(f);
    (void)H5Pclose(f->transfer);
    hanse_hdf5_unlock();
    hanse_text_arena_reset(&f->arena);
    free(f->datasets);
    f->datasets = NULL;
}
