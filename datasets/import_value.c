/* SPDX-License-Identifier: Apache-2.0
 *
 * Fields as values.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "datasets/import_columns.h"
#include "io/text_number.h"

hanse_import_text hanse_import_trim(const hanse_csv_field *field)
{
    const char *text = field->text;
    size_t n = field->n;
    while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t'))
        n--;
    for (; n > 0 && (*text == ' ' || *text == '\t'); n--)
        text++;
    return (hanse_import_text){text, n};
}

bool hanse_import_is_token(const hanse_import_options *options,
                           const char *text, size_t n)
{
    for (size_t i = 0; i < options->n_missing; i++)
        if (strncmp(options->missing[i], text, n) == 0 &&
            options->missing[i][n] == '\0')
            return true;
    return false;
}

static bool is_word(hanse_import_text text, const char *word)
{
    return strlen(word) == text.n && strncasecmp(text.text, word, text.n) == 0;
}

bool hanse_import_bool(hanse_import_text text, bool loose, bool *out)
{
    *out = is_word(text, "true") ||
           (loose && (is_word(text, "1") || is_word(text, "yes")));
    return *out || is_word(text, "false") ||
           (loose && (is_word(text, "0") || is_word(text, "no")));
}

int64_t hanse_import_least(hanse_type type)
{
    return INT64_MIN >> (64 - 8 * hanse_type_size(type));
}

static bool is_unsigned(hanse_type type)
{
    return type >= HANSE_UINT8 && type <= HANSE_UINT64;
}

uint64_t hanse_import_greatest(hanse_type type)
{
    return UINT64_MAX >> (64 - 8 * hanse_type_size(type) + !is_unsigned(type));
}

/* ---- Numbers ------------------------------------------------------------ */

static char decimal_of(const hanse_import_options *options)
{
    return options->decimal != 0 ? options->decimal : '.';
}

static hanse_status fail_value(const hanse_import_column *column,
                               const hanse_csv *csv,
                               const hanse_csv_field *field, const char *what,
                               hanse_error *error)
{
    return hanse_csv_fail(csv, field, error, HANSE_ERR_FORMAT,
                          "column '%.60s': '%.60s' %s %s; correct it, name it "
                          "with --missing, or choose --column '%.60s:text'",
                          column->name, field->text, what,
                          hanse_type_name(column->type), column->name);
}

/* The low bytes of an integer, in the machine's order. */
static void store_integer(int64_t value, size_t size_bytes, void *cell)
{
    const int8_t i8 = (int8_t)value;
    const int16_t i16 = (int16_t)value;
    const int32_t i32 = (int32_t)value;
    switch (size_bytes) {
    case 1:
        memcpy(cell, &i8, sizeof i8);
        break;
    case 2:
        memcpy(cell, &i16, sizeof i16);
        break;
    case 4:
        memcpy(cell, &i32, sizeof i32);
        break;
    default:
        memcpy(cell, &value, sizeof value);
        break;
    }
}

static hanse_status convert_integer(const hanse_import_columns *columns,
                                    const hanse_import_column *column,
                                    const hanse_csv *csv,
                                    const hanse_csv_field *field,
                                    hanse_import_text text, void *cell,
                                    hanse_error *error)
{
    const hanse_text_number number =
        hanse_text_number_read(text.text, text.n, decimal_of(columns->options));
    uint64_t magnitude;
    if (number.kind != HANSE_KIND_INTEGER)
        return fail_value(column, csv, field, "is no", error);
    bool fits =
        hanse_text_number_magnitude(&number, text.text, text.n, &magnitude);
    if (number.negative) {
        const uint64_t most = is_unsigned(column->type)
                                  ? 0
                                  : hanse_import_greatest(column->type) + 1;
        fits = fits && magnitude <= most;
        magnitude = -magnitude;
    } else {
        fits = fits && magnitude <= hanse_import_greatest(column->type);
    }
    if (!fits)
        return fail_value(column, csv, field, "does not fit into", error);
    store_integer((int64_t)magnitude, column->size_bytes, cell);
    return HANSE_OK;
}

