/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums of pairs: batches of pieces, and what is left over.
 */
#include "engine/pair_sums.h"

#include <string.h>

enum {
    MOST_LANES = 32, /* 1 + 5 sums of up to 6 limbs, in whole lines */
    FIRST_CAPACITY = 16,
    /* Windows are widened when more than one row in 16 is left over. */
    LEFT_SHARE = 16
};
_Static_assert(1 + (int)HANSE_PAIR_SUMS * (int)HANSE_DENSE_LIMBS <= MOST_LANES,
               "room for the widest windows");

/* ---- Batches ------------------------------------------------------------ */

hanse_status hanse_pair_batch_init(hanse_pair_batch *batch,
                                   hanse_budget *budget, hanse_error *error)
{
    const size_t lane_bytes = HANSE_LIMB_BATCH * sizeof *batch->lanes;
    hanse_cpu cpu;
    HANSE_TRY(hanse_cpu_choose(&cpu, error));
    batch->kernels = hanse_kernels_of(cpu);
    batch->budget = budget;
    batch->lanes = hanse_allocate_zero(budget, MOST_LANES, lane_bytes);
    batch->pieces = hanse_allocate(budget, MOST_LANES, lane_bytes);
    if (batch->lanes != NULL && batch->pieces != NULL)
        return HANSE_OK;
    hanse_pair_batch_clear(batch);
    return hanse_fail_budget(error, budget, "pieces of pairs", MOST_LANES,
                             2 * lane_bytes);
}

void hanse_pair_batch_clear(hanse_pair_batch *batch)
{
    const size_t lane_bytes = HANSE_LIMB_BATCH * sizeof *batch->lanes;
    hanse_free(batch->budget, batch->lanes, MOST_LANES, lane_bytes);
    hanse_free(batch->budget, batch->pieces, MOST_LANES, lane_bytes);
    batch->lanes = NULL;
    batch->pieces = NULL;
}

/* ---- Groups ------------------------------------------------------------- */

void hanse_pair_sums_init(hanse_pair_sums *sums, size_t n_sums,
                          hanse_budget *budget)
{
    *sums = (hanse_pair_sums){.budget = budget, .n_sums = n_sums};
    for (size_t s = 0; s < HANSE_PAIR_SUMS; s++)
        hanse_wide_sums_init(&sums->wide[s], "sums of pairs", budget);
}

void hanse_pair_sums_clear(hanse_pair_sums *sums)
{
    for (size_t s = 0; s < HANSE_PAIR_SUMS; s++)
        hanse_wide_sums_clear(&sums->wide[s]);
    hanse_free(sums->budget, sums->rows, sums->capacity,
               sums->stride * sizeof *sums->rows);
    hanse_pair_sums_init(sums, sums->n_sums, sums->budget);
}

static int64_t *row_of(const hanse_pair_sums *sums, size_t group)
{
    return sums->rows + group * sums->stride;
}

static int64_t *limbs_of(const hanse_pair_sums *sums, size_t sum, size_t group)
{
    return row_of(sums, group) + sums->limbs[sum].lane;
}

static int n_limbs_of(const hanse_pair_sums *sums, size_t sum)
{
    return sums->limbs[sum].window.n_limbs;
}

/* Gives the sums other windows, which hold the old ones, and room for
 * `capacity` groups. */
static hanse_status reshape(hanse_pair_sums *sums,
                            const hanse_pair_limbs *limbs, size_t capacity,
                            hanse_error *error)
{
    hanse_pair_sums next = *sums;
    size_t n_lanes = 1;
    for (size_t s = 0; s < sums->n_sums; s++) {
        next.limbs[s] = limbs[s];
        next.limbs[s].lane = n_lanes;
        n_lanes += (size_t)limbs[s].window.n_limbs;
    }
    next.stride =
        (n_lanes + HANSE_LINE_LANES - 1) / HANSE_LINE_LANES * HANSE_LINE_LANES;
    next.capacity = capacity;
    next.rows = hanse_allocate_zero(sums->budget, capacity,
                                    next.stride * sizeof *next.rows);
    if (next.rows == NULL)
        return hanse_fail_budget(error, sums->budget, "sums of pairs", capacity,
                                 next.stride * sizeof *next.rows);
    for (size_t g = 0; sums->stride != 0 && g < sums->n_groups; g++) {
        row_of(&next, g)[0] = row_of(sums, g)[0];
        for (size_t s = 0; s < sums->n_sums; s++) {
            const int below =
                (sums->limbs[s].window.exponent - limbs[s].window.exponent) /
                HANSE_LIMB_BITS;
            if (n_limbs_of(sums, s) != 0)
                memcpy(limbs_of(&next, s, g) + below, limbs_of(sums, s, g),
                       (size_t)n_limbs_of(sums, s) * sizeof *next.rows);
        }
    }
    hanse_free(sums->budget, sums->rows, sums->capacity,
               sums->stride * sizeof *sums->rows);
    *sums = next;
    return HANSE_OK;
}

