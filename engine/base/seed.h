/* SPDX-License-Identifier: Apache-2.0
 *
 * Random numbers for hash tables over values that others choose.
 */
#ifndef HANSE_ENGINE_BASE_SEED_H
#define HANSE_ENGINE_BASE_SEED_H

#include <stdint.h>

/* A number that cannot be foreseen, another one each time. Not for keys and
 * signatures: where the system has no randomness it comes from an address. */
uint64_t hanse_hash_seed(void);

#endif
