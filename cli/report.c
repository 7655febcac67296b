/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages to the person at the terminal, and the line of `history`.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "io/utf8.h"

/* Names in messages come from files that are not trusted: control characters
 * (C0, DEL, and C1 in UTF-8) are printed as \xNN, so that no message moves the
 * cursor or sets the terminal. */
static void print_message(const char *message)
{
    fputs("hanse: error: ", stderr);
    for (const unsigned char *p = (const unsigned char *)message; *p != '\0';
         p++) {
        const bool c1 = p[0] == 0xC2 && p[1] >= 0x80 && p[1] <= 0x9F;
        if ((*p < 0x20 && *p != '\n' && *p != '\t') || *p == 0x7F || c1)
            fprintf(stderr, "\\x%02x", (unsigned)(c1 ? *++p : *p));
        else
            fputc(*p, stderr);
    }
    fputc('\n', stderr);
}

int hanse_report_error(const hanse_error *error)
{
    print_message(error->message[0] != '\0' ? error->message
                                            : hanse_status_text(error->status));
    switch (error->status) {
    case HANSE_ERR_ARGUMENT:
    case HANSE_ERR_SPEC:
    case HANSE_ERR_FORMULA:
    case HANSE_ERR_COLUMN:
    case HANSE_ERR_TYPE:
        return HANSE_EXIT_USAGE;
    default:
        return HANSE_EXIT_FAILED;
    }
}

int hanse_usage_error(const char *format, ...)
{
    char message[HANSE_ERROR_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    print_message(message);
    return HANSE_EXIT_USAGE;
}

static bool is_plain(const char *word)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz"
                                "0123456789_-+=./,:@%^";
    return *word != '\0' && word[strspn(word, plain)] == '\0';
}

/* Whether $'...' is needed: control characters would break the one line of
 * history, and its text has to be UTF-8. */
static bool needs_escapes(const char *word)
{
    for (const char *p = word; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7F)
            return true;
    return !hanse_utf8_is_valid(word);
}

static void put_escaped(FILE *stream, const char *word)
{
    fputs("$'", stream);
    for (const char *p = word; *p != '\0'; p++) {
        const unsigned char c = (unsigned char)*p;
        if (c == '\'' || c == '\\')
            fprintf(stream, "\\%c", c);
        else if (c < 0x20 || c >= 0x7F)
            fprintf(stream, "\\x%02x", (unsigned)c);
        else
            fputc(c, stream);
    }
    fputc('\'', stream);
}

static void put_quoted(FILE *stream, const char *word)
{
    fputc('\'', stream);
    for (const char *p = word; *p != '\0'; p++)
        if (*p == '\'')
            fputs("'\\''", stream);
        else
            fputc(*p, stream);
    fputc('\'', stream);
}

char *hanse_command_line(int argc, char **argv)
{
    char *line = NULL;
    size_t size;
    FILE *stream = open_memstream(&line, &size);
    if (stream == NULL)
        return NULL;
    for (int i = 0; i < argc; i++) {
        if (i > 0)
            fputc(' ', stream);
        if (is_plain(argv[i]))
            fputs(argv[i], stream);
        else if (needs_escapes(argv[i]))
            put_escaped(stream, argv[i]);
        else
            put_quoted(stream, argv[i]);
    }
    const bool failed = ferror(stream) != 0;
    if (fclose(stream) != 0 || failed) {
        free(line);
        return NULL;
    }
    return line;
}
