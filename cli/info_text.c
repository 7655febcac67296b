/* SPDX-License-Identifier: Apache-2.0
 *
 * `hanse info` for people: facts, then an aligned table of the columns. What
 * no column has is not given a place.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cell_text.h"
#include "cli/info.h"
#include "cli/numbers.h"
#include "io/hdf5_table.h"

enum {
    CELL_NAME,
    CELL_TYPE,
    CELL_ROWS,
    CELL_UNITS,
    CELL_LAYOUT,
    CELL_CHUNK,
    CELL_FILTERS,
    CELL_STORED,
    CELL_RATIO,
    CELL_MISSING,
    CELL_LONG_NAME,
    N_CELLS
};

static const struct {
    const char *title;
    bool is_number; /* stands at the right */
} cells[N_CELLS] = {
    [CELL_NAME] = {"column", false},
    [CELL_TYPE] = {"type", false},
    [CELL_ROWS] = {"rows", true},
    [CELL_UNITS] = {"units", false},
    [CELL_LAYOUT] = {"layout", false},
    [CELL_CHUNK] = {"chunk", true},
    [CELL_FILTERS] = {"filters", false},
    [CELL_STORED] = {"stored", true},
    [CELL_RATIO] = {"ratio", true},
    [CELL_MISSING] = {"missing", false},
    [CELL_LONG_NAME] = {"description", false},
};

/* Labels of an enum that are listed; more are counted. */
static const size_t n_listed_labels = 12;

/* One line of the table. */
typedef struct line {
    char *cells[N_CELLS]; /* from malloc, without control characters */
} line;

/* ---- Texts from files --------------------------------------------------- */

/* A copy that is safe to print, from malloc; NULL when memory is exhausted. */
static char *clean(const char *text)
{
    hanse_cell cell = {0};
    if (text == NULL || *text == '\0')
        return strdup("");
    hanse_cell_append_safe(&cell, text);
    if (cell.failed) {
        hanse_cell_clear(&cell);
        return NULL;
    }
    return cell.text;
}

static void print_clean(const char *text)
{
    char *copy = clean(text);
    fputs(copy != NULL ? copy : "?", stdout);
    free(copy);
}

/* ---- Columns over files ------------------------------------------------- */

static void join(const char **text, const char *other, const char *varied)
{
    if (strcmp(*text, other) != 0)
        *text = varied;
}

hanse_info_column hanse_info_column_of(const hanse_source *source, size_t field)
{
    const hanse_field *of = &hanse_source_schema(source)->fields[field];
    hanse_info_column column = {.field = of};
    for (size_t f = 0; f < hanse_hdf5_source_n_files(source); f++) {
        const hanse_column_storage *storage =
            hanse_hdf5_source_storage(source, f, field);
        column.stored_bytes += storage->stored_bytes;
        column.raw_bytes += storage->raw_bytes;
        if (f == 0 || column.library[0] == '\0')
            column.library = storage->library;
        if (f == 0) {
            column.type = storage->type_text;
            column.layout = storage->layout;
            column.filters = storage->filters;
            column.missing = storage->missing;
            column.chunk_rows = storage->chunk_rows;
            continue;
        }
        join(&column.type, storage->type_text, hanse_type_name(of->type));
        join(&column.layout, storage->layout, "varies");
        join(&column.filters, storage->filters, "varies");
        join(&column.missing, storage->missing, "varies");
        if (column.chunk_rows != storage->chunk_rows)
            column.chunk_rows = UINT64_MAX;
    }
    return column;
}

static char *ratio_text(uint64_t raw_bytes, uint64_t stored_bytes)
{
    char text[32] = "";
    if (stored_bytes != 0)
        snprintf(text, sizeof text, "%.2f",
                 (double)raw_bytes / (double)stored_bytes);
    return strdup(text);
}

static char *chunk_text(uint64_t chunk_rows)
{
    if (chunk_rows == 0)
        return strdup("");
    return strdup(chunk_rows == UINT64_MAX
                      ? "varies"
                      : hanse_format_count(chunk_rows).text);
}

