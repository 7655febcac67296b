/* SPDX-License-Identifier: Apache-2.0
 *
 * One table of kernels per instruction set.
 */
#include "engine/kernels/kernels.h"

static const hanse_kernels scalar = {
    .split_f64 = hanse_split_f64_scalar,
    .split_square_f64 = hanse_split_square_f64_scalar,
    .split_product_f64 = hanse_split_product_f64_scalar,
    .total_f64 = hanse_total_f64_scalar,
    .total_square_f64 = hanse_total_square_f64_scalar,
    .extremes_f64 = hanse_extremes_f64_scalar,
    .transpose = hanse_transpose_scalar,
    .group_add = hanse_group_add_scalar,
    .total_add = hanse_total_add_scalar,
    .packed_add = hanse_packed_add_scalar,
    .square_add = hanse_square_add_scalar,
    .unshuffle = hanse_unshuffle_scalar,
    .unshuffle_bits = hanse_unshuffle_bits_scalar,
    .gather = hanse_gather_scalar,
    .byte_swap = hanse_byte_swap_scalar,
    .select = hanse_select_scalar,
    .reach_f64 = hanse_reach_f64_scalar,
    .reach_i64 = hanse_reach_i64_scalar,
};

#if defined(__x86_64__)
static const hanse_kernels avx2 = {
    .split_f64 = hanse_split_f64_avx2,
    .split_square_f64 = hanse_split_square_f64_avx2,
    .split_product_f64 = hanse_split_product_f64_avx2,
    .total_f64 = hanse_total_f64_avx2,
    .total_square_f64 = hanse_total_square_f64_avx2,
    .extremes_f64 = hanse_extremes_f64_avx2,
    .transpose = hanse_transpose_scalar,
    .group_add = hanse_group_add_avx2,
    .total_add = hanse_total_add_avx2,
    .packed_add = hanse_packed_add_avx2,
    .square_add = hanse_square_add_avx2,
    .unshuffle = hanse_unshuffle_avx2,
    .unshuffle_bits = hanse_unshuffle_bits_avx2,
    .gather = hanse_gather_scalar,
    .byte_swap = hanse_byte_swap_avx2,
    .select = hanse_select_avx2,
    .reach_f64 = hanse_reach_f64_avx2,
    .reach_i64 = hanse_reach_i64_avx2,
};

static const hanse_kernels avx512 = {
    .split_f64 = hanse_split_f64_avx512,
    .split_square_f64 = hanse_split_square_f64_avx512,
    .split_product_f64 = hanse_split_product_f64_avx512,
    .total_f64 = hanse_total_f64_avx512,
    .total_square_f64 = hanse_total_square_f64_avx512,
    .extremes_f64 = hanse_extremes_f64_avx512,
    .transpose = hanse_transpose_avx512,
    .group_add = hanse_group_add_avx512,
    .lanes_add = hanse_lanes_add_avx512,
    .total_add = hanse_total_add_avx512,
    .packed_add = hanse_packed_add_avx512,
    .line_add = hanse_line_add_avx512,
    .square_add = hanse_square_add_avx512,
    .unshuffle = hanse_unshuffle_avx512,
    .unshuffle_bits = hanse_unshuffle_bits_avx512,
    .gather = hanse_gather_scalar,
    .byte_swap = hanse_byte_swap_avx512,
    .select = hanse_select_avx512,
    .reach_f64 = hanse_reach_f64_avx512,
    .reach_i64 = hanse_reach_i64_avx512,
};
#endif

const hanse_kernels *hanse_kernels_of(hanse_cpu cpu)
{
    switch (cpu) {
#if defined(__x86_64__)
    case HANSE_CPU_AVX2:
        return &avx2;
    case HANSE_CPU_AVX512:
        return &avx512;
#endif
    default:
        return &scalar;
    }
}
