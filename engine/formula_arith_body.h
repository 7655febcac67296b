/* SPDX-License-Identifier: Apache-2.0
 *
 * Loops of arithmetic and logic on registers.
 *
 * Part of formula_loops_body.h; each function has the attribute TARGET.
 */
/* Two registers; a register and a constant; a constant and a register. */
#define BINARY_LOOPS(kind, name, value)                                 \
    static TARGET void name##_registers(hanse_formula_frame *frame,     \
                                        const hanse_formula_step *step) \
    {                                                                   \
        const double *x = frame->number[step->a];                       \
        const double *y = frame->number[step->b];                       \
        double *out = frame->number_store[step->to];                    \
        _Pragma("omp simd") for (size_t i = 0; i < frame->n; i++)       \
        {                                                               \
            const double a = x[i];                                      \
            const double b = y[i];                                      \
            out[i] = (value);                                           \
        }                                                               \
        frame->number[step->to] = out;                                  \
    }                                                                   \
    static TARGET void name##_right(hanse_formula_frame *frame,         \
                                    const hanse_formula_step *step)     \
    {                                                                   \
        const double *x = frame->number[step->a];                       \
        const double b = step->with.number;                             \
        double *out = frame->number_store[step->to];                    \
        _Pragma("omp simd") for (size_t i = 0; i < frame->n; i++)       \
        {                                                               \
            const double a = x[i];                                      \
            out[i] = (value);                                           \
        }                                                               \
        frame->number[step->to] = out;                                  \
    }                                                                   \
    static TARGET void name##_left(hanse_formula_frame *frame,          \
                                   const hanse_formula_step *step)      \
    {                                                                   \
        const double a = step->with.number;                             \
        const double *y = frame->number[step->a];                       \
        double *out = frame->number_store[step->to];                    \
        _Pragma("omp simd") for (size_t i = 0; i < frame->n; i++)       \
        {                                                               \
            const double b = y[i];                                      \
            out[i] = (value);                                           \
        }                                                               \
        frame->number[step->to] = out;                                  \
    }

#define UNARY_LOOP(kind, name, value)                                  \
    static TARGET void name##_register(hanse_formula_frame *frame,     \
                                       const hanse_formula_step *step) \
    {                                                                  \
        const double *x = frame->number[step->a];                      \
        double *out = frame->number_store[step->to];                   \
        _Pragma("omp simd") for (size_t i = 0; i < frame->n; i++)      \
        {                                                              \
            const double a = x[i];                                     \
            out[i] = (value);                                          \
        }                                                              \
        frame->number[step->to] = out;                                 \
    }

FORMULA_BINARY_MAP(BINARY_LOOPS)
FORMULA_UNARY_MAP(UNARY_LOOP)

static TARGET void exp_register(hanse_formula_frame *frame,
                                const hanse_formula_step *step)
{
    const double *x = frame->number[step->a];
    double *out = frame->number_store[step->to];
    const size_t n = frame->n;
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        out[i] = hanse_exp_one(x[i]);
    frame->number[step->to] = out;
}

static TARGET void log_register(hanse_formula_frame *frame,
                                const hanse_formula_step *step)
{
    const double *x = frame->number[step->a];
    double *out = frame->number_store[step->to];
    const size_t n = frame->n;
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        out[i] = hanse_log_one(x[i]);
    frame->number[step->to] = out;
}

/* Entries stand in the order of the maps, which is that of the kinds. */
#define REGISTERS_ENTRY(kind, name, value) name##_registers,
#define RIGHT_ENTRY(kind, name, value)     name##_right,
#define LEFT_ENTRY(kind, name, value)      name##_left,
#define UNARY_ENTRY(kind, name, value)     name##_register,

static hanse_formula_loop *const binary[FORMULA_N_BINARY] = {
    FORMULA_BINARY_MAP(REGISTERS_ENTRY)};
static hanse_formula_loop *const binary_right[FORMULA_N_BINARY] = {
    FORMULA_BINARY_MAP(RIGHT_ENTRY)};
static hanse_formula_loop *const binary_left[FORMULA_N_BINARY] = {
    FORMULA_BINARY_MAP(LEFT_ENTRY)};
static hanse_formula_loop *const unary[FORMULA_N_UNARY] = {
    FORMULA_UNARY_MAP(UNARY_ENTRY) exp_register, log_register};

static TARGET void and_loop(hanse_formula_frame *frame,
                            const hanse_formula_step *step)
{
    const uint8_t *x = frame->condition[step->a];
    const uint8_t *y = frame->condition[step->b];
    uint8_t *out = frame->condition[step->to];
#pragma omp simd
    for (size_t i = 0; i < frame->n; i++)
        out[i] = x[i] < y[i] ? x[i] : y[i];
}

static TARGET void or_loop(hanse_formula_frame *frame,
                           const hanse_formula_step *step)
{
    const uint8_t *x = frame->condition[step->a];
    const uint8_t *y = frame->condition[step->b];
    uint8_t *out = frame->condition[step->to];
#pragma omp simd
    for (size_t i = 0; i < frame->n; i++)
        out[i] = x[i] > y[i] ? x[i] : y[i];
}

static TARGET void not_loop(hanse_formula_frame *frame,
                            const hanse_formula_step *step)
{
    const uint8_t *x = frame->condition[step->a];
    uint8_t *out = frame->condition[step->to];
#pragma omp simd
    for (size_t i = 0; i < frame->n; i++)
        out[i] = (uint8_t)(CONDITION_TRUE - x[i]);
}

/* False is 0, true is 1, unknown is missing. */
static TARGET void number_of_condition(hanse_formula_frame *frame,
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

static TARGET void fill_number(hanse_formula_frame *frame,
                               const hanse_formula_step *step)
{
    double *out = frame->number_store[step->to];
    const double number = step->with.number;
#pragma omp simd
    for (size_t i = 0; i < frame->n; i++)
        out[i] = number;
    frame->number[step->to] = out;
}

static TARGET void fill_condition(hanse_formula_frame *frame,
                                  const hanse_formula_step *step)
{
    memset(frame->condition[step->to], step->with.truth, frame->n);
}
