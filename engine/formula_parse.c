/* SPDX-License-Identifier: Apache-2.0
 *
 * Recursive descent, one function per level of precedence, loosest first:
 *
 *     or:         and { ("||" | "or") and }
 *     and:        not { ("&&" | "and") not }
 *     not:        ("!" | "not") not | comparison
 *     comparison: sum [ ("==" | "!=" | "<" | "<=" | ">" | ">=") sum ]
 *     sum:        product { ("+" | "-") product }
 *     product:    prefix { ("*" | "/") prefix }
 *     prefix:     "-" prefix | primary     (minus an integer literal is one)
 *     primary:    literal | name | name "(" or { "," or } ")" | "(" or ")"
 */
#include "engine/formula_internal.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

typedef struct parser {
    const hanse_formula_source *source;
    hanse_formula_tree *tree;
    hanse_formula_token token; /* the next one */
    size_t last_end;           /* end of the one before */
    unsigned depth;
} parser;

static const struct {
    const char *name;
    hanse_formula_kind kind;
    bool many; /* two or more arguments, else exactly one */
} functions[] = {
    {"abs", NODE_ABS, false},     {"min", NODE_MIN, true},
    {"max", NODE_MAX, true},      {"log", NODE_LOG, false},
    {"exp", NODE_EXP, false},     {"sqrt", NODE_SQRT, false},
    {"floor", NODE_FLOOR, false}, {"ceil", NODE_CEIL, false},
    {"isnan", NODE_ISNAN, false},
};

enum {
    N_FUNCTIONS = sizeof functions / sizeof functions[0]
};

static hanse_status parse_or(parser *p, uint32_t *out);

/* Fails at bytes begin to end - 1. */
#define FAULT(p, begin, end, ...)                                       \
    hanse_formula_fault((p)->source, HANSE_ERR_FORMULA, (begin), (end), \
                        __VA_ARGS__)

static hanse_status advance(parser *p)
{
    p->last_end = p->token.end;
    return hanse_formula_next(p->source, p->token.end, &p->token);
}

/* Something else follows where an operator could. */
static hanse_status fail_rest(parser *p)
{
    static const char *const capitals[] = {"AND", "OR", "NOT"};
    char quote[FORMULA_QUOTE_SIZE];
    hanse_formula_quote(p->source->text + p->token.begin,
                        p->token.end - p->token.begin, quote);
    if (p->token.kind == TOKEN_RIGHT)
        return FAULT(p, p->token.begin, p->token.end,
                     "no bracket is open here");
    if (p->token.kind == TOKEN_COMMA)
        return FAULT(p, p->token.begin, p->token.end,
                     "a comma only separates arguments of a function; the "
                     "decimal sign is a point");
    for (size_t i = 0; i < 3; i++)
        if (strcmp(quote, capitals[i]) == 0)
            return FAULT(p, p->token.begin, p->token.end,
                         "write the words and, or, not in small letters");
    return FAULT(p, p->token.begin, p->token.end,
                 "expected an operator, found '%s'", quote);
}

/* Begins a level of nesting at the current token; the way out is p->depth--.
 * After a failure the depth no longer matters. */
static hanse_status enter(parser *p)
{
    if (++p->depth <= FORMULA_MAX_DEPTH)
        return HANSE_OK;
    return FAULT(p, p->token.begin, p->token.end,
                 "nested more than %d deep; split the formula",
                 FORMULA_MAX_DEPTH);
}

/* Every node takes up a token of at least one byte of its own, so there are
 * never more nodes than bytes, and the tree has room for that many. */
static uint32_t add_node(parser *p, hanse_formula_kind kind, size_t begin,
                         size_t end)
{
    hanse_formula_node *node = &p->tree->nodes[p->tree->n_nodes];
    *node = (hanse_formula_node){.kind = kind,
                                 .begin = begin,
                                 .end = end,
                                 .operator_begin = begin,
                                 .operator_end = end};
    return (uint32_t)p->tree->n_nodes++;
}

/* A node over one or two operands, whose operator is `token`. */
static uint32_t add_operator(parser *p, hanse_formula_kind kind,
                             const hanse_formula_token *token, uint32_t left,
                             uint32_t right)
{
    const hanse_formula_node *nodes = p->tree->nodes;
    size_t begin = token->begin;
    if (nodes[left].begin < begin)
        begin = nodes[left].begin;
    const uint32_t index = add_node(p, kind, begin, nodes[right].end);
    hanse_formula_node *node = &p->tree->nodes[index];
    node->operator_begin = token->begin;
    node->operator_end = token->end;
    node->left = left;
    node->right = right;
    return index;
}

