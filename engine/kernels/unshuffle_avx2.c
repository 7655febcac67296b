/* SPDX-License-Identifier: Apache-2.0
 *
 * Unshuffle for AVX2: tiles of 32 elements are transposed in registers by
 * unpacking bytes, pairs and quads. Unpacking works within halves of 128 bits,
 * so that the low half ends up with elements 0 to 15 and the high half with 16
 * to 31; the stores put that right.
 */
#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#include "engine/kernels/unshuffle.h"

#define TARGET __attribute__((target("avx2")))
#define INLINE TARGET static inline __attribute__((always_inline))

enum {
    TILE = 32
};

INLINE __m256i load(const uint8_t *in)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)in);
}

INLINE void store(uint8_t *out, __m256i x)
{
    _mm256_storeu_si256((__m256i *)(void *)out, x);
}

/* Stores x's low half, y's low half; 32 bytes on, their high halves. */
INLINE void store_halves(uint8_t *out, size_t high, __m256i x, __m256i y)
{
    store(out, _mm256_permute2x128_si256(x, y, 0x20));
    store(out + high, _mm256_permute2x128_si256(x, y, 0x31));
}

INLINE void tile_2(const uint8_t *in, size_t plane_bytes, uint8_t *out)
{
    const __m256i x = load(in), y = load(in + plane_bytes);
    store_halves(out, 32, _mm256_unpacklo_epi8(x, y),
                 _mm256_unpackhi_epi8(x, y));
}

/* Interleaves four planes: quad[k] holds elements 4 k to 4 k + 3. */
INLINE void quads(const uint8_t *in, size_t plane_bytes, __m256i quad[4])
{
    const __m256i p0 = load(in), p1 = load(in + plane_bytes);
    const __m256i p2 = load(in + 2 * plane_bytes);
    const __m256i p3 = load(in + 3 * plane_bytes);
    const __m256i low01 = _mm256_unpacklo_epi8(p0, p1);
    const __m256i high01 = _mm256_unpackhi_epi8(p0, p1);
    const __m256i low23 = _mm256_unpacklo_epi8(p2, p3);
    const __m256i high23 = _mm256_unpackhi_epi8(p2, p3);
    quad[0] = _mm256_unpacklo_epi16(low01, low23);
    quad[1] = _mm256_unpackhi_epi16(low01, low23);
    quad[2] = _mm256_unpacklo_epi16(high01, high23);
    quad[3] = _mm256_unpackhi_epi16(high01, high23);
}

INLINE void tile_4(const uint8_t *in, size_t plane_bytes, uint8_t *out)
{
    __m256i quad[4];
    quads(in, plane_bytes, quad);
    store_halves(out, 64, quad[0], quad[1]);
    store_halves(out + 32, 64, quad[2], quad[3]);
}

/* Interleaves eight planes: pair[k] holds elements 2 k and 2 k + 1. */
INLINE void pairs(const uint8_t *in, size_t plane_bytes, __m256i pair[8])
{
    __m256i low[4], high[4];
    quads(in, plane_bytes, low);
    quads(in + 4 * plane_bytes, plane_bytes, high);
    for (int k = 0; k < 4; k++) {
        pair[2 * k] = _mm256_unpacklo_epi32(low[k], high[k]);
        pair[2 * k + 1] = _mm256_unpackhi_epi32(low[k], high[k]);
    }
}

INLINE void tile_8(const uint8_t *in, size_t plane_bytes, uint8_t *out)
{
    __m256i pair[8];
    pairs(in, plane_bytes, pair);
    for (int k = 0; k < 4; k++)
        store_halves(out + 32 * k, 128, pair[2 * k], pair[2 * k + 1]);
}

INLINE __m256i swap_bits(__m256i x, long long mask, int shift)
{
    const __m256i t =
        _mm256_and_si256(_mm256_xor_si256(x, _mm256_srli_epi64(x, shift)),
                         _mm256_set1_epi64x(mask));
    return _mm256_xor_si256(x,
                            _mm256_xor_si256(t, _mm256_slli_epi64(t, shift)));
}