static bool fill_line(const hanse_source *source, size_t field, line *out)
{
    const hanse_info_column column = hanse_info_column_of(source, field);
    const bool is_compound = hanse_hdf5_source_table(source, 0)->is_compound;
    char **c = out->cells;
    c[CELL_NAME] = clean(column.field->name);
    c[CELL_TYPE] = strdup(column.type);
    c[CELL_ROWS] = strdup(hanse_format_count(source->ops->n_rows(source)).text);
    c[CELL_UNITS] = clean(column.field->units);
    c[CELL_LAYOUT] = strdup(column.layout);
    c[CELL_CHUNK] = chunk_text(column.chunk_rows);
    c[CELL_FILTERS] = strdup(column.filters);
    c[CELL_STORED] =
        is_compound
            ? strdup("")
            : strdup(hanse_format_bytes((double)column.stored_bytes).text);
    c[CELL_RATIO] = ratio_text(column.raw_bytes, column.stored_bytes);
    c[CELL_MISSING] = clean(column.missing);
    c[CELL_LONG_NAME] = clean(column.field->long_name);
    for (int i = 0; i < N_CELLS; i++)
        if (c[i] == NULL)
            return false;
    return true;
}

/* ---- The table ---------------------------------------------------------- */

static void print_cell(int cell, const char *text, size_t width, bool is_last)
{
    const size_t gap = width - hanse_text_width(text);
    const int left = cells[cell].is_number ? (int)gap : 0;
    const int right = is_last ? 0 : (int)(gap - (size_t)left + 2);
    printf("%*s%s%*s", left, "", text, right, "");
}

static void print_lines(const line *lines, size_t n)
{
    size_t widths[N_CELLS] = {0};
    int last = 0;
    for (int c = 0; c < N_CELLS; c++) {
        for (size_t i = 0; i < n; i++)
            if (hanse_text_width(lines[i].cells[c]) > widths[c])
                widths[c] = hanse_text_width(lines[i].cells[c]);
        if (widths[c] == 0)
            continue;
        last = c;
        if (widths[c] < strlen(cells[c].title))
            widths[c] = strlen(cells[c].title);
    }
    for (size_t i = 0; i <= n; i++) {
        for (int c = 0; c < N_CELLS; c++)
            if (widths[c] > 0)
                print_cell(c, i == 0 ? cells[c].title : lines[i - 1].cells[c],
                           widths[c], c == last);
        putchar('\n');
    }
}

static bool print_columns(const hanse_source *source)
{
    const size_t n = hanse_source_schema(source)->n_fields;
    line *lines = calloc(n, sizeof *lines);
    bool filled = lines != NULL;
    for (size_t i = 0; i < n && filled; i++)
        filled = fill_line(source, i, &lines[i]);
    if (filled)
        print_lines(lines, n);
    for (size_t i = 0; i < n && lines != NULL; i++)
        for (int c = 0; c < N_CELLS; c++)
            free(lines[i].cells[c]);
    free(lines);
    return filled;
}

/* ---- Facts -------------------------------------------------------------- */

static void print_files(const hanse_source *source)
{
    const size_t n_files = hanse_hdf5_source_n_files(source);
    for (size_t f = 0; f < n_files; f++) {
        const hanse_hdf5_table *table = hanse_hdf5_source_table(source, f);
        printf("%-12s", f == 0 ? "file" : "");
        print_clean(table->file);
        printf(", %s",
               hanse_format_bytes((double)table->stamp.size_bytes).text);
        if (n_files > 1)
            printf(", %s rows", hanse_format_count(table->n_rows).text);
        putchar('\n');
    }
}

/* "5,000 rows, 1 column" */
static void print_extent(uint64_t n_rows, size_t n_columns)
{
    printf("%s row%s, %zu column%s\n", hanse_format_count(n_rows).text,
           n_rows == 1 ? "" : "s", n_columns, n_columns == 1 ? "" : "s");
}

