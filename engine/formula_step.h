/* SPDX-License-Identifier: Apache-2.0
 *
 * The program that a formula becomes: steps over registers, each step one
 * loop over the rows of a block.
 *
 * A number register holds HANSE_BLOCK_ROWS doubles, NaN where the value is
 * missing. A condition register holds as many bytes: CONDITION_FALSE,
 * CONDITION_UNKNOWN or CONDITION_TRUE, ordered so that Kleene's "and" is the
 * smaller and "or" the larger of two. Two wide registers hold 64-bit integers
 * on their way into a comparison.
 *
 * Steps take a register over in place where they can; no loop depends on
 * another row, so an output may be one of the inputs.
 */
#ifndef HANSE_ENGINE_FORMULA_STEP_H
#define HANSE_ENGINE_FORMULA_STEP_H

#include <math.h>
#include <string.h>

#include "engine/base/cpu.h"
#include "engine/elementary.h"
#include "engine/elementary_step.h"
#include "engine/formula_internal.h"
#include "engine/source.h"

enum {
    CONDITION_FALSE = 0,
    CONDITION_UNKNOWN = 1,
    CONDITION_TRUE = 2
};

/* Registers of a kind. With the heavier operand evaluated first, a formula of
 * n leaves needs 1 + log2(n) (Sethi and Ullman 1970): 16 for the 2^15 leaves
 * that fit FORMULA_MAX_BYTES, and one more while a step converts. */
enum {
    FORMULA_MAX_REGISTERS = 20
};

typedef struct hanse_formula_frame {
    const hanse_batch *batch;
    size_t first;
    size_t n;
    /* Where a register's values are (a column itself, or its own storage) and
     * its own storage. */
    const double *number[FORMULA_MAX_REGISTERS];
    double *number_store[FORMULA_MAX_REGISTERS];
    uint8_t *condition[FORMULA_MAX_REGISTERS];
    const uint64_t *wide[2];
    uint64_t *wide_store[2];
} hanse_formula_frame;

typedef struct hanse_formula_step hanse_formula_step;
typedef void hanse_formula_loop(hanse_formula_frame *frame,
                                const hanse_formula_step *step);

struct hanse_formula_step {
    hanse_formula_loop *run;
    uint8_t to, a, b; /* registers, of the kinds that the loop says */
    size_t field;
    union {
        double number;
        uint8_t truth;
        size_t other_field;
        struct {
            uint64_t low, width; /* low <= x <= low + width */
            uint8_t inside, outside;
        } range;
        struct {
            const char *bytes; /* in the formula's pool */
            size_t n;
        } text;
    } with;
};

typedef struct hanse_formula_loops hanse_formula_loops;

struct hanse_formula {
    const hanse_formula_loops *loops;
    hanse_formula_want want;
    hanse_formula_step *steps;
    size_t n_steps;
    size_t capacity_steps;
    size_t n_numbers;    /* registers in use */
    size_t n_conditions; /* registers in use */
    bool uses_wide;
    uint8_t result; /* register, of the kind that was wanted */
    size_t *fields;
    size_t n_fields;
    bool is_field;
    char *pool; /* text literals */
    size_t pool_bytes;
};

/* ---- Arithmetic on one row ---------------------------------------------- */

/* IEEE 754-2019 minimum and maximum: NaN when either is, -0 below +0. */
static inline double hanse_formula_minimum(double a, double b)
{
    uint64_t bits_a, bits_b;
    memcpy(&bits_a, &a, sizeof a);
    memcpy(&bits_b, &b, sizeof b);
    bits_a |= bits_b;
    double same;
    memcpy(&same, &bits_a, sizeof same);
    const double smaller = a < b ? a : b;
    const double value = a == b ? same : smaller;
    return a == a ? value : a;
}

static inline double hanse_formula_maximum(double a, double b)
{
    return -hanse_formula_minimum(-a, -b);
}

/* A 64-bit integer as the exact sum of two doubles, high + low. Adding them
 * rounds once, which is the conversion to binary64, in instructions that every
 * CPU has for vectors. */
static inline double hanse_formula_high_i64(uint64_t x)
{
    return (double)(int32_t)(uint32_t)(x >> 32) * 0x1p+32;
}

static inline double hanse_formula_high_u64(uint64_t x)
{
    return (double)(uint32_t)(x >> 32) * 0x1p+32;
}

static inline double hanse_formula_low(uint64_t x)
{
    return (double)(uint32_t)x;
}

/* X(kind, name, value): operators of two doubles a and b, in the order of
 * hanse_formula_kind, as in the maps below. */
