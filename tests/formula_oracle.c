/* SPDX-License-Identifier: Apache-2.0
 *
 * Random columns, and formulas evaluated over them row by row.
 */
#include "tests/formula_oracle.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "engine/elementary.h"

/* A comparison of long double is exact for int64, uint64 and double where it
 * has 64 bits of mantissa or more. */
_Static_assert(__LDBL_MANT_DIG__ >= 64, "long double holds every uint64");

static uint64_t random_state;

static uint64_t next_random(void)
{
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

unsigned below(unsigned n)
{
    return (unsigned)(next_random() % n);
}

/* ---- The table: each column once plain, once with marked rows ------------ */

const hanse_label labels[N_LABELS] = {{-3, "minus"}, {0, "zero"}, {7, "x y"}};

hanse_field fields[N_FIELDS];
char field_names[N_FIELDS][16];
hanse_array arrays[N_FIELDS];
const hanse_schema schema = {fields, N_FIELDS};
const hanse_batch batch = {N_ROWS, arrays};

const char *const texts[N_TEXTS] = {"",         "a",    "ab",       "b",
                                    "\xc3\xa9", "it's", "say \"\"", "ab"};

/* Integers that conversions and comparisons get wrong. */
static uint64_t edge_bits(void)
{
    static const uint64_t edges[] = {0,
                                     1,
                                     UINT64_MAX,
                                     UINT64_C(1) << 53,
                                     (UINT64_C(1) << 53) + 1,
                                     INT64_MAX,
                                     UINT64_C(1) << 63,
                                     (UINT64_C(1) << 63) + 1,
                                     127,
                                     128,
                                     255,
                                     32767,
                                     32768,
                                     65535,
                                     INT32_MAX,
                                     UINT64_C(1) << 31,
                                     UINT32_MAX,
                                     7,
                                     (UINT64_C(1) << 63) + 1025,
                                     UINT64_MAX - 1024};
    if (below(2) == 0)
        return next_random() % 9;
    return edges[below(sizeof edges / sizeof edges[0])];
}

static double edge_double(void)
{
    static const double edges[] = {
        0.0,   -0.0,      1.0,       -1.0,   0.5,    2.5,    NAN,
        NAN,   INFINITY,  -INFINITY, 0x1p53, 0x1p63, 0x1p64, -0x1p63,
        1e308, 0x1p-1074, 7.0,       -128.0, 255.0};
    return below(3) == 0 ? (double)below(9)
                         : edges[below(sizeof edges / sizeof edges[0])];
}

static void fill_texts(hanse_array *array)
{
    char *bytes = malloc(16 * N_ROWS);
    int32_t *offsets = malloc((N_ROWS + 1) * sizeof offsets[0]);
    assert_true(bytes != NULL && offsets != NULL);
    offsets[0] = 0;
    for (size_t i = 0; i < N_ROWS; i++) {
        const char *text = texts[below(sizeof texts / sizeof texts[0])];
        memcpy(bytes + offsets[i], text, strlen(text));
        offsets[i + 1] = offsets[i] + (int32_t)strlen(text);
    }
    array->values = bytes;
    array->offsets = offsets;
}

static void fill_column(hanse_type type, hanse_array *array)
{
    const size_t size_bytes = hanse_type_size(type);
    char *values = malloc(N_ROWS * size_bytes);
    assert_non_null(values);
    for (size_t i = 0; i < N_ROWS; i++) {
        const double x = edge_double();
        const float single = (float)x;
        const uint64_t bits = edge_bits(); /* low bytes: little or big end */
        const uint8_t u8 = (uint8_t)bits;
        const uint16_t u16 = (uint16_t)bits;
        const uint32_t u32 = (uint32_t)bits;
        const void *from = type == HANSE_FLOAT64   ? (const void *)&x
                           : type == HANSE_FLOAT32 ? (const void *)&single
                           : size_bytes == 1       ? (const void *)&u8
                           : size_bytes == 2       ? (const void *)&u16
                           : size_bytes == 4       ? (const void *)&u32
                                                   : (const void *)&bits;
        memcpy(values + i * size_bytes, from, size_bytes);
    }
    array->values = values;
}

int make_table(void **state)
{
    (void)state;
    const char *given = getenv("HANSE_TEST_SEED");
    random_state = given != NULL ? strtoull(given, NULL, 0) : 20240607;
    print_message("HANSE_TEST_SEED=%" PRIu64 "\n", random_state);
    for (size_t f = 0; f < N_FIELDS; f++) {
        const bool is_enum = f >= ENUM;
        fields[f].type = is_enum ? HANSE_INT16 : (hanse_type)(f % N_TYPES);
        const bool is_marked = f >= N_TYPES && f != ENUM;
        snprintf(field_names[f], sizeof field_names[f], "%s%s",
                 is_enum ? "label" : hanse_type_name(fields[f].type),
                 is_marked ? "_m" : "");
        fields[f].name = field_names[f];
        fields[f].labels = is_enum ? labels : NULL;
        fields[f].n_labels = is_enum ? 3 : 0;
        if (fields[f].type == HANSE_TEXT)
            fill_texts(&arrays[f]);
        else
            fill_column(fields[f].type, &arrays[f]);
        uint8_t *missing = is_marked ? malloc(N_ROWS) : NULL;
        for (size_t i = 0; is_marked && i < N_ROWS; i++)
            missing[i] = below(4) == 0 ? (uint8_t)(1 + below(255)) : 0;
        arrays[f].missing = missing;
    }
    return 0;
}

int drop_table(void **state)
{
    (void)state;
    for (size_t f = 0; f < N_FIELDS; f++) {
        free((void *)(uintptr_t)arrays[f].values);
        free((void *)(uintptr_t)arrays[f].offsets);
        free((void *)(uintptr_t)arrays[f].missing);
    }
    return 0;
}

/* ---- Row by row --------------------------------------------------------- */

static value number_value(double x)
{
    return (value){.type = A_NUMBER, .missing = isnan(x), .number = x};
}

static value truth_value(bool known, bool truth)
{
    return (value){.type = A_TRUTH, .missing = !known, .number = truth};
}

static value column_value(size_t field, size_t row)
{
    const hanse_array *array = &arrays[field];
    const bool missing = array->missing != NULL && array->missing[row] != 0;
    value v = {.type = AN_INTEGER, .missing = missing};
    const void *all = array->values;
    switch (fields[field].type) {
#define INTEGER(name, c_type)                   \
    case name:                                  \
        v.integer = ((const c_type *)all)[row]; \
        break
        INTEGER(HANSE_INT8, int8_t);
        INTEGER(HANSE_INT16, int16_t);
        INTEGER(HANSE_INT32, int32_t);
        INTEGER(HANSE_INT64, int64_t);
        INTEGER(HANSE_UINT8, uint8_t);
        INTEGER(HANSE_UINT16, uint16_t);
        INTEGER(HANSE_UINT32, uint32_t);
        INTEGER(HANSE_UINT64, uint64_t);
    case HANSE_FLOAT32:
        return number_value(missing ? NAN : (double)((const float *)all)[row]);
    case HANSE_FLOAT64:
        return number_value(missing ? NAN : ((const double *)all)[row]);
    case HANSE_BOOL:
        return truth_value(!missing, ((const uint8_t *)all)[row] != 0);
    default:
        v.type = A_TEXT;
        v.text = (const char *)all + array->offsets[row];
        v.n_text = (size_t)(array->offsets[row + 1] - array->offsets[row]);
    }
    return v;
}

double to_double(value v)
{
    if (v.missing)
        return NAN;
    return v.type == AN_INTEGER ? (double)v.integer : v.number;
}

static value literal_value(const char *text)
{
    char *end;
    const unsigned long long whole = strtoull(text, &end, 10);
    const bool fits = strcmp(text, "18446744073709551616") != 0;
    if (*end == '\0' && fits)
        return (value){.type = AN_INTEGER, .integer = whole};
    return number_value(strtod(text, NULL));
}

static value compare_values(const char *name, value a, value b)
{
    int order;
    if (a.missing || b.missing)
        return truth_value(false, false);
    if (a.type == A_TEXT && b.type == A_TEXT) {
        const size_t n = a.n_text < b.n_text ? a.n_text : b.n_text;
        order = memcmp(a.text, b.text, n);
        if (order == 0)
            order = (a.n_text > b.n_text) - (a.n_text < b.n_text);
    } else {
        const long double x = a.type == AN_INTEGER ? (long double)a.integer
                                                   : (long double)a.number;
        const long double y = b.type == AN_INTEGER ? (long double)b.integer
                                                   : (long double)b.number;
        order = (x > y) - (x < y);
    }
    const bool equal = order == 0;
    if (strcmp(name, "==") == 0 || strcmp(name, "=") == 0)
        return truth_value(true, equal);
    if (strcmp(name, "!=") == 0 || strcmp(name, "<>") == 0)
        return truth_value(true, !equal);
    if (name[0] == '<')
        return truth_value(true, order < 0 || (equal && name[1] == '='));
    return truth_value(true, order > 0 || (equal && name[1] == '='));
}

static double extreme(bool want_min, double a, double b)
{
    if (isnan(a) || isnan(b))
        return NAN;
    if (a == b) /* zeros differ in their sign */
        return (signbit(a) != 0) == want_min ? a : b;
    return (a < b) == want_min ? a : b;
}

static value label_code(const node *n)
{
    for (size_t i = 0; i < 3; i++)
        if (strcmp(labels[i].text, n->name) == 0)
            return (value){.type = AN_INTEGER, .integer = labels[i].code};
    fail();
    return (value){0};
}

static value evaluate_logic(const node *n, size_t row)
{
    const value a = evaluate(n->operands[0], row);
    const value b = evaluate(n->operands[1], row);
    /* `or` is decided by a true side, `and` by a false one. */
    const double decides = n->precedence == 0 ? 1.0 : 0.0;
    if ((!a.missing && a.number == decides) ||
        (!b.missing && b.number == decides))
        return truth_value(true, decides != 0.0);
    return truth_value(!a.missing && !b.missing, decides == 0.0);
}

static value evaluate_operator(const node *n, size_t row)
{
    if (n->precedence < 2)
        return evaluate_logic(n, row);
    value a = evaluate(n->operands[0], row);
    value b = evaluate(n->operands[1], row);
    if (n->precedence == 3) {
        if (a.type == A_TEXT && b.type != A_TEXT)
            a = label_code(n->operands[0]);
        if (b.type == A_TEXT && a.type != A_TEXT)
            b = label_code(n->operands[1]);
        return compare_values(n->name, a, b);
    }
    const double x = to_double(a);
    const double y = to_double(b);
    return number_value(n->name[0] == '+'   ? x + y
                        : n->name[0] == '-' ? x - y
                        : n->name[0] == '*' ? x * y
                                            : x / y);
}

static value evaluate_call(const node *n, size_t row)
{
    const value first = evaluate(n->operands[0], row);
    if (strcmp(n->name, "isnan") == 0)
        return truth_value(true, first.missing);
    double x = to_double(first);
    for (int i = 1; i < n->n_operands; i++)
        x = extreme(n->name[1] == 'i', x,
                    to_double(evaluate(n->operands[i], row)));
    switch (n->name[0]) {
    case 'a':
        return number_value(fabs(x));
    case 's':
        return number_value(sqrt(x));
    case 'e':
        return number_value(hanse_exp(x));
    case 'l':
        return number_value(hanse_log(x));
    case 'f':
        return number_value(floor(x));
    case 'c':
        return number_value(ceil(x));
    default:
        return number_value(x);
    }
}

value evaluate(const node *n, size_t row)
{
    switch (n->kind) {
    case COLUMN:
        return column_value(n->field, row);
    case LITERAL:
        return literal_value(n->name);
    case TEXT:
        return (value){
            .type = A_TEXT, .text = n->name, .n_text = strlen(n->name)};
    case TRUTH:
        return truth_value(true, n->name[0] == 't');
    case OPERATOR:
        return evaluate_operator(n, row);
    case CALL:
        return evaluate_call(n, row);
    default:
        break;
    }
    value a = evaluate(n->operands[0], row);
    if (n->name[0] != '-')
        return truth_value(!a.missing, a.number == 0.0);
    /* Minus an integer literal is an integer, anything else binary64. */
    if (n->operands[0]->kind != COLUMN && a.type == AN_INTEGER) {
        a.integer = -a.integer;
        return a;
    }
    return number_value(-to_double(a));
}
