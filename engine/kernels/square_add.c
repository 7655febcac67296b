/* SPDX-License-Identifier: Apache-2.0
 *
 * Scalar kernel of square_add.h; it defines the result.
 */
#define KERNEL(name) name##_scalar
#define TARGET
#include "engine/kernels/square_add_body.h"