#define FORMULA_BINARY_MAP(X)                     \
    X(NODE_ADD, add, a + b)                       \
    X(NODE_SUBTRACT, subtract, a - b)             \
    X(NODE_MULTIPLY, multiply, a *b)              \
    X(NODE_DIVIDE, divide, a / b)                 \
    X(NODE_MIN, min, hanse_formula_minimum(a, b)) \
    X(NODE_MAX, max, hanse_formula_maximum(a, b))

/* X(kind, name, value): operators of one double a that are one loop here. */
#define FORMULA_UNARY_MAP(X)       \
    X(NODE_NEGATE, negate, -a)     \
    X(NODE_ABS, abs, fabs(a))      \
    X(NODE_SQRT, sqrt, sqrt(a))    \
    X(NODE_FLOOR, floor, floor(a)) \
    X(NODE_CEIL, ceil, ceil(a))

/* X(kind, name, op): comparisons. */
#define FORMULA_COMPARE_MAP(X) \
    X(NODE_EQ, eq, ==)         \
    X(NODE_NE, ne, !=)         \
    X(NODE_LT, lt, <)          \
    X(NODE_LE, le, <=)         \
    X(NODE_GT, gt, >)          \
    X(NODE_GE, ge, >=)

enum {
    FORMULA_N_BINARY = NODE_MAX - NODE_ADD + 1,
    FORMULA_N_UNARY = NODE_LOG - NODE_NEGATE + 1,
    FORMULA_N_COMPARE = NODE_GE - NODE_EQ + 1
};

/* Sign of a - b as texts, by bytes. */
int hanse_formula_compare_text(const char *a, size_t n_a, const char *b,
                               size_t n_b);

/* ---- Loops -------------------------------------------------------------- */

/* The loops of one instruction set, from formula_load_body.h,
 * formula_arith_body.h and formula_compare_body.h. All sets give the same
 * bits. */
struct hanse_formula_loops {
    /* Loads, by type of the column `field`. An entry is NULL where the type
     * makes no sense: numbers of all but text, wide (`to` is 0 or 1) of
     * integers. Wide loads leave missing rows as they are. The condition is of
     * a bool column. */
    hanse_formula_loop *const *load_number;
    hanse_formula_loop *const *load_wide;
    hanse_formula_loop *load_condition;

    /* Condition `to` becomes unknown where the column `field` is marked. */
    hanse_formula_loop *mark_missing;

    /* Condition `to`: is number a, condition a, or column `field` missing. */
    hanse_formula_loop *isnan_number;
    hanse_formula_loop *isnan_condition;
    hanse_formula_loop *isnan_column;

    /* Numbers a and b; a and with.number; with.number and a. By kind -
     * NODE_ADD. And by kind - NODE_NEGATE. */
    hanse_formula_loop *const *binary;
    hanse_formula_loop *const *binary_right;
    hanse_formula_loop *const *binary_left;
    hanse_formula_loop *const *unary;

    hanse_formula_loop *logic_and;
    hanse_formula_loop *logic_or;
    hanse_formula_loop *logic_not;
    hanse_formula_loop *number_of_condition;
    hanse_formula_loop *fill_number;
    hanse_formula_loop *fill_condition;

    /* Condition `to`, by kind - NODE_EQ: number a with number b; number a with
     * with.number; wide a with wide b, both int64, both uint64, a int64 and b
     * uint64; text column `field` with other_field, and with with.text.
     * Unknown where a number is NaN; marked rows of integer and text columns
     * need mark_missing afterwards. */
    hanse_formula_loop *const *compare_numbers;
    hanse_formula_loop *const *compare_constant;
    hanse_formula_loop *const *compare_i64;
    hanse_formula_loop *const *compare_u64;
    hanse_formula_loop *const *compare_mixed;
    hanse_formula_loop *const *compare_texts;
    hanse_formula_loop *const *compare_literal;

    /* Condition `to`: with.range.inside where low <= column `field` <= low +
     * width, else outside; by integer type, modulo 2^bits. */
    hanse_formula_loop *const *in_range;

    /* Number `to`: a number with the sign of the exact difference of wide a
     * and number b, NaN where b is. */
    hanse_formula_loop *sign_i64;
    hanse_formula_loop *sign_u64;

    /* out[i] = value[i], every NaN the same one. `out` may be `value`. */
    void (*finish_number)(const double *value, size_t n, double *out);
    /* CONDITION_TRUE becomes 1, the others 0. */
    void (*finish_condition)(uint8_t *condition, size_t n);
};

extern const hanse_formula_loops hanse_formula_loops_scalar;
extern const hanse_formula_loops hanse_formula_loops_avx2;
extern const hanse_formula_loops hanse_formula_loops_avx512;

/* Those of an instruction set that the machine has. */
const hanse_formula_loops *hanse_formula_loops_of(hanse_cpu cpu);

#endif
