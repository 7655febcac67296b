/* SPDX-License-Identifier: Apache-2.0
 *
 * Formatting of single cells.
 */
#include "cli/cell_text.h"

#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "io/utf8.h"

/* ---- A text that grows -------------------------------------------------- */

void hanse_cell_reset(hanse_cell *cell)
{
    cell->length = 0;
    if (cell->text != NULL)
        cell->text[0] = '\0';
}

void hanse_cell_clear(hanse_cell *cell)
{
    free(cell->text);
    *cell = (hanse_cell){0};
}

static bool make_room(hanse_cell *cell, size_t n)
{
    if (cell->capacity - cell->length > n)
        return true;
    const size_t capacity = 2 * (cell->length + n) + 64;
    char *grown = realloc(cell->text, capacity);
    if (grown == NULL) {
        cell->failed = true;
        return false;
    }
    cell->text = grown;
    cell->capacity = capacity;
    return true;
}

static void append_bytes(hanse_cell *cell, const char *bytes, size_t n)
{
    if (!make_room(cell, n))
        return;
    memcpy(cell->text + cell->length, bytes, n);
    cell->length += n;
    cell->text[cell->length] = '\0';
}

void hanse_cell_append(hanse_cell *cell, const char *text)
{
    append_bytes(cell, text, strlen(text));
}

/* ---- Texts -------------------------------------------------------------- */

/* C0, DEL, C1, and the marks and overrides of writing direction. */
static bool is_dangerous(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C ||
           (c >= 0x200E && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
           (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF ||
           (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE0FFF);
}

static void append_escape(hanse_cell *cell, uint32_t c, bool is_byte)
{
    char escape[16];
    if (c == '\n' && !is_byte)
        hanse_cell_append(cell, "\\n");
    else if (c == '\t' && !is_byte)
        hanse_cell_append(cell, "\\t");
    else {
        snprintf(escape, sizeof escape,
                 is_byte || c < 0x80 ? "\\x%02" PRIX32 : "\\u{%" PRIX32 "}", c);
        hanse_cell_append(cell, escape);
    }
}

void hanse_cell_append_safe(hanse_cell *cell, const char *text)
{
    uint32_t c;
    append_bytes(cell, "", 0);
    while (*text != '\0') {
        const size_t n = hanse_utf8_decode(text, &c);
        if (n == 0)
            append_escape(cell, (unsigned char)*text, true);
        else if (is_dangerous(c))
            append_escape(cell, c, false);
        else
            append_bytes(cell, text, n);
        text += n == 0 ? 1 : n;
    }
}

size_t hanse_text_width(const char *text)
{
    const char *end = text;
    while (*end >= 0x20 && *end < 0x7F)
        end++;
    if (*end == '\0')
        return (size_t)(end - text);
    /* The C library knows the widths, but only in a UTF-8 locale. */
    const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    const locale_t old = utf8 != (locale_t)0 ? uselocale(utf8) : (locale_t)0;
    size_t width = 0;
    uint32_t c;
    while (*text != '\0') {
        const size_t n = hanse_utf8_decode(text, &c);
        const int columns = n == 0 ? 1 : wcwidth((wchar_t)c);
        width += columns >= 0 ? (size_t)columns : 1;
        text += n == 0 ? 1 : n;
    }
    if (utf8 != (locale_t)0) {
        (void)uselocale(old);
        freelocale(utf8);
    }
    return width;
}

/* ---- Numbers ------------------------------------------------------------ */

void hanse_cell_append_float(hanse_cell *cell, double value, bool is_single)
{
    char digits[40];
    /* 15 (6) digits always survive the way to decimal and back, so no shorter
     * number is exact unless these are; subnormals have fewer. */
    int precision = is_single ? 6 : 15;
    if (fabs(value) < (is_single ? 1e-30 : 1e-300))
        precision = 1;
    if (isnan(value) || isinf(value)) {
        hanse_cell_append(cell, isnan(value) ? "nan"
                                : value > 0  ? "inf"
                                             : "-inf");
        return;
    }
    for (;; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (precision >= 17 || (is_single ? strtof(digits, NULL) == (float)value
                                          : strtod(digits, NULL) == value))
            break;
    }
    hanse_cell_append(cell, digits);
}

int64_t hanse_column_integer(const hanse_column *column, size_t i)
{
    switch (column->type) {
    case HANSE_INT8:
    case HANSE_BOOL:
        return ((const int8_t *)column->values)[i];
    case HANSE_INT16:
        return ((const int16_t *)column->values)[i];
    case HANSE_INT32:
        return ((const int32_t *)column->values)[i];
    case HANSE_UINT8:
        return ((const uint8_t *)column->values)[i];
    case HANSE_UINT16:
        return ((const uint16_t *)column->values)[i];
    case HANSE_UINT32:
        return ((const uint32_t *)column->values)[i];
    default:
        return ((const int64_t *)column->values)[i];
    }
}

double hanse_column_float(const hanse_column *column, size_t i)
{
    return column->type == HANSE_FLOAT32
               ? (double)((const float *)column->values)[i]
               : ((const double *)column->values)[i];
}

bool hanse_cell_append_meaning(hanse_cell *cell, const hanse_column *column,
                               size_t i)
{
    for (size_t k = 0; k < column->n_flags; k++) {
        if (column->flag_values[k] == ((const int8_t *)column->values)[i]) {
            hanse_cell_append(cell, column->flag_meanings[k]);
            return true;
        }
    }
    return false;
}

void hanse_cell_separate_thousands(hanse_cell *cell, char separator)
{
    const size_t sign = cell->length > 0 && cell->text[0] == '-';
    size_t n_digits = 0;
    while (sign + n_digits < cell->length &&
           cell->text[sign + n_digits] >= '0' &&
           cell->text[sign + n_digits] <= '9')
        n_digits++;
    if (n_digits < 4 || !make_room(cell, n_digits / 3))
        return;
    for (size_t left = n_digits - (n_digits - 1) % 3 - 1; left > 0; left -= 3) {
        char *at = cell->text + sign + n_digits - left;
        memmove(at + 1, at, cell->length - (size_t)(at - cell->text) + 1);
        *at = separator;
        cell->length++;
        n_digits++;
    }
}

void hanse_cell_append_integer(hanse_cell *cell, const hanse_column *column,
                               size_t i, char separator)
{
    char digits[32];
    const int64_t value = hanse_column_integer(column, i);
    if (column->type == HANSE_UINT64)
        snprintf(digits, sizeof digits, "%" PRIu64, (uint64_t)value);
    else
        snprintf(digits, sizeof digits, "%" PRId64, value);
    hanse_cell_append(cell, digits);
    if (separator != 0)
        hanse_cell_separate_thousands(cell, separator);
}
