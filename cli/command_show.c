/* SPDX-License-Identifier: Apache-2.0
 *
 * `hanse show`: the tables of a result file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/print_table.h"
#include "engine/base/error.h"
#include "io/result_file.h"

enum {
    TERMINAL_ROWS = 20, /* of each table, when --top says nothing */
    MAX_NAMES = 256     /* that are looked at for a suggestion */
};

enum {
    OPTION_TABLE,
    OPTION_TOP,
    OPTION_SORT,
    OPTION_ASCENDING,
    OPTION_COLUMNS,
    OPTION_FORMAT,
    N_OPTIONS
};

static const hanse_option option_table[N_OPTIONS] = {
    [OPTION_TABLE] = {"table", 't', "NAME",
                      "show this table; may be given several times"},
    [OPTION_TOP] = {"top", 'n', "N",
                    "the first N rows of each table (on a terminal\n"
                    "20, elsewhere all)"},
    [OPTION_SORT] = {"sort", 0, "COLUMN",
                     "sort by a statistic, largest first, or by a key,\n"
                     "smallest first; -COLUMN turns that around"},
    [OPTION_ASCENDING] = {"ascending", 0, NULL, "sort smallest first"},
    [OPTION_COLUMNS] = {"columns", 'c', "A,B",
                        "show these columns after the keys"},
    [OPTION_FORMAT] = {"format", 'f', "FORMAT",
                       "table, csv or json (default: table)"},
};

static const hanse_usage usage = {
    .command = "show",
    .operands = "FILE [TABLE...]",
    .purpose = "Prints the tables of a result file, all of them or those "
               "named.",
    .epilogue = "examples:\n"
                "  hanse show totals.h5\n"
                "  hanse show totals.h5 by_cluster --top 10 --sort "
                "resource_total\n"
                "  hanse show totals.h5 by_chain --format csv > chains.csv\n"
                "  hanse show totals.h5 --format json | jq '.total[0]'",
    .options = option_table,
    .n_options = N_OPTIONS,
};

typedef enum show_format {
    FORMAT_TABLE,
    FORMAT_CSV,
    FORMAT_JSON
} show_format;

/* What the command line asks for. */
typedef struct request {
    const char **tables; /* names; none: all */
    size_t n_tables;
    char *column_list;    /* copy of the option, cut into names */
    const char **columns; /* none: all */
    size_t n_columns;
    const char *sort;
    bool reverse;   /* a minus before the name of the column */
    bool ascending; /* in any case */
    bool has_top;
    uint64_t top;
    show_format format;
} request;

/* ---- The command line --------------------------------------------------- */

static void request_clear(request *r)
{
    free(r->tables);
    free(r->column_list);
    free(r->columns);
}

static int parse_format(request *r, const char *value)
{
    static const char *const names[] = {"table", "csv", "json"};
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(value, names[i]) == 0) {
            r->format = (show_format)i;
            return HANSE_EXIT_DONE;
        }
    }
    const char *nearest = hanse_suggest(value, names, 3);
    if (nearest != NULL)
        return hanse_usage_error("unknown format '%s', did you mean '%s'?",
                                 value, nearest);
    return hanse_usage_error("unknown format '%s'; there are table, csv and "
                             "json",
                             value);
}

static int parse_columns(request *r, const char *value)
{
    const char **names = calloc(strlen(value) + 1, sizeof *names);
    char *list = strdup(value);
    free(r->columns);
    free(r->column_list);
    r->columns = names;
    r->column_list = list;
    r->n_columns = 0;
    if (names == NULL || list == NULL) {
        hanse_error error;
        hanse_fail_nomem(&error, "--columns", strlen(value));
        return hanse_report_error(&error);
    }
    for (char *rest = list, *word; (word = strsep(&rest, ",")) != NULL;)
        if (*word != '\0')
            names[r->n_columns++] = word;
    if (r->n_columns == 0)
        return hanse_usage_error("--columns names no column");
    return HANSE_EXIT_DONE;
}

