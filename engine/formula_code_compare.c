/* SPDX-License-Identifier: Apache-2.0
 *
 * Code for comparisons: which loop fits the types of the two sides, and
 * bounds that make comparisons with constants exact.
 */
#include "engine/formula_code.h"

/* The comparison with its sides exchanged. */
static hanse_formula_kind flip(hanse_formula_kind kind)
{
    switch (kind) {
    case NODE_LT:
        return NODE_GT;
    case NODE_LE:
        return NODE_GE;
    case NODE_GT:
        return NODE_LT;
    case NODE_GE:
        return NODE_LE;
    default:
        return kind;
    }
}

static uint8_t fold_compare(hanse_formula_kind kind, double a, double b)
{
    if (isnan(a) || isnan(b))
        return CONDITION_UNKNOWN;
    switch (kind) {
#define FOLD(node, name, op) \
    case node:               \
        return a op b ? CONDITION_TRUE : CONDITION_FALSE;
        FORMULA_COMPARE_MAP(FOLD)
#undef FOLD
    default:
        return CONDITION_UNKNOWN;
    }
}

/* Replaces `x kind integer` by a comparison of the double x with a double
 * that holds for the same x: where the integer is no double, its neighbours
 * decide; nothing equals it. */
static double exact_bound(hanse_formula_kind *kind, hanse_wide_int integer)
{
    const double rounded = (double)integer;
    const hanse_wide_int back = (hanse_wide_int)rounded;
    if (back == integer)
        return rounded;
    switch (*kind) {
    case NODE_EQ: /* x < -infinity: false unless x is missing */
        *kind = NODE_LT;
        return -(double)INFINITY;
    case NODE_NE:
        *kind = NODE_GE;
        return -(double)INFINITY;
    case NODE_LT:
    case NODE_LE:
        *kind = back < integer ? NODE_LE : NODE_LT;
        return rounded;
    default:
        *kind = back < integer ? NODE_GT : NODE_GE;
        return rounded;
    }
}

static hanse_place fold_constants(hanse_coder *c, hanse_formula_kind kind,
                                  hanse_place a, hanse_place b)
{
    if (a.kind == PLACE_TEXT) {
        const int order = hanse_formula_compare_text(
            a.node->text, a.node->n_text, b.node->text, b.node->n_text);
        return hanse_coder_truth(fold_compare(kind, order, 0.0));
    }
    if (a.kind == PLACE_INTEGER && b.kind == PLACE_INTEGER) {
        const int order = (a.integer > b.integer) - (a.integer < b.integer);
        return hanse_coder_truth(fold_compare(kind, order, 0.0));
    }
    if (a.kind == PLACE_INTEGER)
        return fold_constants(c, flip(kind), b, a);
    hanse_coder_as_number(c, &a);
    const double bound = b.kind == PLACE_INTEGER
                             ? exact_bound(&kind, b.integer)
                             : (hanse_coder_as_number(c, &b), b.number);
    return hanse_coder_truth(fold_compare(kind, a.number, bound));
}

/* Makes a condition unknown where a column that it compared is missing. */
static void mark_missing(hanse_coder *c, const hanse_place *condition,
                         size_t field)
{
    const hanse_formula_step step = {.run = c->formula->loops->mark_missing,
                                     .to = condition->reg,
                                     .field = field};
    hanse_coder_emit(c, &step);
}

static hanse_place compare_texts(hanse_coder *c, hanse_formula_kind kind,
                                 hanse_place a, hanse_place b)
{
    const size_t index = (size_t)(kind - NODE_EQ);
    hanse_formula_step step = {.run = c->formula->loops->compare_texts[index],
                               .field = a.node->field};
    if (b.kind == PLACE_TEXT) {
        step.run = c->formula->loops->compare_literal[index];
        step.with.text.bytes = b.node->text;
        step.with.text.n = b.node->n_text;
    } else {
        step.with.other_field = b.node->field;
    }
    const hanse_place result = hanse_coder_emit_condition(c, step);
    mark_missing(c, &result, a.node->field);
    if (b.kind != PLACE_TEXT)
        mark_missing(c, &result, b.node->field);
    return result;
}