hanse_status hanse_pair_sums_grow(hanse_pair_sums *sums, size_t n_groups,
                                  hanse_error *error)
{
    for (size_t s = 0; s < sums->n_sums; s++)
        HANSE_TRY(hanse_wide_sums_grow(&sums->wide[s], n_groups, error));
    if (sums->stride != 0 && n_groups > sums->capacity) {
        const size_t doubled = 2 * sums->capacity;
        HANSE_TRY(reshape(sums, sums->limbs,
                          doubled < n_groups ? n_groups : doubled, error));
    }
    if (n_groups > sums->n_groups)
        sums->n_groups = n_groups;
    return HANSE_OK;
}

/* ---- One by one --------------------------------------------------------- */

static hanse_term term_of(hanse_pair_sum sum, const hanse_factor *x,
                          const hanse_factor *y)
{
    switch (sum) {
    case HANSE_PAIR_X:
        return hanse_term_single(x);
    case HANSE_PAIR_Y:
        return hanse_term_single(y);
    case HANSE_PAIR_XY:
        return hanse_term_product(x, y);
    case HANSE_PAIR_XX:
        return hanse_term_product(x, x);
    default:
        return hanse_term_product(y, y);
    }
}

hanse_status hanse_pair_sums_add_one(hanse_pair_sums *sums, size_t group,
                                     const hanse_factor *x,
                                     const hanse_factor *y, hanse_error *error)
{
    for (size_t s = 0; s < sums->n_sums; s++) {
        const hanse_term term = term_of((hanse_pair_sum)s, x, y);
        HANSE_TRY(hanse_wide_sums_add(&sums->wide[s], group, &term, error));
    }
    return HANSE_OK;
}

static void factors_of(const hanse_pair_batch *batch, size_t i, hanse_factor *x,
                       hanse_factor *y)
{
    int64_t bits;
    memcpy(&bits, &batch->x[i], sizeof bits);
    (void)hanse_factor_of(bits, HANSE_NUMBER_FLOAT, x);
    memcpy(&bits, &batch->y[i], sizeof bits);
    (void)hanse_factor_of(bits, HANSE_NUMBER_FLOAT, y);
}

static uint32_t group_of(const hanse_pair_batch *batch, size_t i)
{
    return batch->is_one_group ? 0 : batch->groups[i];
}

static hanse_status add_left(hanse_pair_sums *sums, size_t sum,
                             const hanse_pair_batch *batch, hanse_error *error)
{
    for (size_t k = 0; k < batch->n_left[sum]; k++) {
        const size_t i = batch->left[sum][k];
        hanse_factor x, y;
        factors_of(batch, i, &x, &y);
        const hanse_term term = term_of((hanse_pair_sum)sum, &x, &y);
        HANSE_TRY(hanse_wide_sums_add(&sums->wide[sum], group_of(batch, i),
                                      &term, error));
    }
    return HANSE_OK;
}

/* Adds limbs of a window to the long integer of a group. */
static hanse_status add_limbs(hanse_wide_sums *to, size_t group,
                              const int64_t *limbs, const hanse_window *window,
                              hanse_error *error)
{
    for (int k = 0; k < window->n_limbs; k++) {
        const bool negative = limbs[k] < 0;
        const uint64_t size =
            negative ? 0 - (uint64_t)limbs[k] : (uint64_t)limbs[k];
        const hanse_term term = {
            {size, 0, 0, 0}, window->exponent + k * HANSE_LIMB_BITS, negative};
        HANSE_TRY(hanse_wide_sums_add(to, group, &term, error));
    }
    return HANSE_OK;
}

/* Brings the limbs of a group within their guards: what the window of a sum
 * cannot hold goes to its long integer. */
