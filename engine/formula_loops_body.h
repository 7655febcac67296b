/* SPDX-License-Identifier: Apache-2.0
 *
 * All loops of one instruction set, which includes this with KERNEL(name), the
 * name with its suffix, and TARGET, the attribute that allows the
 * instructions.
 */
#include "engine/formula_step.h"

#include "engine/formula_load_body.h"

#include "engine/formula_arith_body.h"

#include "engine/formula_compare_body.h"

static TARGET void finish_number(const double *value, size_t n, double *out)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        out[i] = value[i] == value[i] ? value[i] : (double)NAN;
}

static TARGET void finish_condition(uint8_t *condition, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        condition[i] = (uint8_t)(condition[i] >> 1);
}

const hanse_formula_loops KERNEL(hanse_formula_loops) = {
    .load_number = load_number,
    .load_wide = load_wide,
    .load_condition = load_condition,
    .mark_missing = mark_missing,
    .isnan_number = isnan_number,
    .isnan_condition = isnan_condition,
    .isnan_column = isnan_column,
    .binary = binary,
    .binary_right = binary_right,
    .binary_left = binary_left,
    .unary = unary,
    .logic_and = and_loop,
    .logic_or = or_loop,
    .logic_not = not_loop,
    .number_of_condition = number_of_condition,
    .fill_number = fill_number,
    .fill_condition = fill_condition,
    .compare_numbers = compare_numbers,
    .compare_constant = compare_constant,
    .compare_i64 = compare_i64,
    .compare_u64 = compare_u64,
    .compare_mixed = compare_mixed,
    .compare_texts = compare_texts,
    .compare_literal = compare_literal,
    .in_range = in_range,
    .sign_i64 = sign_i64,
    .sign_u64 = sign_u64,
    .finish_number = finish_number,
    .finish_condition = finish_condition,
};
