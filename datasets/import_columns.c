/* SPDX-License-Identifier: Apache-2.0
 *
 * Types of columns from their values. A column is what all its values can be:
 * integer, number, boolean, and otherwise text. Nothing is lost by that: what
 * would not come back as it was written, such as 007, stays text.
 */
#include "datasets/import_columns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/text_number.h"

/* ---- Names -------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
    const hanse_csv_field *x = *(const hanse_csv_field *const *)a;
    const hanse_csv_field *y = *(const hanse_csv_field *const *)b;
    const int order = strcmp(x->text, y->text);
    return order != 0 ? order : (x > y) - (x < y);
}

/* `sorted` has room for the n names. */
static hanse_status check_twice(const hanse_csv *csv,
                                const hanse_csv_field *header, size_t n,
                                const hanse_csv_field **sorted,
                                hanse_error *error)
{
    for (size_t i = 0; i < n; i++)
        sorted[i] = &header[i];
    qsort(sorted, n, sizeof *sorted, compare_names);
    for (size_t i = 1; i < n; i++)
        if (strcmp(sorted[i - 1]->text, sorted[i]->text) == 0)
            return hanse_csv_fail(
                csv, sorted[i], error, HANSE_ERR_FORMAT,
                "columns %zu and %zu are both called '%.60s'; give each a name "
                "of its own",
                (size_t)(sorted[i - 1] - header) + 1,
                (size_t)(sorted[i] - header) + 1, sorted[i]->text);
    return HANSE_OK;
}

/* HDF5 has no names with slashes, and "." is the group itself. */
static hanse_status check_names(const hanse_csv *csv, hanse_error *error)
{
    size_t n;
    const hanse_csv_field *header = hanse_csv_header(csv, &n);
    for (size_t i = 0; i < n; i++) {
        if (header[i].n == 0)
            return hanse_csv_fail(csv, &header[i], error, HANSE_ERR_FORMAT,
                                  "column %zu has no name; give it one, or say "
                                  "--no-header if the first line is a row",
                                  i + 1);
        if (strchr(header[i].text, '/') != NULL ||
            strcmp(header[i].text, ".") == 0)
            return hanse_csv_fail(csv, &header[i], error, HANSE_ERR_FORMAT,
                                  "column %zu is called '%.60s', which HDF5 "
                                  "does not allow; rename it",
                                  i + 1, header[i].text);
    }
    const hanse_csv_field **sorted = malloc(n * sizeof *sorted);
    if (sorted == NULL)
        return hanse_fail_nomem(error, "names of columns", n * sizeof *sorted);
    const hanse_status status = check_twice(csv, header, n, sorted, error);
    free(sorted);
    return status;
}

static hanse_status fail_choice(const hanse_import_choice *choice,
                                const hanse_csv *csv, hanse_error *error)
{
    enum {
        MOST = 256
    };
    const char *names[MOST];
    size_t n;
    const hanse_csv_field *header = hanse_csv_header(csv, &n);
    n = n < MOST ? n : MOST;
    for (size_t i = 0; i < n; i++)
        names[i] = header[i].text;
    const char *nearest = hanse_suggest(choice->name, names, n);
    return hanse_fail(error, HANSE_ERR_COLUMN, "--column: no column '%s'%s%s%s",
                      choice->name, nearest != NULL ? ", did you mean '" : "",
                      nearest != NULL ? nearest : "",
                      nearest != NULL ? "'?" : "; the first line names them");
}

hanse_status hanse_import_columns_init(hanse_import_columns *columns,
                                       const hanse_import_options *options,
                                       const hanse_csv *csv, hanse_error *error)
{
    size_t n;
    const hanse_csv_field *header = hanse_csv_header(csv, &n);
    *columns = (hanse_import_columns){.options = options};
    HANSE_TRY(check_names(csv, error));
    columns->columns = calloc(n, sizeof *columns->columns);
    if (columns->columns == NULL)
        return hanse_fail_nomem(error, "columns of a CSV file",
                                n * sizeof *columns->columns);
    columns->n_columns = n;
    for (size_t i = 0; i < n; i++) {
        hanse_import_column *column = &columns->columns[i];
        column->name = header[i].text;
        column->may_be_number = column->may_be_bool = true;
    }
    for (size_t i = 0; i < options->n_choices; i++) {
        const hanse_import_choice *choice = &options->choices[i];
        const size_t at = hanse_csv_find(csv, choice->name);
        if (at == SIZE_MAX)
            return fail_choice(choice, csv, error);
        hanse_import_column *column = &columns->columns[at];
        column->chosen = true;
        column->type = choice->type;
        column->size_bytes = hanse_type_size(choice->type);
    }
    return HANSE_OK;
}

