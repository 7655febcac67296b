/* SPDX-License-Identifier: Apache-2.0
 *
 * Random formulas over random columns against an evaluator of its own: a tree
 * that is walked row by row, without types fixed beforehand, registers or
 * folding. The tree is written out as text with no more brackets than
 * precedence asks for (or with some more), and the values of the two must be
 * the same bits. HANSE_TEST_SEED replays a run.
 */
#include "engine/formula.h"

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

#include "engine/base/memory.h"
#include "engine/elementary.h"
#include "engine/source.h"

/* A comparison of long double is exact for int64, uint64 and double where it
 * has 64 bits of mantissa or more. */
_Static_assert(__LDBL_MANT_DIG__ >= 64, "long double holds every uint64");

enum {
    N_ROWS = 2 * HANSE_BLOCK_ROWS,
    N_FORMULAS = 2500,
    MAX_NODES = 1024,
    MAX_TEXT = 65536
};

static uint64_t random_state;

static uint64_t next_random(void)
{
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static unsigned below(unsigned n)
{
    return (unsigned)(next_random() % n);
}

/* ---- The table: each column once plain, once with marked rows ------------ */

static const hanse_label labels[] = {{-3, "minus"}, {0, "zero"}, {7, "x y"}};

enum {
    N_TYPES = HANSE_TYPE_COUNT,
    ENUM = 2 * N_TYPES,
    N_FIELDS = ENUM + 2
};

static hanse_field fields[N_FIELDS];
static char field_names[N_FIELDS][16];
static hanse_array arrays[N_FIELDS];
static const hanse_schema schema = {fields, N_FIELDS};
static const hanse_batch batch = {N_ROWS, arrays};

static const char *const texts[] = {"",         "a",    "ab",       "b",
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

static int make_table(void **state)
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

static int drop_table(void **state)
{
    (void)state;
    for (size_t f = 0; f < N_FIELDS; f++) {
        free((void *)(uintptr_t)arrays[f].values);
        free((void *)(uintptr_t)arrays[f].offsets);
        free((void *)(uintptr_t)arrays[f].missing);
    }
    return 0;
}

/* ---- Trees -------------------------------------------------------------- */

typedef enum node_kind {
    COLUMN,
    LITERAL, /* its text is the number */
    TEXT,
    TRUTH,
    PREFIX,   /* "-" and "!" */
    OPERATOR, /* between two operands */
    CALL
} node_kind;

typedef struct node {
    node_kind kind;
    const char *name; /* of the operator or function, or a literal's text */
    int precedence;   /* 0 or, 1 and, 2 not, 3 comparisons, 4 sums,
                       * 5 products, 6 unary minus, 7 the rest */
    size_t field;
    int n_operands;
    struct node *operands[3];
} node;

static node nodes[MAX_NODES];
static size_t n_nodes;

static node *new_node(node_kind kind, const char *name, int precedence)
{
    assert_true(n_nodes < MAX_NODES);
    node *made = &nodes[n_nodes++];
    *made = (node){.kind = kind, .name = name, .precedence = precedence};
    return made;
}

static node *new_column(size_t field)
{
    node *made = new_node(COLUMN, field_names[field], 7);
    made->field = field;
    return made;
}

static node *grow_condition(int depth);

/* A column of any type but text. */
static node *any_number_column(void)
{
    size_t field;
    do
        field = below(N_FIELDS);
    while (fields[field].type == HANSE_TEXT);
    return new_column(field);
}

static node *grow_number(int depth)
{
    static const char *const numbers[] = {"0",
                                          "1",
                                          "2.5",
                                          "0.5",
                                          "7",
                                          "300",
                                          "1e300",
                                          "9007199254740993",
                                          "9223372036854775807",
                                          "18446744073709551615",
                                          "9223372036854775808",
                                          "0.0",
                                          "65536",
                                          "9007199254740992.0",
                                          "18446744073709551616",
                                          "1e-320"};
    static const char *const binary[] = {"+", "-", "*", "/"};
    static const char *const unary_calls[] = {"abs", "sqrt", "exp", "log"};
    const unsigned choice = below(depth <= 0 ? 5 : 14);
    node *made;
    if (choice < 4)
        return any_number_column();
    if (choice == 4)
        return new_node(LITERAL, numbers[below(16)], 7);
    if (choice < 10) {
        const unsigned which = below(4);
        made = new_node(OPERATOR, binary[which], which < 2 ? 4 : 5);
        made->n_operands = 2;
    } else if (choice == 10) {
        made = new_node(PREFIX, "-", 6);
        made->n_operands = 1;
    } else if (choice == 11) {
        made = new_node(CALL, unary_calls[below(4)], 7);
        made->n_operands = 1;
    } else if (choice == 12) {
        made = new_node(CALL, below(2) == 0 ? "min" : "max", 7);
        made->n_operands = 2 + (int)below(2);
    } else {
        return grow_condition(depth - 1);
    }
    for (int i = 0; i < made->n_operands; i++)
        made->operands[i] = grow_number(depth - 1 - (int)below(2));
    return made;
}

static node *grow_text(void)
{
    if (below(2) == 0)
        return new_node(TEXT, texts[below(8)], 7);
    return new_column(below(2) == 0 ? HANSE_TEXT : N_TYPES + HANSE_TEXT);
}

static node *grow_comparison(int depth)
{
    static const char *const compare[] = {
        "==", "!=", "<", "<=", ">", ">=", "=", "<>"};
    node *made = new_node(OPERATOR, compare[below(8)], 3);
    made->n_operands = 2;
    const unsigned choice = below(8);
    if (choice == 0) {
        made->operands[0] = grow_text();
        made->operands[1] = grow_text();
    } else if (choice == 1) {
        made->name = below(2) == 0 ? "==" : "!=";
        const unsigned side = below(2);
        made->operands[side] = new_column(ENUM + below(2));
        made->operands[1 - side] = new_node(TEXT, labels[below(3)].text, 7);
    } else {
        made->operands[0] = grow_number(depth - 1);
        made->operands[1] = grow_number(depth - 1);
    }
    return made;
}

static node *grow_condition(int depth)
{
    const unsigned choice = below(depth <= 0 ? 4 : 12);
    node *made;
    if (choice == 0)
        return new_node(TRUTH, below(2) == 0 ? "true" : "false", 7);
    if (choice < 4)
        return new_column(below(2) == 0 ? HANSE_BOOL : N_TYPES + HANSE_BOOL);
    if (choice < 8)
        return grow_comparison(depth);
    if (choice == 8) {
        made = new_node(PREFIX, below(2) == 0 ? "!" : "not ", 2);
        made->n_operands = 1;
    } else if (choice == 9) {
        made = new_node(CALL, "isnan", 7);
        made->n_operands = 1;
        made->operands[0] =
            below(4) == 0 ? grow_text() : grow_number(depth - 1);
        return made;
    } else {
        static const char *const names[] = {"||", " or ", "&&", " and "};
        const unsigned which = below(4);
        made = new_node(OPERATOR, names[which], which < 2 ? 0 : 1);
        made->n_operands = 2;
    }
    for (int i = 0; i < made->n_operands; i++)
        made->operands[i] = grow_condition(depth - 1);
    return made;
}

/* ---- As text ------------------------------------------------------------ */

static char *print_quoted(const char *text, char *to)
{
    const char quote = below(2) == 0 ? '\'' : '"';
    *to++ = quote;
    for (; *text != '\0'; text++) {
        if (*text == quote)
            *to++ = quote;
        *to++ = *text;
    }
    *to++ = quote;
    *to = '\0';
    return to;
}

/* `least`: an operator that binds less goes in brackets. */
static char *print(const node *n, int least, char *to)
{
    const bool brackets = n->precedence < least || below(12) == 0;
    to = stpcpy(to, brackets ? "(" : "");
    switch (n->kind) {
    case TEXT:
        to = print_quoted(n->name, to);
        break;
    case PREFIX:
        to = stpcpy(to, n->name);
        to = print(n->operands[0], n->precedence, to);
        break;
    case OPERATOR: {
        /* Comparisons do not chain; the others group from the left. */
        const int p = n->precedence;
        to = print(n->operands[0], p == 3 ? p + 1 : p, to);
        to = stpcpy(stpcpy(stpcpy(to, " "), n->name), " ");
        to = print(n->operands[1], p + 1, to);
        break;
    }
    case CALL:
        to = stpcpy(stpcpy(to, n->name), "(");
        for (int i = 0; i < n->n_operands; i++)
            to = print(n->operands[i], 0, stpcpy(to, i == 0 ? "" : ", "));
        to = stpcpy(to, ")");
        break;
    default:
        to = stpcpy(to, n->name);
    }
    return stpcpy(to, brackets ? ")" : "");
}

/* ---- Row by row --------------------------------------------------------- */

typedef struct value {
    enum {
        A_TRUTH,
        A_NUMBER,
        AN_INTEGER,
        A_TEXT
    } type;
    bool missing;
    double number; /* also 0 or 1 of a truth */
    __int128 integer;
    const char *text;
    size_t n_text;
} value;

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

static double to_double(value v)
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

static value evaluate(const node *n, size_t row);

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
    default:
        return number_value(x);
    }
}

