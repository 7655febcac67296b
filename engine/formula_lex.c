/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens of a formula. The text is UTF-8; letters outside ASCII may stand in
 * names, punctuation outside ASCII (which copying from documents brings in)
 * is an error.
 */
#include "engine/formula_internal.h"

#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Without tables of Unicode: the blocks that hold punctuation, symbols and
 * private characters are not letters, everything else past U+00C0 is. */
static bool is_letter(uint32_t code)
{
    if (code < 0x80)
        return (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z') ||
               code == '_';
    return code >= 0xc0 && code != 0xd7 && code != 0xf7 &&
           !(code >= 0x2000 && code < 0x2c00) &&
           !(code >= 0x3000 && code < 0x3040) &&
           !(code >= 0xd800 && code < 0xf900) &&
           !(code >= 0xfe00 && code < 0xfe70) &&
           !(code >= 0xfeff && code < 0xff21) &&
           !(code >= 0x1f000 && code < 0x20000) && code < 0xe0000;
}

/* Bytes of the name that starts at `text`; 0 when none does. */
static size_t name_length(const char *text, size_t n)
{
    size_t length = 0;
    while (length < n) {
        uint32_t code;
        const size_t step =
            hanse_formula_character(text + length, n - length, &code);
        const bool fits = is_letter(code) ||
                          (length > 0 && code < 0x80 && is_digit((char)code));
        if (step == 0 || !fits)
            break;
        length += step;
    }
    return length;
}

/* Words that are operators. */
static const struct {
    const char *text;
    hanse_formula_token_kind kind;
} words[] = {
    {"or", TOKEN_OR},
    {"and", TOKEN_AND},
    {"not", TOKEN_NOT},
};

/* Signs, longer ones first. Those with a hint are what people type and we do
 * not have. */
static const struct {
    const char *text;
    hanse_formula_token_kind kind;
    const char *hint;
} signs[] = {
    {"||", TOKEN_OR, NULL},
    {"&&", TOKEN_AND, NULL},
    {"==", TOKEN_EQ, NULL},
    {"!=", TOKEN_NE, NULL},
    {"<>", TOKEN_NE, NULL},
    {"<=", TOKEN_LE, NULL},
    {">=", TOKEN_GE, NULL},
    {"=<", TOKEN_END, "write <= instead of =<"},
    {"=>", TOKEN_END, "write >= instead of =>"},
    {"**", TOKEN_END, "there is no power operator; write x*x"},
    {"^", TOKEN_END, "there is no power operator; write x*x"},
    {"&", TOKEN_END, "write && (or the word and)"},
    {"|", TOKEN_END, "write || (or the word or)"},
    {"%", TOKEN_END, "there is no remainder operator"},
    {"=", TOKEN_EQ, NULL},
    {"<", TOKEN_LT, NULL},
    {">", TOKEN_GT, NULL},
    {"!", TOKEN_NOT, NULL},
    {"+", TOKEN_PLUS, NULL},
    {"-", TOKEN_MINUS, NULL},
    {"*", TOKEN_STAR, NULL},
    {"/", TOKEN_SLASH, NULL},
    {"(", TOKEN_LEFT, NULL},
    {")", TOKEN_RIGHT, NULL},
    {",", TOKEN_COMMA, NULL},
    /* U+2212, U+2013, U+2264, U+2265, U+2260, U+00D7, U+2018-19, U+201C-1D */
    {"\xe2\x88\x92", TOKEN_END, "this is not the keyboard's minus; write -"},
    {"\xe2\x80\x93", TOKEN_END, "this is not the keyboard's minus; write -"},
    {"\xe2\x89\xa4", TOKEN_END, "write <="},
    {"\xe2\x89\xa5", TOKEN_END, "write >="},
    {"\xe2\x89\xa0", TOKEN_END, "write !="},
    {"\xc3\x97", TOKEN_END, "write *"},
    {"\xe2\x80\x98", TOKEN_END, "put texts in straight quotes, 'like this'"},
    {"\xe2\x80\x99", TOKEN_END, "put texts in straight quotes, 'like this'"},
    {"\xe2\x80\x9c", TOKEN_END, "put texts in straight quotes, 'like this'"},
    {"\xe2\x80\x9d", TOKEN_END, "put texts in straight quotes, 'like this'"},
};

enum {
    N_WORDS = sizeof words / sizeof words[0],
    N_SIGNS = sizeof signs / sizeof signs[0]
};

static bool starts_with(const char *text, size_t n, const char *with)
{
    const size_t length = strlen(with);
    return length <= n && memcmp(text, with, length) == 0;
}

bool hanse_formula_is_plain_name(const char *text)
{
    const size_t n = strlen(text);
    if (n == 0 || name_length(text, n) != n)
        return false;
    for (size_t i = 0; i < N_WORDS; i++)
        if (strcmp(text, words[i].text) == 0)
            return false;
    return strcmp(text, "true") != 0 && strcmp(text, "false") != 0;
}

/* digits [. digits] [e [sign] digits], with a digit before or after the
 * point; nothing that belongs to a name or number may follow. */
static hanse_status lex_number(const hanse_formula_source *source,
                               hanse_formula_token *token)
{
    const char *text = source->text;
    size_t at = token->begin;
    token->kind = TOKEN_INTEGER;
    while (is_digit(text[at]))
        at++;
    if (text[at] == '.') {
        token->kind = TOKEN_NUMBER;
        for (at++; is_digit(text[at]);)
            at++;
    }
    if (text[at] == 'e' || text[at] == 'E') {
        size_t digits = at + 1;
        if (text[digits] == '+' || text[digits] == '-')
            digits++;
        if (is_digit(text[digits])) {
            token->kind = TOKEN_NUMBER;
            for (at = digits; is_digit(text[at]);)
                at++;
        }
    }
    token->end = at;
    size_t end = at;
    for (size_t step = 1; step > 0; end += step) {
        step = name_length(text + end, source->n - end);
        if (step == 0 && (text[end] == '.' || is_digit(text[end])))
            step = 1;
    }
    if (end == at)
        return HANSE_OK;
    char quote[FORMULA_QUOTE_SIZE];
    return hanse_formula_fault(
        source, HANSE_ERR_FORMULA, token->begin, end, "'%s' is not a number%s",
        hanse_formula_quote(text + token->begin, end - token->begin, quote),
        text[at] == '.' ? "" : "; a column of that name goes in backquotes");
}

/* A text or backquoted name; the quote doubled stands for itself. */
static hanse_status lex_quoted(const hanse_formula_source *source,
                               hanse_formula_token *token)
{
    const char *text = source->text;
    const char quote = text[token->begin];
    size_t at = token->begin + 1;
    for (;; at++) {
        if (at >= source->n)
            return hanse_formula_fault(source, HANSE_ERR_FORMULA, token->begin,
                                       token->begin + 1,
                                       "the quote %c is not closed", quote);
        if (text[at] != quote)
            continue;
        if (text[at + 1] != quote)
            break;
        at++;
    }
    token->end = at + 1;
    token->kind = quote == '`' ? TOKEN_QUOTED_NAME : TOKEN_TEXT;
    if (quote == '`' && token->end == token->begin + 2)
        return hanse_formula_fault(source, HANSE_ERR_FORMULA, token->begin,
                                   token->end, "a name cannot be empty");
    return HANSE_OK;
}

static void lex_name(const hanse_formula_source *source, size_t length,
                     hanse_formula_token *token)
{
    const char *text = source->text + token->begin;
    token->kind = TOKEN_NAME;
    token->end = token->begin + length;
    for (size_t i = 0; i < N_WORDS; i++)
        if (strlen(words[i].text) == length &&
            memcmp(text, words[i].text, length) == 0)
            token->kind = words[i].kind;
}

static hanse_status lex_sign(const hanse_formula_source *source,
                             hanse_formula_token *token)
{
    const char *text = source->text + token->begin;
    const size_t n = source->n - token->begin;
    for (size_t i = 0; i < N_SIGNS; i++) {
        if (!starts_with(text, n, signs[i].text))
            continue;
        token->kind = signs[i].kind;
        token->end = token->begin + strlen(signs[i].text);
        if (signs[i].hint == NULL)
            return HANSE_OK;
        return hanse_formula_fault(source, HANSE_ERR_FORMULA, token->begin,
                                   token->end, "%s", signs[i].hint);
    }
    uint32_t code;
    const size_t begin = token->begin;
    const size_t length = hanse_formula_character(text, n, &code);
    if (code > ' ' && code < 0x7f)
        return hanse_formula_fault(source, HANSE_ERR_FORMULA, begin,
                                   begin + length, "unexpected character '%c'",
                                   (int)code);
    return hanse_formula_fault(source, HANSE_ERR_FORMULA, begin, begin + length,
                               "unexpected character U+%04X", (unsigned)code);
}

hanse_status hanse_formula_next(const hanse_formula_source *source, size_t at,
                                hanse_formula_token *token)
{
    at += strspn(source->text + at, " \t\r\n");
    *token = (hanse_formula_token){TOKEN_END, at, at};
    if (at >= source->n)
        return HANSE_OK;
    const char *text = source->text + at;
    if (is_digit(text[0]) || (text[0] == '.' && is_digit(text[1])))
        return lex_number(source, token);
    if (text[0] == '\'' || text[0] == '"' || text[0] == '`')
        return lex_quoted(source, token);
    const size_t length = name_length(text, source->n - at);
    if (length == 0)
        return lex_sign(source, token);
    lex_name(source, length, token);
    return HANSE_OK;
}
