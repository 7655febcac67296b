/* SPDX-License-Identifier: Apache-2.0
 *
 * Seeds from the system's random numbers.
 */
#include "engine/base/seed.h"

#include <unistd.h>

uint64_t hanse_hash_seed(void)
{
    uint64_t seed;
    if (getentropy(&seed, sizeof seed) != 0)
        seed = (uint64_t)(uintptr_t)&seed * 0x9e3779b97f4a7c15u;
    return seed;
}