/* Least and greatest value of an integer type. */
static void type_limits(hanse_type type, hanse_wide_int *least,
                        hanse_wide_int *greatest)
{
    const size_t bits = 8 * hanse_type_size(type);
    const bool is_unsigned = type >= HANSE_UINT8 && type <= HANSE_UINT64;
    const hanse_wide_int one = 1;
    *least = is_unsigned ? 0 : -(one << (bits - 1));
    *greatest = (is_unsigned ? one << bits : one << (bits - 1)) - 1;
}

/* The largest integer that is not above a number; beyond all 64-bit integers
 * any such value does. */
static hanse_wide_int floor_integer(double number)
{
    if (number >= 0x1p+65)
        return (hanse_wide_int)1 << 65;
    if (number <= -0x1p+65)
        return -((hanse_wide_int)1 << 65);
    return (hanse_wide_int)floor(number);
}

/* An integer column against a constant is a range of its own type: exact, and
 * one loop for all comparisons. */
static hanse_place compare_range(hanse_coder *c, hanse_formula_kind kind,
                                 hanse_place column, hanse_place constant)
{
    const bool is_integer = constant.kind == PLACE_INTEGER;
    if (!is_integer) {
        hanse_coder_as_number(c, &constant);
        if (isnan(constant.number))
            return hanse_coder_truth(CONDITION_UNKNOWN);
    }
    const hanse_wide_int bound =
        is_integer ? constant.integer : floor_integer(constant.number);
    const bool between = !is_integer && isfinite(constant.number) &&
                         floor(constant.number) != constant.number;
    hanse_wide_int low, high;
    type_limits(hanse_coder_column_type(c, &column), &low, &high);
    const bool above = kind == NODE_GT || kind == NODE_GE;
    const bool equal = kind == NODE_EQ || kind == NODE_NE;
    /* First integer that satisfies > or >=, last one for < or <=. */
    if (above || equal) {
        const hanse_wide_int from = bound + (between || kind == NODE_GT);
        low = from > low ? from : low;
    }
    if (!above) {
        const hanse_wide_int to = bound - (!between && kind == NODE_LT);
        high = to < high ? to : high;
    }
    hanse_formula_step step = {
        .run = c->formula->loops->in_range[hanse_coder_column_type(c, &column)],
        .field = column.node->field};
    const uint8_t inside = kind == NODE_NE ? CONDITION_FALSE : CONDITION_TRUE;
    step.with.range.outside = (uint8_t)(CONDITION_TRUE - inside);
    step.with.range.inside = low <= high ? inside : step.with.range.outside;
    if (low <= high) {
        step.with.range.low = (uint64_t)low;
        step.with.range.width = (uint64_t)(high - low);
    }
    const hanse_place result = hanse_coder_emit_condition(c, step);
    mark_missing(c, &result, column.node->field);
    return result;
}

static void load_wide(hanse_coder *c, const hanse_place *column, uint8_t to)
{
    const hanse_formula_step step = {
        .run = c->formula->loops->load_wide[hanse_coder_column_type(c, column)],
        .to = to,
        .field = column->node->field};
    c->formula->uses_wide = true;
    hanse_coder_emit(c, &step);
}

static hanse_place compare_integers(hanse_coder *c, hanse_formula_kind kind,
                                    hanse_place a, hanse_place b)
{
    const bool a_unsigned = hanse_coder_column_type(c, &a) == HANSE_UINT64;
    const bool b_unsigned = hanse_coder_column_type(c, &b) == HANSE_UINT64;
    if (a_unsigned && !b_unsigned)
        return compare_integers(c, flip(kind), b, a);
    const size_t index = (size_t)(kind - NODE_EQ);
    hanse_formula_step step = {.a = 0, .b = 1};
    step.run = a_unsigned   ? c->formula->loops->compare_u64[index]
               : b_unsigned ? c->formula->loops->compare_mixed[index]
                            : c->formula->loops->compare_i64[index];
    load_wide(c, &a, 0);
    load_wide(c, &b, 1);
    const hanse_place result = hanse_coder_emit_condition(c, step);
    mark_missing(c, &result, a.node->field);
    mark_missing(c, &result, b.node->field);
    return result;
}

