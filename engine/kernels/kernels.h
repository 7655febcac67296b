/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernels of one instruction set. Call sites hold a table and never ask
 * for CPU features. All tables give the same bits; the scalar one defines
 * them.
 */
#ifndef HANSE_ENGINE_KERNELS_KERNELS_H
#define HANSE_ENGINE_KERNELS_KERNELS_H

#include "engine/base/cpu.h"
#include "engine/kernels/exact_split.h"
#include "engine/kernels/extremes.h"
#include "engine/kernels/fields.h"
#include "engine/kernels/group_add.h"
#include "engine/kernels/line_add.h"
#include "engine/kernels/packed_add.h"
#include "engine/kernels/reach.h"
#include "engine/kernels/select.h"
#include "engine/kernels/square_add.h"
#include "engine/kernels/unshuffle.h"

typedef struct hanse_kernels {
    hanse_split_function *split_f64;
    hanse_split_function *split_square_f64;
    hanse_split_product_function *split_product_f64;
    hanse_total_function *total_f64;
    hanse_total_function *total_square_f64;
    hanse_extremes_f64_function *extremes_f64;
    hanse_transpose_function *transpose;
    hanse_group_add_function *group_add;
    /* NULL where transpose and group_add do as well. */
    hanse_lanes_add_function *lanes_add;
    hanse_total_add_function *total_add;
    hanse_line_add_function *packed_add;
    /* NULL where split, transpose and group_add do as well. */
    hanse_line_add_function *line_add;
    hanse_square_add_function *square_add;
    hanse_unshuffle_function *unshuffle;
    hanse_unshuffle_bits_function *unshuffle_bits;
    hanse_gather_function *gather;
    hanse_byte_swap_function *byte_swap;
    hanse_select_function *select;
    hanse_reach_f64_function *reach_f64;
    hanse_reach_i64_function *reach_i64;
} hanse_kernels;

/* Static storage; `cpu` must be one that the machine has. */
const hanse_kernels *hanse_kernels_of(hanse_cpu cpu);

#endif
