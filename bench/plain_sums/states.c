/* SPDX-License-Identifier: Apache-2.0
 *
 * States of plain sums: the count and three sums are half a cache line.
 */
#define HANSE_STATE_LANES 4
#include "engine/states.c"
