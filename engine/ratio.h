/* SPDX-License-Identifier: Apache-2.0
 *
 * Quotients of wide integers and their roots, rounded once.
 */
#ifndef HANSE_ENGINE_RATIO_H
#define HANSE_ENGINE_RATIO_H

#include "engine/wide.h"

/* numerator / denominator, rounded once to nearest even. The denominator is
 * not zero. */
double hanse_ratio_round(const hanse_wide *numerator,
                         const hanse_wide *denominator);

/* The square root of numerator / denominator, rounded once to nearest even.
 * Neither is negative, the denominator is not zero. */
double hanse_ratio_root(const hanse_wide *numerator,
                        const hanse_wide *denominator);

#endif
