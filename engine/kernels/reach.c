/* SPDX-License-Identifier: Apache-2.0
 *
 * Bins for any machine.
 */
#define KERNEL(name) name##_scalar
#define TARGET
#include "engine/kernels/reach_body.h"
