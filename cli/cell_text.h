/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts and numbers as they are printed: safe for terminals, of known width,
 * numbers short and exact.
 */
#ifndef HANSE_CLI_CELL_TEXT_H
#define HANSE_CLI_CELL_TEXT_H

#include "engine/hanse.h"

/* A text that grows. Initialise with zeros, free with hanse_cell_clear. When
 * memory runs out `failed` is set and what does not fit is left out. */
typedef struct hanse_cell {
    char *text; /* terminated once something was appended */
    size_t length;
    size_t capacity;
    bool failed;
} hanse_cell;

void hanse_cell_reset(hanse_cell *cell); /* empty again, memory kept */
void hanse_cell_clear(hanse_cell *cell);
void hanse_cell_append(hanse_cell *cell, const char *text);

/* Appends a text from a file with everything escaped that could move the
 * cursor, set the terminal or hide the order of letters: control characters
 * (\n, \t, \xHH), bytes that are not UTF-8 (\xHH), marks of writing direction
 * and unassigned control code points (\u{H}). */
void hanse_cell_append_safe(hanse_cell *cell, const char *text);

/* Appends a double, or with is_single a float, with the fewest digits that
 * give the same value back: "0.1", "1e+300", "inf", "nan". */
void hanse_cell_append_float(hanse_cell *cell, double value, bool is_single);

/* Appends value i of an integer column, thousands separated by `separator`
 * unless that is 0. */
void hanse_cell_append_integer(hanse_cell *cell, const hanse_column *column,
                               size_t i, char separator);

/* Puts commas between the thousands of the digits that the cell begins with,
 * after a sign: "-1234.5" becomes "-1,234.5". */
void hanse_cell_separate_thousands(hanse_cell *cell, char separator);

/* Appends the word that value i of a column of codes stands for; false when the
 * column has no flags or not this one. */
bool hanse_cell_append_meaning(hanse_cell *cell, const hanse_column *column,
                               size_t i);

/* Value i of an integer column; UINT64 by its bits. */
int64_t hanse_column_integer(const hanse_column *column, size_t i);

/* Value i of a float column. */
double hanse_column_float(const hanse_column *column, size_t i);

/* Columns of a terminal that a valid UTF-8 text takes: 2 for wide East Asian
 * characters, 0 for marks that combine. */
size_t hanse_text_width(const char *text);

#endif
