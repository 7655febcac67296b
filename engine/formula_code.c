/* SPDX-License-Identifier: Apache-2.0
 *
 * From nodes to steps: order of evaluation, registers, arithmetic and logic.
 * Constants are computed here with the operations that the loops use.
 */
#include "engine/formula_code.h"

#include <assert.h>

#include "engine/base/memory.h"

/* ---- Steps and registers ------------------------------------------------ */

void hanse_coder_emit(hanse_coder *c, const hanse_formula_step *step)
{
    hanse_formula *formula = c->formula;
    if (formula->n_steps == formula->capacity_steps) {
        const size_t capacity =
            formula->capacity_steps == 0 ? 16 : 2 * formula->capacity_steps;
        hanse_formula_step *larger =
            hanse_grow(NULL, formula->steps, formula->n_steps, capacity,
                       sizeof formula->steps[0]);
        if (larger == NULL) {
            c->out_of_memory = true;
            return;
        }
        formula->steps = larger;
        formula->capacity_steps = capacity;
    }
    formula->steps[formula->n_steps++] = *step;
}

/* The lowest free register; notes how many are in use at most. */
static uint8_t take(uint32_t *free_registers, size_t *n_used)
{
    assert(*free_registers != 0);
    const unsigned reg = (unsigned)__builtin_ctz(*free_registers);
    *free_registers &= *free_registers - 1;
    if (reg + 1 > *n_used)
        *n_used = reg + 1;
    return (uint8_t)reg;
}

uint8_t hanse_coder_take_number(hanse_coder *c)
{
    return take(&c->free_numbers, &c->formula->n_numbers);
}

static uint8_t take_condition(hanse_coder *c)
{
    return take(&c->free_conditions, &c->formula->n_conditions);
}

void hanse_coder_release(hanse_coder *c, const hanse_place *p)
{
    if (p->kind == PLACE_REGISTER)
        c->free_numbers |= 1u << p->reg;
    else if (p->kind == PLACE_CONDITION)
        c->free_conditions |= 1u << p->reg;
}

/* ---- Bringing a place into the kind that is needed ---------------------- */

static double truth_number(uint8_t truth)
{
    return truth == CONDITION_UNKNOWN ? (double)NAN : 0.5 * truth;
}

/* PLACE_NUMBER or PLACE_REGISTER. */
void hanse_coder_as_number(hanse_coder *c, hanse_place *p)
{
    hanse_formula_step step = {0};
    switch (p->kind) {
    case PLACE_INTEGER:
        *p = hanse_coder_number((double)p->integer);
        return;
    case PLACE_TRUTH:
        *p = hanse_coder_number(truth_number(p->truth));
        return;
    case PLACE_COLUMN:
        step.run =
            c->formula->loops->load_number[hanse_coder_column_type(c, p)];
        step.field = p->node->field;
        break;
    case PLACE_CONDITION:
        step.run = c->formula->loops->number_of_condition;
        step.a = p->reg;
        hanse_coder_release(c, p);
        break;
    default:
        return;
    }
    step.to = hanse_coder_take_number(c);
    hanse_coder_emit(c, &step);
    *p = (hanse_place){.kind = PLACE_REGISTER, .reg = step.to};
}

static void as_number_register(hanse_coder *c, hanse_place *p)
{
    hanse_coder_as_number(c, p);
    if (p->kind == PLACE_REGISTER)
        return;
    const hanse_formula_step step = {.run = c->formula->loops->fill_number,
                                     .to = hanse_coder_take_number(c),
                                     .with.number = p->number};
    hanse_coder_emit(c, &step);
    *p = (hanse_place){.kind = PLACE_REGISTER, .reg = step.to};
}

void hanse_coder_as_condition(hanse_coder *c, hanse_place *p)
{
    hanse_formula_step step = {0};
    if (p->kind == PLACE_CONDITION)
        return;
    if (p->kind == PLACE_COLUMN) {
        step.run = c->formula->loops->load_condition;
        step.field = p->node->field;
    } else {
        step.run = c->formula->loops->fill_condition;
        step.with.truth = p->truth;
    }
    step.to = take_condition(c);
    hanse_coder_emit(c, &step);
    *p = (hanse_place){.kind = PLACE_CONDITION, .reg = step.to};
}

/* Emits a step that gives a condition, and its place. */
hanse_place hanse_coder_emit_condition(hanse_coder *c, hanse_formula_step step)
{
    step.to = take_condition(c);
    hanse_coder_emit(c, &step);
    return (hanse_place){.kind = PLACE_CONDITION, .reg = step.to};
}

/* ---- Arithmetic --------------------------------------------------------- */

static double fold_binary(hanse_formula_kind kind, double a, double b)
{
    switch (kind) {
#define FOLD(node, name, value) \
    case node:                  \
        return value;
        FORMULA_BINARY_MAP(FOLD)
    default:
        return NAN;
    }
}

