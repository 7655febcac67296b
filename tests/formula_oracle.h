/* SPDX-License-Identifier: Apache-2.0
 *
 * A second evaluator of formulas, for test_formula_random.c: walks a tree row
 * by row over a table of random columns, without types fixed beforehand,
 * registers or folding.
 */
#ifndef HANSE_TESTS_FORMULA_ORACLE_H
#define HANSE_TESTS_FORMULA_ORACLE_H

#include "engine/hanse.h"
#include "engine/source.h"

enum {
    N_ROWS = 2 * HANSE_BLOCK_ROWS,
    N_TEXTS = 8,
    N_LABELS = 3,
    N_TYPES = HANSE_TYPE_COUNT,
    ENUM = 2 * N_TYPES,
    N_FIELDS = ENUM + 2
};

/* A column of every type by its number, the same with marked rows N_TYPES
 * further; then a column with labels, plain and marked. */
extern hanse_field fields[N_FIELDS];
extern char field_names[N_FIELDS][16];
extern hanse_array arrays[N_FIELDS];
extern const hanse_schema schema;
extern const hanse_batch batch;
extern const hanse_label labels[N_LABELS];
extern const char *const texts[N_TEXTS]; /* of the text columns */

/* Set-up and tear-down of the whole program; HANSE_TEST_SEED sets the seed. */
int make_table(void **state);
int drop_table(void **state);

/* A random number from 0 to n - 1. */
unsigned below(unsigned n);

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

/* Value of a tree in a row. */
value evaluate(const node *n, size_t row);

/* As a number: NaN where missing, a condition 0 or 1. */
double to_double(value v);

#endif
