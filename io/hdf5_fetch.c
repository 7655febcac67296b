/* SPDX-License-Identifier: Apache-2.0
 *
 * Fetching through the HDF5 library. Datasets are opened when they are first
 * needed. All functions hold the lock of the library, which is not recursive.
 */
#include "io/hdf5_fetch.h"

#include <stdlib.h>

/* ---- Datasets ----------------------------------------------------------- */

/* Number of a column's dataset. */
static size_t slot_of(const hanse_hdf5_fetcher *f, size_t column)
{
    return hanse_hdf5_table_map(f->table, column);
}

static hanse_status open_dataset(hanse_hdf5_fetcher *f, size_t column,
                                 hanse_error *error)
{
    const hanse_hdf5_table *table = f->table;
    const size_t slot = slot_of(f, column);
    const char *name = table->is_compound ? NULL : table->columns[column].name;
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

/* ---- Rows --------------------------------------------------------------- */

static bool select_rows(hid_t space, const hanse_hdf5_layout *layout,
                        uint64_t first, size_t n)
{
    hsize_t start[2] = {0, 0};
    hsize_t count[2] = {1, 1};
    start[layout->row_dimension] = first;
    count[layout->row_dimension] = n;
    return H5Sget_simple_extent_ndims(space) == layout->rank &&
           H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count,
                               NULL) >= 0;
}

/* Reads a range of rows of a dataset, as values of type `memory`. A later call
 * of the library would wipe out the cause of a failure, so it is kept. */
static bool read_rows(hanse_hdf5_fetcher *f, hid_t dataset, hid_t memory,
                      const hanse_hdf5_layout *layout, uint64_t first, size_t n,
                      void *values)
{
    const hsize_t extent = n;
    const hid_t stored = H5Dget_space(dataset);
    const hid_t flat = H5Screate_simple(1, &extent, NULL);
    const bool is_read =
        stored >= 0 && flat >= 0 && select_rows(stored, layout, first, n) &&
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
static hanse_status fail_read(const hanse_hdf5_fetcher *f, size_t column,
                              uint64_t first, size_t n, hanse_error *error)
{
    const hanse_hdf5_table *table = f->table;
    const char *name = table->columns[column].name;
    if (f->arena.is_full)
        return hanse_fail(error, HANSE_ERR_LIMIT,
                          "%s: column '%s': texts of more than 2 GiB in %zu "
                          "rows",
                          table->file, name, n);
    if (f->arena.refused_bytes != 0)
        return hanse_fail_budget(error, f->arena.budget, "texts of a column",
                                 f->arena.refused_bytes, 1);
    return hanse_fail(error, HANSE_ERR_FORMAT,
                      "%s: column '%s', rows %llu to %llu: cannot be read "
                      "(%s); the file is damaged or incomplete",
                      table->file, name, (unsigned long long)first,
                      (unsigned long long)(first + n - 1), f->cause);
}

/* The type of a column in memory; a compound's member is a compound of that
 * alone, for the library then reads no other. Negative on failure. */
static hid_t make_type(const hanse_hdf5_table *table, size_t column)
{
    const hanse_hdf5_column *c = &table->columns[column];
    const hid_t value = hanse_hdf5_type_memory(&c->type);
    if (value < 0 || !table->is_compound)
        return value;
    hid_t row = H5Tcreate(H5T_COMPOUND, hanse_hdf5_type_memory_size(&c->type));
    if (row >= 0 && H5Tinsert(row, c->name, 0, value) < 0) {
        (void)H5Tclose(row);
        row = H5I_INVALID_HID;
    }
    (void)H5Tclose(value);
    return row;
}

static hanse_status fetch(hanse_hdf5_fetcher *f, size_t column, uint64_t first,
                          size_t n, void *out, hanse_error *error)
{
    HANSE_TRY(open_dataset(f, column, error));
    const hid_t memory = make_type(f->table, column);
    if (memory < 0)
        return hanse_hdf5_fail(error, "datatype");
    const bool is_read =
        read_rows(f, f->datasets[slot_of(f, column)], memory,
                  &f->table->columns[column].layout, first, n, out);
    (void)H5Tclose(memory);
    if (!is_read)
        return fail_read(f, column, first, n, error);
    hanse_hdf5_type_finish(&f->table->columns[column].type, out, n);
    return HANSE_OK;
}

hanse_status hanse_hdf5_fetch(hanse_hdf5_fetcher *f, size_t column,
                              uint64_t first, size_t n, void *out,
                              hanse_error *error)
{
    hanse_hdf5_lock();
    const hanse_status status = fetch(f, column, first, n, out, error);
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

hanse_status hanse_hdf5_fetcher_init(hanse_hdf5_fetcher *f, hid_t file,
                                     const hanse_hdf5_table *table,
                                     hanse_budget *budget, hanse_error *error)
{
    const size_t n = table->n_columns;
    *f = (hanse_hdf5_fetcher){.file = file,
                              .table = table,
                              .arena = {.budget = budget},
                              .transfer = H5I_INVALID_HID};
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
    for (size_t i = 0; i < f->table->n_columns; i++)
        if (f->datasets[i] >= 0)
            (void)H5Dclose(f->datasets[i]);
    (void)H5Pclose(f->transfer);
    hanse_hdf5_unlock();
    hanse_text_arena_reset(&f->arena);
    free(f->datasets);
    f->datasets = NULL;
}
