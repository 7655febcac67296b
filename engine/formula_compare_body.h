/* SPDX-License-Identifier: Apache-2.0
 *
 * Loops that compare. Integers are compared exactly, with integers and with
 * doubles: no int64 or uint64 is rounded on the way.
 *
 * Part of formula_loops_body.h; each function has the attribute TARGET.
 */
#define TRUTH(holds) ((holds) ? CONDITION_TRUE : CONDITION_FALSE)

#define NUMBER_LOOPS(kind, name, op)                                   \
    static TARGET void numbers_##name(hanse_formula_frame *frame,      \
                                      const hanse_formula_step *step)  \
    {                                                                  \
        const double *x = frame->number[step->a];                      \
        const double *y = frame->number[step->b];                      \
        uint8_t *out = frame->condition[step->to];                     \
        _Pragma("omp simd") for (size_t i = 0; i < frame->n; i++)      \
        {                                                              \
            const uint8_t truth = TRUTH(x[i] op y[i]);                 \
            const int known = (x[i] == x[i]) & (y[i] == y[i]);         \
            out[i] = known ? truth : CONDITION_UNKNOWN;                \
        }                                                              \
    }                                                                  \
    static TARGET void constant_##name(hanse_formula_frame *frame,     \
                                       const hanse_formula_step *step) \
    {                                                                  \
        const double *x = frame->number[step->a];                      \
        const double y = step->with.number;                            \
        uint8_t *out = frame->condition[step->to];                     \
        _Pragma("omp simd") for (size_t i = 0; i < frame->n; i++)      \
        {                                                              \
            const uint8_t truth = TRUTH(x[i] op y);                    \
            out[i] = x[i] == x[i] ? truth : CONDITION_UNKNOWN;         \
        }                                                              \
    }

/* `holds` is in terms of a and b. */
#define WIDE_LOOP(prefix, name, type_a, type_b, holds)                 \
    static TARGET void prefix##_##name(hanse_formula_frame *frame,     \
                                       const hanse_formula_step *step) \
    {                                                                  \
        const uint64_t *x = frame->wide[step->a];                      \
        const uint64_t *y = frame->wide[step->b];                      \
        uint8_t *out = frame->condition[step->to];                     \
        _Pragma("omp simd") for (size_t i = 0; i < frame->n; i++)      \
        {                                                              \
            const type_a a = (type_a)x[i];                             \
            const type_b b = (type_b)y[i];                             \
            out[i] = TRUTH(holds);                                     \
        }                                                              \
    }

#define SAME_LOOPS(kind, name, op)                 \
    WIDE_LOOP(i64, name, int64_t, int64_t, a op b) \
    WIDE_LOOP(u64, name, uint64_t, uint64_t, a op b)

#define TEXT_LOOPS(kind, name, op)                                             \
    static TARGET void texts_##name(hanse_formula_frame *frame,                \
                                    const hanse_formula_step *step)            \
    {                                                                          \
        const text_column x = column_at(frame, step->field);                   \
        const text_column y = column_at(frame, step->with.other_field);        \
        uint8_t *out = frame->condition[step->to];                             \
        for (size_t i = 0; i < frame->n; i++)                                  \
            out[i] = TRUTH(order_of(kind, bytes_at(&x, i), size_at(&x, i),     \
                                    bytes_at(&y, i), size_at(&y, i)) op 0);    \
    }                                                                          \
    static TARGET void literal_##name(hanse_formula_frame *frame,              \
                                      const hanse_formula_step *step)          \
    {                                                                          \
        const text_column x = column_at(frame, step->field);                   \
        const char *y = step->with.text.bytes;                                 \
        const size_t n_y = step->with.text.n;                                  \
        uint8_t *out = frame->condition[step->to];                             \
        for (size_t i = 0; i < frame->n; i++)                                  \
            out[i] = TRUTH(                                                    \
                order_of(kind, bytes_at(&x, i), size_at(&x, i), y, n_y) op 0); \
    }

/* Texts of the block: row i is bytes offsets[i] to offsets[i + 1] - 1. */
typedef struct text_column {
    const char *bytes;
    const int32_t *offsets;
} text_column;

static inline TARGET text_column column_at(const hanse_formula_frame *frame,
                                           size_t field)
{
    const hanse_array *array = &frame->batch->arrays[field];
    return (text_column){array->values, array->offsets + frame->first};
}

static inline TARGET const char *bytes_at(const text_column *column, size_t i)
{
    return column->bytes + column->offsets[i];
}

static inline TARGET size_t size_at(const text_column *column, size_t i)
{
    return (size_t)(column->offsets[i + 1] - column->offsets[i]);
}

/* Texts of different sizes differ: no look at the bytes where that is all
 * that is asked. `kind` is a constant in each loop. */
static inline TARGET int order_of(hanse_formula_kind kind, const char *a,
                                  size_t n_a, const char *b, size_t n_b)
{
    if ((kind == NODE_EQ || kind == NODE_NE) && n_a != n_b)
        return 1;
    return hanse_formula_compare_text(a, n_a, b, n_b);
}

FORMULA_COMPARE_MAP(NUMBER_LOOPS)
FORMULA_COMPARE_MAP(SAME_LOOPS)
FORMULA_COMPARE_MAP(TEXT_LOOPS)