static int parse_option(request *r, int option, const char *value)
{
    switch (option) {
    case OPTION_TABLE:
        r->tables[r->n_tables++] = value;
        return HANSE_EXIT_DONE;
    case OPTION_TOP:
        r->has_top = true;
        if (!hanse_parse_count(value, &r->top))
            return hanse_usage_error("--top needs a number of rows, found "
                                     "'%s'",
                                     value);
        return HANSE_EXIT_DONE;
    case OPTION_SORT:
        r->reverse = *value == '-';
        r->sort = value + r->reverse;
        return HANSE_EXIT_DONE;
    case OPTION_ASCENDING:
        r->ascending = true;
        return HANSE_EXIT_DONE;
    case OPTION_COLUMNS:
        return parse_columns(r, value);
    default:
        return parse_format(r, value);
    }
}

/* Fills in the request. False when the command is over, with *exit_status. */
static bool parse_request(request *r, int argc, char **argv, const char **file,
                          int *exit_status)
{
    hanse_options options;
    int option;
    hanse_options_start(&options, &usage, argc, argv);
    while ((option = hanse_options_next(&options)) >= 0) {
        *exit_status = parse_option(r, option, options.value);
        if (*exit_status != HANSE_EXIT_DONE)
            return false;
    }
    *exit_status = options.exit_status;
    if (option == HANSE_OPTIONS_STOP)
        return false;
    if (options.n_operands == 0) {
        *exit_status = hanse_usage_error("show needs a result file; see "
                                         "'hanse show --help'");
        return false;
    }
    if (r->ascending && r->sort == NULL) {
        *exit_status = hanse_usage_error("--ascending needs --sort COLUMN");
        return false;
    }
    *file = options.operands[0];
    for (size_t i = 1; i < options.n_operands; i++)
        r->tables[r->n_tables++] = options.operands[i];
    return true;
}

/* ---- Tables and columns by name ----------------------------------------- */

/* Tables may be written as paths, "/by_cluster". */
static const hanse_table *find_table(const hanse_result_file *file,
                                     const char *name)
{
    name += *name == '/';
    for (size_t i = 0; i < hanse_result_file_n_tables(file); i++) {
        const hanse_table *table = hanse_result_file_table(file, i);
        if (strcmp(table->name, name) == 0)
            return table;
    }
    return NULL;
}

/* "no table 'x', did you mean 'y'?", or "...; there are a, b" */
static int report_unknown(const char *kind, const char *name,
                          const char *const *names, size_t n)
{
    char list[512] = "";
    size_t used = 0;
    const char *nearest = hanse_suggest(name, names, n);
    if (nearest != NULL)
        return hanse_usage_error("no %s '%s', did you mean '%s'?", kind, name,
                                 nearest);
    for (size_t i = 0; i < n && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s",
                                 i > 0 ? ", " : "", names[i]);
    return hanse_usage_error("no %s '%s'; there are %s", kind, name, list);
}

static int report_no_table(const hanse_result_file *file, const char *name)
{
    const char *names[MAX_NAMES];
    size_t n = 0;
    for (; n < hanse_result_file_n_tables(file) && n < MAX_NAMES; n++)
        names[n] = hanse_result_file_table(file, n)->name;
    return report_unknown("table", name, names, n);
}

/* Appends a name unless it is there already. */
static void add_name(const char **names, size_t *n, const char *name)
{
    for (size_t i = 0; i < *n; i++)
        if (strcmp(names[i], name) == 0)
            return;
    if (*n < MAX_NAMES)
        names[(*n)++] = name;
}

static int report_no_column(const hanse_view *views, size_t n_views,
                            const char *name)
{
    const char *names[MAX_NAMES];
    size_t n = 0;
    for (size_t v = 0; v < n_views; v++) {
        const hanse_table *table = views[v].table;
        for (size_t k = 0; k < table->n_keys; k++)
            add_name(names, &n, table->keys[k].name);
        for (size_t i = 0; i < table->n_columns; i++)
            add_name(names, &n, table->columns[i].name);
    }
    return report_unknown("column", name, names, n);
}

/* A column must be in one of the tables at least. */
static int check_column(const hanse_view *views, size_t n_views,
                        const char *name)
{
    for (size_t v = 0; v < n_views; v++)
        if (hanse_table_column(views[v].table, name) != NULL)
            return HANSE_EXIT_DONE;
    return report_no_column(views, n_views, name);
}

static int check_columns(const request *r, const hanse_view *views,
                         size_t n_views)
{
    for (size_t i = 0; i < r->n_columns; i++) {
        const int status = check_column(views, n_views, r->columns[i]);
        if (status != HANSE_EXIT_DONE)
            return status;
    }
    return r->sort != NULL ? check_column(views, n_views, r->sort)
                           : HANSE_EXIT_DONE;
}

