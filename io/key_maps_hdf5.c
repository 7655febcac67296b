/* SPDX-License-Identifier: Apache-2.0
 *
 * Mapping tables in HDF5, read like any table. Columns with labels count by
 * these, missing values as in CSV: a row without a `from` maps nothing, a
 * value without a `to` is mapped to missing.
 */
#include <string.h>

#include "engine/spec.h"
#include "io/hdf5_source.h"
#include "io/key_maps.h"

/* A column of the table. */
typedef struct side {
    size_t field;
    const hanse_field *info;
    bool is_text;             /* texts or labels */
    hanse_mapping *label_map; /* code -> text, where there are labels */
    const hanse_label *texts; /* of label_map */
} side;

static hanse_status find_side(const hanse_map_load *load,
                              const hanse_schema *schema, const char *name,
                              side *out, hanse_error *error)
{
    *out = (side){.field = hanse_schema_find(schema, name)};
    if (out->field == SIZE_MAX)
        return hanse_fail(error, HANSE_ERR_COLUMN,
                          "%s: %s lacks the column '%s'; `hanse info` lists "
                          "those it has",
                          load->key, load->file, name);
    out->info = &schema->fields[out->field];
    if (out->info->type == HANSE_FLOAT32 || out->info->type == HANSE_FLOAT64)
        return hanse_fail(error, HANSE_ERR_TYPE,
                          "%s: %s: column '%s' is %s; a mapping takes "
                          "integers and texts",
                          load->key, load->file, name,
                          hanse_type_name(out->info->type));
    out->is_text = out->info->type == HANSE_TEXT || out->info->n_labels > 0;
    return HANSE_OK;
}

/* Labels as a mapping of their own; of several texts of a code the first
 * counts. */
static hanse_status map_labels(const hanse_map_load *load, side *s,
                               hanse_error *error)
{
    uint64_t conflict;
    if (s->info->n_labels == 0)
        return HANSE_OK;
    HANSE_TRY(
        hanse_mapping_create(false, true, load->budget, &s->label_map, error));
    for (size_t i = 0; i < s->info->n_labels; i++) {
        const hanse_label *label = &s->info->labels[i];
        const hanse_mapping_value from = {.integer = label->code};
        const hanse_mapping_value to = {.text = label->text,
                                        .n_text = strlen(label->text)};
        HANSE_TRY(
            hanse_mapping_add(s->label_map, &from, &to, i, &conflict, error));
    }
    HANSE_TRY(hanse_mapping_finish(s->label_map, false, error));
    (void)hanse_mapping_labels(s->label_map, &s->texts);
    return HANSE_OK;
}

/* One integer of an array. */
static __int128 integer_at(const hanse_array *array, hanse_type type,
                           size_t row)
{
    switch (type) {
    case HANSE_INT8:
        return ((const int8_t *)array->values)[row];
    case HANSE_INT16:
        return ((const int16_t *)array->values)[row];
    case HANSE_INT32:
        return ((const int32_t *)array->values)[row];
    case HANSE_INT64:
        return ((const int64_t *)array->values)[row];
    case HANSE_UINT8:
        return ((const uint8_t *)array->values)[row];
    case HANSE_UINT16:
        return ((const uint16_t *)array->values)[row];
    case HANSE_UINT32:
        return ((const uint32_t *)array->values)[row];
    case HANSE_UINT64:
        return ((const uint64_t *)array->values)[row];
    default:
        return ((const uint8_t *)array->values)[row] != 0;
    }
}

/* The text of a row; false where its code has no label. */
static bool text_at(const side *s, const hanse_array *array, size_t row,
                    hanse_mapping_value *out)
{
    if (s->info->type == HANSE_TEXT) {
        const int32_t *offsets = array->offsets + row;
        out->text = array->values != NULL
                        ? (const char *)array->values + offsets[0]
                        : "";
        out->n_text = (size_t)(offsets[1] - offsets[0]);
        return true;
    }
    int64_t rank;
    if (hanse_mapping_integer(s->label_map,
                              (int64_t)integer_at(array, s->info->type, row),
                              &rank) != HANSE_MAPPED)
        return false;
    out->text = s->texts[rank].text;
    out->n_text = strlen(out->text);
    return true;
}

/* Makes the value of one side of a row; *there false when there is none that
 * could matter. */
static hanse_status value_at(const hanse_map_load *load, const side *s,
                             const hanse_batch *batch, size_t row, bool is_from,
                             hanse_mapping_value *out, bool *there,
                             hanse_error *error)
{
    const hanse_array *array = &batch->arrays[s->field];
    *out = (hanse_mapping_value){0};
    *there = array->missing == NULL || !array->missing[row];
    if (!*there)
        return HANSE_OK;
    if (s->is_text) {
        *there = text_at(s, array, row, out);
        return HANSE_OK;
    }
    const __int128 value = integer_at(array, s->info->type, row);
    if (is_from)
        *there = hanse_map_fits(load, value);
    else if (value > INT64_MAX)
        return hanse_fail(error, HANSE_ERR_OVERFLOW,
                          "%s: %s: a value of '%s' is above "
                          "9223372036854775807",
                          load->key, load->file, load->to);
    out->integer = (int64_t)value;
    return HANSE_OK;
}

