/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing one result table in netCDF-4's form (docs/results.md).
 *
 * One key: it is the dimension scale. Several: one dimension `group` without
 * a variable, and a label variable per key, named in every column's
 * `coordinates`. None: scalars. Data lie contiguous and uncompressed, so that
 * a program may map them.
 */
#include "io/result_table.h"

#include <hdf5_hl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/deferred.h"
#include "io/result_attributes.h"
#include "io/result_names.h"
#include "io/result_values.h"

typedef struct table_writer {
    const hanse_table *table;
    hanse_names names; /* columns, then keys, flags, dimension */
    size_t *flags;     /* per key: index of its flags' name, 0 for none */
    char *keys;        /* attribute of the group */
    char *coordinates; /* attribute of the columns, NULL for none */
    hanse_result_place place;
    hanse_descriptor_target *target;
    uint64_t *addresses; /* [column] of deferred values, keys first */
    const char **at;
} table_writer;

/* ---- The table ---------------------------------------------------------- */

static bool has_empty_text(const hanse_column *key, size_t n_rows)
{
    if (key->type != HANSE_TEXT)
        return false;
    for (size_t i = 0; i < n_rows; i++) {
        const char *text = ((const char *const *)key->values)[i];
        if ((key->missing == NULL || !key->missing[i]) &&
            (text == NULL || *text == '\0'))
            return true;
    }
    return false;
}

/* Appends a name to a blank-separated list from malloc. */
static bool list_append(char **list, const char *name)
{
    const size_t old = *list == NULL ? 0 : strlen(*list) + 1;
    char *grown = realloc(*list, old + strlen(name) + 1);
    if (grown == NULL)
        return false;
    if (old != 0)
        grown[old - 1] = ' ';
    memcpy(grown + old, name, strlen(name) + 1);
    *list = grown;
    return true;
}

static const char *key_name(const table_writer *w, size_t key)
{
    return w->names.names[w->table->n_columns + key];
}

/* Chooses all names, columns first: theirs are documented. */
static hanse_status choose_names(table_writer *w, hanse_error *error)
{
    const hanse_table *table = w->table;
    for (size_t i = 0; i < table->n_columns; i++)
        HANSE_TRY(hanse_names_add(&w->names, table->columns[i].name, error));
    for (size_t k = 0; k < table->n_keys; k++)
        HANSE_TRY(hanse_names_add(&w->names, table->keys[k].name, error));
    bool listed = true;
    for (size_t k = 0; k < table->n_keys; k++) {
        listed = listed && list_append(&w->keys, key_name(w, k));
        if (table->n_keys > 1)
            listed = listed && list_append(&w->coordinates, key_name(w, k));
    }
    for (size_t k = 0; k < table->n_keys; k++) {
        char wanted[512];
        if (table->keys[k].missing == NULL &&
            !has_empty_text(&table->keys[k], table->n_rows))
            continue;
        snprintf(wanted, sizeof wanted, "%s_missing", key_name(w, k));
        HANSE_TRY(hanse_names_add(&w->names, wanted, error));
        w->flags[k] = w->names.n - 1;
        listed = listed &&
                 list_append(&w->coordinates, w->names.names[w->names.n - 1]);
    }
    if (!listed)
        return hanse_fail_nomem(error, "names of a table", table->n_keys);
    return hanse_names_add(&w->names, "group", error);
}

/* The dimension of a table with several keys. */
static bool write_dimension(table_writer *w)
{
    w->place.scale = hanse_result_create_dimension(
        w->place.group, w->names.names[w->names.n - 1], w->table->n_rows);
    return w->place.scale >= 0;
}

static bool put_unmapped(hid_t dataset, const hanse_column *key)
{
    const int64_t n = (int64_t)key->n_unmapped;
    return n == 0 ||
           hanse_attribute_put_values(dataset, HANSE_ATTRIBUTE_UNMAPPED,
                                      H5T_STD_I64LE, H5T_NATIVE_INT64, 1, &n);
}