static hanse_status carry(hanse_pair_sums *sums, size_t group,
                          hanse_error *error)
{
    for (size_t s = 0; s < sums->n_sums; s++) {
        const hanse_window *window = &sums->limbs[s].window;
        int64_t *limbs = limbs_of(sums, s, group);
        if (hanse_limbs_carry(limbs, window))
            continue;
        HANSE_TRY(add_limbs(&sums->wide[s], group, limbs, window, error));
        memset(limbs, 0, (size_t)window->n_limbs * sizeof *limbs);
    }
    return HANSE_OK;
}

/* ---- Windows ------------------------------------------------------------ */

static void take_bits(const hanse_term *term, int *low, int *high)
{
    const unsigned __int128 size =
        (unsigned __int128)term->word[1] << 64 | term->word[0];
    if (size == 0)
        return;
    const hanse_bits bits = {size, term->exponent, false};
    const int top = hanse_bits_high(&bits);
    const bool is_first = *low >= *high;
    *low = is_first || term->exponent < *low ? term->exponent : *low;
    *high = is_first || top > *high ? top : *high;
}

/* The window of a sum widened to all terms of the batch, where the kernels
 * take so wide a one. */
static void widen(hanse_pair_limbs *limbs, hanse_pair_sum sum,
                  const hanse_pair_batch *batch)
{
    int low = 0, high = 0;
    for (size_t i = 0; i < batch->n; i++) {
        hanse_factor x, y;
        factors_of(batch, i, &x, &y);
        const hanse_term term = term_of(sum, &x, &y);
        take_bits(&term, &low, &high);
    }
    if (low >= high)
        return;
    hanse_pair_limbs wider = {
        .window = hanse_window_cover(&limbs->window, low, high)};
    if (!hanse_window_holds(&limbs->window, low, high) &&
        hanse_window_grid(&wider.window, &wider.grid))
        *limbs = wider;
    else
        limbs->is_final = true;
}

static bool same_window(const hanse_window *a, const hanse_window *b)
{
    return a->exponent == b->exponent && a->n_limbs == b->n_limbs;
}

/* Windows for the batch: first ones, or wider ones for sums that left many of
 * its rows over. */
static hanse_status choose_windows(hanse_pair_sums *sums,
                                   const hanse_pair_batch *batch, bool all,
                                   hanse_error *error)
{
    hanse_pair_limbs limbs[HANSE_PAIR_SUMS];
    bool any = all;
    memcpy(limbs, sums->limbs, sizeof limbs);
    for (size_t s = 0; s < sums->n_sums; s++) {
        if (!all &&
            (limbs[s].is_final || batch->n_left[s] * LEFT_SHARE <= batch->n))
            continue;
        widen(&limbs[s], (hanse_pair_sum)s, batch);
        sums->limbs[s].is_final = limbs[s].is_final;
        any = any || !same_window(&limbs[s].window, &sums->limbs[s].window);
    }
    if (!any)
        return HANSE_OK;
    const size_t first = sums->n_groups < FIRST_CAPACITY
                             ? (size_t)FIRST_CAPACITY
                             : sums->n_groups;
    return reshape(sums, limbs, all ? first : sums->capacity, error);
}

/* ---- Adding ------------------------------------------------------------- */

static void split(const hanse_pair_sums *sums, hanse_pair_sum sum,
                  hanse_pair_batch *batch)
{
    const hanse_kernels *kernels = batch->kernels;
    const hanse_pair_limbs *l = &sums->limbs[sum];
    const double *x = batch->x, *y = batch->y;
    const size_t n = batch->n;
    int64_t *lanes = batch->lanes + l->lane * HANSE_LIMB_BATCH;
    uint16_t *left = batch->left[sum];
    size_t n_left = n;
    if (l->window.n_limbs == 0)
        for (size_t i = 0; i < n; i++)
            left[i] = (uint16_t)i;
    else if (sum == HANSE_PAIR_XY)
        n_left = kernels->split_product_f64(x, y, n, &l->grid, lanes, left);
    else if (sum == HANSE_PAIR_X || sum == HANSE_PAIR_Y)
        n_left = kernels->split_f64(sum == HANSE_PAIR_X ? x : y, n, &l->grid,
                                    lanes, left);
    else
        n_left = kernels->split_square_f64(sum == HANSE_PAIR_XX ? x : y, n,
                                           &l->grid, lanes, left);
    batch->n_left[sum] = n_left;
}