static value evaluate(const node *n, size_t row)
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

/* ---- The tests ---------------------------------------------------------- */

static bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

/* Mostly short blocks, so that many formulas fit in the time. */
static size_t choose_rows(void)
{
    static const size_t sizes[] = {0, 1, 5, 31, 64, 100, 300, 2047, 2048};
    return below(8) == 0 ? sizes[below(9)] : sizes[1 + below(6)];
}

static hanse_formula *compile_tree(const node *root, hanse_formula_want want,
                                   char *text)
{
    hanse_formula *formula = NULL;
    hanse_error error = {0};
    print(root, 0, text);
    if (hanse_formula_compile(text, "random", &schema, want, &formula,
                              &error) != HANSE_OK)
        fail_msg("%s", error.message);
    return formula;
}

static void number_random_formulas_match_row_by_row(void **state)
{
    (void)state;
    double *out = hanse_allocate(NULL, HANSE_BLOCK_ROWS, sizeof(double));
    assert_non_null(out);
    for (int k = 0; k < N_FORMULAS; k++) {
        static char text[MAX_TEXT];
        n_nodes = 0;
        const node *root = grow_number(4);
        hanse_formula *formula = compile_tree(root, HANSE_WANT_NUMBER, text);
        const size_t size_bytes = hanse_formula_scratch_bytes(formula);
        void *scratch = hanse_allocate(NULL, size_bytes, 1);
        assert_non_null(scratch);
        memset(scratch, 0xff, size_bytes);
        const size_t n = choose_rows();
        const size_t first = below(N_ROWS - (unsigned)n + 1);
        hanse_formula_number(formula, &batch, first, n, scratch, out);
        for (size_t i = 0; i < n; i++) {
            const double expected = to_double(evaluate(root, first + i));
            if (!same_bits(out[i], expected))
                fail_msg("%s\nrow %zu: %a, not %a", text, first + i, out[i],
                         expected);
        }
        hanse_free(NULL, scratch, size_bytes, 1);
        hanse_formula_destroy(formula);
    }
    hanse_free(NULL, out, HANSE_BLOCK_ROWS, sizeof(double));
}

