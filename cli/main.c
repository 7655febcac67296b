/* SPDX-License-Identifier: Apache-2.0
 *
 * The program `hanse`: finds the command and calls it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "engine/base/error.h"
#include "io/atomic_file.h"

typedef struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *purpose; /* NULL: not for people */
} command;

static const command commands[] = {
    {"run", hanse_command_run, "aggregate a table and write the result"},
    {"explain", hanse_command_explain, "show what a run would do"},
    {"show", hanse_command_show, "print the tables of a result"},
    {"info", hanse_command_info, "describe the table in an HDF5 file"},
    {"import", hanse_command_import, "make a table of a CSV file"},
    {"generate", hanse_command_generate, "make a population of enterprises"},
    {"version", hanse_command_version, "version, libraries and processor"},
    {"__map", hanse_command_map, NULL},
};

enum {
    N_COMMANDS = sizeof commands / sizeof commands[0]
};

static void print_help(FILE *stream)
{
    fputs("usage: hanse COMMAND [options] [files]\n\n"
          "Exact parallel aggregation of enterprise microdata in HDF5.\n\n"
          "commands:\n",
          stream);
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (commands[i].purpose != NULL)
            fprintf(stream, "  %-10s%s\n", commands[i].name,
                    commands[i].purpose);
    fputs("\n'hanse COMMAND --help' explains a command.\n\n"
          "  hanse generate enterprises.h5 -n 2000000\n"
          "  hanse run enterprises.h5 -o totals.h5\n"
          "  hanse show totals.h5\n",
          stream);
}

static const command *find_command(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static int report_unknown_command(const char *name)
{
    const char *names[N_COMMANDS];
    size_t n_names = 0;
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (commands[i].purpose != NULL)
            names[n_names++] = commands[i].name;
    const char *nearest = hanse_suggest(name, names, n_names);
    if (nearest != NULL)
        return hanse_usage_error("unknown command '%s', did you mean '%s'?",
                                 name, nearest);
    return hanse_usage_error("unknown command '%s'; 'hanse --help' lists them",
                             name);
}

static int dispatch(int argc, char **argv)
{
    static char help_option[] = "--help";
    if (argc < 2) {
        print_help(stderr);
        return HANSE_EXIT_USAGE;
    }
    const char *name = argv[1];
    const bool is_help = strcmp(name, "help") == 0;
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 ||
        (is_help && argc == 2)) {
        print_help(stdout);
        return HANSE_EXIT_DONE;
    }
    if (strcmp(name, "--version") == 0) {
        printf("hanse %s\n", hanse_version());
        return HANSE_EXIT_DONE;
    }
    if (is_help)
        name = argv[2];
    const command *found = find_command(name);
    if (found == NULL)
        return report_unknown_command(name);
    if (!is_help)
        return found->run(argc - 1, argv + 1);
    char *words[] = {argv[2], help_option, NULL};
    return found->run(2, words);
}

int main(int argc, char **argv)
{
    hanse_atomic_file_install_signal_handlers();
    /* This very program is also the reader of untrusted files. When it cannot
     * be named, the installed one is used. */
    (void)setenv("HANSE_READER", "/proc/self/exe", 0);
    const int exit_status = dispatch(argc, argv);
    /* A full disk behind `>` shows itself here at the latest. */
    errno = 0;
    const bool failed = ferror(stdout) != 0;
    if (fclose(stdout) != 0 || failed) {
        fprintf(stderr, "hanse: error: cannot write to standard output: %s\n",
                errno != 0 ? strerror(errno) : "an earlier write failed");
        return exit_status != HANSE_EXIT_DONE ? exit_status : HANSE_EXIT_FAILED;
    }
    return exit_status;
}