static double fold_unary(hanse_formula_kind kind, double a)
{
    switch (kind) {
        FORMULA_UNARY_MAP(FOLD)
#undef FOLD
    case NODE_EXP:
        return hanse_exp(a);
    case NODE_LOG:
        return hanse_log(a);
    default:
        return NAN;
    }
}

static hanse_place code_binary(hanse_coder *c, hanse_formula_kind kind,
                               hanse_place a, hanse_place b)
{
    const size_t index = (size_t)(kind - NODE_ADD);
    hanse_coder_as_number(c, &a);
    hanse_coder_as_number(c, &b);
    if (a.kind == PLACE_NUMBER && b.kind == PLACE_NUMBER)
        return hanse_coder_number(fold_binary(kind, a.number, b.number));
    hanse_formula_step step = {
        .run = c->formula->loops->binary[index], .a = a.reg, .b = b.reg};
    if (b.kind == PLACE_NUMBER) {
        step.run = c->formula->loops->binary_right[index];
        step.with.number = b.number;
    } else if (a.kind == PLACE_NUMBER) {
        step.run = c->formula->loops->binary_left[index];
        step.a = b.reg;
        step.with.number = a.number;
    }
    hanse_coder_release(c, &a);
    hanse_coder_release(c, &b);
    step.to = hanse_coder_take_number(c);
    hanse_coder_emit(c, &step);
    return (hanse_place){.kind = PLACE_REGISTER, .reg = step.to};
}

static hanse_place code_unary(hanse_coder *c, hanse_formula_kind kind,
                              hanse_place a)
{
    hanse_coder_as_number(c, &a);
    if (a.kind == PLACE_NUMBER)
        return hanse_coder_number(fold_unary(kind, a.number));
    hanse_coder_release(c, &a);
    const hanse_formula_step step = {
        .run = c->formula->loops->unary[kind - NODE_NEGATE],
        .to = hanse_coder_take_number(c),
        .a = a.reg};
    hanse_coder_emit(c, &step);
    return (hanse_place){.kind = PLACE_REGISTER, .reg = step.to};
}

static hanse_place code_isnan(hanse_coder *c, hanse_place a)
{
    hanse_formula_step step = {0};
    if (a.kind == PLACE_INTEGER || a.kind == PLACE_TEXT)
        return hanse_coder_truth(CONDITION_FALSE);
    if (a.kind == PLACE_NUMBER)
        return hanse_coder_truth(isnan(a.number) ? CONDITION_TRUE
                                                 : CONDITION_FALSE);
    if (a.kind == PLACE_TRUTH)
        return hanse_coder_truth(
            a.truth == CONDITION_UNKNOWN ? CONDITION_TRUE : CONDITION_FALSE);
    if (a.kind == PLACE_COLUMN && a.node->type != FORMULA_FLOAT) {
        step.run = c->formula->loops->isnan_column;
        step.field = a.node->field;
        return hanse_coder_emit_condition(c, step);
    }
    if (a.kind == PLACE_CONDITION) {
        step.run = c->formula->loops->isnan_condition;
    } else {
        hanse_coder_as_number(c, &a);
        step.run = c->formula->loops->isnan_number;
    }
    step.a = a.reg;
    hanse_coder_release(c, &a);
    return hanse_coder_emit_condition(c, step);
}

/* ---- Logic -------------------------------------------------------------- */

hanse_place hanse_coder_not(hanse_coder *c, hanse_place a)
{
    if (a.kind == PLACE_TRUTH)
        return hanse_coder_truth(CONDITION_TRUE - a.truth);
    hanse_coder_as_condition(c, &a);
    hanse_coder_release(c, &a);
    return hanse_coder_emit_condition(
        c,
        (hanse_formula_step){.run = c->formula->loops->logic_not, .a = a.reg});
}

static hanse_place code_logic(hanse_coder *c, hanse_formula_kind kind,
                              hanse_place a, hanse_place b)
{
    const bool is_and = kind == NODE_AND;
    if (a.kind == PLACE_TRUTH && b.kind == PLACE_TRUTH) {
        const bool first = is_and == (a.truth < b.truth);
        return hanse_coder_truth(first ? a.truth : b.truth);
    }
    hanse_coder_as_condition(c, &a);
    hanse_coder_as_condition(c, &b);
    hanse_coder_release(c, &a);
    hanse_coder_release(c, &b);
    return hanse_coder_emit_condition(
        c, (hanse_formula_step){.run = is_and ? c->formula->loops->logic_and
                                              : c->formula->loops->logic_or,
                                .a = a.reg,
                                .b = b.reg});
}

/* ---- The whole formula -------------------------------------------------- */

