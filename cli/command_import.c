/* SPDX-License-Identifier: Apache-2.0
 *
 * hanse import: a CSV file to a table in HDF5.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/numbers.h"
#include "cli/options.h"
#include "cli/storage_options.h"
#include "datasets/import.h"
#include "io/atomic_file.h"
#include "io/utf8.h"

/* In the order of the table below. */
enum {
    OPTION_COLUMN,
    OPTION_MISSING,
    OPTION_TABLE,
    OPTION_DELIMITER,
    OPTION_DECIMAL,
    OPTION_NO_HEADER,
    OPTION_LATIN1,
    OPTION_LAYOUT,
    OPTION_CHUNK,
    OPTION_COMPRESS,
    OPTION_SHUFFLE,
    OPTION_THREADS,
    OPTION_FORCE,
    OPTION_QUIET,
    N_OPTIONS
};

static const hanse_option options_table[N_OPTIONS] = {
    {"column", 'c', "NAME:TYPE",
     "type of a column: int8 to int64, uint8 to uint64, float32,\n"
     "float64, bool or text; may be given again"},
    {"missing", 0, "TEXT",
     "a field with this text has no value (also '': empty texts);\n"
     "may be given again"},
    {"table", 't', "NAME", "the table to make (/enterprises)"},
    {"delimiter", 0, "C", "between fields (,); tab for a tabulator"},
    {"decimal", 0, "C", "decimal point (.); or ,"},
    {"no-header", 0, NULL, "the first line is a row; columns are c1, c2, ..."},
    {"latin1", 0, NULL, "the file is ISO 8859-1 and not UTF-8"},
    HANSE_OPTION_LAYOUT,
    HANSE_OPTION_CHUNK,
    HANSE_OPTION_COMPRESS,
    HANSE_OPTION_SHUFFLE,
    {"threads", 0, "N", "threads that compress (as OpenMP decides)"},
    {"force", 0, NULL, "replace an existing file"},
    {"quiet", 'q', NULL, "no summary"},
};

static const hanse_usage usage = {
    .command = "import",
    .operands = "TABLE.csv FILE.h5",
    .purpose =
        "Makes an HDF5 file with a table from CSV (RFC 4180, first line with\n"
        "names; - for standard input). A column is int64, float64 or bool if\n"
        "all its values are, else text; codes such as 007 stay text, and so\n"
        "does NA unless --missing names it. The file appears under its name\n"
        "when it is complete.",
    .epilogue = "examples:\n"
                "  hanse import firms.csv firms.h5\n"
                "  hanse import firms.csv firms.h5 --missing NA -c zip:text\n"
                "  hanse import firmen.csv firms.h5 --delimiter ';' "
                "--decimal , --latin1\n"
                "  zcat firms.csv.gz | hanse import - firms.h5 --compress zstd",
    .options = options_table,
    .n_options = N_OPTIONS,
};

typedef struct import_arguments {
    hanse_import_options options;
    hanse_storage_words storage;
    hanse_import_choice *choices; /* room for argc; names from malloc */
    const char **missing;         /* room for argc */
    const char *from;
    const char *to;
    bool quiet;
} import_arguments;

static int take_column(const char *text, import_arguments *arguments)
{
    hanse_import_options *o = &arguments->options;
    const char *colon = strrchr(text, ':');
    if (colon == NULL || colon == text)
        return hanse_usage_error("--column: expected NAME:TYPE such as "
                                 "zip:text, found '%s'",
                                 text);
    int type = 0;
    while (type < HANSE_TYPE_COUNT &&
           strcmp(hanse_type_name((hanse_type)type), colon + 1) != 0)
        type++;
    if (type == HANSE_TYPE_COUNT)
        return hanse_usage_error("--column: unknown type '%s'; known are int8, "
                                 "int16, int32, int64, uint8, uint16, uint32, "
                                 "uint64, float32, float64, bool, text",
                                 colon + 1);
    char *name = strndup(text, (size_t)(colon - text));
    if (name == NULL)
        return hanse_usage_error("--column: out of memory");
    for (size_t i = 0; i < o->n_choices; i++)
        if (strcmp(arguments->choices[i].name, name) == 0) {
            free(name);
            return hanse_usage_error("--column: the type of '%.*s' is chosen "
                                     "twice",
                                     (int)(colon - text), text);
        }
    arguments->choices[o->n_choices++] =
        (hanse_import_choice){name, (hanse_type)type};
    return HANSE_EXIT_DONE;
}

static int take_delimiter(const char *text, char *out)
{
    const bool is_tab = strcmp(text, "tab") == 0 || strcmp(text, "\\t") == 0;
    const char c = is_tab ? '\t' : text[0];
    if ((!is_tab && strlen(text) != 1) || (unsigned char)c >= 0x80 ||
        strchr("\"\r\n", c) != NULL)
        return hanse_usage_error("--delimiter: expected one character of "
                                 "ASCII such as ';', or tab, found '%s'",
                                 text);
    *out = c;
    return HANSE_EXIT_DONE;
}

static int take_decimal(const char *text, char *out)
{
    if (strcmp(text, ".") != 0 && strcmp(text, ",") != 0)
        return hanse_usage_error("--decimal: expected . or , but found '%s'",
                                 text);
    *out = text[0];
    return HANSE_EXIT_DONE;
}

static int take_count(const hanse_options *parse, int option, uint64_t most,
                      uint64_t *out)
{
    if (hanse_parse_rows(parse->value, out) && *out >= 1 && *out <= most)
        return HANSE_EXIT_DONE;
    return hanse_usage_error("--%s: expected a whole number from 1 to %" PRIu64
                             ", found '%s'",
                             options_table[option].name, most, parse->value);
}

