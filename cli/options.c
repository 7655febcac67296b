/* SPDX-License-Identifier: Apache-2.0
 *
 * Option tables over getopt_long.
 */
#include "cli/options.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "engine/base/error.h"

/* What getopt_long returns for option i: CODE_FIRST + i, beyond every
 * letter. */
enum {
    CODE_HELP = 256,
    CODE_FIRST
};

void hanse_options_start(hanse_options *options, const hanse_usage *usage,
                         int argc, char **argv)
{
    assert(usage->n_options <= HANSE_OPTIONS_MAX);
    memset(options, 0, sizeof *options);
    options->usage = usage;
    options->argc = argc;
    options->argv = argv;
    optind = 0; /* makes getopt_long start anew */
    opterr = 0;
}

/* The tables that getopt_long wants. */
static void make_tables(const hanse_usage *usage, struct option *longs,
                        char *letters)
{
    *letters++ = ':';
    *letters++ = 'h';
    for (size_t i = 0; i < usage->n_options; i++) {
        const hanse_option *option = &usage->options[i];
        longs[i].name = option->name;
        longs[i].has_arg =
            option->value != NULL ? required_argument : no_argument;
        longs[i].flag = NULL;
        longs[i].val = CODE_FIRST + (int)i;
        if (option->letter == 0)
            continue;
        *letters++ = option->letter;
        if (option->value != NULL)
            *letters++ = ':';
    }
    longs[usage->n_options] = (struct option){"help", 0, NULL, CODE_HELP};
    longs[usage->n_options + 1] = (struct option){NULL, 0, NULL, 0};
    *letters = '\0';
}

static int find_letter(const hanse_usage *usage, int letter)
{
    for (size_t i = 0; i < usage->n_options; i++)
        if (usage->options[i].letter == letter)
            return (int)i;
    return -1;
}

static size_t count_prefix(const hanse_usage *usage, const char *prefix)
{
    size_t n = 0;
    for (size_t i = 0; i < usage->n_options; i++)
        n += strncmp(usage->options[i].name, prefix, strlen(prefix)) == 0;
    return n;
}

/* Reports an option that getopt_long did not know, or one with a value that
 * it does not take. */
static int report_unknown(const hanse_options *options)
{
    const hanse_usage *usage = options->usage;
    if (optopt >= CODE_HELP)
        return hanse_usage_error("option '--%s' takes no value; see 'hanse %s "
                                 "--help'",
                                 optopt == CODE_HELP
                                     ? "help"
                                     : usage->options[optopt - CODE_FIRST].name,
                                 usage->command);
    if (optopt != 0)
        return hanse_usage_error("unknown option '-%c'; see 'hanse %s --help'",
                                 optopt, usage->command);
    char name[64];
    const char *word = options->argv[optind - 1] + 2;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    if (count_prefix(usage, name) > 1)
        return hanse_usage_error("option '--%s' is ambiguous; write its name "
                                 "in full, see 'hanse %s --help'",
                                 name, usage->command);
    const char *names[HANSE_OPTIONS_MAX + 1];
    for (size_t i = 0; i < usage->n_options; i++)
        names[i] = usage->options[i].name;
    names[usage->n_options] = "help";
    const char *nearest = hanse_suggest(name, names, usage->n_options + 1);
    if (nearest != NULL)
        return hanse_usage_error("unknown option '--%s', did you mean '--%s'?",
                                 name, nearest);
    return hanse_usage_error("unknown option '--%s'; see 'hanse %s --help'",
                             name, usage->command);
}

static int report_no_value(const hanse_usage *usage)
{
    const int index =
        optopt >= CODE_FIRST ? optopt - CODE_FIRST : find_letter(usage, optopt);
    const hanse_option *option = &usage->options[index];
    return hanse_usage_error("option '--%s' needs a value: --%s %s",
                             option->name, option->name, option->value);
}

static int stop(hanse_options *options, int exit_status)
{
    options->exit_status = exit_status;
    return HANSE_OPTIONS_STOP;
}

int hanse_options_next(hanse_options *options)
{
    const hanse_usage *usage = options->usage;
    struct option longs[HANSE_OPTIONS_MAX + 2];
    char letters[2 * HANSE_OPTIONS_MAX + 3];
    make_tables(usage, longs, letters);
    const int code =
        getopt_long(options->argc, options->argv, letters, longs, NULL);
    options->value = optarg;
    switch (code) {
    case -1:
        options->operands = options->argv + optind;
        options->n_operands = (size_t)(options->argc - optind);
        return HANSE_OPTIONS_END;
    case 'h':
    case CODE_HELP:
        hanse_options_help(usage);
        return stop(options, HANSE_EXIT_DONE);
    case ':':
        return stop(options, report_no_value(usage));
    case '?':
        return stop(options, report_unknown(options));
    default:
        return code >= CODE_FIRST ? code - CODE_FIRST
                                  : find_letter(usage, code);
    }
}

/* Prints one option: names in the left column, help in the right one. */
static void print_option(const hanse_option *option)
{
    enum {
        INDENT = 26
    };
    char names[80];
    int width = snprintf(names, sizeof names, "  %c%c%s--%s%s%s",
                         option->letter != 0 ? '-' : ' ',
                         option->letter != 0 ? option->letter : ' ',
                         option->letter != 0 ? ", " : "  ", option->name,
                         option->value != NULL ? " " : "",
                         option->value != NULL ? option->value : "");
    printf("%s", names);
    if (width > INDENT - 2) {
        printf("\n");
        width = 0;
    }
    const char *line = option->help;
    for (;;) {
        const size_t length = strcspn(line, "\n");
        printf("%*s%.*s\n", INDENT - width, "", (int)length, line);
        if (line[length] == '\0')
            return;
        line += length + 1;
        width = 0;
    }
}

void hanse_options_help(const hanse_usage *usage)
{
    static const hanse_option help = {"help", 'h', NULL, "print this help"};
    printf("usage: hanse %s [options]%s%s\n\n%s\n\noptions:\n", usage->command,
           usage->operands[0] != '\0' ? " " : "", usage->operands,
           usage->purpose);
    for (size_t i = 0; i < usage->n_options; i++)
        print_option(&usage->options[i]);
    print_option(&help);
    if (usage->epilogue != NULL)
        printf("\n%s\n", usage->epilogue);
}

bool hanse_parse_count(const char *text, uint64_t *out)
{
    uint64_t value = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
            return false;
    if (p == text)
        return false;
    uint64_t unit = 1;
    if (*p == 'k' || *p == 'K')
        unit = 1000;
    else if (*p == 'M')
        unit = 1000000;
    else if (*p == 'G')
        unit = 1000000000;
    p += unit != 1;
    if (*p != '\0' || __builtin_mul_overflow(value, unit, &value))
        return false;
    *out = value;
    return true;
}

bool hanse_parse_size(const char *text, uint64_t *out)
{
    static const char units[] = "KMGT";
    if (*text < '0' || *text > '9' || strpbrk(text, "xX") != NULL)
        return false;
    char *end;
    double value = strtod(text, &end);
    const char *unit = *end != '\0' ? strchr(units, *end) : NULL;
    if (*end == 'k')
        unit = units;
    if (unit != NULL) {
        for (const char *u = units; u <= unit; u++)
            value *= 1024.0;
        end++;
        if (*end == 'i' && end[1] == 'B')
            end++;
    }
    end += *end == 'B';
    if (*end != '\0' || value >= 9.2e18)
        return false;
    *out = (uint64_t)value;
    return true;
}