static void code_node(hanse_coder *c, uint32_t index)
{
    const hanse_formula_node *node = &c->nodes[index];
    const hanse_place a = c->places[node->left];
    const hanse_place b = c->places[node->right];
    hanse_place *out = &c->places[index];
    switch (node->kind) {
    case NODE_COLUMN:
        *out = (hanse_place){.kind = PLACE_COLUMN, .node = node};
        return;
    case NODE_INTEGER:
        *out = (hanse_place){.kind = PLACE_INTEGER, .integer = node->integer};
        return;
    case NODE_NUMBER:
        *out = hanse_coder_number(node->number);
        return;
    case NODE_TEXT:
        *out = (hanse_place){.kind = PLACE_TEXT, .node = node};
        return;
    case NODE_TRUTH:
        *out =
            hanse_coder_truth(node->truth ? CONDITION_TRUE : CONDITION_FALSE);
        return;
    case NODE_OR:
    case NODE_AND:
        *out = code_logic(c, node->kind, a, b);
        return;
    case NODE_NOT:
        *out = hanse_coder_not(c, a);
        return;
    case NODE_ISNAN:
        *out = code_isnan(c, a);
        return;
    default:
        break;
    }
    if (hanse_formula_is_comparison(node->kind))
        *out = hanse_coder_compare(c, node->kind, a, b);
    else if (hanse_formula_n_operands(node->kind) == 2)
        *out = code_binary(c, node->kind, a, b);
    else
        *out = code_unary(c, node->kind, a);
}

/* Registers that each node needs (Sethi and Ullman), from its operands. */
static void count_needs(const hanse_formula_tree *tree, uint8_t *needs)
{
    for (size_t i = 0; i < tree->n_nodes; i++) {
        const hanse_formula_node *node = &tree->nodes[i];
        const uint8_t left = needs[node->left];
        const uint8_t right = needs[node->right];
        const unsigned n_operands = hanse_formula_n_operands(node->kind);
        if (n_operands == 0)
            needs[i] = 1;
        else if (n_operands == 2 && left == right)
            needs[i] = (uint8_t)(left + 1);
        else
            needs[i] = left > right ? left : right;
    }
}

/* Fills `order` with the nodes from the last to be evaluated to the first:
 * operands after their operator, the one that needs more registers at the
 * end. `stack` has room for all nodes. */
static void choose_order(const hanse_formula_tree *tree, const uint8_t *needs,
                         uint32_t *order, uint32_t *stack)
{
    size_t n_order = 0;
    size_t n_stack = 0;
    stack[n_stack++] = (uint32_t)(tree->n_nodes - 1);
    while (n_stack > 0) {
        const uint32_t index = stack[--n_stack];
        const hanse_formula_node *node = &tree->nodes[index];
        const unsigned n_operands = hanse_formula_n_operands(node->kind);
        order[n_order++] = index;
        if (n_operands == 0)
            continue;
        const bool left_first = needs[node->left] >= needs[node->right];
        stack[n_stack++] = left_first ? node->left : node->right;
        if (n_operands == 2)
            stack[n_stack++] = left_first ? node->right : node->left;
    }
    assert(n_order == tree->n_nodes);
}

/* Brings the whole formula's place into the register that the result is read
 * from. */
static void code_result(hanse_coder *c, hanse_formula_want want,
                        hanse_place root)
{
    if (want == HANSE_WANT_CONDITION)
        hanse_coder_as_condition(c, &root);
    else
        as_number_register(c, &root);
    c->formula->want = want;
    c->formula->result = root.reg;
}

hanse_status hanse_formula_code(const hanse_formula_tree *tree,
                                const hanse_schema *schema,
                                hanse_formula_want want, hanse_formula *formula,
                                hanse_error *error)
{
    const size_t n = tree->n_nodes;
    const uint32_t all = (1u << FORMULA_MAX_REGISTERS) - 1;
    hanse_coder c = {.nodes = tree->nodes,
                     .schema = schema,
                     .formula = formula,
                     .free_numbers = all,
                     .free_conditions = all};
    c.places = hanse_allocate_zero(NULL, n, sizeof c.places[0]);
    uint8_t *needs = hanse_allocate_zero(NULL, n, sizeof needs[0]);
    uint32_t *order = hanse_allocate(NULL, 2 * n, sizeof order[0]);
    c.out_of_memory = c.places == NULL || needs == NULL || order == NULL;
    if (!c.out_of_memory) {
        count_needs(tree, needs);
        choose_order(tree, needs, order, order + n);
        for (size_t i = n; i > 0 && !c.out_of_memory; i--)
            code_node(&c, order[i - 1]);
        if (!c.out_of_memory)
            code_result(&c, want, c.places[n - 1]);
    }
    hanse_free(NULL, c.places, n, sizeof c.places[0]);
    hanse_free(NULL, needs, n, sizeof needs[0]);
    hanse_free(NULL, order, 2 * n, sizeof order[0]);
    return c.out_of_memory ? hanse_fail_nomem(error, "formula's program",
                                              n * sizeof(hanse_formula_step))
                           : HANSE_OK;
}
