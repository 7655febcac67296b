/* SPDX-License-Identifier: Apache-2.0
 *
 * Every message of the formula language, word for word, with the place of its
 * caret; long formulas, long names and broken text.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/formula_values.h"

#define NUMBER    HANSE_WANT_NUMBER
#define CONDITION HANSE_WANT_CONDITION

typedef struct error_case {
    hanse_formula_want want;
    const char *text;
    hanse_status status;
    const char *message;
} error_case;

static const error_case error_cases[] = {
    {NUMBER, "", HANSE_ERR_FORMULA, "filter: the formula is empty"},
    {NUMBER, "   ", HANSE_ERR_FORMULA, "filter: the formula is empty"},
    {NUMBER, "1 +", HANSE_ERR_FORMULA,
     "filter: the formula ends where a value is expected\n"
     "  1 +\n"
     "     ^"},
    {NUMBER, "(1 + 2", HANSE_ERR_FORMULA,
     "filter: the bracket is not closed\n"
     "  (1 + 2\n"
     "  ^"},
    {NUMBER, "((chain)", HANSE_ERR_FORMULA,
     "filter: the bracket is not closed\n"
     "  ((chain)\n"
     "  ^"},
    {NUMBER, "1 )", HANSE_ERR_FORMULA,
     "filter: no bracket is open here\n"
     "  1 )\n"
     "    ^"},
    {NUMBER, "chain + * 2", HANSE_ERR_FORMULA,
     "filter: expected a value, found '*'\n"
     "  chain + * 2\n"
     "          ^"},
    {NUMBER, "1 2", HANSE_ERR_FORMULA,
     "filter: expected an operator, found '2'\n"
     "  1 2\n"
     "    ^"},
    {NUMBER, "chain labour", HANSE_ERR_FORMULA,
     "filter: expected an operator, found 'labour'\n"
     "  chain labour\n"
     "        ^~~~~~"},
    {NUMBER, "active AND flag", HANSE_ERR_FORMULA,
     "filter: write the words and, or, not in small letters\n"
     "  active AND flag\n"
     "         ^~~"},
    {NUMBER, "(1 OR 2)", HANSE_ERR_FORMULA,
     "filter: write the words and, or, not in small letters\n"
     "  (1 OR 2)\n"
     "     ^~"},
    {NUMBER, "1,5", HANSE_ERR_FORMULA,
     "filter: a comma only separates arguments of a function; the decimal sign "
     "is a point\n"
     "  1,5\n"
     "   ^"},
    {NUMBER, "min(1)", HANSE_ERR_FORMULA,
     "filter: min takes two or more arguments, not 1\n"
     "  min(1)\n"
     "  ^~~~~~"},
    {NUMBER, "min()", HANSE_ERR_FORMULA,
     "filter: min takes two or more arguments, not 0\n"
     "  min()\n"
     "  ^~~~~"},
    {NUMBER, "abs(1, 2)", HANSE_ERR_FORMULA,
     "filter: abs takes one argument, not 2\n"
     "  abs(1, 2)\n"
     "  ^~~~~~~~~"},
    {NUMBER, "abs()", HANSE_ERR_FORMULA,
     "filter: abs takes one argument, not 0\n"
     "  abs()\n"
     "  ^~~~~"},
    {NUMBER, "abs(,)", HANSE_ERR_FORMULA,
     "filter: expected a value, found ','\n"
     "  abs(,)\n"
     "      ^"},
    {NUMBER, "min(chain, )", HANSE_ERR_FORMULA,
     "filter: expected a value, found ')'\n"
     "  min(chain, )\n"
     "             ^"},
    {NUMBER, "max(chain, 1", HANSE_ERR_FORMULA,
     "filter: the bracket after max is not closed\n"
     "  max(chain, 1\n"
     "     ^"},
    {NUMBER, "min chain, 2)", HANSE_ERR_FORMULA,
     "filter: expected an operator, found 'chain'\n"
     "  min chain, 2)\n"
     "      ^~~~~"},
    {NUMBER, "minn(1, 2)", HANSE_ERR_FORMULA,
     "filter: no function 'minn', did you mean 'min'?\n"
     "  minn(1, 2)\n"
     "  ^~~~"},
    {NUMBER, "power(1, 2)", HANSE_ERR_FORMULA,
     "filter: no function 'power'; there are abs, min, max, log, exp, sqrt, "
     "floor, ceil and isnan\n"
     "  power(1, 2)\n"
     "  ^~~~~"},
    {NUMBER, "chain(2)", HANSE_ERR_FORMULA,
     "filter: no function 'chain'; there are abs, min, max, log, exp, sqrt, "
     "floor, ceil and isnan\n"
     "  chain(2)\n"
     "  ^~~~~"},
    {NUMBER, "1.2.3", HANSE_ERR_FORMULA,
     "filter: '1.2.3' is not a number\n"
     "  1.2.3\n"
     "  ^~~~~"},
    {NUMBER, "12abc", HANSE_ERR_FORMULA,
     "filter: '12abc' is not a number; a column of that name goes in "
     "backquotes\n"
     "  12abc\n"
     "  ^~~~~"},
    {NUMBER, "1e", HANSE_ERR_FORMULA,
     "filter: '1e' is not a number; a column of that name goes in backquotes\n"
     "  1e\n"
     "  ^~"},
    {NUMBER, "0x10", HANSE_ERR_FORMULA,
     "filter: '0x10' is not a number; a column of that name goes in "
     "backquotes\n"
     "  0x10\n"
     "  ^~~~"},
    {NUMBER, "'abc", HANSE_ERR_FORMULA,
     "filter: the quote ' is not closed\n"
     "  'abc\n"
     "  ^"},
    {NUMBER, "`abc", HANSE_ERR_FORMULA,
     "filter: the quote ` is not closed\n"
     "  `abc\n"
     "  ^"},
    {NUMBER, "``", HANSE_ERR_FORMULA,
     "filter: a name cannot be empty\n"
     "  ``\n"
     "  ^~"},
    {NUMBER, "\"it''s", HANSE_ERR_FORMULA,
     "filter: the quote \" is not closed\n"
     "  \"it''s\n"
     "  ^"},
    {NUMBER, "chain ^ 2", HANSE_ERR_FORMULA,
     "filter: there is no power operator; write x*x\n"
     "  chain ^ 2\n"
     "        ^"},
    {NUMBER, "chain ** 2", HANSE_ERR_FORMULA,
     "filter: there is no power operator; write x*x\n"
     "  chain ** 2\n"
     "        ^~"},
    {NUMBER, "chain % 2", HANSE_ERR_FORMULA,
     "filter: there is no remainder operator\n"
     "  chain % 2\n"
     "        ^"},
    {NUMBER, "chain & 1", HANSE_ERR_FORMULA,
     "filter: write && (or the word and)\n"
     "  chain & 1\n"
     "        ^"},
    {NUMBER, "chain | 1", HANSE_ERR_FORMULA,
     "filter: write || (or the word or)\n"
     "  chain | 1\n"
     "        ^"},
    {NUMBER, "chain =< 1", HANSE_ERR_FORMULA,
     "filter: write <= instead of =<\n"
     "  chain =< 1\n"
     "        ^~"},
    {NUMBER, "chain => 1", HANSE_ERR_FORMULA,
     "filter: write >= instead of =>\n"
     "  chain => 1\n"
     "        ^~"},
    {NUMBER, "a \xe2\x89\xa4 2", HANSE_ERR_FORMULA,
     "filter: write <=\n"
     "  a \xe2\x89\xa4 2\n"
     "    ^"},
    {NUMBER, "a \xe2\x88\x92 2", HANSE_ERR_FORMULA,
     "filter: this is not the keyboard's minus; write -\n"
     "  a \xe2\x88\x92 2\n"
     "    ^"},
    {NUMBER,
     "\xe2\x80\x9c"
     "abc\xe2\x80\x9d",
     HANSE_ERR_FORMULA,
     "filter: put texts in straight quotes, 'like this'\n"
     "  \xe2\x80\x9c"
     "abc\xe2\x80\x9d\n"
     "  ^"},
    {NUMBER, "@", HANSE_ERR_FORMULA,
     "filter: unexpected character '@'\n"
     "  @\n"
     "  ^"},
    {NUMBER, "a # b", HANSE_ERR_FORMULA,
     "filter: unexpected character '#'\n"
     "  a # b\n"
     "    ^"},
    {NUMBER, "chain\xc2\xa0+ 1", HANSE_ERR_FORMULA,
     "filter: unexpected character U+00A0\n"
     "  chain\xc2\xa0+ 1\n"
     "       ^"},
    {NUMBER, "\xf0\x9f\x98\x80", HANSE_ERR_FORMULA,
     "filter: unexpected character U+1F600\n"
     "  \xf0\x9f\x98\x80\n"
     "  ^"},
    {NUMBER, "active < 1 < 2", HANSE_ERR_FORMULA,
     "filter: comparisons cannot be chained; instead of a < b < c write a < b "
     "&& b < c\n"
     "  active < 1 < 2\n"
     "             ^"},
    {NUMBER, "1 == 1 == 1", HANSE_ERR_FORMULA,
     "filter: comparisons cannot be chained; instead of a < b < c write a < b "
     "&& b < c\n"
     "  1 == 1 == 1\n"
     "         ^~"},
    {NUMBER, "active == !flag", HANSE_ERR_FORMULA,
     "filter: put brackets around the condition that begins with '!' here\n"
     "  active == !flag\n"
     "            ^"},
    {NUMBER, "- not flag", HANSE_ERR_FORMULA,
     "filter: put brackets around the condition that begins with 'not' here\n"
     "  - not flag\n"
     "    ^~~"},
    {NUMBER, "1e400", HANSE_ERR_FORMULA,
     "filter: the number is too large (above 1.797e308)\n"
     "  1e400\n"
     "  ^~~~~"},
    {NUMBER, "chain + \x01", HANSE_ERR_FORMULA,
     "filter: unexpected character U+0001\n"
     "  chain + ?\n"
     "          ^"},
    {NUMBER, "active == 1 && qualty >= 0.5", HANSE_ERR_COLUMN,
     "filter: no column 'qualty', did you mean 'quality'?\n"
     "  active == 1 && qualty >= 0.5\n"
     "                 ^~~~~~"},
    {NUMBER, "QUALITY", HANSE_ERR_COLUMN,
     "filter: no column 'QUALITY', did you mean 'quality'?\n"
     "  QUALITY\n"
     "  ^~~~~~~"},
    {NUMBER, "my_col", HANSE_ERR_COLUMN,
     "filter: no column 'my_col', did you mean `my col`?\n"
     "  my_col\n"
     "  ^~~~~~"},
    {NUMBER, "nan", HANSE_ERR_COLUMN,
     "filter: no column 'nan'; for missing values write isnan(x)\n"
     "  nan\n"
     "  ^~~"},
    {NUMBER, "labour == NULL", HANSE_ERR_COLUMN,
     "filter: no column 'NULL'; for missing values write isnan(x)\n"
     "  labour == NULL\n"
     "            ^~~~"},
    {NUMBER, "utterly_unknown", HANSE_ERR_COLUMN,
     "filter: no column 'utterly_unknown'; there are active, chain, big, ubig, "
     "labour, quality, flag, region, town, sector, former, kind, my col, "
     "small, word, count, qualit\xc3\xa9, or, marked, a`b\n"
     "  utterly_unknown\n"
     "  ^~~~~~~~~~~~~~~"},
    {NUMBER, "qualit\xc3\xa9 + qualitee", HANSE_ERR_COLUMN,
     "filter: no column 'qualitee', did you mean 'quality'?\n"
     "  qualit\xc3\xa9 + qualitee\n"
     "            ^~~~~~~~"},
    {NUMBER, "`a b`", HANSE_ERR_COLUMN,
     "filter: no column 'a b', did you mean `a`b`?\n"
     "  `a b`\n"
     "  ^~~~~"},
    {NUMBER, "true1", HANSE_ERR_COLUMN,
     "filter: no column 'true1'; there are active, chain, big, ubig, labour, "
     "quality, flag, region, town, sector, former, kind, my col, small, word, "
     "count, qualit\xc3\xa9, or, marked, a`b\n"
     "  true1\n"
     "  ^~~~~"},
    {NUMBER, "or", HANSE_ERR_FORMULA,
     "filter: expected a value, found 'or'\n"
     "  or\n"
     "  ^~"},
    {NUMBER, "region * 2", HANSE_ERR_TYPE,
     "filter: 'region' is a text column, a number is needed here\n"
     "  region * 2\n"
     "  ^~~~~~"},
    {NUMBER, "-region", HANSE_ERR_TYPE,
     "filter: 'region' is a text column, a number is needed here\n"
     "  -region\n"
     "   ^~~~~~"},
    {NUMBER, "abs(region)", HANSE_ERR_TYPE,
     "filter: 'region' is a text column, a number is needed here\n"
     "  abs(region)\n"
     "      ^~~~~~"},
    {NUMBER, "min(1, town)", HANSE_ERR_TYPE,
     "filter: 'town' is a text column, a number is needed here\n"
     "  min(1, town)\n"
     "         ^~~~"},
    {NUMBER, "labour + 'x'", HANSE_ERR_TYPE,
     "filter: 'x' is a text, a number is needed here\n"
     "  labour + 'x'\n"
     "           ^~~"},
    {NUMBER, "'labour' * 2", HANSE_ERR_TYPE,
     "filter: 'labour' is a text, a number is needed here; for the column "
     "write it without quotes\n"
     "  'labour' * 2\n"
     "  ^~~~~~~~"},
    {NUMBER, "region", HANSE_ERR_TYPE,
     "filter: 'region' is a text column, a number is needed here\n"
     "  region\n"
     "  ^~~~~~"},
    {NUMBER, "'x'", HANSE_ERR_TYPE,
     "filter: 'x' is a text, a number is needed here\n"
     "  'x'\n"
     "  ^~~"},
    {NUMBER, "region == 5", HANSE_ERR_TYPE,
     "filter: the column beside it holds texts; put the value in quotes: '5'\n"
     "  region == 5\n"
     "            ^"},
    {NUMBER, "5 < region", HANSE_ERR_TYPE,
     "filter: the column beside it holds texts; put the value in quotes: '5'\n"
     "  5 < region\n"
     "  ^"},
    {NUMBER, "region == chain", HANSE_ERR_TYPE,
     "filter: a text cannot be compared with a number\n"
     "  region == chain\n"
     "            ^~~~~"},
    {NUMBER, "region == labour + 1", HANSE_ERR_TYPE,
     "filter: a text cannot be compared with a number\n"
     "  region == labour + 1\n"
     "            ^~~~~~~~~~"},
    {NUMBER, "labour == 'x'", HANSE_ERR_TYPE,
     "filter: the column beside it is float64 without labels; compare it with "
     "a number\n"
     "  labour == 'x'\n"
     "            ^~~"},
    {NUMBER, "'1' == active", HANSE_ERR_TYPE,
     "filter: the column beside it is uint8 without labels; compare it with a "
     "number\n"
     "  '1' == active\n"
     "  ^~~"},
    {NUMBER, "flag == 'true'", HANSE_ERR_TYPE,
     "filter: the column beside it is bool; compare it with true or false\n"
     "  flag == 'true'\n"
     "          ^~~~~~"},
    {NUMBER, "labour + 1 == 'x'", HANSE_ERR_TYPE,
     "filter: a text cannot be compared with a number\n"
     "  labour + 1 == 'x'\n"
     "                ^~~"},
    {NUMBER, "'x' == 1", HANSE_ERR_TYPE,
     "filter: a text cannot be compared with a number\n"
     "  'x' == 1\n"
     "  ^~~"},
    {NUMBER, "sector == 'enrgy'", HANSE_ERR_TYPE,
     "filter: 'enrgy' is not a label of 'sector', did you mean 'energy'?\n"
     "  sector == 'enrgy'\n"
     "            ^~~~~~~"},
    {NUMBER, "'x' != sector", HANSE_ERR_TYPE,
     "filter: 'x' is not a label of 'sector'; its labels are manufacturing, "
     "energy, medical\n"
     "  'x' != sector\n"
     "  ^~~"},
    {NUMBER, "sector == 'Energy'", HANSE_ERR_TYPE,
     "filter: 'Energy' is not a label of 'sector', did you mean 'energy'?\n"
     "  sector == 'Energy'\n"
     "            ^~~~~~~~"},
    {NUMBER, "sector < 'energy'", HANSE_ERR_TYPE,
     "filter: labels have no order; compare them with == or !=\n"
     "  sector < 'energy'\n"
     "         ^"},
    {NUMBER, "'a' >= sector", HANSE_ERR_TYPE,
     "filter: labels have no order; compare them with == or !=\n"
     "  'a' >= sector\n"
     "      ^~"},
    {NUMBER, "sector == kind", HANSE_ERR_TYPE,
     "filter: the two columns have different labels and cannot be compared\n"
     "  sector == kind\n"
     "         ^~"},
    {NUMBER, "sector == region", HANSE_ERR_TYPE,
     "filter: a text cannot be compared with a number\n"
     "  sector == region\n"
     "  ^~~~~~"},
    {NUMBER, "active && flag", HANSE_ERR_TYPE,
     "filter: a number is not a condition; compare it: active != 0\n"
     "  active && flag\n"
     "  ^~~~~~"},
    {NUMBER, "flag || labour", HANSE_ERR_TYPE,
     "filter: a number is not a condition; compare it: labour != 0\n"
     "  flag || labour\n"
     "          ^~~~~~"},
    {NUMBER, "!chain", HANSE_ERR_TYPE,
     "filter: a number is not a condition; compare it: chain != 0\n"
     "  !chain\n"
     "   ^~~~~"},
    {NUMBER, "!(chain + 1)", HANSE_ERR_TYPE,
     "filter: a number is not a condition; compare it: (chain + 1) != 0\n"
     "  !(chain + 1)\n"
     "   ^~~~~~~~~~~"},
    {NUMBER, "flag && chain * 2 + 1", HANSE_ERR_TYPE,
     "filter: a number is not a condition; compare it: chain * 2 + 1 != 0\n"
     "  flag && chain * 2 + 1\n"
     "          ^~~~~~~~~~~~~"},
    {NUMBER, "not region", HANSE_ERR_TYPE,
     "filter: a text is not a condition; compare it: region == 'text'\n"
     "  not region\n"
     "      ^~~~~~"},
    {NUMBER, "flag and 'x'", HANSE_ERR_TYPE,
     "filter: a text is not a condition; compare it: column == 'text'\n"
     "  flag and 'x'\n"
     "           ^~~"},
    {NUMBER, "flag && 1", HANSE_ERR_TYPE,
     "filter: a number is not a condition; compare it: 1 != 0\n"
     "  flag && 1\n"
     "          ^"},
    {NUMBER, "chain +\n  qualit\xc3\xa9 * \tfoobar", HANSE_ERR_COLUMN,
     "filter: no column 'foobar', did you mean 'former'?\n"
     "  chain +   qualit\xc3\xa9 *  foobar\n"
     "                       ^~~~~~"},
    {NUMBER, "'zo\xc3\xab' == region && qualit\xc3\xa9 > foobar",
     HANSE_ERR_COLUMN,
     "filter: no column 'foobar', did you mean 'former'?\n"
     "  'zo\xc3\xab' == region && qualit\xc3\xa9 > foobar\n"
     "                               ^~~~~~"},
    {NUMBER, "byte \xff", HANSE_ERR_FORMULA,
     "filter: byte 0xff is not valid UTF-8\n"
     "  byte ?\n"
     "       ^"},
    {CONDITION, "active", HANSE_ERR_TYPE,
     "filter: a number is not a condition; compare it: active != 0\n"
     "  active\n"
     "  ^~~~~~"},
    {CONDITION, "active + 1", HANSE_ERR_TYPE,
     "filter: a number is not a condition; compare it: active + 1 != 0\n"
     "  active + 1\n"
     "  ^~~~~~~~~~"},
    {CONDITION, "abs(chain)", HANSE_ERR_TYPE,
     "filter: a number is not a condition; compare it: abs(chain) != 0\n"
     "  abs(chain)\n"
     "  ^~~~~~~~~~"},
    {CONDITION, "region", HANSE_ERR_TYPE,
     "filter: a text is not a condition; compare it: region == 'text'\n"
     "  region\n"
     "  ^~~~~~"},
    {CONDITION, "'x'", HANSE_ERR_TYPE,
     "filter: a text is not a condition; compare it: column == 'text'\n"
     "  'x'\n"
     "  ^~~"},
    {CONDITION, "1", HANSE_ERR_TYPE,
     "filter: a number is not a condition; compare it: 1 != 0\n"
     "  1\n"
     "  ^"},
    {CONDITION, "labour*2 - 1", HANSE_ERR_TYPE,
     "filter: a number is not a condition; compare it: labour*2 - 1 != 0\n"
     "  labour*2 - 1\n"
     "  ^~~~~~~~~~~~"},
    {CONDITION, "min(1,2)", HANSE_ERR_TYPE,
     "filter: a number is not a condition; compare it: min(1,2) != 0\n"
     "  min(1,2)\n"
     "  ^~~~~~~~"},
};

enum {
    N_ERROR_CASES = sizeof error_cases / sizeof error_cases[0]
};

static void fault_of_each_kind_shows_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ERROR_CASES; i++) {
        const error_case *c = &error_cases[i];
        hanse_formula *formula = NULL;
        hanse_error error = {0};
        const hanse_status status = hanse_formula_compile(
            c->text, "filter", &table_schema, c->want, &formula, &error);
        assert_null(formula);
        if (status != c->status || error.status != c->status ||
            strcmp(error.message, c->message) != 0)
            fail_msg("%s\n%s: %s\nnot\n%s: %s", c->text,
                     hanse_status_name(status), error.message,
                     hanse_status_name(c->status), c->message);
    }
}

static void fault_without_error_gives_the_status_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ERROR_CASES; i++) {
        const error_case *c = &error_cases[i];
        hanse_formula *formula = NULL;
        assert_int_equal(hanse_formula_compile(c->text, "filter", &table_schema,
                                               c->want, &formula, NULL),
                         c->status);
        assert_null(formula);
    }
}

static void message_of(const char *text, const char *what, char *message)
{
    hanse_formula *formula = NULL;
    hanse_error error = {0};
    assert_int_not_equal(hanse_formula_compile(text, what, &table_schema,
                                               NUMBER, &formula, &error),
                         HANSE_OK);
    memcpy(message, error.message, HANSE_ERROR_SIZE);
}

/* `n` times `piece`, then `fault`, then `n_after` times `piece`. */
static char *long_formula(const char *piece, size_t n, const char *fault,
                          size_t n_after)
{
    char *text = malloc((n + n_after) * strlen(piece) + strlen(fault) + 1);
    assert_non_null(text);
    char *to = text;
    for (size_t i = 0; i < n; i++)
        to = stpcpy(to, piece);
    to = stpcpy(to, fault);
    for (size_t i = 0; i < n_after; i++)
        to = stpcpy(to, piece);
    return text;
}

