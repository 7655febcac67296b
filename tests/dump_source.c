/* SPDX-License-Identifier: Apache-2.0
 *
 * Helper of test_source.py: reads a whole table through the HDF5 source and
 * prints it as JSON, missing values as null, unsigned 64-bit values as text.
 *
 *     dump_source [-t TABLE] [-m MORSEL_ROWS] [-b BUDGET_BYTES] [-c COLUMN]
 *                 [-l | -p] [-T] [-e] FILE...
 *
 * -c: that column alone; -l: decoded by the library; -p: from mapped
 * pages; -T: trusted input; -e:
 * values may lie in other files.
 * A failure prints the name of its status and its message, and exits with 1.
 */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/file_pages.h"
#include "io/hdf5_source.h"

static json_t *real_or_null(double value)
{
    if (isnan(value))
        return json_null();
    if (isinf(value))
        return json_string(value > 0 ? "inf" : "-inf");
    return json_real(value);
}

static json_t *unsigned_text(uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    return json_string(text);
}

static json_t *text_value(const char *bytes, size_t length)
{
    json_t *text = json_stringn(bytes, length);
    return text != NULL ? text : json_string("(not UTF-8)");
}

static json_t *value_at(const hanse_array *array, hanse_type type, size_t i)
{
    const void *v = array->values;
    if (array->missing != NULL && array->missing[i] != 0)
        return json_null();
    switch (type) {
    case HANSE_INT8:
        return json_integer(((const int8_t *)v)[i]);
    case HANSE_INT16:
        return json_integer(((const int16_t *)v)[i]);
    case HANSE_INT32:
        return json_integer(((const int32_t *)v)[i]);
    case HANSE_INT64:
        return json_integer(((const int64_t *)v)[i]);
    case HANSE_UINT8:
        return json_integer(((const uint8_t *)v)[i]);
    case HANSE_UINT16:
        return json_integer(((const uint16_t *)v)[i]);
    case HANSE_UINT32:
        return json_integer(((const uint32_t *)v)[i]);
    case HANSE_UINT64:
        return unsigned_text(((const uint64_t *)v)[i]);
    case HANSE_FLOAT32:
        return real_or_null((double)((const float *)v)[i]);
    case HANSE_FLOAT64:
        return real_or_null(((const double *)v)[i]);
    case HANSE_BOOL:
        return json_boolean(((const uint8_t *)v)[i]);
    default:
        return text_value((const char *)v + array->offsets[i],
                          (size_t)(array->offsets[i + 1] - array->offsets[i]));
    }
}

static int fail(const hanse_error *error)
{
    printf("%s: %s\n", hanse_status_name(error->status), error->message);
    return EXIT_FAILURE;
}

static json_t *describe_field(const hanse_field *field)
{
    json_t *labels = json_object();
    for (size_t i = 0; i < field->n_labels; i++)
        json_object_set_new(labels, field->labels[i].text,
                            json_integer(field->labels[i].code));
    return json_pack("{s:s, s:s?, s:s?, s:I, s:o, s:[]}", "type",
                     hanse_type_name(field->type), "units", field->units,
                     "long_name", field->long_name, "missing_code",
                     (json_int_t)field->missing_code, "labels", labels,
                     "values");
}

/* Adds a morsel's values of fields to the columns. */
static void add_values(json_t *columns, const hanse_schema *schema,
                       const size_t *fields, size_t n_fields,
                       const hanse_batch *batch)
{
    for (size_t i = 0; i < n_fields; i++) {
        const hanse_field *field = &schema->fields[fields[i]];
        json_t *values =
            json_object_get(json_object_get(columns, field->name), "values");
        for (size_t r = 0; r < batch->n_rows; r++)
            json_array_append_new(
                values, value_at(&batch->arrays[fields[i]], field->type, r));
    }
}

static hanse_status read_all(hanse_source *source, const size_t *fields,
                             size_t n_fields, json_t *columns,
                             uint64_t *n_bytes, hanse_error *error)
{
    hanse_reader *reader;
    hanse_status status = source->ops->open_reader(source, &reader, error);
    if (status != HANSE_OK)
        return status;
    for (size_t m = 0; m < source->ops->n_morsels(source); m++) {
        hanse_morsel rows;
        status = source->ops->read(reader, m, fields, n_fields, &rows, error);
        if (status != HANSE_OK)
            break;
        *n_bytes += rows.n_bytes;
        add_values(columns, hanse_source_schema(source), fields, n_fields,
                   &rows.batch);
    }
    if (status == HANSE_OK)
        status = source->ops->finish_reader(reader, error);
    source->ops->close_reader(reader);
    return status;
}

/* Only the named column, or all for NULL. */
static int dump(hanse_source *source, const char *name)
{
    const hanse_schema *schema = hanse_source_schema(source);
    json_t *columns = json_object();
    hanse_error error = {0};
    uint64_t n_bytes = 0;
    size_t n_fields = 0;
    size_t *fields = calloc(schema->n_fields, sizeof *fields);
    for (size_t i = 0; i < schema->n_fields; i++) {
        if (name != NULL && strcmp(name, schema->fields[i].name) != 0)
            continue;
        fields[n_fields++] = i;
        json_object_set_new(columns, schema->fields[i].name,
                            describe_field(&schema->fields[i]));
    }
    const hanse_status status =
        read_all(source, fields, n_fields, columns, &n_bytes, &error);
    free(fields);
    if (status != HANSE_OK) {
        json_decref(columns);
        return fail(&error);
    }
    json_t *all = json_pack("{s:s, s:s, s:I, s:I, s:I, s:o}", "path",
                            hanse_hdf5_source_path(source), "shape",
                            hanse_hdf5_source_shape(source), "rows",
                            (json_int_t)source->ops->n_rows(source), "morsels",
                            (json_int_t)source->ops->n_morsels(source), "bytes",
                            (json_int_t)n_bytes, "columns", columns);
    json_dumpf(all, stdout, JSON_REAL_PRECISION(17) | JSON_COMPACT);
    json_decref(all);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    hanse_budget budget = {0};
    hanse_hdf5_options options = {.budget = &budget};
    const char *column = NULL;
    int option;
    while ((option = getopt(argc, argv, "t:m:b:c:lpTe")) != -1) {
        if (option == 't')
            options.table = optarg;
        else if (option == 'm')
            options.morsel_rows = strtoul(optarg, NULL, 10);
        else if (option == 'b')
            budget.limit_bytes = strtoul(optarg, NULL, 10);
        else if (option == 'c')
            column = optarg;
        else if (option == 'l')
            options.library_only = true;
        else if (option == 'e')
            options.allow_foreign = true;
        else if (option == 'T')
            options.is_trusted = true;
        else if (option == 'p' && hanse_file_pages_guard())
            options.read = HANSE_READ_MAP;
        else
            return EXIT_FAILURE;
    }
    hanse_source *source;
    hanse_error error = {0};
    if (hanse_hdf5_source_open((const char *const *)argv + optind,
                               (size_t)(argc - optind), &options, &source,
                               &error) != HANSE_OK)
        return fail(&error);
    const int exit_status = dump(source, column);
    hanse_source_close(source);
    if (budget.used_bytes != 0) {
        printf("leaked %llu bytes of the budget\n",
               (unsigned long long)budget.used_bytes);
        return EXIT_FAILURE;
    }
    return exit_status;
}