/* Lane 0 counts rows; the lanes behind the last sum add nothing. */
static void prepare_lanes(const hanse_pair_sums *sums, hanse_pair_batch *batch)
{
    const size_t last = sums->n_sums - 1;
    const size_t used = sums->limbs[last].lane + (size_t)n_limbs_of(sums, last);
    for (size_t i = 0; i < batch->n; i++)
        batch->lanes[i] = 1;
    memset(batch->lanes + used * HANSE_LIMB_BATCH, 0,
           (sums->stride - used) * HANSE_LIMB_BATCH * sizeof *batch->lanes);
}

static bool add_pieces(const hanse_pair_sums *sums, hanse_pair_batch *batch)
{
    const hanse_kernels *kernels = batch->kernels;
    const size_t stride = sums->stride;
    if (batch->is_one_group)
        return kernels->total_add(sums->rows, batch->lanes, HANSE_LIMB_BATCH,
                                  stride, stride, batch->n);
    kernels->transpose(batch->lanes, HANSE_LIMB_BATCH, stride, batch->n,
                       batch->pieces);
    return kernels->group_add(sums->rows, stride, batch->groups, batch->pieces,
                              stride, stride, batch->n);
}

hanse_status hanse_pair_sums_add(hanse_pair_sums *sums, hanse_pair_batch *batch,
                                 hanse_error *error)
{
    if (batch->n == 0)
        return HANSE_OK;
    if (sums->stride == 0)
        HANSE_TRY(choose_windows(sums, batch, true, error));
    prepare_lanes(sums, batch);
    for (size_t s = 0; s < sums->n_sums; s++)
        split(sums, (hanse_pair_sum)s, batch);
    const bool must_carry = add_pieces(sums, batch);
    for (size_t i = 0; must_carry && i < batch->n; i++)
        HANSE_TRY(carry(sums, group_of(batch, i), error));
    for (size_t s = 0; s < sums->n_sums; s++)
        HANSE_TRY(add_left(sums, s, batch, error));
    return choose_windows(sums, batch, false, error);
}

/* ---- Merging and reading ------------------------------------------------ */

static bool same_windows(const hanse_pair_sums *a, const hanse_pair_sums *b)
{
    bool same = a->stride == b->stride;
    for (size_t s = 0; s < a->n_sums; s++)
        same = same && same_window(&a->limbs[s].window, &b->limbs[s].window);
    return same;
}

/* Limbs within their guards make sums that are no further away than those of
 * a batch. */
static hanse_status merge_limbs(hanse_pair_sums *sums, size_t group,
                                const hanse_pair_sums *other, size_t from,
                                hanse_error *error)
{
    int64_t *to = row_of(sums, group);
    const int64_t *add = row_of(other, from);
    if (same_windows(sums, other)) {
        bool guarded = true;
        for (size_t l = 0; l < sums->stride; l++) {
            to[l] += add[l];
            guarded = guarded && hanse_limb_guarded(to[l]);
        }
        return guarded ? HANSE_OK : carry(sums, group, error);
    }
    to[0] += add[0];
    for (size_t s = 0; s < sums->n_sums; s++)
        HANSE_TRY(add_limbs(&sums->wide[s], group, limbs_of(other, s, from),
                            &other->limbs[s].window, error));
    return HANSE_OK;
}

hanse_status hanse_pair_sums_merge(hanse_pair_sums *sums, size_t group,
                                   const hanse_pair_sums *other, size_t from,
                                   hanse_error *error)
{
    for (size_t s = 0; s < sums->n_sums; s++)
        HANSE_TRY(hanse_wide_sums_merge(&sums->wide[s], group, &other->wide[s],
                                        from, error));
    if (other->stride == 0)
        return HANSE_OK;
    if (sums->stride == 0)
        HANSE_TRY(reshape(sums, other->limbs,
                          sums->n_groups < FIRST_CAPACITY
                              ? (size_t)FIRST_CAPACITY
                              : sums->n_groups,
                          error));
    return merge_limbs(sums, group, other, from, error);
}

uint64_t hanse_pair_sums_count(const hanse_pair_sums *sums, size_t group)
{
    return sums->stride == 0 ? 0 : (uint64_t)row_of(sums, group)[0];
}

void hanse_pair_sums_get(const hanse_pair_sums *sums, hanse_pair_sum sum,
                         size_t group, hanse_wide *out)
{
    hanse_wide limbs;
    hanse_wide_sums_get(&sums->wide[sum], group, out);
    if (sums->stride == 0 || n_limbs_of(sums, sum) == 0)
        return;
    hanse_wide_from_limbs(&limbs, limbs_of(sums, sum, group),
                          &sums->limbs[sum].window);
    hanse_wide_add(out, &limbs);
}
