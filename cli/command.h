/* SPDX-License-Identifier: Apache-2.0
 *
 * The commands of the program. Each lives in a file of its own, parses its
 * own arguments (argv[0] is the command's name) and returns an exit status.
 */
#ifndef HANSE_CLI_COMMAND_H
#define HANSE_CLI_COMMAND_H

#include "engine/hanse.h"

/* Exit statuses (docs/manual: 0 done, 1 failed, 2 job or options wrong, 75
 * interrupted with a checkpoint saved). */
enum {
    HANSE_EXIT_DONE = 0,
    HANSE_EXIT_FAILED = 1,
    HANSE_EXIT_USAGE = 2,
    HANSE_EXIT_AGAIN = 75
};

int hanse_command_run(int argc, char **argv);
int hanse_command_generate(int argc, char **argv);
int hanse_command_import(int argc, char **argv);
int hanse_command_info(int argc, char **argv);
int hanse_command_show(int argc, char **argv);
int hanse_command_explain(int argc, char **argv);
int hanse_command_version(int argc, char **argv);

/* `hanse __map`: the confined child that opens untrusted files, started by
 * io/map_process.h and by nobody else. */
int hanse_command_map(int argc, char **argv);

/* Prints "hanse: error: ..." on stderr and returns the exit status that the
 * error's status maps to. */
int hanse_report_error(const hanse_error *error);

/* Same with a message of the caller's, for wrong usage: exit status 2. */
__attribute__((format(printf, 1, 2))) int hanse_usage_error(const char *format,
                                                            ...);

/* The words that started the program, joined and quoted for a shell; the
 * file's `history`. From malloc. */
char *hanse_command_line(int argc, char **argv);

#endif