/* Copies a text or name to the pool without its quotes, doubled quotes made
 * single. The pool has room for all tokens and their terminators. */
static void set_text(parser *p, hanse_formula_node *node,
                     const hanse_formula_token *token)
{
    const char *text = p->source->text;
    char *to = p->tree->pool + p->tree->n_pool;
    size_t n = 0;
    if (token->kind == TOKEN_NAME) {
        n = token->end - token->begin;
        memcpy(to, text + token->begin, n);
    } else {
        const char quote = text[token->begin];
        for (size_t i = token->begin + 1; i < token->end - 1; i++) {
            to[n++] = text[i];
            i += text[i] == quote;
        }
    }
    to[n] = '\0';
    node->text = to;
    node->n_text = n;
    p->tree->n_pool += n + 1;
}

/* The value of a literal in decimal, correctly rounded whatever the locale.
 * The lexer saw to it that the number ends where the token ends. */
static hanse_status set_number(parser *p, hanse_formula_node *node)
{
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c_locale == (locale_t)0)
        return hanse_fail_nomem(p->source->error, "number", sizeof(double));
    node->number = strtod_l(p->source->text + node->begin, NULL, c_locale);
    freelocale(c_locale);
    node->kind = NODE_NUMBER;
    if (isinf(node->number))
        return FAULT(p, node->begin, node->end,
                     "the number is too large (above 1.797e308)");
    return HANSE_OK;
}

/* Integers up to 2^64 - 1 are kept exactly, larger ones become binary64. */
static hanse_status parse_number(parser *p, uint32_t *out)
{
    const hanse_formula_token token = p->token;
    *out = add_node(p, NODE_INTEGER, token.begin, token.end);
    hanse_formula_node *node = &p->tree->nodes[*out];
    uint64_t value = 0;
    bool fits = token.kind == TOKEN_INTEGER;
    for (size_t i = token.begin; fits && i < token.end; i++) {
        const uint64_t digit = (uint64_t)(p->source->text[i] - '0');
        fits = !__builtin_mul_overflow(value, 10, &value) &&
               !__builtin_add_overflow(value, digit, &value);
    }
    node->integer = value;
    if (!fits)
        HANSE_TRY(set_number(p, node));
    return advance(p);
}

static const char *const function_names[N_FUNCTIONS] = {
    "abs", "min", "max", "log", "exp", "sqrt", "floor", "ceil", "isnan"};

static hanse_status find_function(parser *p, const hanse_formula_token *token,
                                  size_t *function)
{
    char name[FORMULA_QUOTE_SIZE];
    hanse_formula_quote(p->source->text + token->begin,
                        token->end - token->begin, name);
    for (size_t i = 0; i < N_FUNCTIONS; i++) {
        if (strcmp(name, functions[i].name) == 0) {
            *function = i;
            return HANSE_OK;
        }
    }
    const char *near = hanse_suggest(name, function_names, N_FUNCTIONS);
    if (near != NULL)
        return FAULT(p, token->begin, token->end,
                     "no function '%s', did you mean '%s'?", name, near);
    return FAULT(p, token->begin, token->end,
                 "no function '%s'; there are abs, min, max, log, exp, "
                 "sqrt, floor, ceil and isnan",
                 name);
}

/* The arguments and the closing bracket. min and max of more than two become
 * a chain of nodes with two operands. */
static hanse_status parse_arguments(parser *p, const hanse_formula_token *name,
                                    size_t function, uint32_t *out)
{
    const hanse_formula_kind kind = functions[function].kind;
    size_t n_arguments = 0;
    uint32_t so_far = 0;
    const size_t bracket = p->token.begin;
    do {
        HANSE_TRY(advance(p));
        if (p->token.kind == TOKEN_RIGHT && n_arguments == 0)
            break;
        uint32_t argument;
        HANSE_TRY(parse_or(p, &argument));
        n_arguments++;
        if (n_arguments == 1)
            so_far = argument;
        else if (functions[function].many)
            so_far = add_operator(p, kind, name, so_far, argument);
    } while (p->token.kind == TOKEN_COMMA);
    if (p->token.kind == TOKEN_END)
        return FAULT(p, bracket, bracket + 1,
                     "the bracket after %s is not closed",
                     functions[function].name);
    if (p->token.kind != TOKEN_RIGHT)
        return fail_rest(p);
    const bool enough =
        functions[function].many ? n_arguments >= 2 : n_arguments == 1;
    if (!enough)
        return FAULT(p, name->begin, p->token.end, "%s takes %s, not %zu",
                     functions[function].name,
                     functions[function].many ? "two or more arguments"
                                              : "one argument",
                     n_arguments);
    if (!functions[function].many)
        so_far = add_operator(p, kind, name, so_far, so_far);
    p->tree->nodes[so_far].begin = name->begin;
    p->tree->nodes[so_far].end = p->token.end;
    *out = so_far;
    return advance(p);
}

