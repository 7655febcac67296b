/* SPDX-License-Identifier: Apache-2.0
 *
 * A source over arrays: a morsel is a window on them, nothing is copied. Texts
 * keep their offsets into all bytes; the other arrays are shifted.
 */
#include "engine/memory_source.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"

typedef struct memory_source {
    hanse_source base;
    const hanse_schema *schema;
    const hanse_batch *batch;
    size_t morsel_rows;
} memory_source;

typedef struct memory_reader {
    hanse_reader base;
    size_t morsel;
    hanse_array arrays[];
} memory_reader;

static const hanse_schema *get_schema(const hanse_source *source)
{
    return ((const memory_source *)source)->schema;
}

static uint64_t get_n_rows(const hanse_source *source)
{
    return ((const memory_source *)source)->batch->n_rows;
}

static size_t get_n_morsels(const hanse_source *source)
{
    const memory_source *s = (const memory_source *)source;
    return (s->batch->n_rows + s->morsel_rows - 1) / s->morsel_rows;
}

static hanse_status open_reader(hanse_source *source, hanse_reader **out,
                                hanse_error *error)
{
    const size_t n_fields = get_schema(source)->n_fields;
    memory_reader *reader =
        calloc(1, sizeof *reader + n_fields * sizeof reader->arrays[0]);
    if (reader == NULL)
        return hanse_fail_nomem(error, "reader", sizeof *reader);
    reader->base.source = source;
    reader->morsel = SIZE_MAX;
    *out = &reader->base;
    return HANSE_OK;
}

static hanse_status read_morsel(hanse_reader *base, size_t morsel,
                                const size_t *fields, size_t n_fields,
                                hanse_morsel *out, hanse_error *error)
{
    memory_reader *reader = (memory_reader *)base;
    const memory_source *source = (const memory_source *)base->source;
    const size_t first = morsel * source->morsel_rows;
    (void)error;
    size_t n_rows = source->batch->n_rows - first;
    if (n_rows > source->morsel_rows)
        n_rows = source->morsel_rows;
    if (reader->morsel != morsel)
        memset(reader->arrays, 0,
               source->schema->n_fields * sizeof reader->arrays[0]);
    reader->morsel = morsel;
    *out =
        (hanse_morsel){.batch = {n_rows, reader->arrays}, .first_row = first};
    for (size_t i = 0; i < n_fields; i++) {
        const hanse_array *from = &source->batch->arrays[fields[i]];
        hanse_array *to = &reader->arrays[fields[i]];
        const size_t width =
            hanse_type_size(source->schema->fields[fields[i]].type);
        *to = *from;
        if (from->offsets != NULL)
            to->offsets = from->offsets + first;
        else
            to->values = (const char *)from->values + first * width;
        if (from->missing != NULL)
            to->missing = from->missing + first;
        out->n_bytes += n_rows * width;
    }
    return HANSE_OK;
}

static void close_reader(hanse_reader *reader)
{
    free(reader);
}

static void close_source(hanse_source *source)
{
    free(source);
}

static const hanse_source_ops memory_ops = {
    .schema = get_schema,
    .n_rows = get_n_rows,
    .n_morsels = get_n_morsels,
    .open_reader = open_reader,
    .read = read_morsel,
    .close_reader = close_reader,
    .close = close_source,
};

hanse_status hanse_memory_source_open(const hanse_schema *schema,
                                      const hanse_batch *batch,
                                      size_t morsel_rows, hanse_source **out,
                                      hanse_error *error)
{
    if (morsel_rows == 0)
        return hanse_fail(error, HANSE_ERR_ARGUMENT, "morsels of no rows");
    memory_source *source = malloc(sizeof *source);
    if (source == NULL)
        return hanse_fail_nomem(error, "source", sizeof *source);
    *source = (memory_source){{.ops = &memory_ops}, schema, batch, morsel_rows};
    *out = &source->base;
    return HANSE_OK;
}