static void condition_random_formulas_match_row_by_row(void **state)
{
    (void)state;
    uint8_t *out = hanse_allocate(NULL, HANSE_BLOCK_ROWS, 1);
    assert_non_null(out);
    size_t n_kept = 0;
    size_t n_unknown = 0;
    for (int k = 0; k < N_FORMULAS; k++) {
        static char text[MAX_TEXT];
        n_nodes = 0;
        const node *root = grow_condition(4);
        hanse_formula *formula = compile_tree(root, HANSE_WANT_CONDITION, text);
        const size_t size_bytes = hanse_formula_scratch_bytes(formula);
        void *scratch = hanse_allocate(NULL, size_bytes, 1);
        assert_non_null(scratch);
        memset(scratch, 0xff, size_bytes);
        const size_t n = choose_rows();
        const size_t first = below(N_ROWS - (unsigned)n + 1);
        hanse_formula_condition(formula, &batch, first, n, scratch, out);
        for (size_t i = 0; i < n; i++) {
            const value v = evaluate(root, first + i);
            const int expected = !v.missing && v.number == 1.0;
            if (out[i] != expected)
                fail_msg("%s\nrow %zu: %d, not %d", text, first + i, out[i],
                         expected);
            n_kept += out[i];
            n_unknown += v.missing;
        }
        hanse_free(NULL, scratch, size_bytes, 1);
        hanse_formula_destroy(formula);
    }
    assert_true(n_kept > 1000 && n_unknown > 1000);
    hanse_free(NULL, out, HANSE_BLOCK_ROWS, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(number_random_formulas_match_row_by_row),
        cmocka_unit_test(condition_random_formulas_match_row_by_row),
    };
    return cmocka_run_group_tests(tests, make_table, drop_table);
}
