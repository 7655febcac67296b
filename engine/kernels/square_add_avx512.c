/* SPDX-License-Identifier: Apache-2.0
 *
 * The add of values and squares for AVX-512: eight rows of a measure become the
 * eight lanes of its line in registers and are turned to rows.
 */
#if defined(__x86_64__)

#include <immintrin.h>

#include "engine/kernels/line_split_avx512.h"
#include "engine/kernels/square_add.h"
#include "engine/kernels/transpose_avx512.h"

#define INLINE static inline TARGET __attribute__((always_inline))

enum {
    /* As tables of _mm512_ternarylogic_epi64 with a, b, c. */
    A_XOR_B_OR_C = 0xf0 ^ (0xcc | 0xaa),
    NOT_A_XOR_B_OR_C = 0xff ^ A_XOR_B_OR_C
};

/* Patterns of a product's parts plus those of their magic numbers. */
typedef struct parts {
    __m512i lower;
    __m512i upper;
} parts;

INLINE parts product_of(__m512d a, __m512d b)
{
    const __m512d magic = _mm512_set1_pd(HANSE_SQUARE_UPPER_MAGIC);
    const __m512d upper = _mm512_fmadd_pd(a, b, magic);
    const __m512d lower = _mm512_fmsub_pd(a, b, _mm512_sub_pd(upper, magic));
    return (parts){_mm512_castpd_si512(_mm512_add_pd(
                       lower, _mm512_set1_pd(HANSE_SQUARE_LOWER_MAGIC))),
                   _mm512_castpd_si512(upper)};
}

/* The four limbs of the squares of eight values. */
INLINE void make_squares(__m512i low_piece, __m512i high_piece,
                         __m512i limbs[HANSE_SQUARE_LIMBS])
{
    const __m512i lower =
        _mm512_castpd_si512(_mm512_set1_pd(HANSE_SQUARE_LOWER_MAGIC));
    const __m512i upper =
        _mm512_castpd_si512(_mm512_set1_pd(HANSE_SQUARE_UPPER_MAGIC));
    const __m512i both = _mm512_add_epi64(lower, upper);
    const __m512d low = _mm512_cvtepi64_pd(low_piece);
    const __m512d high = _mm512_cvtepi64_pd(high_piece);
    const parts first = product_of(low, low);
    const parts second = product_of(low, _mm512_add_pd(high, high));
    const parts third = product_of(high, high);
    limbs[0] = _mm512_sub_epi64(first.lower, lower);
    limbs[1] =
        _mm512_sub_epi64(_mm512_add_epi64(first.upper, second.lower), both);
    limbs[2] =
        _mm512_sub_epi64(_mm512_add_epi64(second.upper, third.lower), both);
    limbs[3] = _mm512_sub_epi64(third.upper, upper);
}

/* Lanes of extremes (extremes.h) of the rows that are there. */
INLINE void make_extremes(const double *x, __mmask8 rows, __m512i lanes[2])
{
    const __m512d values = _mm512_maskz_loadu_pd(rows, x);
    const __m512i bits = _mm512_castpd_si512(values);
    const __m512i negative = _mm512_srai_epi64(bits, 63);
    const __m512i top = _mm512_set1_epi64(INT64_MIN);
    const __mmask8 numbers =
        _mm512_mask_cmp_pd_mask(rows, values, values, _CMP_ORD_Q);
    lanes[0] = _mm512_maskz_ternarylogic_epi64(numbers, bits, negative, top,
                                               A_XOR_B_OR_C);
    lanes[1] = _mm512_maskz_ternarylogic_epi64(numbers, bits, negative, top,
                                               NOT_A_XOR_B_OR_C);
}

/* A measure and where it goes. */
typedef struct task {
    hanse_line_measure *measure;
    hanse_line_constants c;
    int64_t *line; /* of the first state */
    size_t stride;
    const uint32_t *groups;
    bool has_extremes;
    bool is_counted; /* in lane 0 */
} task;

/* Lanes of eight rows, first to first + 7, of which `rows` are there. */
INLINE void make_lanes(const task *t, size_t first, __mmask8 rows,
                       __m512i lanes[8])
{
    __m512i *limbs = t->has_extremes ? lanes : lanes + 1;
    hanse_line_pair(t->measure, &t->c, first, rows, &limbs[0], &limbs[1]);
    make_squares(limbs[0], limbs[1], limbs + 2);
    if (t->has_extremes) {
        make_extremes(t->measure->x + first, rows, lanes + 6);
    } else {
        lanes[0] = t->is_counted ? _mm512_maskz_set1_epi64(rows, 1)
                                 : _mm512_setzero_si512();
        lanes[7] = _mm512_setzero_si512();
    }
}

/* The last two lanes are extremes, or all are sums; `seen` shows those that are
 * outside their guard. */
