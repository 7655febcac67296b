/* SPDX-License-Identifier: Apache-2.0
 *
 * Record-level outputs: the group and its variables, then a scan of the source
 * whose threads put values into chunks (chunk_window.h).
 */
#include "io/record_write.h"

#include <hdf5_hl.h>
#include <math.h>
#include <stdlib.h>

#include "engine/base/error.h"
#include "engine/models/status.h"
#include "engine/scan.h"
#include "io/chunk_window.h"
#include "io/hdf5_library.h"
#include "io/native_type.h"
#include "io/result_attributes.h"
#include "io/result_names.h"
#include "io/result_values.h"

typedef struct record_writer {
    const hanse_record_target *target;
    const hanse_record_set *set;
    hanse_storage storage; /* fitted to the rows */
    uint64_t n_rows;
    hid_t *datasets; /* [variable] */
    size_t n_open;
    size_t *fields;        /* [variable] */
    size_t *element_bytes; /* [variable] */
    hanse_names names;     /* of the variables, then the dimension */
    hanse_chunk_window *window;
    const char *at; /* where the library failed; NULL: nowhere */
} record_writer;

static hanse_type type_of(const hanse_record_variable *variable)
{
    return variable->is_status ? HANSE_INT8 : HANSE_FLOAT64;
}

/* ---- The group ---------------------------------------------------------- */

static bool put_attributes(hid_t dataset, const char *name,
                           const hanse_record_variable *variable)
{
    hanse_column column = {.name = variable->name,
                           .long_name = variable->long_name,
                           .units = variable->units,
                           .type = type_of(variable)};
    if (variable->is_status)
        hanse_model_status_flags(&column);
    return hanse_attribute_put_column(dataset, name, &column);
}

static bool create_variable(record_writer *w, hid_t group, hid_t scale,
                            size_t i)
{
    const hanse_record_variable *variable = &w->set->variables[i];
    const char *name = w->names.names[i];
    const hsize_t extent = w->n_rows;
    const hid_t space = H5Screate_simple(1, &extent, NULL);
    if (space < 0)
        return false;
    const hid_t dataset = hanse_result_create_dataset(
        group, name, hanse_native_type(type_of(variable)), space, &w->storage);
    (void)H5Sclose(space);
    if (dataset < 0)
        return false;
    w->datasets[w->n_open++] = dataset;
    return H5DSattach_scale(dataset, scale, 0) >= 0 &&
           put_attributes(dataset, name, variable);
}

static bool create_group(record_writer *w)
{
    const size_t n = w->set->n_variables;
    w->at = "records";
    const hid_t group = hanse_result_create_group(w->target->file, "records");
    if (group < 0)
        return false;
    const hid_t scale =
        hanse_result_create_dimension(group, w->names.names[n], w->n_rows);
    bool created =
        scale >= 0 &&
        hanse_attribute_put_text(group, "long_name",
                                 "one value for each row of the input, in its "
                                 "order");
    for (size_t i = 0; i < n && created; i++) {
        w->at = w->set->variables[i].name;
        created = create_variable(w, group, scale, i);
    }
    if (scale >= 0 && H5Dclose(scale) < 0)
        created = false;
    return H5Gclose(group) >= 0 && created;
}

static bool close_variables(record_writer *w)
{
    bool closed = true;
    while (w->n_open > 0)
        closed = H5Dclose(w->datasets[--w->n_open]) >= 0 && closed;
    return closed;
}

/* ---- Values ------------------------------------------------------------- */

/* Every NaN is the same one, whatever made it. */
static void copy_numbers(const double *from, const uint8_t *missing, size_t n,
                         double *to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = isnan(from[i]) ? (double)NAN : from[i];
    for (size_t i = 0; missing != NULL && i < n; i++)
        if (missing[i])
            to[i] = (double)NAN;
}

/* Codes; returns how many were fine from the first on. */
static size_t copy_statuses(const double *from, const uint8_t *missing,
                            size_t n, int8_t *to)
{
    for (size_t i = 0; i < n; i++) {
        if (isnan(from[i]) || (missing != NULL && missing[i])) {
            to[i] = HANSE_MODEL_EMPTY;
            continue;
        }
        if (!(from[i] >= 0.0 && from[i] < (double)HANSE_MODEL_STATUS_COUNT) ||
            from[i] != floor(from[i]))
            return i;
        to[i] = (int8_t)from[i];
    }
    return n;
}

