/* SPDX-License-Identifier: Apache-2.0
 *
 * Normal quantiles and a permutation of row numbers. Only operations that
 * IEEE 754 rounds correctly, and the engine's own logarithm, so that the same
 * bits come out everywhere.
 */
#include "datasets/rng.h"

#include <math.h>

#include "engine/elementary.h"

/* |p - 1/2| above 0.425: a rational function of r = sqrt(-log(min(p, 1-p))),
 * one for r up to 5 and one beyond. */
static double tail_quantile(double smaller_p)
{
    double r = sqrt(-hanse_log(smaller_p));
    if (r <= 5.0) {
        r -= 1.6;
        return (((1.7023821103e-1 * r + 1.3067284816e0) * r + 2.7568153900e0) *
                    r +
                1.4234372777e0) /
               ((1.2021132975e-1 * r + 7.3700164250e-1) * r + 1.0);
    }
    r -= 5.0;
    return (((1.7337203997e-2 * r + 4.2868294337e-1) * r + 3.0812263860e0) * r +
            6.6579051150e0) /
           ((1.2258202635e-2 * r + 2.4197894225e-1) * r + 1.0);
}

double hanse_normal_quantile(double p)
{
    const double q = p - 0.5;
    if (fabs(q) > 0.425)
        return q < 0 ? -tail_quantile(p) : tail_quantile(1.0 - p);
    const double r = 0.180625 - q * q;
    return q *
           (((5.9109374720e1 * r + 1.5929113202e2) * r + 5.0434271938e1) * r +
            3.3871327179e0) /
           (((6.7187563600e1 * r + 7.8757757664e1) * r + 1.7895169469e1) * r +
            1.0);
}

/* Each step can be undone: adding, multiplying by an odd number modulo 2^40,
 * xor with a right shift by 20 bits. The multipliers are the upper halves of
 * those of MurmurHash3's finaliser, made odd. */
uint64_t hanse_scramble_40(uint64_t index, uint64_t seed)
{
    const uint64_t mask = (UINT64_C(1) << 40) - 1;
    uint64_t x = (index + seed) & mask;
    x ^= x >> 20;
    x = x * UINT64_C(0xFF51AFD7ED) & mask;
    x ^= x >> 20;
    x = x * UINT64_C(0xC4CEB9FE1B) & mask;
    x ^= x >> 20;
    x = (x + (seed >> 40)) & mask;
    return x;
}