INLINE void add_line(int64_t *state, __m512i line, bool has_extremes,
                     __m512i *seen)
{
    const __m512i bias = _mm512_set1_epi64((int64_t)HANSE_GUARD_BIAS);
    const __m512i old = _mm512_load_si512(state);
    const __m512i sum = _mm512_add_epi64(old, line);
    *seen = _mm512_or_si512(*seen, _mm512_add_epi64(sum, bias));
    _mm512_store_si512(state, has_extremes
                                  ? _mm512_mask_max_epu64(sum, 0xc0, old, line)
                                  : sum);
}

/* Adds n_rows rows from `first` on to their states. */
INLINE void add_lanes(const task *t, size_t first, size_t n_rows,
                      __m512i lanes[8], __m512i *seen)
{
    hanse_transpose_line(lanes);
    for (size_t i = 0; i < n_rows; i++)
        add_line(t->line + t->groups[first + i] * t->stride, lanes[i],
                 t->has_extremes, seen);
}

/* Whole eights of rows to their states; returns the number of these rows. To
 * make lanes takes a long chain of instructions, so that those of the next rows
 * are made while the last ones are added. */
INLINE size_t add_eights(const task *t, size_t n, __m512i *seen)
{
    __m512i lanes[8], next[8];
    size_t first = 0;
    make_lanes(t, 0, 0xff, lanes);
    for (; first + 16 <= n; first += 8) {
        if (first + HANSE_PREFETCH_ROWS + 8 <= n)
            for (size_t i = 0; i < 8; i++)
                __builtin_prefetch(
                    t->line +
                        t->groups[first + HANSE_PREFETCH_ROWS + i] * t->stride,
                    1);
        make_lanes(t, first + 8, 0xff, next);
        add_lanes(t, first, 8, lanes, seen);
        for (size_t l = 0; l < 8; l++)
            lanes[l] = next[l];
    }
    add_lanes(t, first, 8, lanes, seen);
    return first + 8;
}

INLINE __mmask8 rows_from(size_t first, size_t n)
{
    return (__mmask8)(n - first < 8 ? ((unsigned)1 << (n - first)) - 1 : 0xff);
}

INLINE void add_rows(const task *t, size_t n, __m512i *seen)
{
    const size_t first = n < 8 ? 0 : add_eights(t, n, seen);
    __m512i lanes[8];
    if (first == n)
        return;
    make_lanes(t, first, rows_from(first, n), lanes);
    add_lanes(t, first, n - first, lanes, seen);
}

/* All rows to one state. */
INLINE void add_total(const task *t, size_t n, __m512i *seen)
{
    __m512i sums[8], lanes[8];
    for (size_t l = 0; l < 8; l++)
        sums[l] = _mm512_setzero_si512();
    for (size_t first = 0; first < n; first += 8) {
        make_lanes(t, first, rows_from(first, n), lanes);
        for (size_t l = 0; l < 8; l++)
            sums[l] = l >= 6 && t->has_extremes
                          ? _mm512_max_epu64(sums[l], lanes[l])
                          : _mm512_add_epi64(sums[l], lanes[l]);
    }
    hanse_transpose_line(sums);
    for (size_t l = 0; l < 8; l++)
        add_line(t->line, sums[l], t->has_extremes, seen);
}

/* All measures; whether there are extremes is a constant in the calls. */
INLINE void add_measures(const hanse_square_states *states, bool has_extremes,
                         hanse_line_measure *measures, size_t n_measures,
                         size_t n, __m512i *seen)
{
    for (size_t m = 0; m < n_measures; m++) {
        const task t = {.measure = &measures[m],
                        .c = hanse_line_constants_of(measures[m].grid),
                        .line = states->rows +
                                HANSE_LINE_LANES * (has_extremes ? m + 1 : m),
                        .stride = states->stride,
                        .groups = states->groups,
                        .has_extremes = has_extremes,
                        .is_counted = m == 0 && !has_extremes};
        measures[m].n_bad = 0;
        if (states->groups == NULL)
            add_total(&t, n, seen);
        else
            add_rows(&t, n, seen);
    }
}

TARGET bool hanse_square_add_avx512(const hanse_square_states *states,
                                    hanse_line_measure *measures,
                                    size_t n_measures, size_t n)
{
    __m512i seen = _mm512_setzero_si512();
    if (states->has_extremes) {
        hanse_square_count(states, n);
        add_measures(states, true, measures, n_measures, n, &seen);
    } else {
        add_measures(states, false, measures, n_measures, n, &seen);
    }
    return _mm512_mask_test_epi64_mask(
               states->has_extremes ? 0x3f : 0xff, seen,
               _mm512_set1_epi64((int64_t)HANSE_GUARD_MASK)) != 0;
}

#else
typedef int hanse_no_avx512; /* a translation unit must not be empty */
#endif
