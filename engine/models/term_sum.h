/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums of a few terms rounded once, whatever their order.
 *
 * A sum and the sum of its rounding errors are carried along (Neumaier 1974),
 * and with them a bound on what the second sum has lost. Nearly always that
 * shows which number is the nearest to the true sum; where it does not, the
 * terms are added again as long integers. Made for the links of a row, of which
 * there are mostly few: three numbers, no table, no branch in the loop.
 */
#ifndef HANSE_ENGINE_MODELS_TERM_SUM_H
#define HANSE_ENGINE_MODELS_TERM_SUM_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialise. For up to 2^32 terms. */
typedef struct hanse_term_sum {
    double sum;   /* of the terms, rounded at each of them */
    double error; /* sum of the errors of that */
    double doubt; /* sum of the magnitudes of the errors of this */
} hanse_term_sum;

static inline void hanse_term_sum_add(hanse_term_sum *s, double term)
{
    /* Knuth's two-sum, twice: exact unless something overflows. */
    const double sum = s->sum + term;
    const double other = sum - s->sum;
    const double lost = (s->sum - (sum - other)) + (term - other);
    const double error = s->error + lost;
    const double part = error - s->error;
    s->doubt += fabs((s->error - (error - part)) + (lost - part));
    s->sum = sum;
    s->error = error;
}

/* Of two terms; their error is exact. */
static inline hanse_term_sum hanse_term_sum_begin(double a, double b)
{
    const double sum = a + b;
    const double other = sum - a;
    return (hanse_term_sum){sum, (a - (sum - other)) + (b - other), 0.0};
}

/* The true sum rounded to nearest even; false when that is not certain, and
 * for whatever is not finite or has not been on the way. */
static inline bool hanse_term_sum_round(const hanse_term_sum *s, double *out)
{
    /* `doubt` is itself rounded, 2^32 times by 2^-53 at the most; what is added
     * makes up for the rounding of the two differences below. */
    const double doubt =
        s->doubt == 0.0 ? 0.0
                        : s->doubt * (1 + 0x1p-20) + fabs(s->error) * 0x1p-51;
    const double low = s->sum + (s->error - doubt);
    const double high = s->sum + (s->error + doubt);
    *out = low;
    return low == high && fabs(low) <= 0x1.fffffffffffffp+1023;
}

/* sum_k weights[k] * x[index[k]], k < n: each product rounded, their sum
 * rounded once to nearest even, so that it does not depend on their order.
 * weights NULL: all 1; index NULL: x[k]. A sum of zeros is +0; of infinities of
 * both signs, or of anything that is not a number, NaN (always the same one);
 * a sum beyond the largest number is an infinity, one that comes back is not.
 */
double hanse_sparse_dot(const double *weights, const double *x,
                        const uint32_t *index, size_t n);

/* The same, the slow way that the others take where they are undecided. */
double hanse_sparse_dot_slowly(const double *weights, const double *x,
                               const uint32_t *index, size_t n);

static inline double hanse_sparse_term(const double *weights, const double *x,
                                       const uint32_t *index, size_t k)
{
    const double value = index == NULL ? x[k] : x[index[k]];
    return weights == NULL ? value : weights[k] * value;
}

/* The same, to be inlined into loops over rows, where pointers are known to be
 * NULL or not. */
static inline double hanse_sparse_dot_inline(const double *weights,
                                             const double *x,
                                             const uint32_t *index, size_t n)
{
    double sum = 0.0;
    if (n <= 2) { /* one addition is rounded once */
        for (size_t k = 0; k < n; k++)
            sum += hanse_sparse_term(weights, x, index, k);
        return isnan(sum) ? (double)NAN : sum;
    }
    hanse_term_sum terms =
        hanse_term_sum_begin(hanse_sparse_term(weights, x, index, 0),
                             hanse_sparse_term(weights, x, index, 1));
    for (size_t k = 2; k < n; k++)
        hanse_term_sum_add(&terms, hanse_sparse_term(weights, x, index, k));
    if (hanse_term_sum_round(&terms, &sum))
        return sum;
    return hanse_sparse_dot_slowly(weights, x, index, n);
}

/* first - sum_k x[k], rounded once in the same way. */
double hanse_rest_of(double first, const double *x, size_t n);

#endif
