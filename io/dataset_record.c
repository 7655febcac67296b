/* SPDX-License-Identifier: Apache-2.0
 *
 * Filters, fill value and addresses of one dataset. Chunks are asked for one
 * by one through the recording driver, in time linear in their number.
 */
#include "io/dataset_record.h"

#include <stdlib.h>
#include <string.h>

#include "io/foreign_record.h"
#include "io/hdf5_library.h"

/* ---- Type, filters and fill value ---------------------------------------- */

/* Whether values refer to bytes elsewhere in the file: texts and lists of
 * varying length, alone or in rows and arrays. The library then tells sizes and
 * offsets as in memory, which are not those of the file. */
static bool has_variable(hid_t type)
{
    bool found = false;
    switch (H5Tget_class(type)) {
    case H5T_VLEN:
        return true;
    case H5T_STRING:
        return H5Tis_variable_str(type) != 0;
    case H5T_COMPOUND:
        for (int i = 0; i < H5Tget_nmembers(type) && !found; i++) {
            const hid_t member = H5Tget_member_type(type, (unsigned)i);
            found = member < 0 || has_variable(member);
            if (member >= 0)
                (void)H5Tclose(member);
        }
        return found;
    case H5T_ARRAY: {
        const hid_t base = H5Tget_super(type);
        found = base < 0 || has_variable(base);
        if (base >= 0)
            (void)H5Tclose(base);
        return found;
    }
    default:
        return false;
    }
}

static hanse_status record_pipeline(hid_t creation, hanse_dataset_map *out,
                                    hanse_error *error)
{
    const int n = H5Pget_nfilters(creation);
    if (n < 0)
        return hanse_hdf5_fail(error, "dataset");
    if (n > HANSE_PIPELINE_MAX)
        return hanse_hdf5_refuse(out->reason, "%d filters in a row", n);
    for (int i = 0; i < n; i++) {
        hanse_filter *filter = &out->pipeline.filters[i];
        unsigned flags, config;
        size_t n_values = HANSE_FILTER_VALUES_MAX;
        const H5Z_filter_t id =
            H5Pget_filter2(creation, (unsigned)i, &flags, &n_values,
                           filter->values, 0, NULL, &config);
        if (id < 0)
            return hanse_hdf5_fail(error, "dataset");
        if (n_values > HANSE_FILTER_VALUES_MAX)
            return hanse_hdf5_refuse(
                out->reason, "filter %d has %zu parameters", (int)id, n_values);
        filter->id = (uint32_t)id;
        filter->n_values = (uint32_t)n_values;
        out->pipeline.n_filters++;
    }
    (void)hanse_pipeline_decodable(&out->pipeline, out->reason,
                                   sizeof out->reason);
    return HANSE_OK;
}

/* The fill value as stored: asking in the dataset's own type converts
 * nothing. The default one is zeros; so is an undefined one here, for which
 * the library would leave anything. */
static hanse_status record_fill(hid_t creation, hid_t type,
                                hanse_dataset_map *out, hanse_error *error)
{
    H5D_fill_value_t defined;
    out->fill = calloc(1, out->element_bytes);
    if (out->fill == NULL)
        return hanse_fail_nomem(error, "fill value", out->element_bytes);
    if (H5Pfill_value_defined(creation, &defined) < 0)
        return hanse_hdf5_fail(error, "fill value");
    if (defined != H5D_FILL_VALUE_USER_DEFINED)
        return HANSE_OK;
    if (H5Pget_fill_value(creation, type, out->fill) < 0)
        return hanse_hdf5_fail(error, "fill value");
    return HANSE_OK;
}

/* ---- Addresses ---------------------------------------------------------- */

/* Bytes before the file proper; to the address "none" the library adds them. */
static hsize_t userblock_of(hid_t dataset)
{
    hsize_t size_bytes = 0;
    const hid_t file = H5Iget_file_id(dataset);
    const hid_t creation = file >= 0 ? H5Fget_create_plist(file) : file;
    if (creation >= 0)
        (void)H5Pget_userblock(creation, &size_bytes);
    if (creation >= 0)
        (void)H5Pclose(creation);
    if (file >= 0)
        (void)H5Fclose(file);
    return size_bytes;
}

/* The library reads from the address as many bytes as the rows have, whatever
 * the size says; the two must agree, or somebody changed one. */