/* Takes one option; returns 0 or the exit status after an error. */
static int take_option(const hanse_options *parse, int option,
                       import_arguments *arguments)
{
    hanse_import_options *o = &arguments->options;
    uint64_t count = 0;
    int exit_status = HANSE_EXIT_DONE;
    switch (option) {
    case OPTION_COLUMN:
        return take_column(parse->value, arguments);
    case OPTION_MISSING:
        arguments->missing[o->n_missing++] = parse->value;
        break;
    case OPTION_TABLE:
        o->table = parse->value;
        break;
    case OPTION_DELIMITER:
        return take_delimiter(parse->value, &o->delimiter);
    case OPTION_DECIMAL:
        return take_decimal(parse->value, &o->decimal);
    case OPTION_NO_HEADER:
        o->no_header = true;
        break;
    case OPTION_LATIN1:
        o->latin1 = true;
        break;
    case OPTION_LAYOUT:
        arguments->storage.layout = parse->value;
        break;
    case OPTION_CHUNK:
        exit_status = take_count(parse, option, HANSE_MAX_CHUNK_ROWS, &count);
        arguments->storage.chunk_rows = (uint32_t)count;
        break;
    case OPTION_COMPRESS:
        arguments->storage.compression = parse->value;
        break;
    case OPTION_SHUFFLE:
        arguments->storage.shuffle = true;
        break;
    case OPTION_THREADS:
        exit_status = take_count(parse, option, 4096, &count);
        o->n_threads = count;
        break;
    case OPTION_FORCE:
        o->replace = true;
        break;
    default:
        arguments->quiet = true;
        break;
    }
    return exit_status;
}

/* False with the exit status when the command ends here. */
static bool parse_arguments(int argc, char **argv, import_arguments *arguments,
                            int *exit_status)
{
    hanse_options parse;
    hanse_options_start(&parse, &usage, argc, argv);
    for (;;) {
        const int option = hanse_options_next(&parse);
        if (option == HANSE_OPTIONS_END)
            break;
        *exit_status = option == HANSE_OPTIONS_STOP
                           ? parse.exit_status
                           : take_option(&parse, option, arguments);
        if (option == HANSE_OPTIONS_STOP || *exit_status != HANSE_EXIT_DONE)
            return false;
    }
    if (parse.n_operands != 2) {
        *exit_status =
            hanse_usage_error("import: expected two file names, the CSV and "
                              "the HDF5 file to make; try 'hanse import "
                              "firms.csv firms.h5'");
        return false;
    }
    arguments->from = parse.operands[0];
    arguments->to = parse.operands[1];
    arguments->options.choices = arguments->choices;
    arguments->options.missing = arguments->missing;
    *exit_status = hanse_storage_from_words(&arguments->storage,
                                            &arguments->options.storage);
    return *exit_status == HANSE_EXIT_DONE;
}

static void print_text(const char *text)
{
    char *shown = hanse_utf8_show(text);
    fputs(shown != NULL ? shown : "?", stdout);
    free(shown);
}

static void print_column(const hanse_import_result *column, bool is_first)
{
    printf(is_first ? "columns  " : "         ");
    print_text(column->name);
    printf(" %s", hanse_type_name(column->type));
    if (column->width > 0)
        printf("[%zu]", column->width);
    if (column->n_missing > 0)
        printf(", %s missing", hanse_format_count(column->n_missing).text);
    if (column->line > 0) {
        printf(", text because of '");
        print_text(column->cause);
        printf("' in %" PRIu64 ":%" PRIu64, column->line, column->column);
    }
    printf("\n");
}

static void print_summary(const import_arguments *arguments,
                          const hanse_import_summary *summary, double seconds)
{
    const double divisor = seconds > 1e-9 ? seconds : 1e-9;
    printf("written  %s, %s\n", arguments->to,
           hanse_format_bytes((double)summary->file_bytes).text);
    printf("rows     %s\n", hanse_format_count(summary->n_rows).text);
    for (size_t i = 0; i < summary->n_columns; i++)
        print_column(&summary->columns[i], i == 0);
    printf("time     %s, %s rows/s, %s/s\n", hanse_format_seconds(seconds).text,
           hanse_format_rate((double)summary->n_rows / divisor).text,
           hanse_format_bytes((double)summary->input_bytes / divisor).text);
}

static int run_import(const import_arguments *arguments)
{
    hanse_error error = {0};
    hanse_import_summary summary = {0};
    const double begin = hanse_clock_seconds();
    const hanse_status status = hanse_import_file(
        arguments->from, arguments->to, &arguments->options, &summary, &error);
    if (status == HANSE_OK && !arguments->quiet)
        print_summary(arguments, &summary, hanse_clock_seconds() - begin);
    hanse_import_summary_clear(&summary);
    return status == HANSE_OK ? HANSE_EXIT_DONE : hanse_report_error(&error);
}

int hanse_command_import(int argc, char **argv)
{
    import_arguments arguments = {
        .choices = calloc((size_t)argc, sizeof(hanse_import_choice)),
        .missing = calloc((size_t)argc, sizeof(char *)),
    };
    int exit_status = HANSE_EXIT_FAILED;
    if (arguments.choices == NULL || arguments.missing == NULL)
        exit_status = hanse_usage_error("import: out of memory");
    else if (parse_arguments(argc, argv, &arguments, &exit_status))
        exit_status = run_import(&arguments);
    for (size_t i = 0; i < arguments.options.n_choices; i++)
        free((char *)arguments.choices[i].name);
    free(arguments.choices);
    free(arguments.missing);
    return exit_status;
}
