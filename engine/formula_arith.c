/* SPDX-License-Identifier: Apache-2.0
 *
 * Loops of arithmetic and logic on registers.
 */
#include "engine/formula_step.h"

/* Two registers; a register and a constant; a constant and a register. */
#define BINARY_LOOPS(kind, name, value)                           \
    static void name##_registers(hanse_formula_frame *frame,      \
                                 const hanse_formula_step *step)  \
    {                                                             \
        const double *x = frame->number[step->a];                 \
        const double *y = frame->number[step->b];                 \
        double *out = frame->number_store[step->to];              \
        _Pragma("omp simd") for (size_t i = 0; i < frame->n; i++) \
        {                                                         \
            const double a = x[i];                                \
            const double b = y[i];                                \
            out[i] = (value);                                     \
        }                                                         \
        frame->number[step->to] = out;                            \
    }                                                             \
    static void name##_right(hanse_formula_frame *frame,          \
                             const hanse_formula_step *step)      \
    {                                                             \
        const double *x = frame->number[step->a];                 \
        const double b = step->with.number;                       \
        double *out = frame->number_store[step->to];              \
        _Pragma("omp simd") for (size_t i = 0; i < frame->n; i++) \
        {                                                         \
            const double a = x[i];                                \
            out[i] = (value);                                     \
        }                                                         \
        frame->number[step->to] = out;                            \
    }                                                             \
    static void name##_left(hanse_formula_frame *frame,           \
                            const hanse_formula_step *step)       \
    {                                                             \
        const double a = step->with.number;                       \
        const double *y = frame->number[step->a];                 \
        double *out = frame->number_store[step->to];              \
        _Pragma("omp simd") for (size_t i = 0; i < frame->n; i++) \
        {                                                         \
            const double b = y[i];                                \
            out[i] = (value);                                     \
        }                                                         \
        frame->number[step->to] = out;                            \
    }

#define UNARY_LOOP(kind, name, value)                             \
    static void name##_register(hanse_formula_frame *frame,       \
                                const hanse_formula_step *step)   \
    {                                                             \
        const double *x = frame->number[step->a];                 \
        double *out = frame->number_store[step->to];              \
        _Pragma("omp simd") for (size_t i = 0; i < frame->n; i++) \
        {                                                         \
            const double a = x[i];                                \
            out[i] = (value);                                     \
        }                                                         \
        frame->number[step->to] = out;                            \
    }

FORMULA_BINARY_MAP(BINARY_LOOPS)
FORMULA_UNARY_MAP(UNARY_LOOP)

static void exp_register(hanse_formula_frame *frame,
                         const hanse_formula_step *step)
{
    double *out = frame->number_store[step->to];
    hanse_exp_block(frame->number[step->a], out, frame->n);
    frame->number[step->to] = out;
}

static void log_register(hanse_formula_frame *frame,
                         const hanse_formula_step *step)
{
    double *out = frame->number_store[step->to];
    hanse_log_block(frame->number[step->a], out, frame->n);
    frame->number[step->to] = out;
}

#define REGISTERS_ENTRY(kind, name, value) [(kind)-NODE_ADD] = name##_registers,
#define RIGHT_ENTRY(kind, name, value)     [(kind)-NODE_ADD] = name##_right,
#define LEFT_ENTRY(kind, name, value)      [(kind)-NODE_ADD] = name##_left,
#define UNARY_ENTRY(kind, name, value)     [(kind)-NODE_NEGATE] = name##_register,

hanse_formula_loop *const hanse_formula_binary[FORMULA_N_BINARY] = {
    FORMULA_BINARY_MAP(REGISTERS_ENTRY)};
hanse_formula_loop *const hanse_formula_binary_right[FORMULA_N_BINARY] = {
    FORMULA_BINARY_MAP(RIGHT_ENTRY)};
hanse_formula_loop *const hanse_formula_binary_left[FORMULA_N_BINARY] = {
    FORMULA_BINARY_MAP(LEFT_ENTRY)};
hanse_formula_loop *const hanse_formula_unary[FORMULA_N_UNARY] = {
    FORMULA_UNARY_MAP(UNARY_ENTRY)[NODE_EXP - NODE_NEGATE] = exp_register,
    [NODE_LOG - NODE_NEGATE] = log_register,
};

void hanse_formula_and(hanse_formula_frame *frame,
                       const hanse_formula_step *step)
{
    const uint8_t *x = frame->condition[step->a];
    const uint8_t *y = frame->condition[step->b];
    uint8_t *out = frame->condition[step->to];
#pragma omp simd
    for (size_t i = 0; i < frame->n; i++)
        out[i] = x[i] < y[i] ? x[i] : y[i];
}

void hanse_formula_or(hanse_formula_frame *frame,
                      const hanse_formula_step *step)
{
    const uint8_t *x = frame->condition[step->a];
    const uint8_t *y = frame->condition[step->b];
    uint8_t *out = frame->condition[step->to];
#pragma omp simd
    for (size_t i = 0; i < frame->n; i++)
        out[i] = x[i] > y[i] ? x[i] : y[i];
}

void hanse_formula_not(hanse_formula_frame *frame,
                       const hanse_formula_step *step)
{
    const uint8_t *x = frame->condition[step->a];
    uint8_t *out = frame->condition[step->to];
#pragma omp simd
    for (size_t i = 0; i < frame->n; i++)
        out[i] = (uint8_t)(CONDITION_TRUE - x[i]);
}

/* False is 0, true is 1, unknown is missing. */
void hanse_formula_number_of_condition(hanse_formula_frame *frame,
                                       const hanse_formula_step *step)
{
    const uint8_t *x = frame->condition[step->a];
    double *out = frame->number_store[step->to];
#pragma omp simd
    for (size_t i = 0; i < frame->n; i++) {
        const double half = 0.5 * (double)x[i];
        out[i] = x[i] == CONDITION_UNKNOWN ? (double)NAN : half;
    }
    frame->number[step->to] = out;
}

void hanse_formula_fill_number(hanse_formula_frame *frame,
                               const hanse_formula_step *step)
{
    double *out = frame->number_store[step->to];
    const double number = step->with.number;
#pragma omp simd
    for (size_t i = 0; i < frame->n; i++)
        out[i] = number;
    frame->number[step->to] = out;
}

void hanse_formula_fill_condition(hanse_formula_frame *frame,
                                  const hanse_formula_step *step)
{
    memset(frame->condition[step->to], step->with.truth, frame->n);
}
