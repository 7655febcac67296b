/* SPDX-License-Identifier: Apache-2.0
 *
 * Formulas on their way from text to program: tokens (formula_lex.c), nodes
 * (formula_parse.c), types (formula_check.c), steps (formula_code.c). The
 * loops that the steps run are declared in formula_step.h.
 *
 * The parser appends a node after its operands, so that the node array is in
 * postfix order: later stages walk it in loops and never recurse, whatever
 * the length of the formula. Only the parser recurses, at most
 * FORMULA_MAX_DEPTH levels of brackets, functions and prefix operators.
 */
#ifndef HANSE_ENGINE_FORMULA_INTERNAL_H
#define HANSE_ENGINE_FORMULA_INTERNAL_H

#include "engine/base/error.h"
#include "engine/formula.h"

enum {
    FORMULA_MAX_BYTES = 64 * 1024,
    FORMULA_MAX_DEPTH = 200,
    FORMULA_QUOTE_SIZE = 64 /* room for a name or a piece in a message */
};

/* Holds every int64 and uint64. */
typedef __int128 hanse_wide_int;

/* The text of a formula and where its errors go. */
typedef struct hanse_formula_source {
    const char *text;
    size_t n; /* bytes */
    const char *what;
    hanse_error *error; /* may be NULL */
} hanse_formula_source;

typedef enum hanse_formula_token_kind {
    TOKEN_END,
    TOKEN_INTEGER,
    TOKEN_NUMBER,
    TOKEN_TEXT,
    TOKEN_NAME,
    TOKEN_QUOTED_NAME,
    TOKEN_OR,
    TOKEN_AND,
    TOKEN_NOT,
    TOKEN_EQ,
    TOKEN_NE,
    TOKEN_LT,
    TOKEN_LE,
    TOKEN_GT,
    TOKEN_GE,
    TOKEN_PLUS,
    TOKEN_MINUS,
    TOKEN_STAR,
    TOKEN_SLASH,
    TOKEN_LEFT,
    TOKEN_RIGHT,
    TOKEN_COMMA
} hanse_formula_token_kind;

/* Bytes begin to end - 1 of the text. */
typedef struct hanse_formula_token {
    hanse_formula_token_kind kind;
    size_t begin;
    size_t end;
} hanse_formula_token;

typedef enum hanse_formula_kind {
    NODE_NONE,
    NODE_COLUMN,
    NODE_INTEGER, /* a literal */
    NODE_NUMBER,  /* a literal */
    NODE_TEXT,    /* a literal */
    NODE_TRUTH,   /* true or false */
    NODE_OR,
    NODE_AND,
    NODE_NOT,
    NODE_EQ, /* the comparisons, in the order of hanse_formula_compare */
    NODE_NE,
    NODE_LT,
    NODE_LE,
    NODE_GT,
    NODE_GE,
    NODE_ADD, /* arithmetic of two operands */
    NODE_SUBTRACT,
    NODE_MULTIPLY,
    NODE_DIVIDE,
    NODE_MIN,
    NODE_MAX,
    NODE_NEGATE, /* and of one */
    NODE_ABS,
    NODE_SQRT,
    NODE_FLOOR,
    NODE_CEIL,
    NODE_EXP,
    NODE_LOG,
    NODE_ISNAN
} hanse_formula_kind;

typedef enum hanse_formula_type {
    FORMULA_BOOL,
    FORMULA_INTEGER,
    FORMULA_FLOAT,
    FORMULA_TEXT
} hanse_formula_type;

typedef struct hanse_formula_node {
    hanse_formula_kind kind;
    hanse_formula_type type; /* set by hanse_formula_check */
    /* Places in the text, for carets: the whole expression with its brackets,
     * and the operator or function name alone. */
    size_t begin, end;
    size_t operator_begin, operator_end;
    uint32_t left, right; /* operands; where there is one, both are that */
    size_t field;         /* of a column, set by hanse_formula_check */
    hanse_wide_int integer;
    double number;
    bool truth;
    const char *text; /* of a text literal or name: unquoted, zero at end */
    size_t n_text;
} hanse_formula_node;

/* Nodes in postfix order, the last one is the whole formula. */
typedef struct hanse_formula_tree {
    hanse_formula_node *nodes;
    size_t n_nodes;
    size_t capacity;
    char *pool; /* texts of the nodes */
    size_t n_pool;
    size_t pool_bytes;
} hanse_formula_tree;

static inline bool hanse_formula_is_comparison(hanse_formula_kind kind)
{
    return kind >= NODE_EQ && kind <= NODE_GE;
}

/* True for a literal's kind. */
static inline bool hanse_formula_is_literal(hanse_formula_kind kind)
{
    return kind >= NODE_INTEGER && kind <= NODE_TRUTH;
}

/* Operands of a node: 0, 1 or 2. */
static inline unsigned hanse_formula_n_operands(hanse_formula_kind kind)
{
    if (kind < NODE_OR)
        return 0;
    return kind == NODE_NOT || kind >= NODE_NEGATE ? 1 : 2;
}

/* ---- formula_message.c -------------------------------------------------- */

/* Fails with "<what>: <message>", the formula on one line and a caret under
 * bytes begin to end - 1, cut around them when it is long. Returns status. */
__attribute__((format(printf, 5, 6))) hanse_status
hanse_formula_fault(const hanse_formula_source *source, hanse_status status,
                    size_t begin, size_t end, const char *format, ...);

/* Writes n bytes of text to `out`, FORMULA_QUOTE_SIZE bytes, for use in a
 * message: control characters replaced, the end cut to "..." between
 * characters. Returns `out`. */
const char *hanse_formula_quote(const char *text, size_t n, char *out);

/* Bytes of the UTF-8 character at `text`, of which n > 0 bytes are left, and
 * its code point; 0 when it is not valid. */
size_t hanse_formula_character(const char *text, size_t n, uint32_t *code);

/* ---- formula_lex.c ------------------------------------------------------ */

/* Reads the token at or after byte `at`. */
hanse_status hanse_formula_next(const hanse_formula_source *source, size_t at,
                                hanse_formula_token *token);

/* True when `text` can stand in a formula as a name without backquotes. */
bool hanse_formula_is_plain_name(const char *text);

/* ---- formula_parse.c ---------------------------------------------------- */

/* Parses the text into a zero-initialised tree. Whatever the status, the
 * caller clears the tree. */
hanse_status hanse_formula_parse(const hanse_formula_source *source,
                                 hanse_formula_tree *tree);
void hanse_formula_tree_clear(hanse_formula_tree *tree);

/* ---- formula_check.c ---------------------------------------------------- */

/* Finds columns and sets the types of all nodes. Text literals that are
 * compared with labels become the integer that the label stands for. */
hanse_status hanse_formula_check(const hanse_formula_source *source,
                                 const hanse_schema *schema,
                                 hanse_formula_want want,
                                 hanse_formula_tree *tree);

/* ---- formula_code.c ----------------------------------------------------- */

/* Compiles a checked tree into the steps and register counts of `formula`. */
hanse_status hanse_formula_code(const hanse_formula_tree *tree,
                                const hanse_schema *schema,
                                hanse_formula_want want, hanse_formula *formula,
                                hanse_error *error);

#endif