static hanse_status parse_name(parser *p, uint32_t *out)
{
    const hanse_formula_token token = p->token;
    const char *text = p->source->text + token.begin;
    const size_t n = token.end - token.begin;
    HANSE_TRY(advance(p));
    if (token.kind == TOKEN_NAME && p->token.kind == TOKEN_LEFT) {
        size_t function = 0;
        HANSE_TRY(find_function(p, &token, &function));
        HANSE_TRY(enter(p));
        HANSE_TRY(parse_arguments(p, &token, function, out));
        p->depth--;
        return HANSE_OK;
    }
    *out = add_node(p, NODE_COLUMN, token.begin, token.end);
    hanse_formula_node *node = &p->tree->nodes[*out];
    const bool is_true = n == 4 && memcmp(text, "true", 4) == 0;
    const bool is_false = n == 5 && memcmp(text, "false", 5) == 0;
    if (token.kind == TOKEN_NAME && (is_true || is_false)) {
        node->kind = NODE_TRUTH;
        node->truth = is_true;
    } else {
        set_text(p, node, &token);
    }
    return HANSE_OK;
}

static hanse_status parse_brackets(parser *p, uint32_t *out)
{
    const size_t begin = p->token.begin;
    HANSE_TRY(enter(p));
    HANSE_TRY(advance(p));
    HANSE_TRY(parse_or(p, out));
    if (p->token.kind == TOKEN_END)
        return FAULT(p, begin, begin + 1, "the bracket is not closed");
    if (p->token.kind != TOKEN_RIGHT)
        return fail_rest(p);
    p->tree->nodes[*out].begin = begin;
    p->tree->nodes[*out].end = p->token.end;
    p->depth--;
    return advance(p);
}

static hanse_status fail_no_value(parser *p)
{
    const hanse_formula_token *token = &p->token;
    char quote[FORMULA_QUOTE_SIZE];
    if (token->kind == TOKEN_END && p->tree->n_nodes == 0 && p->last_end == 0)
        return FAULT(p, p->source->n, p->source->n, "the formula is empty");
    if (token->kind == TOKEN_END)
        return FAULT(p, p->last_end, p->last_end,
                     "the formula ends where a value is expected");
    hanse_formula_quote(p->source->text + token->begin,
                        token->end - token->begin, quote);
    if (token->kind == TOKEN_NOT)
        return FAULT(p, token->begin, token->end,
                     "put brackets around the condition that begins with "
                     "'%s' here",
                     quote);
    return FAULT(p, token->begin, token->end, "expected a value, found '%s'",
                 quote);
}

static hanse_status parse_primary(parser *p, uint32_t *out)
{
    switch (p->token.kind) {
    case TOKEN_INTEGER:
    case TOKEN_NUMBER:
        return parse_number(p, out);
    case TOKEN_TEXT:
        *out = add_node(p, NODE_TEXT, p->token.begin, p->token.end);
        set_text(p, &p->tree->nodes[*out], &p->token);
        return advance(p);
    case TOKEN_NAME:
    case TOKEN_QUOTED_NAME:
        return parse_name(p, out);
    case TOKEN_LEFT:
        return parse_brackets(p, out);
    default:
        return fail_no_value(p);
    }
}

static hanse_status parse_prefix(parser *p, uint32_t *out)
{
    const hanse_formula_token token = p->token;
    if (token.kind != TOKEN_MINUS)
        return parse_primary(p, out);
    HANSE_TRY(enter(p));
    HANSE_TRY(advance(p));
    HANSE_TRY(parse_prefix(p, out));
    p->depth--;
    hanse_formula_node *node = &p->tree->nodes[*out];
    if (node->kind == NODE_INTEGER) {
        node->integer = -node->integer;
        node->begin = token.begin;
    } else {
        *out = add_operator(p, NODE_NEGATE, &token, *out, *out);
    }
    return HANSE_OK;
}

static hanse_formula_kind or_kind(hanse_formula_token_kind token)
{
    return token == TOKEN_OR ? NODE_OR : NODE_NONE;
}

