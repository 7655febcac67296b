/* SPDX-License-Identifier: Apache-2.0
 *
 * CSV and JSON: row by row, numbers exact.
 */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cell_text.h"
#include "cli/print_table.h"
#include "engine/base/error.h"
#include "io/json_text.h"

static bool is_float(const hanse_column *column)
{
    return column->type == HANSE_FLOAT32 || column->type == HANSE_FLOAT64;
}

/* Whether the cell holds no value: a missing key, or NaN. */
static bool is_absent(const hanse_column *column, size_t row)
{
    if (column->missing != NULL && column->missing[row])
        return true;
    return is_float(column) && isnan(hanse_column_float(column, row));
}

/* ---- CSV ---------------------------------------------------------------- */

static void put_field(FILE *stream, hanse_cell *cell, const char *text,
                      bool safe)
{
    if (safe) {
        hanse_cell_reset(cell);
        hanse_cell_append_safe(cell, text);
        text = cell->text == NULL ? "" : cell->text;
    }
    const size_t length = strlen(text);
    const bool quoted = length == 0 || strpbrk(text, ",\"\r\n") != NULL ||
                        text[0] == ' ' || text[length - 1] == ' ';
    if (!quoted) {
        fputs(text, stream);
        return;
    }
    fputc('"', stream);
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '"')
            fputc('"', stream);
        fputc(*p, stream);
    }
    fputc('"', stream);
}

static void put_csv_value(FILE *stream, hanse_cell *cell,
                          const hanse_column *column, size_t row, bool safe)
{
    if (is_absent(column, row))
        return;
    if (column->type == HANSE_TEXT) {
        put_field(stream, cell, ((const char *const *)column->values)[row],
                  safe);
        return;
    }
    hanse_cell_reset(cell);
    if (is_float(column))
        hanse_cell_append_float(cell, hanse_column_float(column, row),
                                column->type == HANSE_FLOAT32);
    else if (!hanse_cell_append_meaning(cell, column, row))
        hanse_cell_append_integer(cell, column, row, 0);
    if (!cell->failed)
        fputs(cell->text, stream);
}

hanse_status hanse_print_csv(FILE *stream, const hanse_view *view, bool safe,
                             hanse_error *error)
{
    hanse_cell cell = {0};
    for (size_t i = 0; i < view->n_columns; i++) {
        if (i > 0)
            fputc(',', stream);
        put_field(stream, &cell, view->columns[i]->name, safe);
    }
    fputs("\r\n", stream);
    for (size_t r = 0; r < view->n_rows; r++) {
        for (size_t i = 0; i < view->n_columns; i++) {
            if (i > 0)
                fputc(',', stream);
            put_csv_value(stream, &cell, view->columns[i],
                          hanse_view_row(view, r), safe);
        }
        fputs("\r\n", stream);
    }
    const bool failed = cell.failed;
    hanse_cell_clear(&cell);
    return failed ? hanse_fail_nomem(error, "a cell", 64) : HANSE_OK;
}

/* ---- JSON --------------------------------------------------------------- */

/* A JSON string. jansson leaves DEL and the C1 controls alone, which some
 * terminals obey; every one of them is the byte 7F, or C2 and one more. */
static bool put_json_text(FILE *stream, const char *text)
{
    json_t *value = hanse_json_text(text);
    char *encoded = value == NULL ? NULL : json_dumps(value, JSON_ENCODE_ANY);
    json_decref(value);
    if (encoded == NULL)
        return false;
    for (const unsigned char *p = (const unsigned char *)encoded; *p != '\0';
         p++) {
        if (*p == 0x7F)
            fputs("\\u007f", stream);
        else if (*p == 0xC2 && p[1] >= 0x80 && p[1] <= 0x9F)
            fprintf(stream, "\\u00%02x", *++p);
        else
            fputc(*p, stream);
    }
    free(encoded);
    return true;
}

static bool put_json_float(FILE *stream, hanse_cell *cell,
                           const hanse_column *column, size_t row)
{
    const double value = hanse_column_float(column, row);
    hanse_cell_reset(cell);
    hanse_cell_append_float(cell, value, column->type == HANSE_FLOAT32);
    if (cell->failed)
        return false;
    /* A float stays a float for readers that tell 1 from 1.0. */
    const bool whole = strpbrk(cell->text, ".en") == NULL;
    fprintf(stream, isinf(value) ? "\"%s\"" : "%s", cell->text);
    if (whole)
        fputs(".0", stream);
    return true;
}

static bool put_json_value(FILE *stream, hanse_cell *cell,
                           const hanse_column *column, size_t row)
{
    if (is_absent(column, row))
        return fputs("null", stream) >= 0;
    if (column->type == HANSE_TEXT)
        return put_json_text(stream,
                             ((const char *const *)column->values)[row]);
    if (is_float(column))
        return put_json_float(stream, cell, column, row);
    const bool beyond =
        column->type == HANSE_UINT64 && hanse_column_integer(column, row) < 0;
    hanse_cell_reset(cell);
    if (hanse_cell_append_meaning(cell, column, row))
        return !cell->failed && put_json_text(stream, cell->text);
    hanse_cell_append_integer(cell, column, row, 0);
    if (!cell->failed)
        fprintf(stream, beyond ? "\"%s\"" : "%s", cell->text);
    return !cell->failed;
}

static bool put_json_row(FILE *stream, hanse_cell *cell, const hanse_view *view,
                         size_t row)
{
    bool good = true;
    fputc('{', stream);
    for (size_t i = 0; i < view->n_columns && good; i++) {
        if (i > 0)
            fputs(", ", stream);
        good = put_json_text(stream, view->columns[i]->name);
        fputs(": ", stream);
        good = good && put_json_value(stream, cell, view->columns[i], row);
    }
    fputc('}', stream);
    return good;
}

hanse_status hanse_print_json(FILE *stream, const hanse_view *views,
                              size_t n_views, hanse_error *error)
{
    hanse_cell cell = {0};
    bool good = true;
    fputs("{", stream);
    for (size_t v = 0; v < n_views && good; v++) {
        fputs(v > 0 ? ",\n  " : "\n  ", stream);
        good = put_json_text(stream, views[v].table->name);
        fputs(": [", stream);
        for (size_t r = 0; r < views[v].n_rows && good; r++) {
            fputs(r > 0 ? ",\n    " : "\n    ", stream);
            good = put_json_row(stream, &cell, &views[v],
                                hanse_view_row(&views[v], r));
        }
        fputs(views[v].n_rows > 0 ? "\n  ]" : "]", stream);
    }
    fputs(n_views > 0 ? "\n}\n" : "}\n", stream);
    hanse_cell_clear(&cell);
    return good ? HANSE_OK : hanse_fail_nomem(error, "a JSON value", 64);
}
