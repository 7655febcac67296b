/* SPDX-License-Identifier: Apache-2.0
 *
 * Adding a block of rows to plain sums: in place of engine/fold_sums.c. What
 * one writes by hand where group numbers are known: no pieces, no carrying.
 */
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "bench/plain_sums/plain_sums.h"
#include "engine/fold.h"
#include "engine/kernels/extremes.h"
#include "engine/kernels/group_add.h"

enum {
    SUPPORTED = HANSE_STAT_COUNT | HANSE_STAT_MISSING | HANSE_STAT_TOTAL |
                HANSE_STAT_MEAN | HANSE_STAT_MIN | HANSE_STAT_MAX |
                HANSE_STAT_VAR | HANSE_STAT_STD
};

/* Rows first .. first + n - 1 of the block, n <= HANSE_LIMB_BATCH. */
typedef struct part {
    size_t first;
    size_t n;
    const uint32_t *groups; /* of the grouping that is added to; NULL: one */
    const double *values[3];
} part;

static double *values_of(const hanse_fold *fold, size_t measure, size_t first)
{
    return (double *)(void *)(fold->block.values[measure] + first);
}

/* ---- What the engine calls ---------------------------------------------- */

hanse_status hanse_fold_carry(hanse_fold *fold, size_t grouping, size_t group,
                              hanse_error *error)
{
    (void)fold;
    (void)grouping;
    (void)group;
    (void)error;
    return HANSE_OK;
}

/* Gives an addend its only window. */
static hanse_status place_addend(hanse_fold *fold, size_t addend,
                                 hanse_error *error)
{
    if (fold->layout.addends[addend].window.n_limbs != 0)
        return HANSE_OK;
    return hanse_layout_widen(&fold->layout, addend, (hanse_window){0, 1},
                              fold->states, fold->plan->n_groupings,
                              fold->budget, error);
}

hanse_status hanse_fold_add_bits(hanse_fold *fold, size_t addend,
                                 size_t grouping, size_t group,
                                 const hanse_bits *bits, hanse_error *error)
{
    HANSE_TRY(place_addend(fold, addend, error));
    const hanse_layout *layout = &fold->layout;
    int64_t *row = fold->states[grouping].rows + group * layout->stride;
    hanse_limbs_add(row + layout->addends[addend].lane,
                    &layout->addends[addend].window, bits);
    return HANSE_OK;
}

/* ---- Rows to groups ----------------------------------------------------- */

static inline void prefetch(const int64_t *rows, size_t stride, const part *p,
                            size_t i)
{
    if (i + HANSE_PREFETCH_ROWS < p->n)
        __builtin_prefetch(
            rows + (size_t)p->groups[i + HANSE_PREFETCH_ROWS] * stride, 1);
}

#if defined(__AVX2__)
/* The usual case, the count and three sums: a state is one register, whose
 * lane 0 is added to as an integer. */
static void add_three(int64_t *restrict rows, const part *p)
{
    const double *restrict x = p->values[0];
    const double *restrict y = p->values[1];
    const double *restrict z = p->values[2];
    const __m256i one = _mm256_set_epi64x(0, 0, 0, 1);
    for (size_t i = 0; i < p->n; i++) {
        double *row = (double *)(void *)(rows + (size_t)p->groups[i] * 4);
        prefetch(rows, 4, p, i);
        const __m256d state = _mm256_load_pd(row);
        const __m256d sums =
            _mm256_add_pd(state, _mm256_set_pd(z[i], y[i], x[i], 0.0));
        const __m256i count = _mm256_add_epi64(_mm256_castpd_si256(state), one);
        _mm256_store_pd(row,
                        _mm256_blend_pd(sums, _mm256_castsi256_pd(count), 1));
    }
}
#else
/* The usual case: the count and three sums. */
static void add_three(int64_t *restrict rows, const part *p)
{
    const double *restrict x = p->values[0];
    const double *restrict y = p->values[1];
    const double *restrict z = p->values[2];
    for (size_t i = 0; i < p->n; i++) {
        int64_t *row = rows + (size_t)p->groups[i] * 4;
        prefetch(rows, 4, p, i);
        row[0]++;
        hanse_plain_add(&row[1], x[i]);
        hanse_plain_add(&row[2], y[i]);
        hanse_plain_add(&row[3], z[i]);
    }
}
#endif

