/* SPDX-License-Identifier: Apache-2.0
 *
 * Random numbers of tests: the same on every machine for a seed (splitmix64;
 * Steele, Lea, Flood 2014).
 */
#ifndef HANSE_TESTS_RANDOM_NUMBERS_H
#define HANSE_TESTS_RANDOM_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

static inline uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* From 0 to n - 1. */
static inline size_t below(uint64_t *state, size_t n)
{
    return (size_t)(next_random(state) % n);
}

#endif
