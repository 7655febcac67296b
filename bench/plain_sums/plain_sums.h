/* SPDX-License-Identifier: Apache-2.0
 *
 * hanse_plain: the program hanse with plain sums. Reader, keys, partitions,
 * statistics and result are those of hanse, compiled once; the files of this
 * folder take the place of the few that know what a sum is. A state has one
 * lane per sum, with the bits of a double, which is rounded at each add.
 *
 * It exists to be measured against (bench/peers/compare_plain.py). Results
 * depend on the order of the rows and of the threads; measures must be floats,
 * values finite, none missing.
 */
#ifndef HANSE_BENCH_PLAIN_SUMS_H
#define HANSE_BENCH_PLAIN_SUMS_H

#include <stdint.h>
#include <string.h>

static inline double hanse_plain_double(int64_t limb)
{
    double x;
    memcpy(&x, &limb, sizeof x);
    return x;
}

static inline int64_t hanse_plain_limb(double x)
{
    int64_t limb;
    memcpy(&limb, &x, sizeof limb);
    return limb;
}

static inline void hanse_plain_add(int64_t *limb, double x)
{
    *limb = hanse_plain_limb(hanse_plain_double(*limb) + x);
}

#endif