#if defined(__AVX2__)
/* Count, three sums and three sums of squares, in the lanes where
 * engine/states.h has them: two registers. */
static void add_three_squares(int64_t *restrict rows, size_t stride,
                              const part *p)
{
    const double *restrict x = p->values[0];
    const double *restrict y = p->values[1];
    const double *restrict z = p->values[2];
    const __m256i one = _mm256_set_epi64x(0, 0, 0, 1);
    for (size_t i = 0; i < p->n; i++) {
        double *row = (double *)(void *)(rows + (size_t)p->groups[i] * stride);
        prefetch(rows, stride, p, i);
        const __m256d values = _mm256_set_pd(z[i], y[i], x[i], 0.0);
        const __m256d state = _mm256_load_pd(row);
        const __m256d sums = _mm256_add_pd(state, values);
        const __m256i count = _mm256_add_epi64(_mm256_castpd_si256(state), one);
        _mm256_store_pd(row,
                        _mm256_blend_pd(sums, _mm256_castsi256_pd(count), 1));
        const __m256d turned = _mm256_permute4x64_pd(values, 0x39);
        _mm256_store_pd(row + 4, _mm256_add_pd(_mm256_load_pd(row + 4),
                                               _mm256_mul_pd(turned, turned)));
    }
}
#endif

static void add_counts(int64_t *restrict rows, size_t stride, const part *p)
{
    for (size_t i = 0; i < p->n; i++) {
        prefetch(rows, stride, p, i);
        rows[(size_t)p->groups[i] * stride]++;
    }
}

static void add_addend(int64_t *restrict lane, size_t stride, const part *p,
                       const double *restrict x, bool square)
{
    for (size_t i = 0; i < p->n; i++)
        hanse_plain_add(&lane[(size_t)p->groups[i] * stride],
                        square ? x[i] * x[i] : x[i]);
}

/* The same for one group: eight partial sums, so that adds need not wait. */
static void add_total(int64_t *lane, size_t n, const double *restrict x,
                      bool square)
{
    double sums[8] = {0};
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (size_t k = 0; k < 8; k++)
            sums[k] += square ? x[i + k] * x[i + k] : x[i + k];
    for (; i < n; i++)
        sums[0] += square ? x[i] * x[i] : x[i];
    for (size_t k = 0; k < 8; k++)
        hanse_plain_add(lane, sums[k]);
}

static void raise_lane(int64_t *lane, int64_t value)
{
    if ((uint64_t)value > (uint64_t)*lane)
        *lane = value;
}

static void add_extremes(const hanse_fold *fold, size_t measure,
                         int64_t *restrict rows, const part *p)
{
    int64_t high[HANSE_LIMB_BATCH], low[HANSE_LIMB_BATCH];
    const hanse_layout *layout = &fold->layout;
    const size_t at = hanse_layout_high_lane(layout, measure);
    fold->kernels->extremes_f64(values_of(fold, measure, p->first), p->n, high,
                                low);
    for (size_t i = 0; i < p->n; i++) {
        const size_t group = p->groups == NULL ? 0 : p->groups[i];
        int64_t *row = rows + group * layout->stride;
        raise_lane(&row[at], high[i]);
        raise_lane(&row[at + 1], low[i]);
    }
}

