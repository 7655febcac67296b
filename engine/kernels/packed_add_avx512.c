/* SPDX-License-Identifier: Apache-2.0
 *
 * The add to packed states for AVX-512: up to four measures are one register,
 * added at once; others are added measure by measure.
 */
#if defined(__x86_64__)

#include <immintrin.h>

#include "engine/kernels/line_split_avx512.h"
#include "engine/kernels/packed_add.h"

#define KERNEL(name) name##_avx512
#include "engine/kernels/packed_add_body.h"

enum {
    LINE_MEASURES = HANSE_LINE_LANES / HANSE_PACKED_LANES
};

/* piece_0 + 2^51 piece_1 of eight rows, as two words. */
static inline TARGET __attribute__((always_inline)) void
join_line(__m512i lower, __m512i upper, __m512i *low, __m512i *high)
{
    const __m512i shifted = _mm512_slli_epi64(upper, HANSE_LIMB_BITS);
    *low = _mm512_add_epi64(shifted, lower);
    *high = _mm512_add_epi64(_mm512_srai_epi64(upper, 64 - HANSE_LIMB_BITS),
                             _mm512_srai_epi64(lower, 63));
    const __mmask8 carry = _mm512_cmplt_epu64_mask(*low, shifted);
    *high = _mm512_mask_sub_epi64(*high, carry, *high, _mm512_set1_epi64(-1));
}

/* The values of eight rows, of which `rows` are there, turned to rows. Written
 * out, so that they stay in registers. */
static inline TARGET __attribute__((always_inline)) void
make_rows(hanse_line_measure *measures, const hanse_line_constants *c,
          size_t n_measures, size_t first, __mmask8 rows, __m512i lanes[8])
{
    const __m512i zero = _mm512_setzero_si512();
    const __m512i one = _mm512_set1_epi64((int64_t)1 << HANSE_PACKED_SUM_BITS);
    lanes[2] = lanes[3] = lanes[4] = lanes[5] = lanes[6] = lanes[7] = zero;
    hanse_line_pair(&measures[0], &c[0], first, rows, &lanes[0], &lanes[1]);
    join_line(lanes[0], lanes[1], &lanes[0], &lanes[1]);
    lanes[1] = _mm512_add_epi64(lanes[1], one);
    if (n_measures > 1) {
        hanse_line_pair(&measures[1], &c[1], first, rows, &lanes[2], &lanes[3]);
        join_line(lanes[2], lanes[3], &lanes[2], &lanes[3]);
    }
    if (n_measures > 2) {
        hanse_line_pair(&measures[2], &c[2], first, rows, &lanes[4], &lanes[5]);
        join_line(lanes[4], lanes[5], &lanes[4], &lanes[5]);
    }
    if (n_measures > 3) {
        hanse_line_pair(&measures[3], &c[3], first, rows, &lanes[6], &lanes[7]);
        join_line(lanes[6], lanes[7], &lanes[6], &lanes[7]);
    }
    hanse_transpose_line(lanes);
}

/* The carry out of a lane of a sum is (a & b) | ((a | b) & ~sum), in its top
 * bit; a, b, sum as the operands of the truth table. */
enum {
    CARRY_OUT = 0xd4
};

/* Adds one measure's words, or two measures'; carries go from the low words to
 * the high ones, and those out of the high words get lost. A register is as
 * wide as what it adds to: a wider one, even masked, would wait for a further
 * line of the cache. */
static inline TARGET __attribute__((always_inline)) __m128i
add_one(int64_t *state, __m128i row, __m128i seen)
{
    __m128i *to = (__m128i *)(void *)state;
    const __m128i bias = _mm_set1_epi64x((int64_t)HANSE_PACKED_BIAS);
    const __m128i there = _mm_loadu_si128(to);
    const __m128i sum = _mm_add_epi64(there, row);
    const __m128i out = _mm_ternarylogic_epi64(there, row, sum, CARRY_OUT);
    const __m128i carry = _mm_bslli_si128(_mm_srli_epi64(out, 63), 8);
    const __m128i carried = _mm_add_epi64(sum, carry);
    _mm_storeu_si128(to, carried);
    return _mm_or_si128(seen, _mm_add_epi64(carried, bias));
}