static void long_formula_is_cut_around_the_fault(void **state)
{
    (void)state;
    static const struct {
        size_t n, n_after;
        const char *message;
    } cases[] = {
        {100, 100,
         "filter: no column 'qualty', did you mean 'quality'?\n"
         "  "
         "...labour+qualit\xc3\xa9+labour+qualit\xc3\xa9+qualty+labour+"
         "qualit\xc3\xa9+labour+qualit\xc3\xa9+labour+qu...\n"
         "                                   ^~~~~~"},
        {0, 100,
         "filter: no column 'qualty', did you mean 'quality'?\n"
         "  "
         "qualty+labour+qualit\xc3\xa9+labour+qualit\xc3\xa9+labour+"
         "qualit\xc3\xa9+labour+qualit\xc3\xa9+labour+qu...\n"
         "  ^~~~~~"},
        {100, 0,
         "filter: no column 'qualty', did you mean 'quality'?\n"
         "  "
         "...qualit\xc3\xa9+labour+qualit\xc3\xa9+labour+qualit\xc3\xa9+labour+"
         "qualit\xc3\xa9+labour+qualit\xc3\xa9+qualty+0\n"
         "                                                                     "
         "    ^~~~~~"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = long_formula("labour+qualit\xc3\xa9+", cases[i].n,
                                  "qualty+", cases[i].n_after);
        char *whole = malloc(strlen(text) + 2);
        assert_non_null(whole);
        strcpy(stpcpy(whole, text), "0");
        char message[HANSE_ERROR_SIZE];
        message_of(whole, "filter", message);
        assert_string_equal(message, cases[i].message);
        free(whole);
        free(text);
    }
}

/* Names of 60,000 bytes in every part of a message: it still fits, ends with
 * the caret line, and is not cut within a character. */
static void long_names_leave_room_for_the_caret(void **state)
{
    (void)state;
    static const char *const before[] = {
        "",  "chain + ",    "'",          "1 + '", "abs(",    "12",
        "`", "sector == '", "region == ", "!",     "flag && "};
    static const char *const after[] = {"",  "",  "' + 1", "'", ")",   "",
                                        "`", "'", "",      "",  " * 2"};
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
        char *name = long_formula("\xe4\xbc\x81", 20000, "", 0);
        char *text = malloc(strlen(name) + 32);
        assert_non_null(text);
        strcpy(stpcpy(stpcpy(text, before[i]), name), after[i]);
        char message[HANSE_ERROR_SIZE];
        message_of(text, name, message);
        const char *last = strrchr(message, '\n');
        assert_non_null(last);
        assert_int_equal(strspn(last + 1, " ^~"), strlen(last + 1));
        assert_non_null(strchr(last, '^'));
        assert_true(strlen(message) < HANSE_ERROR_SIZE - 1);
        for (const char *c = message; *c != '\0'; c++)
            if ((*c & 0xf0) == 0xe0)
                assert_true((c[1] & 0xc0) == 0x80 && (c[2] & 0xc0) == 0x80);
        free(text);
        free(name);
    }
}

