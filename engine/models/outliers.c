/* SPDX-License-Identifier: Apache-2.0
 *
 * Ranks are found digit by digit, from the highest 16 bits of the values on:
 * four readings of the array for each, on all threads, and no sorting.
 */
#include "engine/models/outliers.h"

#include <math.h>
#include <string.h>

#include "engine/elementary.h"
#include "engine/models/term_sum.h"
#include "engine/parallel.h"

enum {
    DIGIT_BITS = 16,
    N_DIGITS = 1 << DIGIT_BITS,
    SLICES_PER_THREAD = 2,
    SLICE_ROWS = 1 << 16 /* at least */
};

typedef struct testing {
    const double *now;
    const double *before;
    size_t n;
    hanse_outlier_test test;
    double *effects; /* [row] r, then E; NaN: not tested */
    uint8_t *is_outlier;
    hanse_outlier_bounds *bounds;
    size_t n_threads;
    size_t n_slices;
    uint64_t *counts; /* [slice][digit] */
    uint64_t prefix;  /* the digits found so far */
    unsigned shift;   /* of the digit that is counted */
} testing;

static size_t slice_begin(const testing *t, size_t slice)
{
    return (size_t)((unsigned __int128)t->n * slice / t->n_slices);
}

static hanse_status for_slices(testing *t, hanse_task *task, hanse_error *error)
{
    return hanse_parallel_for(t->n_threads, t->n_slices, task, t, error);
}

/* ---- Quartiles ---------------------------------------------------------- */

/* Bits of a number in an order that is that of the numbers; and back. */
static inline uint64_t key_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits >> 63 != 0 ? ~bits : bits | (uint64_t)1 << 63;
}