static inline TARGET __attribute__((always_inline)) __m256i
add_two(int64_t *state, __m256i row, __m256i seen)
{
    __m256i *to = (__m256i *)(void *)state;
    const __m256i bias = _mm256_set1_epi64x((int64_t)HANSE_PACKED_BIAS);
    const __m256i there = _mm256_loadu_si256(to);
    const __m256i sum = _mm256_add_epi64(there, row);
    const __m256i out = _mm256_ternarylogic_epi64(there, row, sum, CARRY_OUT);
    const __m256i carry = _mm256_bslli_epi128(_mm256_srli_epi64(out, 63), 8);
    const __m256i carried = _mm256_add_epi64(sum, carry);
    _mm256_storeu_si256(to, carried);
    return _mm256_or_si256(seen, _mm256_add_epi64(carried, bias));
}

/* What shows that a state is outside its guard: measures 0 and 1, 2 and 3, and
 * the last one of an odd number. */
typedef struct seen_words {
    __m256i pair[2];
    __m128i last;
} seen_words;

static inline TARGET __attribute__((always_inline)) void
add_row(int64_t *state, size_t n_measures, __m512i row, seen_words *seen)
{
    const __m256i first = _mm512_castsi512_si256(row);
    const __m256i second = _mm512_extracti64x4_epi64(row, 1);
    if (n_measures >= 2)
        seen->pair[0] = add_two(state, first, seen->pair[0]);
    if (n_measures == 4)
        seen->pair[1] = add_two(state + 4, second, seen->pair[1]);
    if (n_measures == 1)
        seen->last = add_one(state, _mm256_castsi256_si128(first), seen->last);
    if (n_measures == 3)
        seen->last =
            add_one(state + 4, _mm256_castsi256_si128(second), seen->last);
}

static inline TARGET bool is_outside(const seen_words *seen, size_t n_measures)
{
    int64_t shown[2 * HANSE_LINE_LANES] = {0};
    _mm256_storeu_si256((__m256i *)(void *)shown, seen->pair[0]);
    _mm256_storeu_si256((__m256i *)(void *)(shown + 4), seen->pair[1]);
    if (n_measures % 2 != 0)
        _mm_storeu_si128(
            (__m128i *)(void *)(shown + HANSE_PACKED_LANES * (n_measures - 1)),
            seen->last);
    uint64_t outside = 0;
    for (size_t m = 0; m < n_measures; m++)
        outside |=
            (uint64_t)shown[HANSE_PACKED_LANES * m + 1] & hanse_packed_mask(m);
    return outside != 0;
}

/* The number of measures is a constant in the calls. */
static inline TARGET __attribute__((always_inline)) bool
add_lines(int64_t *states, const uint32_t *groups, hanse_line_measure *measures,
          size_t n_measures, size_t n)
{
    const size_t n_lanes = HANSE_PACKED_LANES * n_measures;
    hanse_line_constants c[LINE_MEASURES];
    seen_words seen = {{_mm256_setzero_si256(), _mm256_setzero_si256()},
                       _mm_setzero_si128()};
    __m512i lanes[8];
    for (size_t m = 0; m < n_measures; m++) {
        c[m] = hanse_line_constants_of(measures[m].grid);
        measures[m].n_bad = 0;
    }
    for (size_t first = 0; first < n; first += 8) {
        const size_t n_rows = n - first < 8 ? n - first : 8;
        if (first + HANSE_PREFETCH_ROWS + 8 <= n)
            for (size_t i = 0; i < 8; i++)
                hanse_prefetch_state(
                    states + groups[first + HANSE_PREFETCH_ROWS + i] * n_lanes,
                    n_lanes);
        make_rows(measures, c, n_measures, first,
                  (__mmask8)(((unsigned)1 << n_rows) - 1), lanes);
        for (size_t i = 0; i < n_rows; i++)
            add_row(states + groups[first + i] * n_lanes, n_measures, lanes[i],
                    &seen);
    }
    return is_outside(&seen, n_measures);
}

TARGET bool hanse_packed_add_avx512(int64_t *restrict states,
                                    const uint32_t *restrict groups,
                                    hanse_line_measure *measures,
                                    size_t n_measures, size_t n)
{
    switch (n_measures) {
    case 1:
        return add_lines(states, groups, measures, 1, n);
    case 2:
        return add_lines(states, groups, measures, 2, n);
    case 3:
        return add_lines(states, groups, measures, 3, n);
    case LINE_MEASURES:
        return add_lines(states, groups, measures, LINE_MEASURES, n);
    default:
        return add_by_measure(states, groups, measures, n_measures, n);
    }
}

#else
typedef int hanse_no_avx512; /* a translation unit must not be empty */
#endif