static hanse_status record_contiguous(hid_t dataset, hanse_dataset_map *out,
                                      hanse_error *error)
{
    const hsize_t size_bytes = H5Dget_storage_size(dataset);
    const haddr_t address = H5Dget_offset(dataset);
    const bool is_written =
        address != HADDR_UNDEF && address != userblock_of(dataset) - 1;
    if (out->n_rows == 0 || (!is_written && size_bytes == 0))
        return HANSE_OK;
    if (!is_written || size_bytes / out->element_bytes != out->n_rows)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "damaged dataset: %llu bytes for %llu rows",
                          (unsigned long long)size_bytes,
                          (unsigned long long)out->n_rows);
    out->address = address;
    return HANSE_OK;
}

static hanse_status record_compact(hid_t dataset, hid_t type,
                                   hanse_dataset_map *out, hanse_error *error)
{
    /* The library keeps compact data within 64 KiB of object header. */
    if (out->n_rows > 65536 / out->element_bytes)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "damaged dataset: compact with %llu rows",
                          (unsigned long long)out->n_rows);
    out->compact = calloc((size_t)out->n_rows + 1, out->element_bytes);
    if (out->compact == NULL)
        return hanse_fail_nomem(error, "compact dataset", out->element_bytes);
    if (out->n_rows != 0 &&
        H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, out->compact) < 0)
        return hanse_hdf5_fail(error, "dataset");
    return HANSE_OK;
}

/* Stored size of a chunk, 0 when it was never written. HDF5 1.10 makes that an
 * error, which only its words tell from that of a damaged index. */
static hanse_status get_stored_size(hid_t dataset, const hsize_t *offset,
                                    hsize_t *size_bytes, hanse_error *error)
{
    char text[64];
    *size_bytes = 0;
    if (H5Dget_chunk_storage_size(dataset, offset, size_bytes) >= 0)
        return HANSE_OK;
    hanse_hdf5_cause(text, sizeof text);
    if (strcmp(text, "chunk storage is not allocated") != 0)
        return hanse_hdf5_fail(error, "chunk");
    *size_bytes = 0;
    return HANSE_OK;
}

/* One chunk: its size, and a read that is recorded and not done, so that it
 * needs no room for the bytes. */
static hanse_status record_chunk(hid_t dataset, const hsize_t *offset,
                                 hanse_recording *recording, hanse_chunk *out,
                                 hanse_error *error)
{
    hsize_t size_bytes;
    char nothing[1] = {0};
    out->address = HANSE_ADDRESS_NONE;
    HANSE_TRY(get_stored_size(dataset, offset, &size_bytes, error));
    if (size_bytes == 0)
        return HANSE_OK;
    if (size_bytes > UINT32_MAX)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "damaged dataset: a chunk of %llu bytes",
                          (unsigned long long)size_bytes);
    recording->n_recorded = 0;
    if (H5Dread_chunk(dataset, H5P_DEFAULT, offset, &out->filter_mask,
                      nothing) < 0)
        return hanse_hdf5_fail(error, "chunk");
    if (recording->n_recorded != 1 || recording->size_bytes != size_bytes)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "damaged dataset: a chunk in %llu pieces",
                          (unsigned long long)recording->n_recorded);
    out->address = recording->address;
    out->stored_bytes = (uint32_t)size_bytes;
    return HANSE_OK;
}

static hanse_status record_all_chunks(hid_t dataset,
                                      const hanse_hdf5_layout *layout,
                                      hanse_recording *recording,
                                      hanse_dataset_map *out,
                                      hanse_error *error)
{
    size_t chunk_bytes;
    if (!hanse_dataset_map_chunk_bytes(out, &chunk_bytes) ||
        chunk_bytes > UINT32_MAX)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "damaged dataset: chunks of %llu rows",
                          (unsigned long long)out->chunk_rows);
    out->n_chunks = (size_t)(out->n_rows / out->chunk_rows +
                             (out->n_rows % out->chunk_rows != 0));
    out->chunks = calloc(out->n_chunks, sizeof *out->chunks);
    if (out->chunks == NULL && out->n_chunks != 0)
        return hanse_fail_nomem(error, "chunks",
                                out->n_chunks * sizeof *out->chunks);
    hanse_status status = HANSE_OK;
    recording->active = true;
    for (size_t i = 0; status == HANSE_OK && i < out->n_chunks; i++) {
        hsize_t offset[2] = {0, 0};
        offset[layout->row_dimension] = i * out->chunk_rows;
        status =
            record_chunk(dataset, offset, recording, &out->chunks[i], error);
    }
    recording->active = false;
    return status;
}