static hanse_formula_kind and_kind(hanse_formula_token_kind token)
{
    return token == TOKEN_AND ? NODE_AND : NODE_NONE;
}

static hanse_formula_kind sum_kind(hanse_formula_token_kind token)
{
    return token == TOKEN_PLUS    ? NODE_ADD
           : token == TOKEN_MINUS ? NODE_SUBTRACT
                                  : NODE_NONE;
}

static hanse_formula_kind product_kind(hanse_formula_token_kind token)
{
    return token == TOKEN_STAR    ? NODE_MULTIPLY
           : token == TOKEN_SLASH ? NODE_DIVIDE
                                  : NODE_NONE;
}

static hanse_formula_kind compare_kind(hanse_formula_token_kind token)
{
    if (token < TOKEN_EQ || token > TOKEN_GE)
        return NODE_NONE;
    return (hanse_formula_kind)(NODE_EQ + (token - TOKEN_EQ));
}

/* operand { operator operand }, grouped from the left. */
static hanse_status
parse_chain(parser *p, hanse_status (*operand)(parser *, uint32_t *),
            hanse_formula_kind (*kind_of)(hanse_formula_token_kind),
            uint32_t *out)
{
    HANSE_TRY(operand(p, out));
    for (;;) {
        const hanse_formula_token token = p->token;
        const hanse_formula_kind kind = kind_of(token.kind);
        if (kind == NODE_NONE)
            return HANSE_OK;
        uint32_t right;
        HANSE_TRY(advance(p));
        HANSE_TRY(operand(p, &right));
        *out = add_operator(p, kind, &token, *out, right);
    }
}

static hanse_status parse_product(parser *p, uint32_t *out)
{
    return parse_chain(p, parse_prefix, product_kind, out);
}

static hanse_status parse_sum(parser *p, uint32_t *out)
{
    return parse_chain(p, parse_product, sum_kind, out);
}

static hanse_status parse_comparison(parser *p, uint32_t *out)
{
    HANSE_TRY(parse_sum(p, out));
    const hanse_formula_token token = p->token;
    const hanse_formula_kind kind = compare_kind(token.kind);
    if (kind == NODE_NONE)
        return HANSE_OK;
    uint32_t right;
    HANSE_TRY(advance(p));
    HANSE_TRY(parse_sum(p, &right));
    if (compare_kind(p->token.kind) != NODE_NONE)
        return FAULT(p, p->token.begin, p->token.end,
                     "comparisons cannot be chained; instead of a < b < c "
                     "write a < b && b < c");
    *out = add_operator(p, kind, &token, *out, right);
    return HANSE_OK;
}

static hanse_status parse_not(parser *p, uint32_t *out)
{
    const hanse_formula_token token = p->token;
    if (token.kind != TOKEN_NOT)
        return parse_comparison(p, out);
    HANSE_TRY(enter(p));
    HANSE_TRY(advance(p));
    HANSE_TRY(parse_not(p, out));
    p->depth--;
    *out = add_operator(p, NODE_NOT, &token, *out, *out);
    return HANSE_OK;
}

static hanse_status parse_and(parser *p, uint32_t *out)
{
    return parse_chain(p, parse_not, and_kind, out);
}

static hanse_status parse_or(parser *p, uint32_t *out)
{
    return parse_chain(p, parse_and, or_kind, out);
}

void hanse_formula_tree_clear(hanse_formula_tree *tree)
{
    hanse_free(NULL, tree->nodes, tree->capacity, sizeof tree->nodes[0]);
    hanse_free(NULL, tree->pool, tree->pool_bytes, 1);
    *tree = (hanse_formula_tree){0};
}

hanse_status hanse_formula_parse(const hanse_formula_source *source,
                                 hanse_formula_tree *tree)
{
    tree->capacity = source->n + 1;
    tree->pool_bytes = 2 * source->n + 2;
    tree->nodes = hanse_allocate(NULL, tree->capacity, sizeof tree->nodes[0]);
    tree->pool = hanse_allocate(NULL, tree->pool_bytes, 1);
    if (tree->nodes == NULL || tree->pool == NULL)
        return hanse_fail_nomem(source->error, "formula", source->n);
    parser p = {.source = source, .tree = tree};
    uint32_t root;
    HANSE_TRY(advance(&p));
    HANSE_TRY(parse_or(&p, &root));
    return p.token.kind == TOKEN_END ? HANSE_OK : fail_rest(&p);
}
