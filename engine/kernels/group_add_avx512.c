/* SPDX-License-Identifier: Apache-2.0
 *
 * Transpose and group add for AVX-512: a line of eight lanes is one register.
 */
#if defined(__x86_64__)

#include "engine/kernels/group_add.h"
#include "engine/kernels/transpose_avx512.h"

static inline TARGET void transpose_8x8(const int64_t *restrict lanes,
                                        size_t lane_rows, size_t n_lanes,
                                        int64_t *restrict rows)
{
    __m512i a[8];
    for (size_t l = 0; l < 8; l++)
        a[l] = _mm512_load_si512(lanes + l * lane_rows);
    hanse_transpose_line(a);
    for (size_t i = 0; i < 8; i++)
        _mm512_store_si512(rows + i * n_lanes, a[i]);
}

TARGET void hanse_transpose_avx512(const int64_t *restrict lanes,
                                   size_t lane_rows, size_t n_lanes, size_t n,
                                   int64_t *restrict rows)
{
    for (size_t i = 0; i < n; i += 8)
        for (size_t line = 0; line < n_lanes; line += HANSE_LINE_LANES)
            transpose_8x8(lanes + line * lane_rows + i, lane_rows, n_lanes,
                          rows + i * n_lanes + line);
}

/* Rows from `row` on, n_rows of them (one or two), as one. */
static inline TARGET __m512i sum_line(const int64_t *row, size_t n_lanes,
                                      size_t n_rows)
{
    const __m512i line = _mm512_load_si512(row);
    return n_rows == 1
               ? line
               : _mm512_add_epi64(line, _mm512_load_si512(row + n_lanes));
}

static inline TARGET __m512i largest_line(const int64_t *row, size_t n_lanes,
                                          size_t n_rows)
{
    const __m512i line = _mm512_load_si512(row);
    return n_rows == 1
               ? line
               : _mm512_max_epu64(line, _mm512_load_si512(row + n_lanes));
}

/* Adds rows of one group to its state; returns what shows full limbs. */
static inline TARGET __attribute__((always_inline)) __m512i
add_row(int64_t *state, const int64_t *row, size_t n_sums, size_t n_lanes,
        size_t n_rows, __m512i seen)
{
    const __m512i bias = _mm512_set1_epi64((int64_t)HANSE_GUARD_BIAS);
    for (size_t line = 0; line < n_sums; line += HANSE_LINE_LANES) {
        const __m512i sum =
            _mm512_add_epi64(_mm512_load_si512(state + line),
                             sum_line(row + line, n_lanes, n_rows));
        _mm512_store_si512(state + line, sum);
        seen = _mm512_or_si512(seen, _mm512_add_epi64(sum, bias));
    }
    for (size_t line = n_sums; line < n_lanes; line += HANSE_LINE_LANES)
        _mm512_store_si512(
            state + line,
            _mm512_max_epu64(_mm512_load_si512(state + line),
                             largest_line(row + line, n_lanes, n_rows)));
    return seen;
}

/* Two rows of one group are added to each other first: where a group repeats,
 * each add to its state waits for the one before. The number of lines is a
 * constant in the calls for one line, so that its loop has no inner one. */
static inline TARGET __attribute__((always_inline)) bool
add_rows(int64_t *restrict states, size_t stride,
         const uint32_t *restrict groups, const int64_t *restrict rows,
         size_t n_sums, size_t n_lanes, size_t n)
{
    __m512i seen = _mm512_setzero_si512();
    size_t i = 0;
    for (; i + 2 <= n; i += 2) {
        int64_t *state = states + (size_t)groups[i] * stride;
        const int64_t *row = rows + i * n_lanes;
        if (i + HANSE_PREFETCH_ROWS + 1 < n)
            for (size_t line = 0; line < n_lanes; line += HANSE_LINE_LANES) {
                const uint32_t *ahead = groups + i + HANSE_PREFETCH_ROWS;
                __builtin_prefetch(states + ahead[0] * stride + line, 1);
                __builtin_prefetch(states + ahead[1] * stride + line, 1);
            }
        if (groups[i] == groups[i + 1]) {
            seen = add_row(state, row, n_sums, n_lanes, 2, seen);
            continue;
        }
        seen = add_row(state, row, n_sums, n_lanes, 1, seen);
        seen = add_row(states + (size_t)groups[i + 1] * stride, row + n_lanes,
                       n_sums, n_lanes, 1, seen);
    }
    if (i < n)
        seen = add_row(states + (size_t)groups[i] * stride, rows + i * n_lanes,
                       n_sums, n_lanes, 1, seen);
    return _mm512_test_epi64_mask(
               seen, _mm512_set1_epi64((int64_t)HANSE_GUARD_MASK)) != 0;
}

