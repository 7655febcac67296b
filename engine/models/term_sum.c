/* SPDX-License-Identifier: Apache-2.0
 *
 * The sums themselves, and the slow way where the fast one is undecided.
 */
#include "engine/models/term_sum.h"

#include "engine/wide.h"

/* Terms added as long integers; what is not finite is counted apart. */
typedef struct slow_sum {
    hanse_wide total;
    bool is_nan;
    bool has_high; /* +Inf */
    bool has_low;  /* -Inf */
} slow_sum;

static void slow_init(slow_sum *s)
{
    hanse_wide_from_double(&s->total, 0.0);
    s->is_nan = s->has_high = s->has_low = false;
}

static void slow_add(slow_sum *s, double term)
{
    if (isnan(term)) {
        s->is_nan = true;
    } else if (isinf(term)) {
        s->has_high = s->has_high || term > 0;
        s->has_low = s->has_low || term < 0;
    } else if (term != 0.0) {
        hanse_wide wide;
        hanse_wide_from_double(&wide, term);
        hanse_wide_add(&s->total, &wide);
    }
}

static double slow_round(const slow_sum *s)
{
    if (s->is_nan || (s->has_high && s->has_low))
        return NAN;
    if (s->has_high || s->has_low)
        return s->has_high ? INFINITY : -INFINITY;
    return hanse_wide_round(&s->total);
}

/* Apart, for its kilobytes of stack. */
__attribute__((noinline, cold)) double
hanse_sparse_dot_slowly(const double *weights, const double *x,
                        const uint32_t *index, size_t n)
{
    slow_sum sum;
    slow_init(&sum);
    for (size_t k = 0; k < n; k++)
        slow_add(&sum, hanse_sparse_term(weights, x, index, k));
    return slow_round(&sum);
}

double hanse_sparse_dot(const double *weights, const double *x,
                        const uint32_t *index, size_t n)
{
    return hanse_sparse_dot_inline(weights, x, index, n);
}

static __attribute__((noinline, cold)) double
slow_rest(double first, const double *x, size_t n)
{
    slow_sum sum;
    slow_init(&sum);
    slow_add(&sum, first);
    for (size_t k = 0; k < n; k++)
        slow_add(&sum, -x[k]);
    return slow_round(&sum);
}

double hanse_rest_of(double first, const double *x, size_t n)
{
    hanse_term_sum sum = {0};
    double result;
    hanse_term_sum_add(&sum, first);
    for (size_t k = 0; k < n; k++)
        hanse_term_sum_add(&sum, -x[k]);
    return hanse_term_sum_round(&sum, &result) ? result
                                               : slow_rest(first, x, n);
}
