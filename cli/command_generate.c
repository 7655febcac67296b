/* SPDX-License-Identifier: Apache-2.0
 *
 * hanse generate: a synthetic population of enterprises.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/numbers.h"
#include "cli/options.h"
#include "cli/storage_options.h"
#include "datasets/generate.h"
#include "io/atomic_file.h"

/* In the order of the table below. */
enum {
    OPTION_ROWS,
    OPTION_CLUSTERS,
    OPTION_CHAINS,
    OPTION_PLATFORMS,
    OPTION_SECTOR,
    OPTION_SEED,
    OPTION_LINKS,
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
    {"rows", 'n', "ROWS", "enterprises (2M); as 500000, 1_000_000, 100M, 1e8"},
    {"clusters", 0, "N", "industrial clusters (1000), up to 10M"},
    {"chains", 0, "N", "industry chains (100), up to 32767"},
    {"platforms", 0, "N", "platforms (50), up to 32767"},
    {"sector", 0, "NAME", "only this sector: manufacturing, energy or medical"},
    {"seed", 0, "S", "which population (1); the same seed, the same values"},
    {"links", 0, NULL, "also make /links: source, target, rate"},
    HANSE_OPTION_LAYOUT,
    HANSE_OPTION_CHUNK,
    HANSE_OPTION_COMPRESS,
    HANSE_OPTION_SHUFFLE,
    {"threads", 0, "N", "threads (as OpenMP or the batch job decides)"},
    {"force", 0, NULL, "replace an existing file"},
    {"quiet", 'q', NULL, "no summary"},
};

static const hanse_usage usage = {
    .command = "generate",
    .operands = "FILE",
    .purpose =
        "Makes an HDF5 file with a random but realistic table /enterprises.\n"
        "Its values depend on rows, seed, sector and the numbers of clusters,\n"
        "chains and platforms alone: not on layout, compression, threads or\n"
        "machine. The file appears under its name when it is complete.\n"
        "datasets/README.md describes columns and distributions.",
    .epilogue = "examples:\n"
                "  hanse generate enterprises.h5\n"
                "  hanse generate big.h5 -n 100M --clusters 10000 --links\n"
                "  hanse generate small.h5 -n 10k --compress zstd --shuffle",
    .options = options_table,
    .n_options = N_OPTIONS,
};

typedef struct generate_arguments {
    hanse_generate_options options;
    hanse_storage_words storage;
    const char *file;
    bool quiet;
} generate_arguments;

/* The value of an option as a number from `least` to `most`; 0, or the exit
 * status after an error. */
static int take_count(const hanse_options *parse, int option, uint64_t least,
                      uint64_t most, uint64_t *out)
{
    uint64_t value;
    if (hanse_parse_rows(parse->value, &value) && value >= least &&
        value <= most) {
        *out = value;
        return HANSE_EXIT_DONE;
    }
    return hanse_usage_error("--%s: expected a whole number from %" PRIu64
                             " to %" PRIu64 ", found '%s'",
                             options_table[option].name, least, most,
                             parse->value);
}

static int take_size(const hanse_options *parse, int option, uint32_t most,
                     uint32_t *out)
{
    uint64_t value = 0;
    const int exit_status = take_count(parse, option, 1, most, &value);
    if (exit_status == HANSE_EXIT_DONE)
        *out = (uint32_t)value;
    return exit_status;
}

static int take_sector(const hanse_options *parse, hanse_sector *sector)
{
    if (hanse_sector_parse(parse->value, sector))
        return HANSE_EXIT_DONE;
    return hanse_usage_error("--sector: expected manufacturing, energy or "
                             "medical, found '%s'",
                             parse->value);
}

/* Takes one option; returns 0 or the exit status after an error. */
static int take_option(const hanse_options *parse, int option,
                       generate_arguments *arguments)
{
    hanse_generate_options *o = &arguments->options;
    uint32_t n_threads = 0;
    int exit_status = HANSE_EXIT_DONE;
    switch (option) {
    case OPTION_ROWS:
        return take_count(parse, option, 0, HANSE_MAX_ENTERPRISES, &o->n_rows);
    case OPTION_CLUSTERS:
        return take_size(parse, option, HANSE_MAX_CLUSTERS,
                         &o->population.n_clusters);
    case OPTION_CHAINS:
        return take_size(parse, option, HANSE_MAX_CHAINS,
                         &o->population.n_chains);
    case OPTION_PLATFORMS:
        return take_size(parse, option, HANSE_MAX_PLATFORMS,
                         &o->population.n_platforms);
    case OPTION_SEED:
        return take_count(parse, option, 0, UINT64_MAX, &o->population.seed);
    case OPTION_CHUNK:
        return take_size(parse, option, HANSE_MAX_CHUNK_ROWS,
                         &arguments->storage.chunk_rows);
    case OPTION_THREADS:
        exit_status = take_size(parse, option, 4096, &n_threads);
        o->n_threads = n_threads;
        return exit_status;
    case OPTION_SECTOR:
        return take_sector(parse, &o->population.sector);
    case OPTION_LAYOUT:
        arguments->storage.layout = parse->value;
        break;
    case OPTION_COMPRESS:
        arguments->storage.compression = parse->value;
        break;
    case OPTION_LINKS:
        o->links = true;
        break;
    case OPTION_SHUFFLE:
        arguments->storage.shuffle = true;
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
static bool parse_arguments(int argc, char **argv,
                            generate_arguments *arguments, int *exit_status)
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
    if (parse.n_operands != 1) {
        *exit_status = hanse_usage_error(
            parse.n_operands == 0
                ? "generate: the name of the file to make is missing; try "
                  "'hanse generate enterprises.h5'"
                : "generate: expected one file name, found more");
        return false;
    }
    arguments->file = parse.operands[0];
    *exit_status = hanse_storage_from_words(&arguments->storage,
                                            &arguments->options.storage);
    return *exit_status == HANSE_EXIT_DONE;
}

static void print_summary(const generate_arguments *arguments,
                          const hanse_generate_summary *summary, double seconds)
{
    const uint64_t n_rows = arguments->options.n_rows;
    const double bytes = (double)summary->file_bytes;
    const double divisor = seconds > 1e-9 ? seconds : 1e-9;
    printf("written  %s, %s\n", arguments->file,
           hanse_format_bytes(bytes).text);
    printf("rows     %s", hanse_format_count(n_rows).text);
    if (arguments->options.links)
        printf(", and %s links", hanse_format_count(summary->n_links).text);
    printf("\ntime     %s, %s rows/s, %s/s\n",
           hanse_format_seconds(seconds).text,
           hanse_format_rate((double)n_rows / divisor).text,
           hanse_format_bytes(bytes / divisor).text);
}

int hanse_command_generate(int argc, char **argv)
{
    generate_arguments arguments = {.options = hanse_generate_defaults()};
    int exit_status = HANSE_EXIT_DONE;
    if (!parse_arguments(argc, argv, &arguments, &exit_status))
        return exit_status;
    hanse_atomic_file_install_signal_handlers();
    hanse_error error = {0};
    hanse_generate_summary summary = {0};
    const double begin = hanse_clock_seconds();
    if (hanse_generate_file(arguments.file, &arguments.options, &summary,
                            &error) != HANSE_OK)
        return hanse_report_error(&error);
    if (!arguments.quiet)
        print_summary(&arguments, &summary, hanse_clock_seconds() - begin);
    return HANSE_EXIT_DONE;
}