/* ---- Views -------------------------------------------------------------- */

static hanse_status sort_view(const request *r, hanse_view *view,
                              hanse_error *error)
{
    const hanse_column *column =
        r->sort != NULL ? hanse_table_column(view->table, r->sort) : NULL;
    if (column == NULL)
        return HANSE_OK;
    const bool usual = !hanse_table_is_key(view->table, column);
    const bool descending = !r->ascending && usual != r->reverse;
    return hanse_view_sort(view, column, descending, error);
}

static int print_views(const request *r, const hanse_view *views,
                       size_t n_views)
{
    hanse_error error = {0};
    hanse_status status = HANSE_OK;
    if (r->format == FORMAT_JSON)
        status = hanse_print_json(stdout, views, n_views, &error);
    if (r->format == FORMAT_CSV)
        status = hanse_print_csv(stdout, &views[0], isatty(STDOUT_FILENO) != 0,
                                 &error);
    for (size_t v = 0;
         v < n_views && r->format == FORMAT_TABLE && status == HANSE_OK; v++) {
        if (v > 0)
            putchar('\n');
        status = hanse_print_text(stdout, &views[v], &error);
    }
    return status == HANSE_OK ? HANSE_EXIT_DONE : hanse_report_error(&error);
}

/* Sorts and cuts the views, then prints them. */
static int show_views(const request *r, hanse_view *views, size_t n_views)
{
    hanse_error error = {0};
    const int checked = check_columns(r, views, n_views);
    if (checked != HANSE_EXIT_DONE)
        return checked;
    if (r->format == FORMAT_CSV && n_views != 1)
        return hanse_usage_error("CSV holds one table and %zu are to be "
                                 "shown; choose one with --table",
                                 n_views);
    const bool cut = r->format == FORMAT_TABLE && isatty(STDOUT_FILENO) != 0;
    for (size_t v = 0; v < n_views; v++) {
        if (sort_view(r, &views[v], &error) != HANSE_OK)
            return hanse_report_error(&error);
        if (r->has_top && views[v].n_rows > r->top)
            views[v].n_rows = (size_t)r->top;
        else if (!r->has_top && cut && views[v].n_rows > TERMINAL_ROWS)
            views[v].n_rows = TERMINAL_ROWS;
    }
    return print_views(r, views, n_views);
}

static int show_file(const request *r, const hanse_result_file *file)
{
    const size_t n_all = hanse_result_file_n_tables(file);
    const size_t n_views = r->n_tables > 0 ? r->n_tables : n_all;
    hanse_error error = {0};
    int exit_status = HANSE_EXIT_DONE;
    hanse_view *views = calloc(n_views + 1, sizeof *views);
    if (views == NULL) {
        hanse_fail_nomem(&error, "tables to show", n_views);
        return hanse_report_error(&error);
    }
    for (size_t v = 0; v < n_views && exit_status == HANSE_EXIT_DONE; v++) {
        const hanse_table *table = r->n_tables > 0
                                       ? find_table(file, r->tables[v])
                                       : hanse_result_file_table(file, v);
        if (table == NULL)
            exit_status = report_no_table(file, r->tables[v]);
        else if (hanse_view_init(&views[v], table, r->columns, r->n_columns,
                                 &error) != HANSE_OK)
            exit_status = hanse_report_error(&error);
    }
    if (exit_status == HANSE_EXIT_DONE)
        exit_status = show_views(r, views, n_views);
    for (size_t v = 0; v < n_views; v++)
        hanse_view_clear(&views[v]);
    free(views);
    return exit_status;
}

int hanse_command_show(int argc, char **argv)
{
    request r = {0};
    hanse_error error = {0};
    hanse_result_file *file = NULL;
    const char *path = NULL;
    int exit_status = HANSE_EXIT_DONE;
    r.tables = calloc((size_t)argc + 1, sizeof *r.tables);
    if (r.tables == NULL) {
        hanse_fail_nomem(&error, "arguments", (size_t)argc);
        return hanse_report_error(&error);
    }
    if (parse_request(&r, argc, argv, &path, &exit_status)) {
        if (hanse_result_file_open(path, &file, &error) == HANSE_OK)
            exit_status = show_file(&r, file);
        else
            exit_status = hanse_report_error(&error);
        hanse_result_file_close(file);
    }
    request_clear(&r);
    return exit_status;
}
