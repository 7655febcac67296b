/* SPDX-License-Identifier: Apache-2.0
 *
 * Both sums are sums modulo 65535: of the words w[0 .. n-1], and of
 * (n - i) w[i]. They are taken in LANES lanes, word i in lane i % LANES. A
 * lane adds a word per step to `words` and `words` to `sums`, so that after T
 * steps sums = sum_t (T - t) w. With i = t LANES + l and n = T LANES,
 *
 *     sum_i (n - i) w[i] = sum_l (LANES sums[l] - l words[l]).
 *
 * Words are taken low byte first, as the machine has them: swapping the bytes
 * of every word multiplies by 256 modulo 65535, and so swaps the bytes of the
 * sums.
 */
#include "io/fletcher32.h"

#include <string.h>

enum {
    MODULUS = 65535,
    LANES = 16,
    /* 65535 * 360 * 361 / 2 < 2^32. */
    STEPS_MAX = 360
};

/* Registers of any width: compilers split what the machine does not have. */
typedef uint16_t half_lanes __attribute__((vector_size(LANES * 2)));
typedef uint32_t full_lanes __attribute__((vector_size(LANES * 4)));

typedef struct sums {
    uint64_t first;  /* below 2^32 */
    uint64_t second; /* below MODULUS after every block */
    int any;         /* a word was not 0 */
} sums;

static void add_word(sums *s, uint32_t word)
{
    s->first += word;
    s->second = (s->second + s->first) % MODULUS;
    s->any |= word != 0;
}

static void add_block(sums *s, const uint8_t *data, size_t n_steps)
{
    full_lanes words = {0}, lane_sums = {0};
    for (size_t t = 0; t < n_steps; t++) {
        half_lanes w;
        memcpy(&w, data + t * sizeof w, sizeof w);
        words += __builtin_convertvector(w, full_lanes);
        lane_sums += words;
    }
    uint64_t first = 0, second = 0;
    for (uint32_t l = 0; l < LANES; l++) {
        first += words[l];
        /* sums >= words, hence no underflow: LANES > l. */
        second += (uint64_t)LANES * lane_sums[l] - (uint64_t)l * words[l];
    }
    s->second = (s->second + s->first * LANES * n_steps + second) % MODULUS;
    s->first = (s->first + first) % MODULUS;
    s->any |= first != 0;
}

static uint32_t swap(uint32_t half)
{
    return (half >> 8 | half << 8) & 0xffff;
}

/* The representative that the library's folding of carries arrives at. */
static uint32_t folded(uint64_t sum, int any)
{
    const uint32_t rest = (uint32_t)(sum % MODULUS);
    return rest == 0 && any ? MODULUS : rest;
}

uint32_t hanse_fletcher32(const void *data, size_t n_bytes)
{
    const uint8_t *from = data;
    sums s = {0};
    while (n_bytes >= sizeof(half_lanes)) {
        size_t n_steps = n_bytes / sizeof(half_lanes);
        if (n_steps > STEPS_MAX)
            n_steps = STEPS_MAX;
        add_block(&s, from, n_steps);
        from += n_steps * sizeof(half_lanes);
        n_bytes -= n_steps * sizeof(half_lanes);
    }
    for (; n_bytes >= 2; n_bytes -= 2, from += 2)
        add_word(&s, (uint32_t)from[0] | (uint32_t)from[1] << 8);
    if (n_bytes == 1)
        add_word(&s, from[0]);
    return swap(folded(s.second, s.any)) << 16 | swap(folded(s.first, s.any));
}

uint32_t hanse_fletcher32_swapped(uint32_t checksum)
{
    return swap(checksum >> 16) << 16 | swap(checksum & 0xffff);
}
