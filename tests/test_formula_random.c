/* SPDX-License-Identifier: Apache-2.0
 *
 * Random formulas over random columns against the evaluator of
 * formula_oracle.h. A random tree is written out as text with no more brackets
 * than precedence asks for (or with some more), and the values of the two must
 * be the same bits. HANSE_TEST_SEED replays a run.
 */
#include "engine/formula.h"

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
#include "tests/formula_oracle.h"

enum {
    N_FORMULAS = 2500,
    MAX_NODES = 1024,
    MAX_TEXT = 65536
};

/* ---- Trees -------------------------------------------------------------- */

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
    static const char *const unary_calls[] = {"abs", "sqrt",  "exp",
                                              "log", "floor", "ceil"};
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
        made = new_node(CALL, unary_calls[below(6)], 7);
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
