/* SPDX-License-Identifier: Apache-2.0
 *
 * Aligned text: every cell is made twice, once for the widths and once to be
 * printed, so that tables of any size need the memory of one cell.
 */
#include "cli/print_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cell_text.h"
#include "cli/numbers.h"
#include "engine/base/error.h"

enum {
    MAX_DECIMALS = 6,
    MIN_DECIMALS = 2,
    GAP = 2
};

/* How a column is printed. */
typedef struct column_format {
    const hanse_column *column;
    bool is_key;
    bool is_number; /* right-aligned */
    bool is_float;
    bool scientific; /* too large or too small for plain decimals */
    int n_decimals;
    size_t width;
} column_format;

/* ---- Floats ------------------------------------------------------------- */

/* Decimals that the value needs when it is rounded to `most`. */
static int needed_decimals(double value, int most)
{
    char digits[400];
    int n = snprintf(digits, sizeof digits, "%.*f", most, value);
    int needed = most;
    while (needed > 0 && digits[--n] == '0')
        needed--;
    return needed;
}

/* Six significant digits for the largest value, two decimals at least (money),
 * and no more than any value needs. */
static void choose_decimals(const hanse_view *view, column_format *format)
{
    double largest = 0.0;
    for (size_t i = 0; i < view->n_rows; i++) {
        const double value =
            fabs(hanse_column_float(format->column, hanse_view_row(view, i)));
        if (isfinite(value) && value > largest)
            largest = value;
    }
    format->scientific = largest >= 1e15 || (largest > 0 && largest < 1e-4);
    if (format->scientific)
        return;
    int most = MAX_DECIMALS;
    for (double bound = 10.0; bound <= largest && most > MIN_DECIMALS;
         bound *= 10.0)
        most--;
    for (size_t i = 0; i < view->n_rows && format->n_decimals < most; i++) {
        const double value =
            hanse_column_float(format->column, hanse_view_row(view, i));
        if (!isfinite(value))
            continue;
        const int needed = needed_decimals(value, most);
        if (needed > format->n_decimals)
            format->n_decimals = needed;
    }
}

static void append_float(hanse_cell *cell, const column_format *format,
                         double value)
{
    char digits[64];
    if (!isfinite(value)) {
        hanse_cell_append_float(cell, value, false);
        return;
    }
    /* What would be all zeros is shown for what it is. */
    const bool vanishes =
        value != 0.0 && fabs(value) < 0.5 * pow(10.0, -format->n_decimals);
    if (format->scientific || vanishes)
        snprintf(digits, sizeof digits, vanishes ? "%.3g" : "%.6g", value);
    else
        snprintf(digits, sizeof digits, "%.*f", format->n_decimals, value);
    hanse_cell_append(cell, digits);
    if (strchr(digits, 'e') == NULL)
        hanse_cell_separate_thousands(cell, ',');
}

/* ---- Cells -------------------------------------------------------------- */

/* An empty label would look like a hole in the table. */
static void append_label(hanse_cell *cell, const char *label)
{
    hanse_cell_append_safe(cell, *label != '\0' ? label : "(empty)");
}

static void make_cell(hanse_cell *cell, const column_format *format, size_t row)
{
    const hanse_column *column = format->column;
    hanse_cell_reset(cell);
    if (column->missing != NULL && column->missing[row])
        hanse_cell_append(cell, "(missing)");
    else if (column->type == HANSE_TEXT)
        append_label(cell, ((const char *const *)column->values)[row]);
    else if (format->is_float)
        append_float(cell, format, hanse_column_float(column, row));
    else if (!hanse_cell_append_meaning(cell, column, row))
        hanse_cell_append_integer(cell, column, row, format->is_key ? 0 : ',');
}

static void make_units(hanse_cell *cell, const column_format *format)
{
    hanse_cell_reset(cell);
    hanse_cell_append(cell, "");
    if (format->column->units == NULL ||
        strcmp(format->column->units, "1") == 0)
        return;
    hanse_cell_append(cell, "[");
    hanse_cell_append_safe(cell, format->column->units);
    hanse_cell_append(cell, "]");
}

static void widen(column_format *format, const hanse_cell *cell)
{
    const size_t width = cell->text == NULL ? 0 : hanse_text_width(cell->text);
    if (width > format->width)
        format->width = width;
}