/* As unshuffle.c, four at a time. */
INLINE void tile_bits(const uint8_t *in, size_t n, uint8_t *out)
{
    __m256i pair[8];
    pairs(in, n, pair);
    for (int k = 0; k < 8; k++) {
        pair[k] = swap_bits(pair[k], 0x00aa00aa00aa00aa, 7);
        pair[k] = swap_bits(pair[k], 0x0000cccc0000cccc, 14);
        pair[k] = swap_bits(pair[k], 0x00000000f0f0f0f0, 28);
    }
    for (int k = 0; k < 4; k++)
        store_halves(out + 32 * k, 128, pair[2 * k], pair[2 * k + 1]);
}

/* Bytes of a column of `width` bytes, stored to rows in ascending order. */
INLINE void store_8(uint8_t *out, size_t width, __m128i pair)
{
    _mm_storel_epi64((__m128i *)(void *)out, pair);
    _mm_storel_epi64((__m128i *)(void *)(out + width),
                     _mm_unpackhi_epi64(pair, pair));
}

INLINE void store_4(uint8_t *out, size_t width, __m128i quad)
{
    const int x[4] = {_mm_extract_epi32(quad, 0), _mm_extract_epi32(quad, 1),
                      _mm_extract_epi32(quad, 2), _mm_extract_epi32(quad, 3)};
    for (size_t k = 0; k < 4; k++)
        memcpy(out + k * width, &x[k], sizeof x[k]);
}

/* Eight bytes of 32 rows. */
INLINE void rows_8(const uint8_t *in, size_t plane_bytes, size_t width,
                   uint8_t *out)
{
    __m256i pair[8];
    pairs(in, plane_bytes, pair);
    for (size_t k = 0; k < 8; k++) {
        uint8_t *low = out + 2 * k * width;
        store_8(low, width, _mm256_castsi256_si128(pair[k]));
        store_8(low + 16 * width, width, _mm256_extracti128_si256(pair[k], 1));
    }
}

/* Four bytes of 32 rows. */
INLINE void rows_4(const uint8_t *in, size_t plane_bytes, size_t width,
                   uint8_t *out)
{
    __m256i quad[4];
    quads(in, plane_bytes, quad);
    for (size_t k = 0; k < 4; k++) {
        uint8_t *low = out + 4 * k * width;
        store_4(low, width, _mm256_castsi256_si128(quad[k]));
        store_4(low + 16 * width, width, _mm256_extracti128_si256(quad[k], 1));
    }
}

/* Rows of other widths, eight or four bytes at a time; the last of a row
 * overlap those before. */
TARGET static void unshuffle_other(const uint8_t *restrict in,
                                   size_t plane_bytes, size_t width, size_t n,
                                   uint8_t *restrict out)
{
    if (width < 4) {
        hanse_unshuffle_scalar(in, plane_bytes, width, n, out);
        return;
    }
    for (size_t done = 0; done < n;) {
        const size_t i = n - done < TILE ? n - TILE : done;
        const uint8_t *from = in + i;
        uint8_t *to = out + i * width;
        size_t b = 0;
        for (; b + 8 <= width; b += 8)
            rows_8(from + b * plane_bytes, plane_bytes, width, to + b);
        if (b + 4 <= width) {
            rows_4(from + b * plane_bytes, plane_bytes, width, to + b);
            b += 4;
        }
        if (b < width) {
            b = width - 4;
            rows_4(from + b * plane_bytes, plane_bytes, width, to + b);
        }
        done = i + TILE;
    }
}

#define KERNEL(name)   name##_avx2
#define NARROWER(name) name##_scalar
#include "engine/kernels/unshuffle_body.h"

#else
typedef int hanse_no_avx2; /* a translation unit must not be empty */
#endif