/* NaN and infinities, which only a chosen type makes of words. */
static bool read_special(hanse_import_text text, double *out)
{
    const bool negative = text.n > 0 && text.text[0] == '-';
    if (negative || (text.n > 0 && text.text[0] == '+')) {
        text.text++;
        text.n--;
    }
    if (is_word(text, "nan"))
        *out = NAN;
    else if (is_word(text, "inf") || is_word(text, "infinity"))
        *out = negative ? -INFINITY : INFINITY;
    else
        return false;
    return true;
}

static hanse_status convert_float(const hanse_import_columns *columns,
                                  const hanse_import_column *column,
                                  const hanse_csv *csv,
                                  const hanse_csv_field *field,
                                  hanse_import_text text, void *cell,
                                  hanse_error *error)
{
    const char point = decimal_of(columns->options);
    const bool narrow = column->type == HANSE_FLOAT32;
    const hanse_text_number number =
        hanse_text_number_read(text.text, text.n, point);
    double value = 0.0;
    float small = 0.0f;
    if (number.kind == HANSE_KIND_WORDS) {
        if (!column->chosen || !read_special(text, &value))
            return fail_value(column, csv, field, "is no", error);
        small = (float)value;
    } else if (!(narrow
                     ? hanse_text_number_float(text.text, text.n, point, &small)
                     : hanse_text_number_double(&number, text.text, text.n,
                                                point, &value))) {
        return fail_value(column, csv, field, "does not fit into", error);
    }
    if (narrow)
        memcpy(cell, &small, sizeof small);
    else
        memcpy(cell, &value, sizeof value);
    return HANSE_OK;
}

/* ---- Texts -------------------------------------------------------------- */

static hanse_status convert_text(const hanse_import_column *column,
                                 const hanse_csv *csv,
                                 const hanse_csv_field *field, const char *text,
                                 size_t n, void *cell, hanse_error *error)
{
    if (column->variable) {
        char *copy = hanse_text_copy(text);
        if (copy == NULL)
            return hanse_fail_nomem(error, "text of a CSV file", n + 1);
        memcpy(cell, &copy, sizeof copy);
        return HANSE_OK;
    }
    if (n > column->size_bytes)
        return hanse_csv_fail(csv, field, error, HANSE_ERR_IO,
                              "the file was changed while it was read; import "
                              "it again");
    memcpy(cell, text, n);
    memset((char *)cell + n, 0, column->size_bytes - n);
    return HANSE_OK;
}

static void store_missing(const hanse_import_column *column, void *cell)
{
    const double nan = NAN;
    const float small = NAN;
    if (column->type == HANSE_FLOAT64)
        memcpy(cell, &nan, sizeof nan);
    else if (column->type == HANSE_FLOAT32)
        memcpy(cell, &small, sizeof small);
    else
        store_integer(column->fill, column->size_bytes, cell);
}

hanse_status hanse_import_convert(const hanse_import_columns *columns,
                                  const hanse_import_column *column,
                                  const hanse_csv *csv,
                                  const hanse_csv_field *field, void *cell,
                                  hanse_error *error)
{
    const hanse_import_options *options = columns->options;
    const bool is_token = hanse_import_is_token(options, field->text, field->n);
    if (column->type == HANSE_TEXT && is_token)
        return convert_text(column, csv, field, column->fill_text,
                            strlen(column->fill_text), cell, error);
    if (column->type == HANSE_TEXT)
        return convert_text(column, csv, field, field->text, field->n, cell,
                            error);
    const hanse_import_text text = hanse_import_trim(field);
    if (is_token || text.n == 0 ||
        hanse_import_is_token(options, text.text, text.n)) {
        store_missing(column, cell);
        return HANSE_OK;
    }
    bool truth;
    switch (column->type) {
    case HANSE_FLOAT32:
    case HANSE_FLOAT64:
        return convert_float(columns, column, csv, field, text, cell, error);
    case HANSE_BOOL:
        if (!hanse_import_bool(text, column->chosen, &truth))
            return fail_value(column, csv, field, "is no", error);
        store_integer(truth, 1, cell);
        return HANSE_OK;
    default:
        return convert_integer(columns, column, csv, field, text, cell, error);
    }
}
