/* SPDX-License-Identifier: Apache-2.0
 *
 * The group add of group_add.h in plain C, for the compiler to vectorise with
 * the instructions that TARGET allows.
 */
static inline TARGET int64_t larger(int64_t a, int64_t b)
{
    return (uint64_t)a < (uint64_t)b ? b : a;
}

static inline TARGET __attribute__((always_inline)) bool
add_lines(int64_t *restrict states, size_t stride,
          const uint32_t *restrict groups, const int64_t *restrict rows,
          size_t n_sums, size_t n_lanes, size_t n)
{
    uint64_t seen[HANSE_LINE_LANES] = {0};
    for (size_t i = 0; i < n; i++) {
        int64_t *state = states + (size_t)groups[i] * stride;
        const int64_t *row = rows + i * n_lanes;
        if (i + HANSE_PREFETCH_ROWS < n)
            for (size_t line = 0; line < n_lanes; line += HANSE_LINE_LANES)
                __builtin_prefetch(
                    states + (size_t)groups[i + HANSE_PREFETCH_ROWS] * stride +
                        line,
                    1);
        for (size_t line = 0; line < n_sums; line += HANSE_LINE_LANES) {
            for (size_t l = 0; l < HANSE_LINE_LANES; l++) {
                const int64_t sum = state[line + l] + row[line + l];
                state[line + l] = sum;
                seen[l] |= (uint64_t)sum + HANSE_GUARD_BIAS;
            }
        }
        for (size_t l = n_sums; l < n_lanes; l++)
            state[l] = larger(state[l], row[l]);
    }
    uint64_t any = 0;
    for (size_t l = 0; l < HANSE_LINE_LANES; l++)
        any |= seen[l];
    return (any & HANSE_GUARD_MASK) != 0;
}

/* One line is the usual case: three measures of two limbs and the count. */
TARGET bool KERNEL(hanse_group_add)(int64_t *restrict states, size_t stride,
                                    const uint32_t *restrict groups,
                                    const int64_t *restrict rows, size_t n_sums,
                                    size_t n_lanes, size_t n)
{
    if (n_lanes == HANSE_LINE_LANES && n_sums == HANSE_LINE_LANES)
        return add_lines(states, stride, groups, rows, HANSE_LINE_LANES,
                         HANSE_LINE_LANES, n);
    return add_lines(states, stride, groups, rows, n_sums, n_lanes, n);
}

TARGET bool KERNEL(hanse_total_add)(int64_t *restrict state,
                                    const int64_t *restrict lanes,
                                    size_t lane_rows, size_t n_sums,
                                    size_t n_lanes, size_t n)
{
    bool guarded = true;
    for (size_t l = 0; l < n_sums; l++) {
        const int64_t *lane = lanes + l * lane_rows;
        int64_t sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += lane[i];
        state[l] += sum;
        guarded = guarded && hanse_limb_guarded(state[l]);
    }
    for (size_t l = n_sums; l < n_lanes; l++) {
        const int64_t *lane = lanes + l * lane_rows;
        int64_t most = state[l];
        for (size_t i = 0; i < n; i++)
            most = larger(most, lane[i]);
        state[l] = most;
    }
    return !guarded;
}