void hanse_import_columns_clear(hanse_import_columns *columns)
{
    free(columns->columns);
    *columns = (hanse_import_columns){0};
}

/* ---- First pass --------------------------------------------------------- */

static void keep_cause(hanse_import_column *column,
                       const hanse_csv_field *field)
{
    column->line = field->line;
    column->column = field->column;
    snprintf(column->cause, sizeof column->cause, "%s", field->text);
}

static void see_integer(hanse_import_column *column, bool negative,
                        uint64_t magnitude, int64_t least, uint64_t greatest)
{
    if (negative) {
        const uint64_t above = (uint64_t)0 - (uint64_t)least - magnitude;
        if (above < 64)
            column->low_seen |= UINT64_C(1) << above;
    } else if (greatest - magnitude < 64) {
        column->high_seen |= UINT64_C(1) << (greatest - magnitude);
    }
}

/* Whether the text is a number that the column could hold as one; notes which
 * kind. */
static bool see_number(hanse_import_column *column, hanse_import_text text,
                       char point, const hanse_csv_field *field)
{
    const hanse_text_number number =
        hanse_text_number_read(text.text, text.n, point);
    uint64_t magnitude;
    double value;
    if (number.kind == HANSE_KIND_WORDS || number.plus || number.zero_led)
        return false;
    /* Only very long or very large numbers may not fit into a double. */
    if ((number.cut || number.exponent > 280) &&
        !hanse_text_number_double(&number, text.text, text.n, point, &value))
        return false;
    if (number.kind == HANSE_KIND_DECIMAL) {
        column->has_decimal = true;
        return true;
    }
    const bool fits =
        hanse_text_number_magnitude(&number, text.text, text.n, &magnitude);
    const bool small =
        fits && magnitude <= (uint64_t)INT64_MAX + number.negative;
    if (!small && !column->beyond_int64)
        keep_cause(column, field);
    column->has_negative = column->has_negative || number.negative;
    column->beyond_int64 = column->beyond_int64 || !small;
    column->beyond_uint64 = column->beyond_uint64 || !fits;
    if (small || (fits && !number.negative))
        see_integer(column, number.negative, magnitude, INT64_MIN, UINT64_MAX);
    return true;
}

static void see_value(hanse_import_column *column, hanse_import_text text,
                      char point, const hanse_csv_field *field)
{
    bool truth;
    if (!column->may_be_number && !column->may_be_bool)
        return;
    if (column->may_be_number)
        column->may_be_number = see_number(column, text, point, field);
    if (column->may_be_bool)
        column->may_be_bool = hanse_import_bool(text, false, &truth);
    if (!column->may_be_number && !column->may_be_bool && column->n_values > 0)
        keep_cause(column, field);
}

/* A value of a type that was chosen must be one. */
static hanse_status see_chosen(const hanse_import_columns *columns,
                               hanse_import_column *column,
                               const hanse_csv *csv,
                               const hanse_csv_field *field,
                               hanse_import_text text, hanse_error *error)
{
    unsigned char cell[8];
    uint64_t magnitude = 0;
    if (column->type == HANSE_TEXT)
        return HANSE_OK;
    HANSE_TRY(hanse_import_convert(columns, column, csv, field, cell, error));
    if (column->type >= HANSE_FLOAT32)
        return HANSE_OK;
    const hanse_text_number number =
        hanse_text_number_read(text.text, text.n, '.');
    if (hanse_text_number_magnitude(&number, text.text, text.n, &magnitude))
        see_integer(
            column, number.negative, magnitude,
            column->type < HANSE_UINT8 ? hanse_import_least(column->type) : 0,
            hanse_import_greatest(column->type));
    return HANSE_OK;
}

