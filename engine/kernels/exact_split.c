/* SPDX-License-Identifier: Apache-2.0
 *
 * Scalar kernels of exact_split.h; they define the result.
 */
#include "engine/kernels/exact_split.h"

#include <math.h>
#include <string.h>

static inline uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static const uint64_t negative_zero = (uint64_t)1 << 63;

/* Adds the pieces of x to row[0..n_limbs-1]; returns what is left below the
 * lowest limb (zero when the window holds all of x). */
static inline double split_one(double x, const hanse_split_grid *grid,
                               size_t n_limbs, int64_t *row)
{
    for (size_t k = 0; k < n_limbs; k++) {
        const double magic = grid->magic[k];
        const double shifted = x + magic;
        const uint64_t piece = bits_of(shifted) - bits_of(magic);
        /* Unsigned: of a value outside the window it may be anything. */
        int64_t *limb = &row[n_limbs - 1 - k];
        *limb = (int64_t)((uint64_t)*limb + piece);
        x -= shifted - magic;
    }
    return x;
}

static inline void clear_row(int64_t *row, size_t n_limbs)
{
    for (size_t k = 0; k < n_limbs; k++)
        row[k] = 0;
}

/* n_limbs is a constant in each call below, so that the compiler unrolls. */
static inline size_t split_f64(const double *restrict x, size_t n,
                               const hanse_split_grid *grid, size_t n_limbs,
                               int64_t *restrict rows, size_t stride,
                               uint16_t *restrict bad)
{
    size_t n_bad = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t *row = rows + i * stride;
        clear_row(row, n_limbs);
        const double left = split_one(x[i], grid, n_limbs, row);
        const int good = (fabs(x[i]) < grid->bound) & (left == 0.0) &
                         (bits_of(x[i]) != negative_zero);
        if (!good) {
            clear_row(row, n_limbs);
            bad[n_bad++] = (uint16_t)i;
        }
    }
    return n_bad;
}

size_t hanse_exact_split_f64(const double *restrict x, size_t n,
                             const hanse_split_grid *grid,
                             int64_t *restrict rows, size_t stride,
                             uint16_t *restrict bad)
{
    switch (grid->n_limbs) {
    case 1:
        return split_f64(x, n, grid, 1, rows, stride, bad);
    case 2:
        return split_f64(x, n, grid, 2, rows, stride, bad);
    case 3:
        return split_f64(x, n, grid, 3, rows, stride, bad);
    default:
        return split_f64(x, n, grid, 4, rows, stride, bad);
    }
}

/* Error of the rounded product x * x (Veltkamp 1968, Dekker 1971): exact as
 * long as nothing over- or underflows, and the same on every machine. */
static inline double square_error(double x, double product)
{
    const double factor = 134217729.0; /* 2^27 + 1 */
    const double c = factor * x;
    const double high = c - (c - x);
    const double low = x - high;
    return ((high * high - product) + 2.0 * high * low) + low * low;
}

static inline size_t split_square(const double *restrict x, size_t n,
                                  const hanse_split_grid *grid, size_t n_limbs,
                                  int64_t *restrict rows, size_t stride,
                                  uint16_t *restrict bad)
{
    /* 2^-480 squared is 2^-960, its error at least 2^-1066 and so exact. */
    const double smallest = 0x1p-480, largest = 0x1p500;
    size_t n_bad = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t *row = rows + i * stride;
        const double size = fabs(x[i]);
        const double product = x[i] * x[i];
        const double error = square_error(x[i], product);
        clear_row(row, n_limbs);
        const double left_product = split_one(product, grid, n_limbs, row);
        const double left_error = split_one(error, grid, n_limbs, row);
        const int in_range =
            ((size >= smallest) & (size < largest) & (product < grid->bound)) |
            (bits_of(x[i]) == 0);
        if (!(in_range & (left_product == 0.0) & (left_error == 0.0))) {
            clear_row(row, n_limbs);
            bad[n_bad++] = (uint16_t)i;
        }
    }
    return n_bad;
}

size_t hanse_exact_split_square_f64(const double *restrict x, size_t n,
                                    const hanse_split_grid *grid,
                                    int64_t *restrict rows, size_t stride,
                                    uint16_t *restrict bad)
{
    switch (grid->n_limbs) {
    case 1:
        return split_square(x, n, grid, 1, rows, stride, bad);
    case 2:
        return split_square(x, n, grid, 2, rows, stride, bad);
    case 3:
        return split_square(x, n, grid, 3, rows, stride, bad);
    default:
        return split_square(x, n, grid, 4, rows, stride, bad);
    }
}

static const int64_t limb_mask = ((int64_t)1 << HANSE_LIMB_BITS) - 1;

void hanse_exact_split_i64(const int64_t *restrict x, size_t n,
                           int64_t *restrict rows, size_t stride)
{
    for (size_t i = 0; i < n; i++) {
        rows[i * stride] = x[i] & limb_mask;
        rows[i * stride + 1] = x[i] >> HANSE_LIMB_BITS;
    }
}

void hanse_exact_split_u64(const uint64_t *restrict x, size_t n,
                           int64_t *restrict rows, size_t stride)
{
    for (size_t i = 0; i < n; i++) {
        rows[i * stride] = (int64_t)x[i] & limb_mask;
        rows[i * stride + 1] = (int64_t)(x[i] >> HANSE_LIMB_BITS);
    }
}

void hanse_exact_split_square_i64(const int64_t *restrict x, size_t n,
                                  int is_unsigned, int64_t *restrict rows,
                                  size_t stride)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t pattern = (uint64_t)x[i];
        const uint64_t size =
            is_unsigned || x[i] >= 0 ? pattern : (uint64_t)0 - pattern;
        const unsigned __int128 square = (unsigned __int128)size * size;
        int64_t *row = rows + i * stride;
        row[0] = (int64_t)square & limb_mask;
        row[1] = (int64_t)(square >> HANSE_LIMB_BITS) & limb_mask;
        row[2] = (int64_t)(square >> (2 * HANSE_LIMB_BITS));
    }
}
