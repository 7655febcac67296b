/* SPDX-License-Identifier: Apache-2.0
 *
 * Eight lanes of eight rows to eight rows of eight lanes, in registers. For
 * files that are compiled for AVX-512 only.
 */
#ifndef HANSE_ENGINE_KERNELS_TRANSPOSE_AVX512_H
#define HANSE_ENGINE_KERNELS_TRANSPOSE_AVX512_H

#include <immintrin.h>
#include <stddef.h>

#define TARGET __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl")))

/* Neighbours, then pairs, then halves change places. */
static inline TARGET __attribute__((always_inline)) void
hanse_transpose_line(__m512i a[8])
{
    __m512i b[8];
    for (size_t l = 0; l < 8; l += 2) {
        b[l] = _mm512_unpacklo_epi64(a[l], a[l + 1]);
        b[l + 1] = _mm512_unpackhi_epi64(a[l], a[l + 1]);
    }
    /* b[2m + p] holds lanes 2m, 2m + 1 of rows p, p + 2, p + 4, p + 6. */
    for (size_t p = 0; p < 2; p++) {
        const __m512i even_low = _mm512_shuffle_i64x2(b[p], b[2 + p], 0x88);
        const __m512i odd_low = _mm512_shuffle_i64x2(b[p], b[2 + p], 0xdd);
        const __m512i even_high =
            _mm512_shuffle_i64x2(b[4 + p], b[6 + p], 0x88);
        const __m512i odd_high = _mm512_shuffle_i64x2(b[4 + p], b[6 + p], 0xdd);
        a[p] = _mm512_shuffle_i64x2(even_low, even_high, 0x88);
        a[p + 2] = _mm512_shuffle_i64x2(odd_low, odd_high, 0x88);
        a[p + 4] = _mm512_shuffle_i64x2(even_low, even_high, 0xdd);
        a[p + 6] = _mm512_shuffle_i64x2(odd_low, odd_high, 0xdd);
    }
}

#endif
