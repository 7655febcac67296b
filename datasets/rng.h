/* SPDX-License-Identifier: Apache-2.0
 *
 * Counter-based random numbers: what is drawn for row i is a function of the
 * seed, i and a purpose, not of what was drawn before. Any thread can make any
 * row, and gets the same bits on every machine.
 *
 * Philox4x32-10 of Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as
 * easy as 1, 2, 3", SC 2011. It passes BigCrush; ten rounds of two 32 x 32 to
 * 64 bit products turn a 128-bit counter and a 64-bit key into 128 bits.
 */
#ifndef HANSE_DATASETS_RNG_H
#define HANSE_DATASETS_RNG_H

#include <stdint.h>

typedef struct hanse_philox {
    uint32_t word[4];
} hanse_philox;

/* One block: 128 bits for this counter under this key. */
static inline hanse_philox hanse_philox_block(hanse_philox counter,
                                              uint64_t key)
{
    uint32_t k0 = (uint32_t)key;
    uint32_t k1 = (uint32_t)(key >> 32);
    hanse_philox x = counter;
    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)0xD2511F53u * x.word[0];
        const uint64_t p1 = (uint64_t)0xCD9E8D57u * x.word[2];
        x = (hanse_philox){{(uint32_t)(p1 >> 32) ^ x.word[1] ^ k0, (uint32_t)p1,
                            (uint32_t)(p0 >> 32) ^ x.word[3] ^ k1,
                            (uint32_t)p0}};
        k0 += 0x9E3779B9u; /* Weyl steps: golden ratio, sqrt(3) - 1 */
        k1 += 0xBB67AE85u;
    }
    return x;
}

/* Block `block` of what is drawn for item `index`, for one purpose. */
static inline hanse_philox hanse_draw(uint64_t seed, uint32_t purpose,
                                      uint64_t index, uint32_t block)
{
    return hanse_philox_block(
        (hanse_philox){
            {(uint32_t)index, (uint32_t)(index >> 32), block, purpose}},
        seed);
}

/* Uniform on the open interval (0, 1): the middles of 2^32 equal steps. */
static inline double hanse_uniform(uint32_t word)
{
    return ((double)word + 0.5) * 0x1p-32;
}

/* The same from two words, in 2^52 steps, for distributions whose far tail
 * matters. */
static inline double hanse_uniform_fine(uint32_t high, uint32_t low)
{
    const uint64_t bits = ((uint64_t)high << 32 | low) >> 12;
    return ((double)bits + 0.5) * 0x1p-52;
}

/* Uniform on 0 to n - 1, n >= 1. Its bias, n / 2^32, is of no account for
 * counts up to millions. */
static inline uint32_t hanse_uniform_index(uint32_t word, uint32_t n)
{
    return (uint32_t)(((uint64_t)word * n) >> 32);
}

/* Quantile of the standard normal distribution, 0 < p < 1, to about seven
 * digits: algorithm AS 241 (PPND7), M. J. Wichura, Applied Statistics 37
 * (1988). */
double hanse_normal_quantile(double p);

/* A permutation of 0 to 2^40 - 1 that depends on the seed; index < 2^40. */
uint64_t hanse_scramble_40(uint64_t index, uint64_t seed);

#endif