/* Number a (register) against number or constant b. */
static hanse_place compare_numbers(hanse_coder *c, hanse_formula_kind kind,
                                   hanse_place a, hanse_place b)
{
    if (b.kind == PLACE_INTEGER)
        b = hanse_coder_number(exact_bound(&kind, b.integer));
    hanse_coder_as_number(c, &b);
    if (b.kind == PLACE_NUMBER && isnan(b.number)) {
        hanse_coder_release(c, &a);
        return hanse_coder_truth(CONDITION_UNKNOWN);
    }
    hanse_coder_as_number(c, &a);
    const size_t index = (size_t)(kind - NODE_EQ);
    hanse_formula_step step = {.run = c->formula->loops->compare_numbers[index],
                               .a = a.reg,
                               .b = b.reg};
    if (b.kind == PLACE_NUMBER) {
        step.run = c->formula->loops->compare_constant[index];
        step.with.number = b.number;
    }
    hanse_coder_release(c, &a);
    hanse_coder_release(c, &b);
    return hanse_coder_emit_condition(c, step);
}

/* An int64 or uint64 column against a number in a register. */
static hanse_place compare_exactly(hanse_coder *c, hanse_formula_kind kind,
                                   hanse_place column, hanse_place b)
{
    hanse_coder_as_number(c, &b);
    load_wide(c, &column, 0);
    hanse_coder_release(c, &b);
    const hanse_formula_step step = {
        .run = hanse_coder_column_type(c, &column) == HANSE_UINT64
                   ? c->formula->loops->sign_u64
                   : c->formula->loops->sign_i64,
        .to = hanse_coder_take_number(c),
        .a = 0,
        .b = b.reg};
    hanse_coder_emit(c, &step);
    const hanse_place sign = {.kind = PLACE_REGISTER, .reg = step.to};
    const hanse_place result =
        compare_numbers(c, kind, sign, hanse_coder_number(0.0));
    mark_missing(c, &result, column.node->field);
    return result;
}

static bool is_integer_column(const hanse_place *p)
{
    return p->kind == PLACE_COLUMN && p->node->type == FORMULA_INTEGER;
}

/* `flag == true` and the like: the condition itself or its opposite. Other
 * comparisons of a condition with a constant go through numbers. */
static bool is_simple_truth(hanse_coder *c, hanse_formula_kind kind,
                            hanse_place constant, bool *negated)
{
    if (constant.kind == PLACE_INTEGER)
        constant.number = exact_bound(&kind, constant.integer);
    else
        hanse_coder_as_number(c, &constant);
    const uint8_t if_false = fold_compare(kind, 0.0, constant.number);
    const uint8_t if_true = fold_compare(kind, 1.0, constant.number);
    *negated = if_false == CONDITION_TRUE;
    return if_false + if_true == CONDITION_TRUE && if_false != if_true;
}

hanse_place hanse_coder_compare(hanse_coder *c, hanse_formula_kind kind,
                                hanse_place a, hanse_place b)
{
    bool negated;
    if (hanse_coder_is_constant(&a) && hanse_coder_is_constant(&b))
        return fold_constants(c, kind, a, b);
    if (hanse_coder_is_constant(&a) ||
        (is_integer_column(&b) && !is_integer_column(&a)))
        return hanse_coder_compare(c, flip(kind), b, a);
    if (a.kind == PLACE_COLUMN && a.node->type == FORMULA_TEXT)
        return compare_texts(c, kind, a, b);
    if (is_integer_column(&a)) {
        if (hanse_coder_is_constant(&b))
            return compare_range(c, kind, a, b);
        if (is_integer_column(&b))
            return compare_integers(c, kind, a, b);
        if (hanse_type_size(hanse_coder_column_type(c, &a)) == 8)
            return compare_exactly(c, kind, a, b);
    }
    const bool is_condition =
        a.kind == PLACE_CONDITION ||
        (a.kind == PLACE_COLUMN && a.node->type == FORMULA_BOOL);
    if (is_condition && hanse_coder_is_constant(&b) &&
        is_simple_truth(c, kind, b, &negated)) {
        hanse_coder_as_condition(c, &a);
        return negated ? hanse_coder_not(c, a) : a;
    }
    return compare_numbers(c, kind, a, b);
}