/* Creates a column and writes its values, or keeps where they will go. */
static hid_t write_values(const table_writer *w, const char *name,
                          const hanse_column *column, size_t index)
{
    const hid_t dataset = hanse_result_write_column(&w->place, name, column);
    if (w->table->deferred == NULL || dataset < 0)
        return dataset;
    const haddr_t address = H5Dget_offset(dataset);
    w->addresses[index] = address;
    if (address != HADDR_UNDEF)
        return dataset;
    (void)H5Dclose(dataset);
    return H5I_INVALID_HID;
}

static bool write_key(table_writer *w, size_t k)
{
    const hanse_column *key = &w->table->keys[k];
    const char *name = key_name(w, k);
    const hid_t dataset = write_values(w, name, key, k);
    if (dataset < 0)
        return false;
    bool written = hanse_attribute_put_column(dataset, name, key) &&
                   put_unmapped(dataset, key);
    if (w->flags[k] != 0)
        written =
            written && hanse_attribute_put_text(dataset, HANSE_ATTRIBUTE_FLAGS,
                                                w->names.names[w->flags[k]]);
    if (w->table->n_keys == 1) {
        w->place.scale = dataset; /* closed with the table */
        return written && H5DSset_scale(dataset, name) >= 0;
    }
    return H5Dclose(dataset) >= 0 && written;
}

static void fill_flags(const hanse_column *key, size_t n_rows, int8_t *flags)
{
    for (size_t i = 0; i < n_rows; i++) {
        flags[i] = HANSE_FLAG_PRESENT;
        if (key->missing != NULL && key->missing[i]) {
            flags[i] = HANSE_FLAG_MISSING;
        } else if (key->type == HANSE_TEXT) {
            const char *text = ((const char *const *)key->values)[i];
            if (text == NULL || *text == '\0')
                flags[i] = HANSE_FLAG_EMPTY;
        }
    }
}

static bool write_flags(const table_writer *w, size_t k)
{
    static const int8_t values[] = {HANSE_FLAG_PRESENT, HANSE_FLAG_MISSING,
                                    HANSE_FLAG_EMPTY};
    static const char *const meanings[] = {"present", "missing", "empty"};
    const hanse_column *key = &w->table->keys[k];
    const size_t n_rows = w->table->n_rows;
    const bool empty = has_empty_text(key, n_rows);
    int8_t *flags = malloc(n_rows + 1);
    if (flags == NULL)
        return false;
    fill_flags(key, n_rows, flags);
    const hanse_column column = {.name = "missing keys",
                                 .type = HANSE_INT8,
                                 .values = flags,
                                 .n_flags = empty ? 3 : 2,
                                 .flag_values = values,
                                 .flag_meanings = meanings};
    const hid_t dataset = hanse_result_write_column(
        &w->place, w->names.names[w->flags[k]], &column);
    free(flags);
    if (dataset < 0)
        return false;
    const bool written =
        hanse_attribute_put_text(dataset, "long_name",
                                 "whether the key is missing") &&
        hanse_attribute_put_flags(dataset, &column);
    return H5Dclose(dataset) >= 0 && written;
}

static bool write_column(const table_writer *w, size_t i)
{
    const hanse_column *column = &w->table->columns[i];
    const char *name = w->names.names[i];
    const hid_t dataset = write_values(w, name, column, w->table->n_keys + i);
    if (dataset < 0)
        return false;
    const bool written =
        hanse_attribute_put_column(dataset, name, column) &&
        hanse_attribute_put_text(dataset, "coordinates", w->coordinates);
    return H5Dclose(dataset) >= 0 && written;
}

