/* SPDX-License-Identifier: Apache-2.0
 *
 * The split of exact_split.h, written so that the compiler turns it into
 * vector code: one straight line per row, no branch. Each instruction set
 * includes it with KERNEL(name), the name with its suffix, and TARGET, the
 * attribute that allows the instructions.
 */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "engine/kernels/exact_split.h"

static inline TARGET uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* All bits where the condition holds. */
#define ALL_BITS_IF(condition) ((uint64_t)0 - (uint64_t)(condition))

static const uint64_t negative_zero = (uint64_t)1 << 63;

/* Adds the pieces of x to piece[first .. n_limbs-1], top limb first; returns
 * what is left below the lowest limb, zero when the window holds all of x.
 * Unsigned: a value outside the window gives any bits. */
static inline TARGET double split_from(size_t first, double x,
                                       const hanse_split_grid *grid,
                                       size_t n_limbs, uint64_t *piece)
{
    for (size_t k = first; k < n_limbs; k++) {
        const double magic = grid->magic[k];
        const double shifted = x + magic;
        piece[k] += bits_of(shifted) - bits_of(magic);
        x -= shifted - magic;
    }
    return x;
}

static inline TARGET double split_one(double x, const hanse_split_grid *grid,
                                      size_t n_limbs, uint64_t *piece)
{
    return split_from(0, x, grid, n_limbs, piece);
}

/* Error of the rounded product x * x (Veltkamp 1968, Dekker 1971): exact as
 * long as nothing over- or underflows, and the same on every machine. HAS_FMA:
 * the instructions have it as one. */
static inline TARGET double square_error(double x, double product)
{
#if defined(HAS_FMA)
    return __builtin_fma(x, x, -product);
#else
    const double c = 134217729.0 * x; /* 2^27 + 1 */
    const double high = c - (c - x);
    const double low = x - high;
    return ((high * high - product) + 2.0 * high * low) + low * low;
#endif
}

/* The same of x * y. */
static inline TARGET double product_error(double x, double y, double product)
{
    const double c = 134217729.0 * x, d = 134217729.0 * y;
    const double x_high = c - (c - x), y_high = d - (d - y);
    const double x_low = x - x_high, y_low = y - y_high;
    return (((x_high * y_high - product) + x_low * y_high) + x_high * y_low) +
           x_low * y_low;
}

/* Stores the pieces of a row, zero when it is not good. */
static inline TARGET void store_row(int64_t *restrict lanes, size_t i,
                                    const uint64_t *piece, size_t n_limbs,
                                    uint64_t good)
{
    for (size_t k = 0; k < n_limbs; k++)
        lanes[k * HANSE_LIMB_BATCH + i] =
            (int64_t)(piece[n_limbs - 1 - k] & good);
}

static inline TARGET size_t list_bad(const uint64_t *good, size_t n,
                                     uint16_t *restrict bad)
{
    uint64_t all = ~(uint64_t)0;
    for (size_t i = 0; i < n; i++)
        all &= good[i];
    if (all == ~(uint64_t)0)
        return 0;
    size_t n_bad = 0;
    for (size_t i = 0; i < n; i++) {
        bad[n_bad] = (uint16_t)i;
        n_bad += good[i] == 0;
    }
    return n_bad;
}

/* Pieces of a value, and whether the window takes it. */
static inline TARGET __attribute__((always_inline)) uint64_t
pieces_of_value(double x, const hanse_split_grid *grid, size_t n_limbs,
                uint64_t *piece)
{
    const double left = split_one(x, grid, n_limbs, piece);
    return ALL_BITS_IF(fabs(x) < grid->bound) & ALL_BITS_IF(left == 0.0) &
           ALL_BITS_IF(bits_of(x) != negative_zero);
}