static void choose_format(const hanse_view *view, const hanse_column *column,
                          column_format *format, hanse_cell *cell)
{
    format->column = column;
    format->is_key = hanse_table_is_key(view->table, column);
    format->is_number = column->type != HANSE_TEXT && column->n_flags == 0;
    format->is_float =
        column->type == HANSE_FLOAT32 || column->type == HANSE_FLOAT64;
    if (format->is_float)
        choose_decimals(view, format);
    hanse_cell_reset(cell);
    hanse_cell_append_safe(cell, column->name);
    widen(format, cell);
    make_units(cell, format);
    widen(format, cell);
    for (size_t i = 0; i < view->n_rows; i++) {
        make_cell(cell, format, hanse_view_row(view, i));
        widen(format, cell);
    }
}

/* ---- Lines -------------------------------------------------------------- */

/* Nothing follows the last column, not even blanks. */
static void put_padded(FILE *stream, const hanse_cell *cell,
                       const column_format *format, bool is_last)
{
    const char *text = cell->text == NULL ? "" : cell->text;
    const size_t width = hanse_text_width(text);
    const int pad = (int)(format->width > width ? format->width - width : 0);
    if (format->is_number)
        fprintf(stream, "%*s%s%s", pad, "", text, is_last ? "" : "  ");
    else if (is_last)
        fputs(text, stream);
    else
        fprintf(stream, "%s%*s", text, pad + GAP, "");
}

static void put_heading(FILE *stream, const hanse_view *view, hanse_cell *cell)
{
    const hanse_table *table = view->table;
    hanse_cell_reset(cell);
    hanse_cell_append_safe(cell, table->name);
    fputs(cell->text == NULL ? "" : cell->text, stream);
    if (table->n_keys > 0)
        fprintf(stream, ": %s group%s", hanse_format_count(table->n_rows).text,
                table->n_rows == 1 ? "" : "s");
    if (table->n_dropped > 0)
        fprintf(stream, ", %s row%s without a key left out",
                hanse_format_count(table->n_dropped).text,
                table->n_dropped == 1 ? "" : "s");
    fputc('\n', stream);
}

static void put_header_lines(FILE *stream, const column_format *formats,
                             size_t n, hanse_cell *cell)
{
    size_t n_with_units = 0; /* columns up to the last that has units */
    for (size_t i = 0; i < n; i++) {
        hanse_cell_reset(cell);
        hanse_cell_append_safe(cell, formats[i].column->name);
        put_padded(stream, cell, &formats[i], i + 1 == n);
        make_units(cell, &formats[i]);
        if (cell->length > 0)
            n_with_units = i + 1;
    }
    fputc('\n', stream);
    if (n_with_units == 0)
        return;
    for (size_t i = 0; i < n_with_units; i++) {
        make_units(cell, &formats[i]);
        put_padded(stream, cell, &formats[i], i + 1 == n_with_units);
    }
    fputc('\n', stream);
}

hanse_status hanse_print_text(FILE *stream, const hanse_view *view,
                              hanse_error *error)
{
    const size_t n = view->n_columns;
    hanse_cell cell = {0};
    column_format *formats = calloc(n + 1, sizeof *formats);
    if (formats == NULL)
        return hanse_fail_nomem(error, "columns to print", n);
    for (size_t i = 0; i < n; i++)
        choose_format(view, view->columns[i], &formats[i], &cell);
    put_heading(stream, view, &cell);
    put_header_lines(stream, formats, n, &cell);
    for (size_t r = 0; r < view->n_rows; r++) {
        for (size_t i = 0; i < n; i++) {
            make_cell(&cell, &formats[i], hanse_view_row(view, r));
            put_padded(stream, &cell, &formats[i], i + 1 == n);
        }
        fputc('\n', stream);
    }
    if (view->n_rows < view->table->n_rows)
        fprintf(stream, "... %s more\n",
                hanse_format_count(view->table->n_rows - view->n_rows).text);
    const bool failed = cell.failed;
    hanse_cell_clear(&cell);
    free(formats);
    return failed ? hanse_fail_nomem(error, "a cell", 64) : HANSE_OK;
}