/* A dataset may be told not to filter the chunk that its end cuts; the chunk
 * itself does not say so. */
static hanse_status mark_plain_edge(hid_t creation, hanse_dataset_map *out,
                                    hanse_error *error)
{
    unsigned options = 0;
    if (H5Pget_chunk_opts(creation, &options) < 0)
        return hanse_hdf5_fail(error, "dataset");
    if ((options & H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS) != 0 &&
        out->n_rows % out->chunk_rows != 0)
        out->chunks[out->n_chunks - 1].filter_mask = UINT32_MAX;
    return HANSE_OK;
}

static hanse_status record_chunked(hid_t dataset, hid_t creation,
                                   const hanse_hdf5_layout *layout,
                                   hanse_recording *recording,
                                   hanse_dataset_map *out, hanse_error *error)
{
    hsize_t extents[2] = {1, 1};
    if (H5Pget_chunk(creation, 2, extents) != layout->rank)
        return hanse_hdf5_fail(error, "dataset");
    out->chunk_rows = extents[layout->row_dimension];
    if (layout->rank == 2 && extents[1 - layout->row_dimension] != 1)
        return hanse_hdf5_refuse(out->reason, "chunks of two dimensions");
    if (out->chunk_rows == 0)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "damaged dataset: chunks of no rows");
    HANSE_TRY(record_all_chunks(dataset, layout, recording, out, error));
    return mark_plain_edge(creation, out, error);
}

/* ---- Dataset ------------------------------------------------------------ */

static hanse_status record(hid_t dataset, hid_t creation, hid_t type,
                           const hanse_hdf5_layout *layout,
                           hanse_recording *recording, hanse_dataset_map *out,
                           hanse_error *error)
{
    const size_t element_bytes = H5Tget_size(type);
    if (element_bytes == 0 || element_bytes > UINT32_MAX)
        return hanse_hdf5_fail(error, "datatype");
    out->element_bytes = (uint32_t)element_bytes;
    out->kind = layout->kind;
    out->n_rows = layout->n_rows;
    if (layout->kind == HANSE_LAYOUT_VIRTUAL) {
        HANSE_TRY(record_fill(creation, type, out, error));
        return hanse_record_virtual(creation, layout, out, error);
    }
    if (layout->kind == HANSE_LAYOUT_EXTERNAL) {
        HANSE_TRY(record_fill(creation, type, out, error));
        return hanse_record_external(creation, out, error);
    }
    if (has_variable(type))
        return hanse_hdf5_refuse(out->reason,
                                 "in one dataset with values of varying "
                                 "length");
    HANSE_TRY(record_pipeline(creation, out, error));
    if (out->reason[0] != '\0')
        return HANSE_OK;
    HANSE_TRY(record_fill(creation, type, out, error));
    switch (layout->kind) {
    case HANSE_LAYOUT_CONTIGUOUS:
        return record_contiguous(dataset, out, error);
    case HANSE_LAYOUT_CHUNKED:
        return record_chunked(dataset, creation, layout, recording, out, error);
    case HANSE_LAYOUT_COMPACT:
        return record_compact(dataset, type, out, error);
    case HANSE_LAYOUT_EXTERNAL:
    case HANSE_LAYOUT_VIRTUAL:
        break;
    }
    return HANSE_OK;
}

hanse_status hanse_dataset_record(hid_t dataset,
                                  const hanse_hdf5_layout *layout,
                                  hanse_recording *recording,
                                  hanse_dataset_map *out, hanse_error *error)
{
    *out = (hanse_dataset_map){.address = HANSE_ADDRESS_NONE};
    const hid_t creation = H5Dget_create_plist(dataset);
    const hid_t type = H5Dget_type(dataset);
    hanse_status status;
    if (creation < 0 || type < 0)
        status = hanse_hdf5_fail(error, "dataset");
    else
        status = record(dataset, creation, type, layout, recording, out, error);
    out->is_recorded = status == HANSE_OK;
    if (creation >= 0)
        (void)H5Pclose(creation);
    if (type >= 0)
        (void)H5Tclose(type);
    return status;
}
