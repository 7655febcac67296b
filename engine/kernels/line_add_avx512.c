/* SPDX-License-Identifier: Apache-2.0
 *
 * The usual fold for AVX-512: a line of a state is one register, and so is a
 * limb of eight rows.
 */
#if defined(__x86_64__)

#include <immintrin.h>

#include "engine/kernels/line_add.h"
#include "engine/kernels/line_split_avx512.h"
#include "engine/kernels/transpose_avx512.h"

/* All lanes of eight rows, turned to rows. Written out, so that they stay in
 * registers. */
static inline TARGET __attribute__((always_inline)) void
make_rows(hanse_line_measure *measures, const hanse_line_constants *c,
          size_t n_measures, size_t first, __mmask8 rows, __m512i lanes[8])
{
    const __m512i zero = _mm512_setzero_si512();
    lanes[0] = _mm512_maskz_set1_epi64(rows, 1);
    lanes[3] = lanes[4] = lanes[5] = lanes[6] = lanes[7] = zero;
    hanse_line_pair(&measures[0], &c[0], first, rows, &lanes[1], &lanes[2]);
    if (n_measures > 1)
        hanse_line_pair(&measures[1], &c[1], first, rows, &lanes[3], &lanes[4]);
    if (n_measures > 2)
        hanse_line_pair(&measures[2], &c[2], first, rows, &lanes[5], &lanes[6]);
    hanse_transpose_line(lanes);
}

static inline TARGET __attribute__((always_inline)) __m512i
add_line(int64_t *state, __m512i row, __m512i seen)
{
    const __m512i bias = _mm512_set1_epi64((int64_t)HANSE_GUARD_BIAS);
    const __m512i sum = _mm512_add_epi64(_mm512_load_si512(state), row);
    _mm512_store_si512(state, sum);
    return _mm512_or_si512(seen, _mm512_add_epi64(sum, bias));
}

/* Two rows. When they are of one group they are added to each other first:
 * where a group repeats, each add to its state waits for the one before. */
static inline TARGET __attribute__((always_inline)) __m512i
add_two(int64_t *states, const uint32_t *groups, __m512i a, __m512i b,
        __m512i seen)
{
    int64_t *state = states + (size_t)groups[0] * HANSE_LINE_LANES;
    if (groups[0] == groups[1])
        return add_line(state, _mm512_add_epi64(a, b), seen);
    seen = add_line(state, a, seen);
    return add_line(states + (size_t)groups[1] * HANSE_LINE_LANES, b, seen);
}

static inline TARGET __attribute__((always_inline)) __m512i
add_eight(int64_t *states, const uint32_t *groups, const __m512i rows[8],
          __m512i seen)
{
    seen = add_two(states, groups, rows[0], rows[1], seen);
    seen = add_two(states, groups + 2, rows[2], rows[3], seen);
    seen = add_two(states, groups + 4, rows[4], rows[5], seen);
    return add_two(states, groups + 6, rows[6], rows[7], seen);
}

/* The number of measures is a constant in the calls, so that lanes stay in
 * registers. */
static inline TARGET __attribute__((always_inline)) bool
add_all(int64_t *states, const uint32_t *groups, hanse_line_measure *measures,
        size_t n_measures, size_t n)
{
    hanse_line_constants c[HANSE_LINE_MEASURES];
    __m512i seen = _mm512_setzero_si512(), lanes[8];
    for (size_t m = 0; m < n_measures; m++) {
        c[m] = hanse_line_constants_of(measures[m].grid);
        measures[m].n_bad = 0;
    }
    size_t first = 0;
    for (; first + 8 <= n; first += 8) {
        if (first + HANSE_PREFETCH_ROWS + 8 <= n)
            for (size_t i = 0; i < 8; i++)
                __builtin_prefetch(
                    states + (size_t)groups[first + HANSE_PREFETCH_ROWS + i] *
                                 HANSE_LINE_LANES,
                    1);
        make_rows(measures, c, n_measures, first, 0xff, lanes);
        seen = add_eight(states, groups + first, lanes, seen);
    }
    if (first < n) {
        const __mmask8 rows = (__mmask8)(((unsigned)1 << (n - first)) - 1);
        make_rows(measures, c, n_measures, first, rows, lanes);
        for (size_t i = first; i < n; i++)
            seen = add_line(states + (size_t)groups[i] * HANSE_LINE_LANES,
                            lanes[i - first], seen);
    }
    return _mm512_test_epi64_mask(
               seen, _mm512_set1_epi64((int64_t)HANSE_GUARD_MASK)) != 0;
}

TARGET bool hanse_line_add_avx512(int64_t *restrict states,
                                  const uint32_t *restrict groups,
                                  hanse_line_measure *measures,
                                  size_t n_measures, size_t n)
{
    switch (n_measures) {
    case 1:
        return add_all(states, groups, measures, 1, n);
    case 2:
        return add_all(states, groups, measures, 2, n);
    default:
        return add_all(states, groups, measures, 3, n);
    }
}

#else
typedef int hanse_no_avx512; /* a translation unit must not be empty */
#endif
