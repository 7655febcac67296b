/* SPDX-License-Identifier: Apache-2.0
 *
 * Loops that bring columns into registers, and their missing marks.
 *
 * Part of formula_loops_body.h; each function has the attribute TARGET.
 */
static inline TARGET const hanse_array *
array_of(const hanse_formula_frame *frame, const hanse_formula_step *step)
{
    return &frame->batch->arrays[step->field];
}

/* Marks of the block's rows; NULL when none is missing. */
static inline TARGET const uint8_t *marks_of(const hanse_formula_frame *frame,
                                             const hanse_formula_step *step)
{
    const uint8_t *missing = array_of(frame, step)->missing;
    return missing == NULL ? NULL : missing + frame->first;
}

#define LOAD_NUMBER(type, name, value)                                         \
    static TARGET void load_##name(hanse_formula_frame *frame,                 \
                                   const hanse_formula_step *step)             \
    {                                                                          \
        const type *x = array_of(frame, step)->values;                         \
        const uint8_t *missing = marks_of(frame, step);                        \
        double *out = frame->number_store[step->to];                           \
        x += frame->first;                                                     \
        frame->number[step->to] = out;                                         \
        if (missing == NULL) {                                                 \
            _Pragma("omp simd") for (size_t i = 0; i < frame->n; i++) out[i] = \
                (value);                                                       \
            return;                                                            \
        }                                                                      \
        _Pragma("omp simd") for (size_t i = 0; i < frame->n; i++)              \
        {                                                                      \
            const double number = (value);                                     \
            out[i] = missing[i] != 0 ? (double)NAN : number;                   \
        }                                                                      \
    }

LOAD_NUMBER(int8_t, i8, (double)x[i])
LOAD_NUMBER(int16_t, i16, (double)x[i])
LOAD_NUMBER(int32_t, i32, (double)x[i])
LOAD_NUMBER(uint64_t, i64,
            hanse_formula_high_i64(x[i]) + hanse_formula_low(x[i]))
LOAD_NUMBER(uint8_t, u8, (double)x[i])
LOAD_NUMBER(uint16_t, u16, (double)x[i])
LOAD_NUMBER(uint32_t, u32, (double)x[i])
LOAD_NUMBER(uint64_t, u64,
            hanse_formula_high_u64(x[i]) + hanse_formula_low(x[i]))
LOAD_NUMBER(float, f32, (double)x[i])
LOAD_NUMBER(double, marked_f64, x[i])
LOAD_NUMBER(uint8_t, bool, (double)(x[i] != 0))

/* A column that is already what a register holds is used where it lies. */
static TARGET void load_f64(hanse_formula_frame *frame,
                            const hanse_formula_step *step)
{
    if (marks_of(frame, step) != NULL) {
        load_marked_f64(frame, step);
        return;
    }
    const double *x = array_of(frame, step)->values;
    frame->number[step->to] = x + frame->first;
}

static hanse_formula_loop *const load_number[HANSE_TYPE_COUNT] = {
    [HANSE_INT8] = load_i8,     [HANSE_INT16] = load_i16,
    [HANSE_INT32] = load_i32,   [HANSE_INT64] = load_i64,
    [HANSE_UINT8] = load_u8,    [HANSE_UINT16] = load_u16,
    [HANSE_UINT32] = load_u32,  [HANSE_UINT64] = load_u64,
    [HANSE_FLOAT32] = load_f32, [HANSE_FLOAT64] = load_f64,
    [HANSE_BOOL] = load_bool,
};

#define LOAD_WIDE(type, name)                                              \
    static TARGET void wide_##name(hanse_formula_frame *frame,             \
                                   const hanse_formula_step *step)         \
    {                                                                      \
        const type *x = array_of(frame, step)->values;                     \
        uint64_t *out = frame->wide_store[step->to];                       \
        x += frame->first;                                                 \
        frame->wide[step->to] = out;                                       \
        _Pragma("omp simd") for (size_t i = 0; i < frame->n; i++) out[i] = \
            (uint64_t)(int64_t)x[i];                                       \
    }

LOAD_WIDE(int8_t, i8)
LOAD_WIDE(int16_t, i16)
LOAD_WIDE(int32_t, i32)
LOAD_WIDE(uint8_t, u8)
LOAD_WIDE(uint16_t, u16)
LOAD_WIDE(uint32_t, u32)

static TARGET void wide_64(hanse_formula_frame *frame,
                           const hanse_formula_step *step)
{
    const uint64_t *x = array_of(frame, step)->values;
    frame->wide[step->to] = x + frame->first;
}

static hanse_formula_loop *const load_wide[HANSE_TYPE_COUNT] = {
    [HANSE_INT8] = wide_i8,    [HANSE_INT16] = wide_i16,
    [HANSE_INT32] = wide_i32,  [HANSE_INT64] = wide_64,
    [HANSE_UINT8] = wide_u8,   [HANSE_UINT16] = wide_u16,
    [HANSE_UINT32] = wide_u32, [HANSE_UINT64] = wide_64,
};

static TARGET void mark_missing(hanse_formula_frame *frame,
                                const hanse_formula_step *step)
{
    const uint8_t *missing = marks_of(frame, step);
    uint8_t *out = frame->condition[step->to];
    if (missing == NULL)
        return;
#pragma omp simd
    for (size_t i = 0; i < frame->n; i++)
        out[i] = missing[i] != 0 ? CONDITION_UNKNOWN : out[i];
}

static TARGET void load_condition(hanse_formula_frame *frame,
                                  const hanse_formula_step *step)
{
    const uint8_t *x = array_of(frame, step)->values;
    uint8_t *out = frame->condition[step->to];
    x += frame->first;
#pragma omp simd
    for (size_t i = 0; i < frame->n; i++)
        out[i] = x[i] != 0 ? CONDITION_TRUE : CONDITION_FALSE;
    mark_missing(frame, step);
}

static TARGET void isnan_number(hanse_formula_frame *frame,
                                const hanse_formula_step *step)
{
    const double *x = frame->number[step->a];
    uint8_t *out = frame->condition[step->to];
#pragma omp simd
    for (size_t i = 0; i < frame->n; i++)
        out[i] = x[i] == x[i] ? CONDITION_FALSE : CONDITION_TRUE;
}

static TARGET void isnan_condition(hanse_formula_frame *frame,
                                   const hanse_formula_step *step)
{
    const uint8_t *x = frame->condition[step->a];
    uint8_t *out = frame->condition[step->to];
#pragma omp simd
    for (size_t i = 0; i < frame->n; i++)
        out[i] = x[i] == CONDITION_UNKNOWN ? CONDITION_TRUE : CONDITION_FALSE;
}

static TARGET void isnan_column(hanse_formula_frame *frame,
                                const hanse_formula_step *step)
{
    const uint8_t *missing = marks_of(frame, step);
    uint8_t *out = frame->condition[step->to];
    if (missing == NULL) {
        memset(out, CONDITION_FALSE, frame->n);
        return;
    }
#pragma omp simd
    for (size_t i = 0; i < frame->n; i++)
        out[i] = missing[i] != 0 ? CONDITION_TRUE : CONDITION_FALSE;
}