static void many_columns_are_listed_in_part(void **state)
{
    (void)state;
    enum {
        N = 1000
    };
    hanse_field *fields = calloc(N, sizeof fields[0]);
    char(*names)[32] = calloc(N, sizeof names[0]);
    assert_true(fields != NULL && names != NULL);
    for (int i = 0; i < N; i++) {
        snprintf(names[i], sizeof names[i], "column_%d", i);
        fields[i].name = names[i];
    }
    const hanse_schema schema = {fields, N};
    hanse_formula *formula = NULL;
    hanse_error error = {0};
    assert_int_equal(hanse_formula_compile("turnover", "filter", &schema,
                                           NUMBER, &formula, &error),
                     HANSE_ERR_COLUMN);
    assert_non_null(strstr(error.message, "there are column_0, column_1, "));
    assert_non_null(strstr(error.message, ", ...\n  turnover\n  ^~~~~~~~"));
    const hanse_schema none = {NULL, 0};
    assert_int_equal(hanse_formula_compile("turnover", "filter", &none, NUMBER,
                                           &formula, &error),
                     HANSE_ERR_COLUMN);
    assert_non_null(strstr(error.message, "the table has no columns"));
    free(names);
    free(fields);
}

/* Nothing that steers a terminal gets from a formula into a message. */
static void control_characters_are_not_repeated(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "'\x1b[31m' + 1",     "`\x1b]0;x\x07` + 1", "'\xc2\x9b' * 2",
        "'\xe2\x80\xae' * 2", "chain + \x1b[1m",    "labour == '\r\n\x7f'"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char message[HANSE_ERROR_SIZE];
        message_of(texts[i], "filter \x1b[1m", message);
        for (const char *c = message; *c != '\0'; c++)
            assert_true(((unsigned char)*c >= 0x20 && *c != 0x7f) ||
                        *c == '\n');
        assert_null(strstr(message, "\xc2\x9b"));
        assert_null(strstr(message, "\xe2\x80\xae"));
    }
}

static void broken_utf8_is_refused_where_it_is(void **state)
{
    (void)state;
    static const char *const texts[] = {"1 + \xff",
                                        "1 + \x80",
                                        "1 + \xc3",
                                        "1 + \xc3(",
                                        "1 + \xe2\x82",
                                        "1 + \xe2\x28\xa1",
                                        "1 + \xc0\xaf",
                                        "1 + \xed\xa0\x80",
                                        "1 + \xf4\x90\x80\x80",
                                        "1 + \xf8\x88\x80\x80\x80"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char message[HANSE_ERROR_SIZE];
        message_of(texts[i], "filter", message);
        assert_non_null(strstr(message, "is not valid UTF-8\n  1 + ?"));
        assert_string_equal(strrchr(message, '\n'), "\n      ^");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fault_of_each_kind_shows_its_place),
        cmocka_unit_test(fault_without_error_gives_the_status_alone),
        cmocka_unit_test(long_formula_is_cut_around_the_fault),
        cmocka_unit_test(long_names_leave_room_for_the_caret),
        cmocka_unit_test(many_columns_are_listed_in_part),
        cmocka_unit_test(control_characters_are_not_repeated),
        cmocka_unit_test(broken_utf8_is_refused_where_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