/* Rows first to first + n - 1 of the morsel, to `offset` of the chunk. */
static hanse_status copy_rows(const record_writer *w, const hanse_morsel *rows,
                              size_t first, size_t n, void *const *data,
                              size_t offset, hanse_error *error)
{
    for (size_t i = 0; i < w->set->n_variables; i++) {
        const hanse_array *array = &rows->batch.arrays[w->fields[i]];
        const double *from = (const double *)array->values + first;
        const uint8_t *missing =
            array->missing != NULL ? array->missing + first : NULL;
        if (!w->set->variables[i].is_status) {
            copy_numbers(from, missing, n, (double *)data[i] + offset);
            continue;
        }
        const size_t n_good =
            copy_statuses(from, missing, n, (int8_t *)data[i] + offset);
        if (n_good < n)
            return hanse_fail(
                error, HANSE_ERR_ARGUMENT,
                "%s of row %llu is %g, which is no status; they are whole "
                "numbers from 0 to %d",
                w->set->variables[i].name,
                (unsigned long long)(rows->first_row + first + n_good),
                from[n_good], HANSE_MODEL_STATUS_COUNT - 1);
    }
    return HANSE_OK;
}

/* ---- The scan ----------------------------------------------------------- */

static hanse_status open_encoder(void *context, void **own, hanse_error *error)
{
    const record_writer *w = context;
    hanse_chunk_encoder *encoder = NULL;
    HANSE_TRY(hanse_chunk_encoder_create(
        &w->storage, w->storage.chunk_rows * sizeof(double), &encoder, error));
    *own = encoder;
    return HANSE_OK;
}

static void close_encoder(void *own)
{
    hanse_chunk_encoder_destroy(own);
}

static hanse_status take_morsel(void *context, void *own,
                                const hanse_morsel *rows, hanse_error *error)
{
    record_writer *w = context;
    const size_t chunk_rows = w->storage.chunk_rows;
    for (size_t first = 0, n; first < rows->batch.n_rows; first += n) {
        const uint64_t row = rows->first_row + first;
        const size_t chunk = (size_t)(row / chunk_rows);
        const size_t offset = (size_t)(row % chunk_rows);
        void *const *data;
        n = rows->batch.n_rows - first;
        n = n < chunk_rows - offset ? n : chunk_rows - offset;
        HANSE_TRY(hanse_chunk_window_enter(w->window, chunk, &data));
        HANSE_TRY(copy_rows(w, rows, first, n, data, offset, error));
        HANSE_TRY(hanse_chunk_window_fill(w->window, chunk, n, own, error));
    }
    return HANSE_OK;
}

static void stop_waiting(void *context)
{
    hanse_chunk_window_stop(((record_writer *)context)->window);
}

/* One thread at a time. */
static hanse_status write_chunk(void *context, size_t chunk,
                                const hanse_stored_chunk *stored,
                                hanse_error *error)
{
    record_writer *w = context;
    const hsize_t offset = (hsize_t)chunk * w->storage.chunk_rows;
    bool written = true;
    (void)error;
    hanse_hdf5_lock();
    for (size_t i = 0; i < w->set->n_variables && written; i++) {
        written = H5Dwrite_chunk(w->datasets[i], H5P_DEFAULT,
                                 stored[i].filter_mask, &offset,
                                 stored[i].size_bytes, stored[i].bytes) >= 0 &&
                  w->target->descriptor->cause == 0;
        if (!written)
            w->at = w->set->variables[i].name;
    }
    hanse_hdf5_unlock();
    return written ? HANSE_OK : HANSE_ERR_IO;
}

/* Rows that the threads of a scan may be apart: each is somewhere in its span,
 * and may be at a chunk while the others go on. */
static uint64_t reach_of(const record_writer *w, size_t n_threads)
{
    const hanse_source *source = w->set->source;
    const size_t n_morsels = source->ops->n_morsels(source);
    size_t longest = 1;
    for (size_t m = 0, end; m < n_morsels; m = end) {
        end = hanse_source_span_end(source, m);
        longest = end - m > longest ? end - m : longest;
    }
    const uint64_t morsel_rows = n_morsels == 0 ? 0 : w->n_rows / n_morsels + 1;
    return (n_threads + 1) * longest * morsel_rows +
           2 * n_threads * w->storage.chunk_rows;
}

