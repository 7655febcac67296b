/* SPDX-License-Identifier: Apache-2.0
 *
 * Splitting numbers into the integer pieces of an exact sum.
 *
 * A window is a run of limbs; limb k counts units of 2^(exponent + 51 k). A
 * value is split into one signed integer per limb, so that
 *
 *     x = sum_k piece_k * 2^(exponent + 51 k)     exactly,
 *
 * and adding the pieces with integer adds loses nothing, in any order.
 *
 * The split of a float64 uses the rounding of the machine itself: with
 * M = 1.5 * 2^(52 + e), (x + M) - M is x rounded to a multiple of 2^e, and the
 * difference of the bit patterns of x + M and M is that multiple as an
 * integer, as long as |x| < 2^(51 + e). What is left, at most half a unit, is
 * exact and goes to the next limb below: 2^(e - 1) < 2^(51 + (e - 51)). Known
 * from Rump, Ogita, Oishi 2008 (error-free vector transformations).
 *
 * Pieces are at most 2^51 in magnitude, the sum of two pieces of a square at
 * most 2^52. A limb may therefore take HANSE_LIMB_BATCH rows after it was seen
 * within +-2^61 and stays within +-2^62.
 *
 * Pieces lie lane by lane: lane k of row i at lanes[k * HANSE_LIMB_BATCH + i].
 */
#ifndef HANSE_ENGINE_KERNELS_EXACT_SPLIT_H
#define HANSE_ENGINE_KERNELS_EXACT_SPLIT_H

#include <stddef.h>
#include <stdint.h>

enum {
    HANSE_LIMB_BITS = 51,
    /* Wider windows are not split by these kernels. Squares of a column whose
     * values span 2^60 need six. */
    HANSE_DENSE_LIMBS = 6,
    /* 2^61 + 256 * 2^52 < 2^62; lanes and rows of a usual job (8 lanes of 8
     * bytes) are 16 KiB each and stay in the first cache level. */
    HANSE_LIMB_BATCH = 256
};

/* Constants of a window of up to HANSE_DENSE_LIMBS limbs, top limb first. */
typedef struct hanse_split_grid {
    size_t n_limbs;
    double magic[HANSE_DENSE_LIMBS];
    double bound; /* |x| must be below this */
} hanse_split_grid;

/* Splits x[0 .. n-1], n <= HANSE_LIMB_BATCH, into the lanes of the grid's
 * limbs, lowest first. A value outside the window, NaN, infinite or -0.0 gets
 * zero pieces and its index goes to `bad` (room for HANSE_LIMB_BATCH). Returns
 * the number of those.
 *
 * split_square: of x[i]^2, by an error-free product; values whose square or
 * its error could leave the range of normal numbers are bad, too. */
typedef size_t hanse_split_function(const double *restrict x, size_t n,
                                    const hanse_split_grid *grid,
                                    int64_t *restrict lanes,
                                    uint16_t *restrict bad);

hanse_split_function hanse_split_f64_scalar;
hanse_split_function hanse_split_f64_avx2;
hanse_split_function hanse_split_f64_avx512;
hanse_split_function hanse_split_square_f64_scalar;
hanse_split_function hanse_split_square_f64_avx2;
hanse_split_function hanse_split_square_f64_avx512;

/* The same of x[i] * y[i]; +0.0 and -0.0 are good where the other factor is in
 * range, and the sign of a product that is zero is lost. x and y may be the
 * same. */
typedef size_t hanse_split_product_function(const double *x, const double *y,
                                            size_t n,
                                            const hanse_split_grid *grid,
                                            int64_t *restrict lanes,
                                            uint16_t *restrict bad);

hanse_split_product_function hanse_split_product_f64_scalar;
hanse_split_product_function hanse_split_product_f64_avx2;
hanse_split_product_function hanse_split_product_f64_avx512;

/* Sums over the rows of what a split gives, for rows that are all of one group:
 * sums[k] is the sum of the pieces of limb k, lowest first, of x[0 .. n-1],
 * n <= HANSE_LIMB_BATCH. Bad rows add nothing and are listed as by a split,
 * whose number is returned. total_square: of x[i]^2. */
typedef size_t hanse_total_function(const double *restrict x, size_t n,
                                    const hanse_split_grid *grid,
                                    int64_t *restrict sums,
                                    uint16_t *restrict bad);

hanse_total_function hanse_total_f64_scalar;
hanse_total_function hanse_total_f64_avx2;
hanse_total_function hanse_total_f64_avx512;
hanse_total_function hanse_total_square_f64_scalar;
hanse_total_function hanse_total_square_f64_avx2;
hanse_total_function hanse_total_square_f64_avx512;

/* Integers, two limbs of unit 1: x = piece_0 + 2^51 piece_1. */
void hanse_split_i64(const int64_t *restrict x, size_t n,
                     int64_t *restrict lanes);
void hanse_split_u64(const uint64_t *restrict x, size_t n,
                     int64_t *restrict lanes);

/* Squares of integers, three limbs of unit 1. `is_unsigned`: x holds uint64
 * bit patterns. */
void hanse_split_square_i64(const int64_t *restrict x, size_t n,
                            int is_unsigned, int64_t *restrict lanes);

#endif