TARGET bool hanse_group_add_avx512(int64_t *restrict states, size_t stride,
                                   const uint32_t *restrict groups,
                                   const int64_t *restrict rows, size_t n_sums,
                                   size_t n_lanes, size_t n)
{
    if (n_lanes == HANSE_LINE_LANES && n_sums == HANSE_LINE_LANES)
        return add_rows(states, stride, groups, rows, HANSE_LINE_LANES,
                        HANSE_LINE_LANES, n);
    return add_rows(states, stride, groups, rows, n_sums, n_lanes, n);
}

/* Eight rows of a line of lanes, of which n_rows are there, added to the line
 * at `line` of their states. */
static inline TARGET __attribute__((always_inline)) __m512i
add_lines(int64_t *line, size_t stride, const uint32_t *groups,
          const int64_t *lanes, size_t lane_rows, bool is_sum, size_t n_rows,
          __m512i seen)
{
    const __m512i bias = _mm512_set1_epi64((int64_t)HANSE_GUARD_BIAS);
    __m512i a[8];
    for (size_t l = 0; l < 8; l++)
        a[l] = _mm512_load_si512(lanes + l * lane_rows);
    hanse_transpose_line(a);
    for (size_t i = 0; i < n_rows; i++) {
        int64_t *state = line + groups[i] * stride;
        const __m512i old = _mm512_load_si512(state);
        const __m512i new =
            is_sum ? _mm512_add_epi64(old, a[i]) : _mm512_max_epu64(old, a[i]);
        _mm512_store_si512(state, new);
        if (is_sum)
            seen = _mm512_or_si512(seen, _mm512_add_epi64(new, bias));
    }
    return seen;
}

/* All lines of n_rows rows, which is a constant in the call for eight. */
static inline TARGET __attribute__((always_inline)) __m512i
add_all_lines(int64_t *states, size_t stride, const uint32_t *groups,
              const int64_t *lanes, size_t lane_rows, size_t n_sums,
              size_t n_lanes, size_t n_rows, __m512i seen)
{
    size_t line = 0;
    for (; line < n_sums; line += HANSE_LINE_LANES)
        seen =
            add_lines(states + line, stride, groups, lanes + line * lane_rows,
                      lane_rows, true, n_rows, seen);
    for (; line < n_lanes; line += HANSE_LINE_LANES)
        seen =
            add_lines(states + line, stride, groups, lanes + line * lane_rows,
                      lane_rows, false, n_rows, seen);
    return seen;
}

TARGET bool hanse_lanes_add_avx512(int64_t *restrict states, size_t stride,
                                   const uint32_t *restrict groups,
                                   const int64_t *restrict lanes,
                                   size_t lane_rows, size_t n_sums,
                                   size_t n_lanes, size_t n)
{
    __m512i seen = _mm512_setzero_si512();
    size_t first = 0;
    for (; first + 8 <= n; first += 8) {
        if (first + HANSE_PREFETCH_ROWS + 8 <= n)
            for (size_t i = 0; i < 8; i++)
                hanse_prefetch_state(
                    states + groups[first + HANSE_PREFETCH_ROWS + i] * stride,
                    n_lanes);
        seen = add_all_lines(states, stride, groups + first, lanes + first,
                             lane_rows, n_sums, n_lanes, 8, seen);
    }
    if (first < n)
        seen = add_all_lines(states, stride, groups + first, lanes + first,
                             lane_rows, n_sums, n_lanes, n - first, seen);
    return _mm512_test_epi64_mask(
               seen, _mm512_set1_epi64((int64_t)HANSE_GUARD_MASK)) != 0;
}

/* Values i to i + 7 of a lane of n, zeros behind its end. */
static inline TARGET __m512i load_some(const int64_t *lane, size_t i, size_t n)
{
    const __mmask8 rows =
        (__mmask8)(n - i >= 8 ? 0xff : ((unsigned)1 << (n - i)) - 1);
    return _mm512_maskz_loadu_epi64(rows, lane + i);
}

TARGET bool hanse_total_add_avx512(int64_t *restrict state,
                                   const int64_t *restrict lanes,
                                   size_t lane_rows, size_t n_sums,
                                   size_t n_lanes, size_t n)
{
    bool guarded = true;
    for (size_t l = 0; l < n_sums; l++) {
        __m512i sum = _mm512_setzero_si512();
        for (size_t i = 0; i < n; i += 8)
            sum = _mm512_add_epi64(sum, load_some(lanes + l * lane_rows, i, n));
        state[l] += _mm512_reduce_add_epi64(sum);
        guarded = guarded && hanse_limb_guarded(state[l]);
    }
    for (size_t l = n_sums; l < n_lanes; l++) {
        __m512i most = _mm512_setzero_si512();
        for (size_t i = 0; i < n; i += 8)
            most =
                _mm512_max_epu64(most, load_some(lanes + l * lane_rows, i, n));
        const uint64_t largest = _mm512_reduce_max_epu64(most);
        if (largest > (uint64_t)state[l])
            state[l] = (int64_t)largest;
    }
    return !guarded;
}

#else
typedef int hanse_no_avx512; /* a translation unit must not be empty */
#endif
