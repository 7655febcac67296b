/* SPDX-License-Identifier: Apache-2.0
 *
 * Names and types of a parsed formula: every fault that does not depend on
 * the values in the rows is found here.
 */
#include "engine/formula_internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "engine/base/memory.h"

typedef struct checker {
    const hanse_formula_source *source;
    const hanse_schema *schema;
    hanse_formula_node *nodes;
} checker;

/* Fails at an operand. */
#define FAULT(c, status, node, ...)                                        \
    hanse_formula_fault((c)->source, (status), (node)->begin, (node)->end, \
                        __VA_ARGS__)

/* The piece of the formula that a node covers. */
static const char *piece(const checker *c, const hanse_formula_node *node,
                         char *out)
{
    return hanse_formula_quote(c->source->text + node->begin,
                               node->end - node->begin, out);
}

static const hanse_field *field_of(const checker *c,
                                   const hanse_formula_node *node)
{
    return &c->schema->fields[node->field];
}

/* ---- Names -------------------------------------------------------------- */

static bool find_field(const hanse_schema *schema, const char *name,
                       size_t *out)
{
    for (size_t i = 0; i < schema->n_fields; i++) {
        if (strcmp(schema->fields[i].name, name) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

/* The name that was probably meant: the same but for capitals, else the
 * nearest; NULL when none is near or memory is short. */
static const char *nearest(const char *name, const char *const *names,
                           size_t n_names)
{
    for (size_t i = 0; i < n_names; i++)
        if (strcasecmp(names[i], name) == 0)
            return names[i];
    return hanse_suggest(name, names, n_names);
}

/* "a, b, c, ..." in `out`, cut after whole names. */
static void list_names(const char *const *names, size_t n_names, char *out,
                       size_t size_bytes)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < n_names; i++) {
        char name[FORMULA_QUOTE_SIZE];
        hanse_formula_quote(names[i], strlen(names[i]), name);
        if (used + strlen(name) + sizeof ", , ..." > size_bytes) {
            snprintf(out + used, size_bytes - used, ", ...");
            return;
        }
        used += (size_t)snprintf(out + used, size_bytes - used, "%s%s",
                                 i == 0 ? "" : ", ", name);
    }
}

/* Fails because `name` (a column, or a label of `of`) is not among names. */
static hanse_status fail_unknown(const checker *c,
                                 const hanse_formula_node *node,
                                 const hanse_field *of,
                                 const char *const *names, size_t n_names)
{
    char name[FORMULA_QUOTE_SIZE];
    char near_name[FORMULA_QUOTE_SIZE];
    char list[200];
    hanse_formula_quote(node->text, node->n_text, name);
    const char *near = nearest(node->text, names, n_names);
    if (near != NULL)
        hanse_formula_quote(near, strlen(near), near_name);
    list_names(names, n_names, list, sizeof list);
    if (of != NULL) {
        char column[FORMULA_QUOTE_SIZE];
        hanse_formula_quote(of->name, strlen(of->name), column);
        if (near != NULL)
            return FAULT(c, HANSE_ERR_TYPE, node,
                         "'%s' is not a label of '%s', did you mean '%s'?",
                         name, column, near_name);
        return FAULT(c, HANSE_ERR_TYPE, node,
                     "'%s' is not a label of '%s'; its labels are %s", name,
                     column, list);
    }
    if (near != NULL) {
        const bool plain = hanse_formula_is_plain_name(near);
        return FAULT(c, HANSE_ERR_COLUMN, node,
                     "no column '%s', did you mean %s%s%s?", name,
                     plain ? "'" : "`", near_name, plain ? "'" : "`");
    }
    if (strcasecmp(node->text, "nan") == 0 ||
        strcasecmp(node->text, "null") == 0)
        return FAULT(c, HANSE_ERR_COLUMN, node,
                     "no column '%s'; for missing values write isnan(x)", name);
    if (n_names == 0)
        return FAULT(c, HANSE_ERR_COLUMN, node,
                     "no column '%s'; the table has no columns", name);
    return FAULT(c, HANSE_ERR_COLUMN, node, "no column '%s'; there are %s",
                 name, list);
}

static hanse_formula_type type_of_field(const hanse_field *field)
{
    switch (field->type) {
    case HANSE_FLOAT32:
    case HANSE_FLOAT64:
        return FORMULA_FLOAT;
    case HANSE_BOOL:
        return FORMULA_BOOL;
    case HANSE_TEXT:
        return FORMULA_TEXT;
    default:
        return FORMULA_INTEGER;
    }
}

static hanse_status check_column(const checker *c, hanse_formula_node *node)
{
    const hanse_schema *schema = c->schema;
    if (find_field(schema, node->text, &node->field)) {
        node->type = type_of_field(field_of(c, node));
        return HANSE_OK;
    }
    const char **names =
        hanse_allocate(NULL, schema->n_fields, sizeof names[0]);
    if (names == NULL)
        return hanse_fail_nomem(c->source->error, "column names",
                                schema->n_fields * sizeof names[0]);
    for (size_t i = 0; i < schema->n_fields; i++)
        names[i] = schema->fields[i].name;
    const hanse_status status =
        fail_unknown(c, node, NULL, names, schema->n_fields);
    hanse_free(NULL, names, schema->n_fields, sizeof names[0]);
    return status;
}

/* ---- Numbers and conditions --------------------------------------------- */

static hanse_status need_condition(const checker *c,
                                   const hanse_formula_node *node)
{
    if (node->type == FORMULA_BOOL)
        return HANSE_OK;
    char text[FORMULA_QUOTE_SIZE];
    piece(c, node, text);
    if (node->type == FORMULA_TEXT)
        return FAULT(c, HANSE_ERR_TYPE, node,
                     "a text is not a condition; compare it: %s == 'text'",
                     node->kind == NODE_TEXT ? "column" : text);
    return FAULT(c, HANSE_ERR_TYPE, node,
                 "a number is not a condition; compare it: %s != 0", text);
}

static hanse_status need_number(const checker *c,
                                const hanse_formula_node *node)
{
    if (node->type != FORMULA_TEXT)
        return HANSE_OK;
    char text[FORMULA_QUOTE_SIZE];
    size_t field;
    piece(c, node, text);
    if (node->kind == NODE_COLUMN)
        return FAULT(c, HANSE_ERR_TYPE, node,
                     "'%s' is a text column, a number is needed here",
                     hanse_formula_quote(node->text, node->n_text, text));
    if (find_field(c->schema, node->text, &field))
        return FAULT(c, HANSE_ERR_TYPE, node,
                     "%s is a text, a number is needed here; for the column "
                     "write it without quotes",
                     text);
    return FAULT(c, HANSE_ERR_TYPE, node,
                 "%s is a text, a number is needed here", text);
}

/* ---- Comparisons -------------------------------------------------------- */

static const hanse_field *labelled(const checker *c,
                                   const hanse_formula_node *node)
{
    if (node->kind != NODE_COLUMN || node->type != FORMULA_INTEGER)
        return NULL;
    const hanse_field *field = field_of(c, node);
    return field->n_labels > 0 ? field : NULL;
}

/* A text literal beside a column with labels becomes the label's code. */
static hanse_status use_label(const checker *c, const hanse_field *field,
                              hanse_formula_node *literal,
                              const hanse_formula_node *comparison)
{
    if (comparison->kind != NODE_EQ && comparison->kind != NODE_NE)
        return hanse_formula_fault(
            c->source, HANSE_ERR_TYPE, comparison->operator_begin,
            comparison->operator_end,
            "labels have no order; compare them with == or !=");
    for (size_t i = 0; i < field->n_labels; i++) {
        if (strcmp(field->labels[i].text, literal->text) == 0) {
            /* A code of an unsigned 64-bit column is kept as its bits. */
            const int64_t code = field->labels[i].code;
            literal->integer = field->type == HANSE_UINT64
                                   ? (hanse_wide_int)(uint64_t)code
                                   : (hanse_wide_int)code;
            literal->kind = NODE_INTEGER;
            literal->type = FORMULA_INTEGER;
            return HANSE_OK;
        }
    }
    const char **names = hanse_allocate(NULL, field->n_labels, sizeof names[0]);
    if (names == NULL)
        return hanse_fail_nomem(c->source->error, "label names",
                                field->n_labels * sizeof names[0]);
    for (size_t i = 0; i < field->n_labels; i++)
        names[i] = field->labels[i].text;
    const hanse_status status =
        fail_unknown(c, literal, field, names, field->n_labels);
    hanse_free(NULL, names, field->n_labels, sizeof names[0]);
    return status;
}

static bool same_labels(const hanse_field *a, const hanse_field *b)
{
    if (a->n_labels != b->n_labels)
        return false;
    for (size_t i = 0; i < a->n_labels; i++)
        if (a->labels[i].code != b->labels[i].code ||
            strcmp(a->labels[i].text, b->labels[i].text) != 0)
            return false;
    return true;
}

/* A text against something that is neither text nor labelled. */
static hanse_status fail_text_number(const checker *c,
                                     const hanse_formula_node *text,
                                     const hanse_formula_node *number)
{
    char quote[FORMULA_QUOTE_SIZE];
    const bool is_column = text->kind == NODE_COLUMN;
    if (is_column && hanse_formula_is_literal(number->kind))
        return FAULT(c, HANSE_ERR_TYPE, number,
                     "the column beside it holds texts; put the value in "
                     "quotes: '%s'",
                     piece(c, number, quote));
    if (is_column)
        return FAULT(c, HANSE_ERR_TYPE, number,
                     "a text cannot be compared with a number");
    if (number->kind == NODE_COLUMN && number->type == FORMULA_BOOL)
        return FAULT(c, HANSE_ERR_TYPE, text,
                     "the column beside it is bool; compare it with true or "
                     "false");
    if (number->kind == NODE_COLUMN)
        return FAULT(c, HANSE_ERR_TYPE, text,
                     "the column beside it is %s without labels; compare it "
                     "with a number",
                     hanse_type_name(field_of(c, number)->type));
    return FAULT(c, HANSE_ERR_TYPE, text,
                 "a text cannot be compared with a number");
}

static hanse_status check_comparison(const checker *c,
                                     const hanse_formula_node *node)
{
    hanse_formula_node *left = &c->nodes[node->left];
    hanse_formula_node *right = &c->nodes[node->right];
    const hanse_field *left_labels = labelled(c, left);
    const hanse_field *right_labels = labelled(c, right);
    if (left_labels != NULL && right->kind == NODE_TEXT)
        return use_label(c, left_labels, right, node);
    if (right_labels != NULL && left->kind == NODE_TEXT)
        return use_label(c, right_labels, left, node);
    if (left_labels != NULL && right_labels != NULL &&
        !same_labels(left_labels, right_labels))
        return hanse_formula_fault(
            c->source, HANSE_ERR_TYPE, node->operator_begin, node->operator_end,
            "the two columns have different labels and cannot be compared");
    const bool left_text = left->type == FORMULA_TEXT;
    const bool right_text = right->type == FORMULA_TEXT;
    if (left_text != right_text)
        return left_text ? fail_text_number(c, left, right)
                         : fail_text_number(c, right, left);
    return HANSE_OK;
}

/* ---- All nodes ---------------------------------------------------------- */

static hanse_status check_node(const checker *c, hanse_formula_node *node)
{
    const hanse_formula_node *left = &c->nodes[node->left];
    const hanse_formula_node *right = &c->nodes[node->right];
    switch (node->kind) {
    case NODE_COLUMN:
        return check_column(c, node);
    case NODE_INTEGER:
        node->type = FORMULA_INTEGER;
        return HANSE_OK;
    case NODE_TEXT:
        node->type = FORMULA_TEXT;
        return HANSE_OK;
    case NODE_TRUTH:
    case NODE_ISNAN:
        node->type = FORMULA_BOOL;
        return HANSE_OK;
    case NODE_OR:
    case NODE_AND:
    case NODE_NOT:
        node->type = FORMULA_BOOL;
        HANSE_TRY(need_condition(c, left));
        return need_condition(c, right);
    default:
        break;
    }
    if (hanse_formula_is_comparison(node->kind)) {
        node->type = FORMULA_BOOL;
        return check_comparison(c, node);
    }
    node->type = FORMULA_FLOAT;
    if (hanse_formula_n_operands(node->kind) == 0)
        return HANSE_OK;
    HANSE_TRY(need_number(c, left));
    return need_number(c, right);
}

hanse_status hanse_formula_check(const hanse_formula_source *source,
                                 const hanse_schema *schema,
                                 hanse_formula_want want,
                                 hanse_formula_tree *tree)
{
    const checker c = {source, schema, tree->nodes};
    for (size_t i = 0; i < tree->n_nodes; i++)
        HANSE_TRY(check_node(&c, &tree->nodes[i]));
    const hanse_formula_node *root = &tree->nodes[tree->n_nodes - 1];
    return want == HANSE_WANT_CONDITION ? need_condition(&c, root)
                                        : need_number(&c, root);
}
