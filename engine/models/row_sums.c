/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums of rows for AVX-512. Rows become lanes: their terms are loaded, with
 * zeros behind the last one, and transposed. The sums of eight rows then take
 * as many steps as the longest has terms, and no branch depends on one row.
 */
#include "engine/models/row_sums.h"

#if defined(__x86_64__)

#include "engine/kernels/transpose_avx512.h"

#define INLINE static inline TARGET __attribute__((always_inline))

enum {
    LANES = 8
};

/* hanse_term_sum of each lane. */
typedef struct lane_sums {
    __m512d sum;
    __m512d error;
    __m512d doubt;
} lane_sums;

/* The error of sum = a + b. */
INLINE __m512d error_of(__m512d a, __m512d b, __m512d sum)
{
    const __m512d other = _mm512_sub_pd(sum, a);
    const __m512d lost_a = _mm512_sub_pd(a, _mm512_sub_pd(sum, other));
    return _mm512_add_pd(lost_a, _mm512_sub_pd(b, other));
}

INLINE lane_sums begin_sums(__m512d a, __m512d b)
{
    const __m512d sum = _mm512_add_pd(a, b);
    return (lane_sums){sum, error_of(a, b, sum), _mm512_setzero_pd()};
}

INLINE void add_terms(lane_sums *s, __m512d terms)
{
    const __m512d sum = _mm512_add_pd(s->sum, terms);
    const __m512d lost = error_of(s->sum, terms, sum);
    const __m512d error = _mm512_add_pd(s->error, lost);
    const __m512d doubt = error_of(s->error, lost, error);
    s->doubt = _mm512_add_pd(s->doubt, _mm512_abs_pd(doubt));
    s->sum = sum;
    s->error = error;
}

/* hanse_term_sum_round: sets the lanes that are certain. */
INLINE __mmask8 round_sums(const lane_sums *s, __m512d *out)
{
    const __m512d most = _mm512_set1_pd(0x1.fffffffffffffp+1023);
    const __mmask8 is_exact =
        _mm512_cmp_pd_mask(s->doubt, _mm512_setzero_pd(), _CMP_EQ_OQ);
    __m512d doubt = _mm512_add_pd(
        _mm512_mul_pd(s->doubt, _mm512_set1_pd(1 + 0x1p-20)),
        _mm512_mul_pd(_mm512_abs_pd(s->error), _mm512_set1_pd(0x1p-51)));
    doubt = _mm512_mask_mov_pd(doubt, is_exact, _mm512_setzero_pd());
    *out = _mm512_add_pd(s->sum, _mm512_sub_pd(s->error, doubt));
    const __m512d high = _mm512_add_pd(s->sum, _mm512_add_pd(s->error, doubt));
    return _mm512_cmp_pd_mask(*out, high, _CMP_EQ_OQ) &
           _mm512_cmp_pd_mask(_mm512_abs_pd(*out), most, _CMP_LE_OQ);
}

/* Term t of all rows in vector t. */
INLINE void load_terms(const double *terms, __m512i firsts, __m512i lengths,
                       __m512i *out)
{
    const __m512i one = _mm512_set1_epi64(1);
    uint64_t places[LANES], masks[LANES];
    _mm512_storeu_si512(places, firsts);
    _mm512_storeu_si512(masks,
                        _mm512_sub_epi64(_mm512_sllv_epi64(one, lengths), one));
    for (size_t j = 0; j < LANES; j++)
        out[j] =
            _mm512_maskz_loadu_epi64((__mmask8)masks[j], terms + places[j]);
    hanse_transpose_line(out);
}

/* Of eight rows. */
INLINE lane_sums sum_lanes(const double *terms, __m512i firsts, __m512i lengths)
{
    const size_t longest = (size_t)_mm512_reduce_max_epu64(lengths);
    __m512i columns[LANES];
    load_terms(terms, firsts, lengths, columns);
    lane_sums s = begin_sums(_mm512_castsi512_pd(columns[0]),
                             _mm512_castsi512_pd(columns[1]));
    for (size_t t = 2; t < LANES && t < longest; t++)
        add_terms(&s, _mm512_castsi512_pd(columns[t]));
    return s;
}

static TARGET size_t row_sums_avx512(const double *terms,
                                     const uint64_t *starts, size_t n_rows,
                                     double *sums, uint32_t *undecided)
{
    const __m512i origin = _mm512_set1_epi64((long long)starts[0]);
    const __m512i most = _mm512_set1_epi64(HANSE_ROW_SUMS_TERMS);
    size_t n_undecided = 0;
    for (size_t row = 0; row < n_rows; row += LANES) {
        const size_t left = n_rows - row;
        const __mmask8 used =
            (__mmask8)(left < LANES ? (1u << left) - 1 : 0xff);
        const __m512i begins = _mm512_maskz_loadu_epi64(used, starts + row);
        const __m512i ends = _mm512_maskz_loadu_epi64(used, starts + row + 1);
        const __m512i lengths = _mm512_sub_epi64(ends, begins);
        const __mmask8 is_short = _mm512_cmple_epu64_mask(lengths, most);
        const lane_sums s = sum_lanes(
            terms, _mm512_maskz_sub_epi64(used, begins, origin), lengths);
        __m512d rounded;
        const __mmask8 certain = round_sums(&s, &rounded) & is_short;
        _mm512_mask_storeu_pd(sums + row, used, rounded);
        for (unsigned rest = used & ~(unsigned)certain; rest != 0;
             rest &= rest - 1)
            undecided[n_undecided++] =
                (uint32_t)(row + (unsigned)__builtin_ctz(rest));
    }
    return n_undecided;
}

#endif

hanse_row_sums_function *hanse_row_sums_of(hanse_cpu cpu)
{
#if defined(__x86_64__)
    if (cpu == HANSE_CPU_AVX512)
        return row_sums_avx512;
#endif
    (void)cpu;
    return NULL;
}
