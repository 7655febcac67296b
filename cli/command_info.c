/* SPDX-License-Identifier: Apache-2.0
 *
 * `hanse info`: describes the table in HDF5 files.
 */
#include <string.h>

#include "cli/command.h"
#include "cli/info.h"
#include "cli/options.h"
#include "engine/base/error.h"

enum {
    OPTION_TABLE,
    OPTION_JSON,
    OPTION_ALLOW_EXTERNAL,
    OPTION_TRUSTED_INPUT,
    N_OPTIONS
};

static const hanse_option options_table[N_OPTIONS] = {
    [OPTION_TABLE] = {"table", 't', "PATH",
                      "table in the files; default: /enterprises, else the\n"
                      "only table"},
    [OPTION_JSON] = {"json", 0, NULL, "print JSON"},
    [OPTION_ALLOW_EXTERNAL] = {"allow-external", 0, NULL,
                               "describe columns whose values lie in other\n"
                               "files"},
    [OPTION_TRUSTED_INPUT] = {"trusted-input", 0, NULL,
                              "open the files without a confined process"},
};

static const hanse_usage usage = {
    .command = "info",
    .operands = "FILE...",
    .purpose = "Describes the table in one or several HDF5 files: columns, "
               "types, rows, layout,\nfilters, compression, missing values. "
               "Reads no data. A file that holds several\ntables and no "
               "/enterprises has them listed.",
    .epilogue = "examples:\n"
                "  hanse info enterprises.h5\n"
                "  hanse info -t /firms/2024 --json part-*.h5",
    .options = options_table,
    .n_options = N_OPTIONS,
};

typedef struct request {
    const char *table;
    bool json;
    bool allow_external;
    bool trusted_input;
    const char *const *files;
    size_t n_files;
} request;

static int report_nomem(void)
{
    hanse_error error;
    hanse_fail_nomem(&error, "description of a table", 0);
    return hanse_report_error(&error);
}

/* How the files are opened, for the table at `path`. */
static hanse_hdf5_options how_to_open(const request *r, const char *path)
{
    return (hanse_hdf5_options){.table = path,
                                .is_trusted = r->trusted_input,
                                .allow_foreign = r->allow_external};
}

/* Opens /links; NULL when there is none or it cannot be used, and then
 * `fault` holds the reason unless it is empty. */
static hanse_source *open_links(const request *r, const hanse_source *source,
                                hanse_error *fault)
{
    static const char path[] = "/links";
    hanse_source *links = NULL;
    fault->message[0] = '\0';
    if (strcmp(hanse_hdf5_source_path(source), path) == 0)
        return NULL;
    const hanse_hdf5_options options = how_to_open(r, path);
    if (hanse_hdf5_source_open(r->files, r->n_files, &options, &links, fault) ==
        HANSE_OK)
        return links;
    /* No such object is no fault. */
    if (fault->status == HANSE_ERR_SPEC)
        fault->message[0] = '\0';
    return NULL;
}

static int print_table(const request *r, hanse_source *source)
{
    hanse_error fault = {0};
    if (hanse_hdf5_source_find_decoders(source, &fault) != HANSE_OK)
        return hanse_report_error(&fault);
    hanse_source *links = open_links(r, source, &fault);
    const hanse_info info = {
        .source = source,
        .links = links,
        .links_fault = fault.message[0] != '\0' ? fault.message : NULL};
    const bool printed =
        r->json ? hanse_info_print_json(&info) : hanse_info_print_text(&info);
    hanse_source_close(links);
    return printed ? HANSE_EXIT_DONE : report_nomem();
}

/* No single table is meant: lists what a single file holds. */
static int print_tables(const request *r, const hanse_error *cause)
{
    hanse_found_tables tables;
    hanse_error error = {0};
    if (r->n_files != 1 || r->table != NULL || cause->status != HANSE_ERR_SPEC)
        return hanse_report_error(cause);
    const hanse_hdf5_options options = how_to_open(r, NULL);
    if (hanse_hdf5_source_tables(r->files[0], &options, &tables, &error) !=
        HANSE_OK)
        return hanse_report_error(&error);
    bool printed = true;
    if (r->json)
        printed = hanse_info_print_tables_json(r->files[0], &tables);
    else
        hanse_info_print_tables_text(r->files[0], &tables);
    hanse_found_tables_clear(&tables);
    return printed ? HANSE_EXIT_DONE : report_nomem();
}

static int describe(const request *r)
{
    hanse_source *source;
    hanse_error error = {0};
    const hanse_hdf5_options options = how_to_open(r, r->table);
    if (hanse_hdf5_source_open(r->files, r->n_files, &options, &source,
                               &error) != HANSE_OK)
        return print_tables(r, &error);
    const int exit_status = print_table(r, source);
    hanse_source_close(source);
    return exit_status;
}

int hanse_command_info(int argc, char **argv)
{
    request r = {0};
    hanse_options options;
    int option;
    hanse_options_start(&options, &usage, argc, argv);
    while ((option = hanse_options_next(&options)) >= 0) {
        if (option == OPTION_TABLE)
            r.table = options.value;
        else if (option == OPTION_JSON)
            r.json = true;
        else if (option == OPTION_ALLOW_EXTERNAL)
            r.allow_external = true;
        else
            r.trusted_input = true;
    }
    if (option == HANSE_OPTIONS_STOP)
        return options.exit_status;
    if (options.n_operands == 0)
        return hanse_usage_error("which file? 'hanse info FILE...'");
    r.files = (const char *const *)options.operands;
    r.n_files = options.n_operands;
    return describe(&r);
}