static void print_facts(const hanse_source *source)
{
    uint64_t stored_bytes = 0;
    uint64_t raw_bytes = 0;
    for (size_t f = 0; f < hanse_hdf5_source_n_files(source); f++) {
        stored_bytes += hanse_hdf5_source_table(source, f)->stored_bytes;
        raw_bytes += hanse_hdf5_source_table(source, f)->raw_bytes;
    }
    print_files(source);
    printf("table       ");
    print_clean(hanse_hdf5_source_path(source));
    printf(" (%s), ", hanse_hdf5_source_shape(source));
    print_extent(source->ops->n_rows(source),
                 hanse_source_schema(source)->n_fields);
    printf("stored      %s, %s decoded",
           hanse_format_bytes((double)stored_bytes).text,
           hanse_format_bytes((double)raw_bytes).text);
    if (stored_bytes != 0)
        printf(", ratio %.2f", (double)raw_bytes / (double)stored_bytes);
    putchar('\n');
}

static void print_links(const hanse_info *info)
{
    if (info->links_fault != NULL) {
        printf("links       cannot be used: ");
        print_clean(info->links_fault);
        putchar('\n');
    }
    if (info->links == NULL)
        return;
    const hanse_schema *schema = hanse_source_schema(info->links);
    printf("links       %s, %s rows:", hanse_hdf5_source_path(info->links),
           hanse_format_count(info->links->ops->n_rows(info->links)).text);
    for (size_t i = 0; i < schema->n_fields; i++) {
        printf("%s ", i > 0 ? "," : "");
        print_clean(schema->fields[i].name);
        printf(" %s", hanse_type_name(schema->fields[i].type));
    }
    putchar('\n');
}

static void print_labels(const hanse_schema *schema)
{
    for (size_t i = 0; i < schema->n_fields; i++) {
        const hanse_field *field = &schema->fields[i];
        if (field->n_labels == 0)
            continue;
        printf("\nlabels of ");
        print_clean(field->name);
        printf(":");
        for (size_t k = 0; k < field->n_labels && k < n_listed_labels; k++) {
            printf("%s %lld ", k > 0 ? "," : "",
                   (long long)field->labels[k].code);
            print_clean(field->labels[k].text);
        }
        if (field->n_labels > n_listed_labels)
            printf(" and %zu more", field->n_labels - n_listed_labels);
        putchar('\n');
    }
}

/* Columns that do not go our fast way. */
static void print_library(const hanse_source *source)
{
    const size_t n = hanse_source_schema(source)->n_fields;
    bool is_first = true;
    for (size_t i = 0; i < n; i++) {
        const hanse_info_column column = hanse_info_column_of(source, i);
        if (column.library[0] == '\0')
            continue;
        printf("%s  ", is_first ? "\ndecoded by the HDF5 library, on one "
                                  "thread:\n"
                                : "");
        is_first = false;
        print_clean(column.field->name);
        printf(": ");
        print_clean(column.library);
        putchar('\n');
    }
}

static void print_refusals(const hanse_source *source)
{
    const size_t n_files = hanse_hdf5_source_n_files(source);
    bool is_first = true;
    for (size_t f = 0; f < n_files; f++) {
        const hanse_hdf5_table *table = hanse_hdf5_source_table(source, f);
        for (size_t i = 0; i < table->n_refusals; i++) {
            printf("%s  ", is_first ? "\nnot usable:\n" : "");
            is_first = false;
            if (n_files > 1) {
                print_clean(table->file);
                printf(": ");
            }
            print_clean(table->refusals[i].name);
            printf(": ");
            print_clean(table->refusals[i].reason);
            putchar('\n');
        }
    }
}

bool hanse_info_print_text(const hanse_info *info)
{
    print_facts(info->source);
    print_links(info);
    putchar('\n');
    if (!print_columns(info->source))
        return false;
    print_labels(hanse_source_schema(info->source));
    print_library(info->source);
    print_refusals(info->source);
    return true;
}

void hanse_info_print_tables_text(const char *file,
                                  const hanse_found_tables *tables)
{
    printf("file        ");
    print_clean(file);
    printf("\n%zu tables, and no /enterprises; --table PATH describes one, "
           "'hanse show' prints results\n\n",
           tables->n);
    for (size_t i = 0; i < tables->n; i++) {
        const hanse_found_table *table = &tables->items[i];
        printf("  ");
        print_clean(table->path);
        printf(" (%s), ", table->is_compound ? "compound" : "columns");
        print_extent(table->n_rows, table->n_columns);
    }
}