static void add_sums(const hanse_fold *fold, int64_t *rows, const part *p)
{
    const hanse_layout *layout = &fold->layout;
    if (p->groups != NULL && layout->stride == 4 && layout->n_addends == 3) {
        add_three(rows, p);
        return;
    }
#if defined(__AVX2__)
    if (p->groups != NULL && layout->n_measures == 3 &&
        layout->n_addends == 6) {
        add_three_squares(rows, layout->stride, p);
        return;
    }
#endif
    if (p->groups != NULL)
        add_counts(rows, layout->stride, p);
    else
        rows[0] += (int64_t)p->n;
    for (size_t a = 0; a < layout->n_addends; a++) {
        const hanse_addend *addend = &layout->addends[a];
        int64_t *lane = rows + addend->lane;
        const double *x = values_of(fold, addend->measure, p->first);
        if (p->groups != NULL)
            add_addend(lane, layout->stride, p, x, addend->square);
        else
            add_total(lane, p->n, x, addend->square);
    }
}

/* ---- A block ------------------------------------------------------------ */

static hanse_status place_sums(hanse_fold *fold, hanse_error *error)
{
    if ((fold->plan->statistics & ~(uint32_t)SUPPORTED) != 0)
        return hanse_fail(error, HANSE_ERR_SPEC,
                          "plain sums have no such statistic");
    for (size_t a = 0; a < fold->layout.n_addends; a++) {
        if (fold->layout.addends[a].number != HANSE_NUMBER_FLOAT)
            return hanse_fail(error, HANSE_ERR_SPEC,
                              "plain sums are for measures that are floats");
        HANSE_TRY(place_addend(fold, a, error));
    }
    return HANSE_OK;
}

static hanse_status check_values(const hanse_fold *fold, size_t measure,
                                 const part *p, hanse_error *error)
{
    const double *x = values_of(fold, measure, p->first);
    /* In eight lanes: x - x is 0 where x is finite, else missing. */
    double zeros[8] = {0};
    size_t i = 0;
    for (; i + 8 <= p->n; i += 8)
        for (size_t k = 0; k < 8; k++)
            zeros[k] += x[i + k] - x[i + k];
    for (; i < p->n; i++)
        zeros[0] += x[i] - x[i];
    for (size_t k = 1; k < 8; k++)
        zeros[0] += zeros[k];
    return zeros[0] == 0.0
               ? HANSE_OK
               : hanse_fail(error, HANSE_ERR_LIMIT,
                            "plain sums are for values that are finite and not "
                            "missing");
}

static hanse_status add_part(hanse_fold *fold, part *p, hanse_error *error)
{
    const size_t n_measures = fold->plan->n_measures;
    for (size_t m = 0; m < n_measures; m++)
        HANSE_TRY(check_values(fold, m, p, error));
    for (size_t m = 0; m < n_measures && m < 3; m++)
        p->values[m] = values_of(fold, m, p->first);
    for (size_t k = 0; k < fold->n_added; k++) {
        const size_t g = fold->added[k];
        const size_t node = fold->plan->groupings[g].node;
        p->groups =
            node == SIZE_MAX ? NULL : fold->block.node_codes[node] + p->first;
        add_sums(fold, fold->states[g].rows, p);
        for (size_t m = 0; fold->layout.has_extremes && m < n_measures; m++)
            add_extremes(fold, m, fold->states[g].rows, p);
    }
    return HANSE_OK;
}

hanse_status hanse_fold_sums(hanse_fold *fold, hanse_error *error)
{
    hanse_block *block = &fold->block;
    if (fold->n_added == 0)
        return HANSE_OK;
    HANSE_TRY(place_sums(fold, error));
    for (size_t first = 0; first < block->n; first += HANSE_LIMB_BATCH) {
        part rows = {.first = first, .n = block->n - first};
        if (rows.n > HANSE_LIMB_BATCH)
            rows.n = HANSE_LIMB_BATCH;
        HANSE_TRY(add_part(fold, &rows, error));
    }
    block->layout_version = fold->layout.version;
    return HANSE_OK;
}
