/* SPDX-License-Identifier: Apache-2.0
 *
 * The selection for AVX2, eight rows at a time: their conditions become a
 * number of eight bits, and a table says which of the rows 0 to 7 that number
 * selects. 32 rows of which none is selected cost one test.
 */
#if defined(__x86_64__)

#include <immintrin.h>

#include "engine/kernels/select.h"

/* Bytes of the rows that eight bits select, lowest row lowest byte: a table of
 * 2 KiB, spelled out by doubling. Entry b | 1 << k is entry b with row k
 * behind its last. */
#define ROW(b, k)                                                        \
    ((uint64_t)(((b) >> (k)) & 1) * (uint64_t)(k)                        \
     << 8 * (((b)&1 && (k) > 0) + (((b) >> 1) & 1 && (k) > 1) +          \
             (((b) >> 2) & 1 && (k) > 2) + (((b) >> 3) & 1 && (k) > 3) + \
             (((b) >> 4) & 1 && (k) > 4) + (((b) >> 5) & 1 && (k) > 5) + \
             (((b) >> 6) & 1 && (k) > 6)))
#define E1(b)                                                                \
    (ROW(b, 1) | ROW(b, 2) | ROW(b, 3) | ROW(b, 4) | ROW(b, 5) | ROW(b, 6) | \
     ROW(b, 7))
#define E4(b)  E1(b), E1((b) + 1), E1((b) + 2), E1((b) + 3)
#define E16(b) E4(b), E4((b) + 4), E4((b) + 8), E4((b) + 12)
#define E64(b) E16(b), E16((b) + 16), E16((b) + 32), E16((b) + 48)

static const uint64_t selected[256] = {E64(0), E64(64), E64(128), E64(192)};

__attribute__((target("avx2"))) size_t
hanse_select_avx2(const uint8_t *restrict condition, size_t n,
                  uint16_t *restrict rows)
{
    const __m256i zero = _mm256_setzero_si256();
    size_t n_rows = 0;
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        const __m256i bytes =
            _mm256_loadu_si256((const __m256i *)(const void *)(condition + i));
        uint32_t bits =
            ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, zero));
        for (size_t row = i; bits != 0; row += 8, bits >>= 8) {
            const __m128i base = _mm_set1_epi16((short)row);
            const __m128i eight = _mm_cvtepu8_epi16(
                _mm_cvtsi64_si128((long long)selected[bits & 0xff]));
            _mm_storeu_si128((__m128i *)(void *)(rows + n_rows),
                             _mm_add_epi16(eight, base));
            n_rows += (size_t)__builtin_popcount(bits & 0xff);
        }
    }
    for (; i < n; i++) {
        rows[n_rows] = (uint16_t)i;
        n_rows += condition[i];
    }
    return n_rows;
}

#else
typedef int hanse_no_avx2; /* a translation unit must not be empty */
#endif