/* The same for its square. */
static inline TARGET __attribute__((always_inline)) uint64_t
pieces_of_square(double x, const hanse_split_grid *grid, size_t n_limbs,
                 uint64_t *piece)
{
    /* 2^-480 squared is 2^-960, its error a multiple of 2^-1064: exact. */
    const double smallest = 0x1p-480, largest = 0x1p500;
    const double size = fabs(x);
    const double product = x * x;
    const double error = square_error(x, product);
    /* The error is at most 2^-53 of a product below the bound, an eighth of
     * the top limb's unit: no piece of it goes there. */
    const double left = fabs(split_one(product, grid, n_limbs, piece)) +
                        fabs(split_from(1, error, grid, n_limbs, piece));
    return (ALL_BITS_IF(size >= smallest) & ALL_BITS_IF(size < largest) &
            ALL_BITS_IF(product < grid->bound) & ALL_BITS_IF(left == 0.0)) |
           ALL_BITS_IF(bits_of(x) == 0);
}

typedef uint64_t pieces_function(double x, const hanse_split_grid *grid,
                                 size_t n_limbs, uint64_t *piece);

static inline TARGET __attribute__((always_inline)) size_t
split_all(const double *restrict x, size_t n, const hanse_split_grid *grid,
          size_t n_limbs, pieces_function *pieces_of, int64_t *restrict lanes,
          uint16_t *restrict bad)
{
    uint64_t good[HANSE_LIMB_BATCH + 1];
    const hanse_split_grid g = *grid;
    for (size_t i = 0; i < n; i++) {
        uint64_t piece[HANSE_DENSE_LIMBS] = {0};
        good[i] = pieces_of(x[i], &g, n_limbs, piece);
        store_row(lanes, i, piece, n_limbs, good[i]);
    }
    return list_bad(good, n, bad);
}

/* Sums over the rows, where some may be bad. */
static inline TARGET __attribute__((always_inline)) size_t
total_good(const double *restrict x, size_t n, const hanse_split_grid *grid,
           size_t n_limbs, pieces_function *pieces_of, uint64_t *restrict sum,
           uint16_t *restrict bad)
{
    uint64_t good[HANSE_LIMB_BATCH + 1];
    for (size_t k = 0; k < n_limbs; k++)
        sum[k] = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t piece[HANSE_DENSE_LIMBS] = {0};
        good[i] = pieces_of(x[i], grid, n_limbs, piece);
        for (size_t k = 0; k < n_limbs; k++)
            sum[k] += piece[k] & good[i];
    }
    return list_bad(good, n, bad);
}

/* The sums of all rows, and whether all are good, which is cheaper to find than
 * those that are: the patterns of numbers without their sign are in the order
 * of the numbers, NaN last; and nothing but +0 is left of a good value. (Of
 * -0.0 it is -0.0 that is left; a difference of equal numbers is +0.) */
static inline TARGET __attribute__((always_inline)) bool
total_values(const double *restrict x, size_t n, const hanse_split_grid *grid,
             size_t n_limbs, uint64_t *restrict sum)
{
    const uint64_t bound = bits_of(grid->bound);
    uint64_t below = ~(uint64_t)0, rest = 0;
    for (size_t k = 0; k < n_limbs; k++)
        sum[k] = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t piece[HANSE_DENSE_LIMBS] = {0};
        rest |= bits_of(split_one(x[i], grid, n_limbs, piece));
        below &= (bits_of(x[i]) & ~negative_zero) - bound;
        for (size_t k = 0; k < n_limbs; k++)
            sum[k] += piece[k];
    }
    return rest == 0 && below >> 63 != 0;
}

static inline TARGET __attribute__((always_inline)) size_t
total_all(const double *restrict x, size_t n, const hanse_split_grid *grid,
          size_t n_limbs, pieces_function *pieces_of, int64_t *restrict sums,
          uint16_t *restrict bad)
{
    const hanse_split_grid g = *grid;
    uint64_t sum[HANSE_DENSE_LIMBS];
    size_t n_bad = 0;
    if (pieces_of != pieces_of_value || !total_values(x, n, &g, n_limbs, sum))
        n_bad = total_good(x, n, &g, n_limbs, pieces_of, sum, bad);
    for (size_t k = 0; k < n_limbs; k++)
        sums[k] = (int64_t)sum[n_limbs - 1 - k];
    return n_bad;
}