static hanse_status add_row(const hanse_map_load *load, const side sides[2],
                            hanse_mapping *mapping, const hanse_morsel *rows,
                            size_t row, hanse_error *error)
{
    hanse_mapping_value from, to;
    bool from_there, to_there;
    uint64_t conflict;
    const uint64_t number = rows->first_row + row;
    HANSE_TRY(value_at(load, &sides[0], &rows->batch, row, true, &from,
                       &from_there, error));
    HANSE_TRY(value_at(load, &sides[1], &rows->batch, row, false, &to,
                       &to_there, error));
    if (!from_there)
        return HANSE_OK;
    to.missing = !to_there;
    HANSE_TRY(hanse_mapping_add(mapping, &from, &to, number, &conflict, error));
    if (conflict == UINT64_MAX)
        return HANSE_OK;
    return hanse_fail(error, HANSE_ERR_FORMAT,
                      "%s: %s: the value of '%s' in row %llu stands in row "
                      "%llu, too, with another '%s'; a value may have one "
                      "target",
                      load->key, load->file, load->from,
                      (unsigned long long)number, (unsigned long long)conflict,
                      load->to);
}

static hanse_status read_rows(const hanse_map_load *load, hanse_source *source,
                              hanse_reader *reader, const side sides[2],
                              hanse_mapping *mapping, hanse_error *error)
{
    const size_t fields[] = {sides[0].field, sides[1].field};
    const size_t n_fields = fields[0] == fields[1] ? 1 : 2;
    for (size_t m = 0; m < source->ops->n_morsels(source); m++) {
        hanse_morsel rows;
        HANSE_TRY(source->ops->read(reader, m, fields, n_fields, &rows, error));
        for (size_t i = 0; i < rows.batch.n_rows; i++)
            HANSE_TRY(add_row(load, sides, mapping, &rows, i, error));
    }
    return hanse_mapping_finish(mapping, false, error);
}

/* Whether the table's column goes with the input's. */
static hanse_status check_from(const hanse_map_load *load, const side *from,
                               hanse_error *error)
{
    const bool is_text = load->field->type == HANSE_TEXT;
    const bool is_labelled = load->field->n_labels > 0;
    if (is_labelled || is_text == from->is_text)
        return HANSE_OK;
    return hanse_fail(
        error, HANSE_ERR_TYPE,
        "%s: column '%s' of the input is %s, but '%s' in %s is "
        "%s; they must be both integers or both texts",
        load->key, load->field->name, hanse_type_name(load->field->type),
        load->from, load->file,
        from->info->n_labels > 0 ? "labelled"
                                 : hanse_type_name(from->info->type));
}

static hanse_status load_sides(const hanse_map_load *load, hanse_source *source,
                               side sides[2], hanse_mapping **out,
                               hanse_error *error)
{
    const hanse_schema *schema = hanse_source_schema(source);
    HANSE_TRY(find_side(load, schema, load->from, &sides[0], error));
    HANSE_TRY(find_side(load, schema, load->to, &sides[1], error));
    HANSE_TRY(check_from(load, &sides[0], error));
    HANSE_TRY(map_labels(load, &sides[0], error));
    HANSE_TRY(map_labels(load, &sides[1], error));
    hanse_mapping *mapping;
    hanse_reader *reader = NULL;
    HANSE_TRY(hanse_mapping_create(sides[0].is_text, sides[1].is_text,
                                   load->budget, &mapping, error));
    hanse_status status = source->ops->open_reader(source, &reader, error);
    if (status == HANSE_OK) {
        status = read_rows(load, source, reader, sides, mapping, error);
        source->ops->close_reader(reader);
    }
    if (status == HANSE_OK)
        *out = mapping;
    else
        hanse_mapping_release(mapping);
    return status;
}

hanse_status hanse_map_load_hdf5(const hanse_map_load *load,
                                 hanse_mapping **out, hanse_error *error)
{
    const hanse_hdf5_options options = {.table = load->table,
                                        .budget = load->budget,
                                        .is_trusted = load->is_trusted};
    side sides[2] = {{0}};
    hanse_source *source;
    HANSE_TRY(hanse_hdf5_source_open(&load->file, 1, &options, &source, error));
    const hanse_status status = load_sides(load, source, sides, out, error);
    hanse_mapping_release(sides[0].label_map);
    hanse_mapping_release(sides[1].label_map);
    hanse_source_close(source);
    return status;
}
