/* SPDX-License-Identifier: Apache-2.0
 *
 * The selection for AVX-512: the numbers of sixteen rows, closed up to those
 * that their mask selects. (Closing up 16-bit numbers needs VBMI2, which not
 * every such processor has, so it is done with 32 bits.)
 */
#if defined(__x86_64__)

#include <immintrin.h>

#include "engine/kernels/select.h"

__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl"))) size_t
hanse_select_avx512(const uint8_t *restrict condition, size_t n,
                    uint16_t *restrict rows)
{
    const __m512i sixteen = _mm512_set1_epi32(16);
    size_t n_rows = 0;
    for (size_t i = 0; i < n; i += 64) {
        const __mmask64 inside =
            n - i < 64 ? ((__mmask64)1 << (n - i)) - 1 : ~(__mmask64)0;
        const __m512i bytes = _mm512_maskz_loadu_epi8(inside, condition + i);
        uint64_t bits = _mm512_test_epi8_mask(bytes, bytes);
        __m512i numbers =
            _mm512_add_epi32(_mm512_set1_epi32((int)i),
                             _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
                                               11, 12, 13, 14, 15));
        for (; bits != 0; bits >>= 16) {
            const __mmask16 mask = (__mmask16)bits;
            const __m512i closed = _mm512_maskz_compress_epi32(mask, numbers);
            _mm256_storeu_si256((__m256i *)(void *)(rows + n_rows),
                                _mm512_cvtepi32_epi16(closed));
            n_rows += (size_t)__builtin_popcount(mask);
            numbers = _mm512_add_epi32(numbers, sixteen);
        }
    }
    return n_rows;
}

#else
typedef int hanse_no_avx512; /* a translation unit must not be empty */
#endif
