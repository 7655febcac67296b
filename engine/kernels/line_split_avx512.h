/* SPDX-License-Identifier: Apache-2.0
 *
 * Eight values of a measure split into the pieces of two limbs, in registers.
 */
#ifndef HANSE_ENGINE_KERNELS_LINE_SPLIT_AVX512_H
#define HANSE_ENGINE_KERNELS_LINE_SPLIT_AVX512_H

#include <immintrin.h>

#include "engine/kernels/line_add.h"
#include "engine/kernels/transpose_avx512.h" /* TARGET */

/* Constants of a measure in all eight places. */
typedef struct hanse_line_constants {
    __m512d high;
    __m512d low;
    __m512d bound;
} hanse_line_constants;

static inline TARGET hanse_line_constants
hanse_line_constants_of(const hanse_split_grid *grid)
{
    return (hanse_line_constants){_mm512_set1_pd(grid->magic[0]),
                                  _mm512_set1_pd(grid->magic[1]),
                                  _mm512_set1_pd(grid->bound)};
}

/* Splits eight values (exact_split.h); returns the mask of good ones. Pieces of
 * the others are any numbers: what follows need not wait for the mask. */
static inline TARGET __attribute__((always_inline)) __mmask8
hanse_line_split(__m512d x, const hanse_line_constants *c, __m512i *low_piece,
                 __m512i *high_piece)
{
    const __m512d high = _mm512_add_pd(x, c->high);
    const __m512d rest = _mm512_sub_pd(x, _mm512_sub_pd(high, c->high));
    const __m512d low = _mm512_add_pd(rest, c->low);
    const __m512d left = _mm512_sub_pd(rest, _mm512_sub_pd(low, c->low));
    const __mmask8 inside =
        _mm512_cmp_pd_mask(_mm512_abs_pd(x), c->bound, _CMP_LT_OQ);
    const __mmask8 whole =
        _mm512_mask_cmp_pd_mask(inside, left, _mm512_setzero_pd(), _CMP_EQ_OQ);
    *low_piece =
        _mm512_sub_epi64(_mm512_castpd_si512(low), _mm512_castpd_si512(c->low));
    *high_piece = _mm512_sub_epi64(_mm512_castpd_si512(high),
                                   _mm512_castpd_si512(c->high));
    return _mm512_mask_cmpneq_epi64_mask(whole, _mm512_castpd_si512(x),
                                         _mm512_set1_epi64(INT64_MIN));
}

static inline void hanse_line_list(hanse_line_measure *measure, unsigned bad,
                                   size_t first)
{
    for (; bad != 0; bad &= bad - 1)
        measure->bad[measure->n_bad++] =
            (uint16_t)(first + (size_t)__builtin_ctz(bad));
}

/* The two lanes of a measure, rows first to first + 7, of which `rows` are
 * there. */
static inline TARGET __attribute__((always_inline)) void
hanse_line_pair(hanse_line_measure *measure, const hanse_line_constants *c,
                size_t first, __mmask8 rows, __m512i *low, __m512i *high)
{
    const __m512d x = _mm512_maskz_loadu_pd(rows, measure->x + first);
    const __mmask8 good = hanse_line_split(x, c, low, high);
    if (__builtin_expect((good & rows) != rows, 0)) {
        hanse_line_list(measure, (unsigned)(rows & ~good), first);
        *low = _mm512_maskz_mov_epi64(good, *low);
        *high = _mm512_maskz_mov_epi64(good, *high);
    }
}

#endif