/* Half of what is left: readers need some, too. */
static uint64_t room_for_chunks(const hanse_budget *budget)
{
    static const uint64_t enough = (uint64_t)1 << 30;
    if (budget == NULL || budget->limit_bytes == 0)
        return enough;
    const uint64_t used = atomic_load(&budget->used_bytes);
    return used < budget->limit_bytes ? (budget->limit_bytes - used) / 2 : 0;
}

static hanse_status scan(record_writer *w, hanse_error *error)
{
    const hanse_record_set *set = w->set;
    const size_t n_threads = hanse_scan_threads(set->source, set->options);
    const hanse_chunk_columns columns = {
        .element_bytes = w->element_bytes,
        .n_columns = set->n_variables,
        .n_rows = w->n_rows,
        .storage = &w->storage,
        .reach_rows = reach_of(w, n_threads),
        .budget = set->source->budget,
        .most_bytes = room_for_chunks(set->source->budget),
        .write = write_chunk,
        .context = w,
    };
    HANSE_TRY(hanse_chunk_window_create(&columns, &w->window, error));
    const hanse_scan how = {
        .source = set->source,
        .fields = w->fields,
        .n_fields = set->n_variables,
        .options = set->options,
        .n_threads = n_threads,
        .context = w,
        .open = open_encoder,
        .close = close_encoder,
        .take = take_morsel,
        .stop = stop_waiting,
    };
    hanse_status status = hanse_scan_run(&how, NULL, error);
    if (status == HANSE_OK && !hanse_chunk_window_is_done(w->window))
        status = hanse_fail(error, HANSE_ERR_ARGUMENT,
                            "record-level results: the source has fewer rows "
                            "than the %llu that it says",
                            (unsigned long long)w->n_rows);
    hanse_chunk_window_destroy(w->window);
    return status;
}

/* ---- All of it ---------------------------------------------------------- */

static hanse_status prepare(record_writer *w, hanse_error *error)
{
    const hanse_record_set *set = w->set;
    const hanse_schema *schema = hanse_source_schema(set->source);
    const size_t n = set->n_variables;
    w->datasets = calloc(n, sizeof *w->datasets);
    w->fields = calloc(n, sizeof *w->fields);
    w->element_bytes = calloc(n, sizeof *w->element_bytes);
    if (w->datasets == NULL || w->fields == NULL || w->element_bytes == NULL)
        return hanse_fail_nomem(error, "record-level results", n);
    for (size_t i = 0; i < n; i++) {
        const hanse_record_variable *variable = &set->variables[i];
        if (variable->field >= schema->n_fields ||
            schema->fields[variable->field].type != HANSE_FLOAT64)
            return hanse_fail(error, HANSE_ERR_ARGUMENT,
                              "record-level result %s is not of a float64 "
                              "column",
                              variable->name);
        w->fields[i] = variable->field;
        w->element_bytes[i] = hanse_type_size(type_of(variable));
        HANSE_TRY(hanse_names_add(&w->names, variable->name, error));
    }
    return hanse_names_add(&w->names, "record", error);
}

static hanse_status write_records(record_writer *w, hanse_error *error)
{
    HANSE_TRY(prepare(w, error));
    hanse_hdf5_lock();
    const bool created = create_group(w);
    hanse_hdf5_unlock();
    if (!created)
        return HANSE_ERR_IO;
    w->at = NULL;
    const hanse_status status = scan(w, error);
    hanse_hdf5_lock();
    const bool closed = close_variables(w);
    hanse_hdf5_unlock();
    if (status != HANSE_OK || closed)
        return status;
    w->at = "records";
    return HANSE_ERR_IO;
}

hanse_status hanse_record_write(const hanse_record_target *target,
                                const hanse_record_set *records,
                                const char **at, hanse_error *error)
{
    const uint64_t n_rows = records->source->ops->n_rows(records->source);
    record_writer w = {.target = target,
                       .set = records,
                       .storage =
                           hanse_storage_of_table(target->storage, n_rows),
                       .n_rows = n_rows};
    if (records->n_variables == 0)
        return hanse_fail(error, HANSE_ERR_ARGUMENT,
                          "no record-level result is given");
    const hanse_status status = write_records(&w, error);
    if (w.n_open > 0) {
        hanse_hdf5_lock();
        (void)close_variables(&w);
        hanse_hdf5_unlock();
    }
    hanse_names_clear(&w.names);
    free(w.datasets);
    free(w.fields);
    free(w.element_bytes);
    if (w.at != NULL)
        *at = w.at;
    return status;
}