static hanse_status see_field(const hanse_import_columns *columns,
                              hanse_import_column *column, const hanse_csv *csv,
                              const hanse_csv_field *field, hanse_error *error)
{
    const hanse_import_options *options = columns->options;
    if (hanse_import_is_token(options, field->text, field->n)) {
        column->n_tokens++;
        return HANSE_OK;
    }
    if (field->n > column->width)
        column->width = field->n;
    const hanse_import_text text = hanse_import_trim(field);
    if (text.n == 0 || hanse_import_is_token(options, text.text, text.n)) {
        column->n_blank++;
        return HANSE_OK;
    }
    if (column->chosen)
        HANSE_TRY(see_chosen(columns, column, csv, field, text, error));
    else
        see_value(column, text, options->decimal != 0 ? options->decimal : '.',
                  field);
    column->n_values++;
    return HANSE_OK;
}

/* ---- Decisions ---------------------------------------------------------- */

static hanse_type decide(const hanse_import_column *column)
{
    if (column->n_values == 0)
        return HANSE_FLOAT64;
    if (column->may_be_bool)
        return HANSE_BOOL;
    if (!column->may_be_number)
        return HANSE_TEXT;
    if (column->has_decimal)
        return HANSE_FLOAT64;
    if (!column->beyond_int64)
        return HANSE_INT64;
    return column->beyond_uint64 || column->has_negative ? HANSE_TEXT
                                                         : HANSE_UINT64;
}

uint64_t hanse_import_n_missing(const hanse_import_column *column)
{
    return column->n_tokens +
           (column->type == HANSE_TEXT ? 0 : column->n_blank);
}

/* The text that stands for missing ones: none at all if that is one of them. */
static void choose_fill_text(const hanse_import_options *options,
                             hanse_import_column *column)
{
    if (options->n_missing == 0)
        return;
    column->fill_text =
        hanse_import_is_token(options, "", 0) ? "" : options->missing[0];
    const size_t n = strlen(column->fill_text);
    if (column->n_tokens > 0 && n > column->width)
        column->width = n;
}

/* An integer that does not occur: at the end of the type's range where the
 * fewest values are. */
static hanse_status choose_fill(hanse_import_column *column, hanse_error *error)
{
    const bool is_signed = column->type < HANSE_UINT8;
    const uint64_t seen = is_signed ? column->low_seen : column->high_seen;
    if (hanse_import_n_missing(column) == 0 || column->type >= HANSE_FLOAT32) {
        column->fill = -1; /* of a boolean */
        return HANSE_OK;
    }
    if (seen == UINT64_MAX)
        return hanse_fail(error, HANSE_ERR_TYPE,
                          "column '%s': some values are missing, and %s has no "
                          "value left to mark them; choose a wider type with "
                          "--column",
                          column->name, hanse_type_name(column->type));
    const int free_at = __builtin_ctzll(~seen);
    column->fill = is_signed ? hanse_import_least(column->type) + free_at
                             : (int64_t)(hanse_import_greatest(column->type) -
                                         (uint64_t)free_at);
    return HANSE_OK;
}

static hanse_status finish_column(const hanse_import_columns *columns,
                                  hanse_import_column *column,
                                  hanse_error *error)
{
    if (!column->chosen)
        column->type = decide(column);
    column->size_bytes = hanse_type_size(column->type);
    if (column->type != HANSE_TEXT) {
        column->line = 0;
        return choose_fill(column, error);
    }
    choose_fill_text(columns->options, column);
    column->variable = column->width > HANSE_IMPORT_MAX_WIDTH;
    column->size_bytes = column->variable     ? sizeof(char *)
                         : column->width == 0 ? 1
                                              : column->width;
    return HANSE_OK;
}

hanse_status hanse_import_columns_find(hanse_import_columns *columns,
                                       hanse_csv *csv, hanse_error *error)
{
    const size_t n = columns->n_columns;
    for (;;) {
        const hanse_csv_field *fields;
        HANSE_TRY(hanse_csv_next(csv, &fields, error));
        if (fields == NULL)
            break;
        for (size_t i = 0; i < n; i++)
            HANSE_TRY(see_field(columns, &columns->columns[i], csv, &fields[i],
                                error));
        columns->n_rows++;
    }
    for (size_t i = 0; i < n; i++)
        HANSE_TRY(finish_column(columns, &columns->columns[i], error));
    return HANSE_OK;
}