/* A negative int64 is below every uint64. */
WIDE_LOOP(mixed, eq, int64_t, uint64_t, (a >= 0) & ((uint64_t)a == b))
WIDE_LOOP(mixed, ne, int64_t, uint64_t, (a < 0) | ((uint64_t)a != b))
WIDE_LOOP(mixed, lt, int64_t, uint64_t, (a < 0) | ((uint64_t)a < b))
WIDE_LOOP(mixed, le, int64_t, uint64_t, (a < 0) | ((uint64_t)a <= b))
WIDE_LOOP(mixed, gt, int64_t, uint64_t, (a >= 0) & ((uint64_t)a > b))
WIDE_LOOP(mixed, ge, int64_t, uint64_t, (a >= 0) & ((uint64_t)a >= b))

/* Entries stand in the order of the map, which is that of the kinds. */
#define NUMBERS_ENTRY(kind, name, op)  numbers_##name,
#define CONSTANT_ENTRY(kind, name, op) constant_##name,
#define I64_ENTRY(kind, name, op)      i64_##name,
#define U64_ENTRY(kind, name, op)      u64_##name,
#define MIXED_ENTRY(kind, name, op)    mixed_##name,
#define TEXTS_ENTRY(kind, name, op)    texts_##name,
#define LITERAL_ENTRY(kind, name, op)  literal_##name,

static hanse_formula_loop *const compare_numbers[FORMULA_N_COMPARE] = {
    FORMULA_COMPARE_MAP(NUMBERS_ENTRY)};
static hanse_formula_loop *const compare_constant[FORMULA_N_COMPARE] = {
    FORMULA_COMPARE_MAP(CONSTANT_ENTRY)};
static hanse_formula_loop *const compare_i64[FORMULA_N_COMPARE] = {
    FORMULA_COMPARE_MAP(I64_ENTRY)};
static hanse_formula_loop *const compare_u64[FORMULA_N_COMPARE] = {
    FORMULA_COMPARE_MAP(U64_ENTRY)};
static hanse_formula_loop *const compare_mixed[FORMULA_N_COMPARE] = {
    FORMULA_COMPARE_MAP(MIXED_ENTRY)};
static hanse_formula_loop *const compare_texts[FORMULA_N_COMPARE] = {
    FORMULA_COMPARE_MAP(TEXTS_ENTRY)};
static hanse_formula_loop *const compare_literal[FORMULA_N_COMPARE] = {
    FORMULA_COMPARE_MAP(LITERAL_ENTRY)};

/* One unsigned comparison for both ends: x - low wraps around when x is below
 * low, and is then above every width. */
#define RANGE_LOOP(type, unsigned_type, name)                              \
    static TARGET void range_##name(hanse_formula_frame *frame,            \
                                    const hanse_formula_step *step)        \
    {                                                                      \
        const type *x = frame->batch->arrays[step->field].values;          \
        const unsigned_type low = (unsigned_type)step->with.range.low;     \
        const unsigned_type width = (unsigned_type)step->with.range.width; \
        const uint8_t inside = step->with.range.inside;                    \
        const uint8_t outside = step->with.range.outside;                  \
        uint8_t *out = frame->condition[step->to];                         \
        x += frame->first;                                                 \
        _Pragma("omp simd") for (size_t i = 0; i < frame->n; i++)          \
        {                                                                  \
            const unsigned_type above =                                    \
                (unsigned_type)((unsigned_type)x[i] - low);                \
            out[i] = above <= width ? inside : outside;                    \
        }                                                                  \
    }

RANGE_LOOP(int8_t, uint8_t, i8)
RANGE_LOOP(int16_t, uint16_t, i16)
RANGE_LOOP(int32_t, uint32_t, i32)
RANGE_LOOP(int64_t, uint64_t, i64)
RANGE_LOOP(uint8_t, uint8_t, u8)
RANGE_LOOP(uint16_t, uint16_t, u16)
RANGE_LOOP(uint32_t, uint32_t, u32)
RANGE_LOOP(uint64_t, uint64_t, u64)

static hanse_formula_loop *const in_range[HANSE_TYPE_COUNT] = {
    [HANSE_INT8] = range_i8,    [HANSE_INT16] = range_i16,
    [HANSE_INT32] = range_i32,  [HANSE_INT64] = range_i64,
    [HANSE_UINT8] = range_u8,   [HANSE_UINT16] = range_u16,
    [HANSE_UINT32] = range_u32, [HANSE_UINT64] = range_u64,
};

/* Integer against double without rounding: the integer is high + low, two
 * exact doubles; their sum is the integer rounded, and `rest` what the
 * rounding took away (fast two-sum: high is 0 or at least 2^32, low below
 * 2^32). Rounding is monotone, so the rounded integers order as the exact ones
 * unless they are equal, and then the rest decides. */
static inline TARGET double sign_of(double high, double low, double number)
{
    const double sum = high + low;
    const double rest = low - (sum - high);
    const double difference = sum - number;
    return sum == number ? rest : difference;
}

static TARGET void sign_i64(hanse_formula_frame *frame,
                            const hanse_formula_step *step)
{
    const uint64_t *x = frame->wide[step->a];
    const double *y = frame->number[step->b];
    double *out = frame->number_store[step->to];
#pragma omp simd
    for (size_t i = 0; i < frame->n; i++)
        out[i] = sign_of(hanse_formula_high_i64(x[i]), hanse_formula_low(x[i]),
                         y[i]);
    frame->number[step->to] = out;
}

static TARGET void sign_u64(hanse_formula_frame *frame,
                            const hanse_formula_step *step)
{
    const uint64_t *x = frame->wide[step->a];
    const double *y = frame->number[step->b];
    double *out = frame->number_store[step->to];
#pragma omp simd
    for (size_t i = 0; i < frame->n; i++)
        out[i] = sign_of(hanse_formula_high_u64(x[i]), hanse_formula_low(x[i]),
                         y[i]);
    frame->number[step->to] = out;
}
