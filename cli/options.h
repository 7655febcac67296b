/* SPDX-License-Identifier: Apache-2.0
 *
 * Options of the commands: one table per command serves parsing, help and
 * suggestions. Options and operands may be mixed; `--` ends the options.
 */
#ifndef HANSE_CLI_OPTIONS_H
#define HANSE_CLI_OPTIONS_H

#include "engine/hanse.h"

/* One option. Every command has --help without listing it. */
typedef struct hanse_option {
    const char *name;  /* long name without dashes */
    char letter;       /* short form, 0: none */
    const char *value; /* what its value is called in the help; NULL: none */
    const char *help;  /* lines for the help, without the last line break */
} hanse_option;

/* What the help of a command says. */
typedef struct hanse_usage {
    const char *command;  /* "run" */
    const char *operands; /* "[JOB.yaml | FILE.h5...] -o OUT" */
    const char *purpose;  /* a paragraph */
    const char *epilogue; /* examples and the like; NULL: none */
    const hanse_option *options;
    size_t n_options; /* at most HANSE_OPTIONS_MAX */
} hanse_usage;

enum {
    HANSE_OPTIONS_MAX = 48,
    HANSE_OPTIONS_END = -1,  /* only operands are left */
    HANSE_OPTIONS_STOP = -2, /* help printed or error reported: return */
};

/* State of one parse. Only one may be under way in the process. */
typedef struct hanse_options {
    const hanse_usage *usage;
    int argc;
    char **argv;       /* reordered: options first */
    const char *value; /* of the option just returned */
    char **operands;   /* set at the end */
    size_t n_operands;
    int exit_status; /* with HANSE_OPTIONS_STOP */
} hanse_options;

void hanse_options_start(hanse_options *options, const hanse_usage *usage,
                         int argc, char **argv);

/* Index into usage->options of the next option, or one of the negative values
 * above. A wrong option is reported with the nearest known one. */
int hanse_options_next(hanse_options *options);

/* Prints the help on stdout. */
void hanse_options_help(const hanse_usage *usage);

/* Texts to numbers; false when the text is not wholly one or does not fit.
 * count: digits, then optionally k, M or G for thousands, millions and
 * thousand millions. size: bytes; a decimal number, then optionally K, M, G
 * or T for powers of 1024, then optionally B or iB. */
bool hanse_parse_count(const char *text, uint64_t *out);
bool hanse_parse_size(const char *text, uint64_t *out);

#endif
