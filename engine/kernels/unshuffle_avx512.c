/* SPDX-License-Identifier: Apache-2.0
 *
 * Unshuffle for AVX-512: tiles of 64 elements, otherwise as for AVX2.
 * Unpacking works within lanes of 128 bits: lane l ends up with elements 16 l
 * to 16 l + 15, and the last two steps choose whole lanes.
 */
#if defined(__x86_64__)

#include <immintrin.h>

#include "engine/kernels/unshuffle.h"

#define TARGET __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl")))
#define INLINE TARGET static inline __attribute__((always_inline))

enum {
    TILE = 64
};

INLINE __m512i load(const uint8_t *in)
{
    return _mm512_loadu_si512((const void *)in);
}

INLINE void store(uint8_t *out, __m512i x)
{
    _mm512_storeu_si512((void *)out, x);
}

INLINE void tile_2(const uint8_t *in, size_t plane_bytes, uint8_t *out)
{
    const __m512i x = load(in), y = load(in + plane_bytes);
    const __m512i low = _mm512_unpacklo_epi8(x, y);
    const __m512i high = _mm512_unpackhi_epi8(x, y);
    const __m512i lanes01 = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    const __m512i lanes23 = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    store(out, _mm512_permutex2var_epi64(low, lanes01, high));
    store(out + 64, _mm512_permutex2var_epi64(low, lanes23, high));
}

/* Interleaves four planes: lane l of quad[k] holds elements 16 l + 4 k to
 * 16 l + 4 k + 3. */
INLINE void quads(const uint8_t *in, size_t plane_bytes, __m512i quad[4])
{
    const __m512i p0 = load(in), p1 = load(in + plane_bytes);
    const __m512i p2 = load(in + 2 * plane_bytes);
    const __m512i p3 = load(in + 3 * plane_bytes);
    const __m512i low01 = _mm512_unpacklo_epi8(p0, p1);
    const __m512i high01 = _mm512_unpackhi_epi8(p0, p1);
    const __m512i low23 = _mm512_unpacklo_epi8(p2, p3);
    const __m512i high23 = _mm512_unpackhi_epi8(p2, p3);
    quad[0] = _mm512_unpacklo_epi16(low01, low23);
    quad[1] = _mm512_unpackhi_epi16(low01, low23);
    quad[2] = _mm512_unpacklo_epi16(high01, high23);
    quad[3] = _mm512_unpackhi_epi16(high01, high23);
}

INLINE void tile_4(const uint8_t *in, size_t plane_bytes, uint8_t *out)
{
    __m512i quad[4];
    quads(in, plane_bytes, quad);
    /* Lanes 0 and 1, then 2 and 3, of two quads each. */
    const __m512i a = _mm512_shuffle_i64x2(quad[0], quad[1], 0x44);
    const __m512i b = _mm512_shuffle_i64x2(quad[2], quad[3], 0x44);
    const __m512i c = _mm512_shuffle_i64x2(quad[0], quad[1], 0xee);
    const __m512i d = _mm512_shuffle_i64x2(quad[2], quad[3], 0xee);
    store(out, _mm512_shuffle_i64x2(a, b, 0x88));
    store(out + 64, _mm512_shuffle_i64x2(a, b, 0xdd));
    store(out + 128, _mm512_shuffle_i64x2(c, d, 0x88));
    store(out + 192, _mm512_shuffle_i64x2(c, d, 0xdd));
}

/* Interleaves eight planes: out[j] holds elements 8 j to 8 j + 7. */
INLINE void eights(const uint8_t *in, size_t plane_bytes, __m512i out[8])
{
    const __m512i lanes01 = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20,
                                              5, 21, 6, 22, 7, 23);
    const __m512i lanes23 = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12,
                                              28, 13, 29, 14, 30, 15, 31);
    __m512i low[4], high[4], half01[4], half23[4];
    quads(in, plane_bytes, low);
    quads(in + 4 * plane_bytes, plane_bytes, high);
    for (int k = 0; k < 4; k++) {
        half01[k] = _mm512_permutex2var_epi32(low[k], lanes01, high[k]);
        half23[k] = _mm512_permutex2var_epi32(low[k], lanes23, high[k]);
    }
    for (int k = 0; k < 2; k++) {
        const int l = 2 * k, r = 2 * k + 1;
        out[k] = _mm512_shuffle_i64x2(half01[l], half01[r], 0x44);
        out[2 + k] = _mm512_shuffle_i64x2(half01[l], half01[r], 0xee);
        out[4 + k] = _mm512_shuffle_i64x2(half23[l], half23[r], 0x44);
        out[6 + k] = _mm512_shuffle_i64x2(half23[l], half23[r], 0xee);
    }
}

INLINE void tile_8(const uint8_t *in, size_t plane_bytes, uint8_t *out)
{
    __m512i x[8];
    eights(in, plane_bytes, x);
    for (int k = 0; k < 8; k++)
        store(out + 64 * k, x[k]);
}

INLINE __m512i swap_bits(__m512i x, long long mask, unsigned shift)
{
    const __m512i t =
        _mm512_and_si512(_mm512_xor_si512(x, _mm512_srli_epi64(x, shift)),
                         _mm512_set1_epi64(mask));
    return _mm512_xor_si512(x,
                            _mm512_xor_si512(t, _mm512_slli_epi64(t, shift)));
}

/* As unshuffle.c, eight at a time. */
INLINE void tile_bits(const uint8_t *in, size_t n, uint8_t *out)
{
    __m512i x[8];
    eights(in, n, x);
    for (int k = 0; k < 8; k++) {
        x[k] = swap_bits(x[k], 0x00aa00aa00aa00aa, 7);
        x[k] = swap_bits(x[k], 0x0000cccc0000cccc, 14);
        x[k] = swap_bits(x[k], 0x00000000f0f0f0f0, 28);
        store(out + 64 * k, x[k]);
    }
}

/* Other widths store half a register or less at a time: AVX2's way. */
INLINE void unshuffle_other(const uint8_t *restrict in, size_t plane_bytes,
                            size_t width, size_t n, uint8_t *restrict out)
{
    hanse_unshuffle_avx2(in, plane_bytes, width, n, out);
}

#define KERNEL(name)   name##_avx512
#define NARROWER(name) name##_avx2
#include "engine/kernels/unshuffle_body.h"

#else
typedef int hanse_no_avx512; /* a translation unit must not be empty */
#endif