static double number_of(uint64_t key)
{
    const uint64_t bits = key >> 63 != 0 ? key & ~((uint64_t)1 << 63) : ~key;
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static hanse_status count_digits(void *context, size_t slice,
                                 hanse_error *error)
{
    const testing *t = context;
    uint64_t *counts = t->counts + slice * N_DIGITS;
    (void)error;
    memset(counts, 0, N_DIGITS * sizeof *counts);
    /* The digits above; in two steps, since a shift by 64 is none. */
    const unsigned above = t->shift;
    for (size_t i = slice_begin(t, slice); i < slice_begin(t, slice + 1); i++) {
        const uint64_t key = key_of(t->effects[i]);
        if (!isnan(t->effects[i]) && key >> above >> DIGIT_BITS == t->prefix)
            counts[(key >> above) & (N_DIGITS - 1)]++;
    }
    return HANSE_OK;
}

/* The value of a rank, from 0, below the number of values. */
static hanse_status find_rank(testing *t, uint64_t rank, double *out,
                              hanse_error *error)
{
    t->prefix = 0;
    for (t->shift = 64; t->shift > 0;) {
        t->shift -= DIGIT_BITS;
        HANSE_TRY(for_slices(t, count_digits, error));
        uint64_t digit = 0;
        for (;; digit++) {
            uint64_t n = 0;
            for (size_t s = 0; s < t->n_slices; s++)
                n += t->counts[s * N_DIGITS + digit];
            if (rank < n)
                break;
            rank -= n;
        }
        t->prefix = t->prefix << DIGIT_BITS | digit;
    }
    *out = number_of(t->prefix);
    return HANSE_OK;
}

/* The number `quarters` quarters of the way from the smallest to the largest
 * of n >= 1 values. */
static hanse_status find_quartile(testing *t, uint64_t n, unsigned quarters,
                                  double *out, hanse_error *error)
{
    const uint64_t rank = (n - 1) / 4 * quarters + (n - 1) % 4 * quarters / 4;
    const unsigned part = (unsigned)((n - 1) % 4 * quarters % 4);
    double low, high = 0.0;
    HANSE_TRY(find_rank(t, rank, &low, error));
    if (part == 0) {
        *out = low;
        return HANSE_OK;
    }
    HANSE_TRY(find_rank(t, rank + 1, &high, error));
    /* Halves and quarters of numbers are exact, three quarters need not be. */
    double terms[6];
    size_t n_terms = 0;
    for (unsigned bit = 1; bit <= 2; bit *= 2) {
        if (((4 - part) & bit) != 0)
            terms[n_terms++] = low * (bit / 4.0);
        if ((part & bit) != 0)
            terms[n_terms++] = high * (bit / 4.0);
    }
    *out = hanse_sparse_dot(NULL, terms, NULL, n_terms);
    return HANSE_OK;
}

/* ---- The test ----------------------------------------------------------- */

static inline bool is_positive(double x)
{
    return x > 0.0 && x < INFINITY;
}

static hanse_status make_ratios(void *context, size_t slice, hanse_error *error)
{
    const testing *t = context;
    uint64_t n = 0;
    (void)error;
    for (size_t i = slice_begin(t, slice); i < slice_begin(t, slice + 1); i++) {
        const bool tested = is_positive(t->now[i]) && is_positive(t->before[i]);
        t->effects[i] = tested ? t->now[i] / t->before[i] : NAN;
        n += tested;
    }
    t->counts[slice * N_DIGITS] = n;
    return HANSE_OK;
}

/* The same bits on every machine, which pow of the C library has not. */
static double power(double x, double u)
{
    if (u == 0.5)
        return sqrt(x);
    return u == 0.0 ? 1.0 : u == 1.0 ? x : hanse_exp(u * hanse_log(x));
}

static hanse_status make_effects(void *context, size_t slice,
                                 hanse_error *error)
{
    const testing *t = context;
    const double median = t->bounds->median_ratio;
    (void)error;
    for (size_t i = slice_begin(t, slice); i < slice_begin(t, slice + 1); i++) {
        const double ratio = t->effects[i];
        const double distance =
            ratio < median ? 1.0 - median / ratio : ratio / median - 1.0;
        if (!isnan(ratio))
            t->effects[i] =
                distance * power(fmax(t->now[i], t->before[i]), t->test.u);
    }
    return HANSE_OK;
}

static hanse_status mark(void *context, size_t slice, hanse_error *error)
{
    const testing *t = context;
    uint64_t n = 0;
    (void)error;
    for (size_t i = slice_begin(t, slice); i < slice_begin(t, slice + 1); i++) {
        t->is_outlier[i] =
            t->effects[i] < t->bounds->low || t->effects[i] > t->bounds->high;
        n += t->is_outlier[i];
    }
    t->counts[slice * N_DIGITS] = n;
    return HANSE_OK;
}

static uint64_t sum_of_slices(const testing *t)
{
    uint64_t sum = 0;
    for (size_t s = 0; s < t->n_slices; s++)
        sum += t->counts[s * N_DIGITS];
    return sum;
}

static hanse_status find_bounds(testing *t, hanse_error *error)
{
    hanse_outlier_bounds *bounds = t->bounds;
    const uint64_t n = bounds->n_tested;
    double quartile[3];
    HANSE_TRY(find_quartile(t, n, 2, &bounds->median_ratio, error));
    HANSE_TRY(for_slices(t, make_effects, error));
    for (unsigned q = 0; q < 3; q++)
        HANSE_TRY(find_quartile(t, n, q + 1, &quartile[q], error));
    const double least = fabs(t->test.a * quartile[1]);
    bounds->low =
        quartile[1] - t->test.c * fmax(quartile[1] - quartile[0], least);
    bounds->high =
        quartile[1] + t->test.c * fmax(quartile[2] - quartile[1], least);
    return HANSE_OK;
}

static hanse_status work(testing *t, hanse_error *error)
{
    HANSE_TRY(for_slices(t, make_ratios, error));
    t->bounds->n_tested = sum_of_slices(t);
    if (t->bounds->n_tested != 0)
        HANSE_TRY(find_bounds(t, error));
    HANSE_TRY(for_slices(t, mark, error));
    t->bounds->n_outliers = sum_of_slices(t);
    return HANSE_OK;
}

hanse_status hanse_outliers_find(const double *now, const double *before,
                                 size_t n, const hanse_outlier_test *test,
                                 size_t n_threads, hanse_budget *budget,
                                 uint8_t *is_outlier,
                                 hanse_outlier_bounds *bounds,
                                 hanse_error *error)
{
    hanse_outlier_bounds made = {.median_ratio = NAN, .low = NAN, .high = NAN};
    testing t = {.now = now,
                 .before = before,
                 .n = n,
                 .test = *test,
                 .is_outlier = is_outlier,
                 .bounds = &made,
                 .n_threads = n_threads,
                 .n_slices = n / SLICE_ROWS + 1};
    if (!(test->u >= 0.0 && test->u <= 1.0 && test->a >= 0.0 &&
          isfinite(test->a) && test->c > 0.0 && isfinite(test->c)))
        return hanse_fail(error, HANSE_ERR_ARGUMENT,
                          "outliers with u = %g, a = %g, c = %g: u is 0 to 1, "
                          "a is 0 or more, c more than 0",
                          test->u, test->a, test->c);
    if (t.n_slices > SLICES_PER_THREAD * n_threads)
        t.n_slices = SLICES_PER_THREAD * n_threads;
    const size_t n_counts = t.n_slices * N_DIGITS;
    t.effects = hanse_allocate(budget, n, sizeof *t.effects);
    t.counts = hanse_allocate(budget, n_counts, sizeof *t.counts);
    const hanse_status status =
        t.effects == NULL || t.counts == NULL
            ? hanse_fail_budget(error, budget, "ratios of periods", n,
                                sizeof *t.effects)
            : work(&t, error);
    hanse_free(budget, t.effects, n, sizeof *t.effects);
    hanse_free(budget, t.counts, n_counts, sizeof *t.counts);
    if (status == HANSE_OK)
        *bounds = made;
    return status;
}