static bool put_group_attributes(const table_writer *w, const char *name)
{
    const hanse_table *table = w->table;
    if (strcmp(name, table->name) != 0 &&
        !hanse_attribute_put_text(w->place.group, "long_name", table->name))
        return false;
    if (table->n_dropped > INT64_MAX)
        return false;
    const int64_t dropped = (int64_t)table->n_dropped;
    if (dropped != 0 && !hanse_attribute_put_values(
                            w->place.group, HANSE_ATTRIBUTE_DROPPED,
                            H5T_STD_I64LE, H5T_NATIVE_INT64, 1, &dropped))
        return false;
    return hanse_attribute_put_text(w->place.group, HANSE_ATTRIBUTE_KEYS,
                                    w->keys);
}

static bool write_objects(table_writer *w)
{
    const hanse_table *table = w->table;
    if (table->n_keys > 1 && !write_dimension(w))
        return false;
    for (size_t k = 0; k < table->n_keys; k++) {
        *w->at = table->keys[k].name;
        if (!write_key(w, k))
            return false;
    }
    for (size_t k = 0; k < table->n_keys; k++)
        if (w->flags[k] != 0 && !write_flags(w, k))
            return false;
    for (size_t i = 0; i < table->n_columns; i++) {
        *w->at = table->columns[i].name;
        if (!write_column(w, i))
            return false;
    }
    return true;
}

/* ---- Deferred rows ------------------------------------------------------ */

static hanse_status write_piece(void *context, uint64_t first_row, size_t n,
                                const void *const *values, hanse_error *error)
{
    const table_writer *w = context;
    const hanse_table *table = w->table;
    (void)error;
    for (size_t c = 0; c < table->n_keys + table->n_columns; c++) {
        const hanse_column *column = c < table->n_keys
                                         ? &table->keys[c]
                                         : &table->columns[c - table->n_keys];
        const size_t size_bytes = hanse_type_size(column->type);
        if (!hanse_descriptor_write(w->target,
                                    w->addresses[c] + first_row * size_bytes,
                                    values[c], n * size_bytes))
            return HANSE_ERR_IO;
    }
    return HANSE_OK;
}

/* ---- Whole -------------------------------------------------------------- */

static hanse_status prepare(table_writer *w, hanse_error *error)
{
    const hanse_table *table = w->table;
    w->flags = calloc(table->n_keys + 1, sizeof *w->flags);
    w->addresses =
        calloc(table->n_keys + table->n_columns + 1, sizeof *w->addresses);
    if (w->flags == NULL || w->addresses == NULL)
        return hanse_fail_nomem(error, "names of a table", table->n_keys);
    return choose_names(w, error);
}

static bool write_group(table_writer *w, hid_t file, const char *name)
{
    *w->at = w->table->name;
    w->place.group = hanse_result_create_group(file, name);
    bool written = w->place.group >= 0 && put_group_attributes(w, name) &&
                   write_objects(w);
    if (w->place.scale >= 0 && H5Dclose(w->place.scale) < 0)
        written = false;
    if (w->place.group >= 0 && H5Gclose(w->place.group) < 0)
        written = false;
    return written;
}

hanse_status hanse_result_table_write(hid_t file,
                                      hanse_descriptor_target *target,
                                      const char *name,
                                      const hanse_table *table, const char **at,
                                      hanse_error *error)
{
    table_writer w = {.table = table,
                      .place = {.group = H5I_INVALID_HID,
                                .scale = H5I_INVALID_HID,
                                .n_rows = table->n_rows,
                                .is_scalar = table->n_keys == 0},
                      .target = target,
                      .at = at};
    if (table->n_keys == 0 && table->n_rows != 1)
        return hanse_fail(error, HANSE_ERR_ARGUMENT,
                          "table %s has no key and %zu rows; it must have 1",
                          table->name, table->n_rows);
    hanse_status status = prepare(&w, error);
    if (status == HANSE_OK && !write_group(&w, file, name))
        status = HANSE_ERR_IO;
    if (status == HANSE_OK && table->deferred != NULL)
        status = hanse_deferred_make(table->deferred, write_piece, &w, error);
    hanse_names_clear(&w.names);
    free(w.flags);
    free(w.addresses);
    free(w.keys);
    free(w.coordinates);
    return status;
}