static inline TARGET __attribute__((always_inline)) size_t
split_products(const double *x, const double *y, size_t n,
               const hanse_split_grid *grid, size_t n_limbs,
               int64_t *restrict lanes, uint16_t *restrict bad)
{
    /* As for squares. */
    const double smallest = 0x1p-480, largest = 0x1p500;
    uint64_t good[HANSE_LIMB_BATCH + 1];
    const hanse_split_grid g = *grid;
    for (size_t i = 0; i < n; i++) {
        uint64_t piece[HANSE_DENSE_LIMBS] = {0};
        const double x_size = fabs(x[i]), y_size = fabs(y[i]);
        const double product = x[i] * y[i];
        const double error = product_error(x[i], y[i], product);
        const double left = fabs(split_one(product, &g, n_limbs, piece)) +
                            fabs(split_one(error, &g, n_limbs, piece));
        const uint64_t is_exact =
            ALL_BITS_IF(x_size >= smallest) & ALL_BITS_IF(y_size >= smallest);
        const uint64_t is_zero =
            ALL_BITS_IF(x_size == 0.0) | ALL_BITS_IF(y_size == 0.0);
        good[i] = ALL_BITS_IF(x_size < largest) &
                  ALL_BITS_IF(y_size < largest) &
                  ALL_BITS_IF(fabs(product) < g.bound) &
                  ALL_BITS_IF(left == 0.0) & (is_exact | is_zero);
        store_row(lanes, i, piece, n_limbs, good[i]);
    }
    return list_bad(good, n, bad);
}

/* The number of limbs is a constant in each call, so that loops over limbs
 * unroll. */
#define KERNEL_OF(name, all, pieces_of)                                       \
    TARGET size_t KERNEL(name)(const double *restrict x, size_t n,            \
                               const hanse_split_grid *grid,                  \
                               int64_t *restrict out, uint16_t *restrict bad) \
    {                                                                         \
        switch (grid->n_limbs) {                                              \
        case 1:                                                               \
            return all(x, n, grid, 1, pieces_of, out, bad);                   \
        case 2:                                                               \
            return all(x, n, grid, 2, pieces_of, out, bad);                   \
        case 3:                                                               \
            return all(x, n, grid, 3, pieces_of, out, bad);                   \
        case 4:                                                               \
            return all(x, n, grid, 4, pieces_of, out, bad);                   \
        case 5:                                                               \
            return all(x, n, grid, 5, pieces_of, out, bad);                   \
        default:                                                              \
            return all(x, n, grid, 6, pieces_of, out, bad);                   \
        }                                                                     \
    }

KERNEL_OF(hanse_split_f64, split_all, pieces_of_value)
KERNEL_OF(hanse_split_square_f64, split_all, pieces_of_square)
KERNEL_OF(hanse_total_f64, total_all, pieces_of_value)
KERNEL_OF(hanse_total_square_f64, total_all, pieces_of_square)

TARGET size_t KERNEL(hanse_split_product_f64)(const double *x, const double *y,
                                              size_t n,
                                              const hanse_split_grid *grid,
                                              int64_t *restrict lanes,
                                              uint16_t *restrict bad)
{
    switch (grid->n_limbs) {
    case 1:
        return split_products(x, y, n, grid, 1, lanes, bad);
    case 2:
        return split_products(x, y, n, grid, 2, lanes, bad);
    case 3:
        return split_products(x, y, n, grid, 3, lanes, bad);
    case 4:
        return split_products(x, y, n, grid, 4, lanes, bad);
    case 5:
        return split_products(x, y, n, grid, 5, lanes, bad);
    default:
        return split_products(x, y, n, grid, 6, lanes, bad);
    }
}
