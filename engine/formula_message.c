/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages about a formula: the formula on one line, a caret under the fault.
 * Columns are characters (code points). Control characters are never copied
 * into a message, which may end up on a terminal.
 */
#include "engine/formula_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    LINE_CHARACTERS = 76, /* of the formula in a message */
    BEFORE_FAULT = 30,    /* of them before the caret, when it must be cut */
    LINE_BYTES = 4 * LINE_CHARACTERS + 8,
    MESSAGE_BYTES = 480, /* of the sentence; all parts < HANSE_ERROR_SIZE */
    WHAT_BYTES = 120
};

size_t hanse_formula_character(const char *text, size_t n, uint32_t *code)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char lead = (unsigned char)text[0];
    if (lead < 0x80) {
        *code = lead;
        return 1;
    }
    const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc0 || lead > 0xf4 || length > n)
        return 0;
    uint32_t value = lead & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        const unsigned char next = (unsigned char)text[i];
        if ((next & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (next & 0x3f);
    }
    if (value < least[length] || value > 0x10ffff ||
        (value >= 0xd800 && value < 0xe000))
        return 0;
    *code = value;
    return length;
}

/* Characters that must not reach a terminal: C0 and C1 controls, and those
 * that change the direction of the text around them. */
static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x200e ||
           code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

/* Bytes of the character at byte `at`; an invalid byte counts as one. */
static size_t step_at(const char *text, size_t n, size_t at, bool *printable)
{
    uint32_t code;
    const size_t length = hanse_formula_character(text + at, n - at, &code);
    *printable = length != 0 && !is_control(code);
    return length == 0 ? 1 : length;
}

/* Copies characters of text[begin..end) into `out` while size_bytes allows,
 * white space as ' ' and other control characters as '?'. Returns the byte
 * where it stopped. */
static size_t copy_shown(const char *text, size_t begin, size_t end,
                         size_t max_characters, char *out, size_t size_bytes)
{
    size_t at = begin;
    size_t used = 0;
    for (size_t count = 0; at < end && count < max_characters; count++) {
        bool printable;
        const size_t length = step_at(text, end, at, &printable);
        if (used + length >= size_bytes)
            break;
        if (printable) {
            memcpy(out + used, text + at, length);
            used += length;
        } else {
            const char c = text[at];
            out[used++] = c == '\t' || c == '\n' || c == '\r' ? ' ' : '?';
        }
        at += length;
    }
    out[used] = '\0';
    return at;
}

const char *hanse_formula_quote(const char *text, size_t n, char *out)
{
    const size_t stopped =
        copy_shown(text, 0, n, SIZE_MAX, out, FORMULA_QUOTE_SIZE - 3);
    if (stopped < n)
        strcat(out, "...");
    return out;
}

static size_t count_characters(const char *text, size_t begin, size_t end)
{
    size_t count = 0;
    bool printable;
    for (size_t at = begin; at < end; count++)
        at += step_at(text, end, at, &printable);
    return count;
}

/* The byte that lies `characters` after byte `at`. */
static size_t skip_characters(const char *text, size_t n, size_t at,
                              size_t characters)
{
    bool printable;
    for (; at < n && characters > 0; characters--)
        at += step_at(text, n, at, &printable);
    return at;
}

/* The part of the formula that is shown. */
typedef struct window {
    size_t begin, end; /* bytes */
    bool cut_before, cut_after;
} window;

/* The text without white space at its ends, cut around the fault. */
static window choose_window(const char *text, size_t n, size_t fault)
{
    static const char space[] = " \t\r\n";
    size_t begin = strspn(text, space);
    while (n > begin && strchr(space, text[n - 1]) != NULL)
        n--;
    if (begin > fault)
        begin = fault;
    if (n < fault)
        n = fault;
    window w = {begin, n, false, false};
    if (count_characters(text, begin, n) <= LINE_CHARACTERS)
        return w;
    const size_t before = count_characters(text, begin, fault);
    if (before > BEFORE_FAULT) {
        size_t skip = before - BEFORE_FAULT;
        const size_t all = count_characters(text, begin, n);
        if (all - skip < LINE_CHARACTERS)
            skip = all - LINE_CHARACTERS;
        w.begin = skip_characters(text, n, begin, skip);
        w.cut_before = true;
    }
    w.end = skip_characters(text, n, w.begin, LINE_CHARACTERS);
    w.cut_after = w.end < n;
    return w;
}

/* The caret line: blanks up to the fault, then ^~~~ under it. */
static void draw_caret(const char *text, const window *w, size_t begin,
                       size_t end, char *out)
{
    const size_t blanks =
        count_characters(text, w->begin, begin) + (w->cut_before ? 3 : 0);
    const size_t last = end < w->end ? end : w->end;
    size_t marks = last > begin ? count_characters(text, begin, last) : 1;
    memset(out, ' ', blanks);
    out[blanks] = '^';
    memset(out + blanks + 1, '~', marks - 1);
    out[blanks + marks] = '\0';
}

hanse_status hanse_formula_fault(const hanse_formula_source *source,
                                 hanse_status status, size_t begin, size_t end,
                                 const char *format, ...)
{
    if (source->error == NULL)
        return status;
    char full[2 * MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(full, sizeof full, format, arguments);
    va_end(arguments);

    /* Cut between characters, in case names made the sentence long. */
    char message[MESSAGE_BYTES];
    char what[WHAT_BYTES];
    char line[LINE_BYTES];
    char caret[LINE_CHARACTERS + 8];
    copy_shown(full, 0, strlen(full), SIZE_MAX, message, sizeof message);
    copy_shown(source->what, 0, strlen(source->what), SIZE_MAX, what,
               sizeof what);
    const window w = choose_window(source->text, source->n, begin);
    copy_shown(source->text, w.begin, w.end, LINE_CHARACTERS, line,
               sizeof line);
    draw_caret(source->text, &w, begin, end, caret);
    if (w.end == w.begin)
        return hanse_fail(source->error, status, "%s: %s", what, message);
    return hanse_fail(source->error, status, "%s: %s\n  %s%s%s\n  %s", what,
                      message, w.cut_before ? "..." : "", line,
                      w.cut_after ? "..." : "", caret);
}
