/* SPDX-License-Identifier: Apache-2.0
 *
 * Merging folds: the other's keys and groups are looked up in this fold's
 * maps, which gives the number that each of its groups has here; then states
 * are added group by group.
 */
#include "engine/fold.h"

#include <stdlib.h>
#include <string.h>

#include "engine/kernels/group_add.h"

/* Numbers that the other fold's codes and groups have in this one. */
typedef struct translation {
    uint32_t **keys;  /* [key][code] */
    uint32_t **nodes; /* [node][group]; shared with keys for roots */
} translation;

static void translation_clear(translation *t, const hanse_plan *plan)
{
    for (size_t i = 0; t->nodes != NULL && i < plan->n_nodes; i++)
        if (plan->nodes[i].parent != SIZE_MAX)
            free(t->nodes[i]);
    for (size_t k = 0; t->keys != NULL && k < plan->n_keys; k++)
        free(t->keys[k]);
    free(t->keys);
    free(t->nodes);
}

static hanse_status nomem(hanse_error *error, size_t n)
{
    return hanse_fail_nomem(error, "merge", n * sizeof(uint32_t));
}

static hanse_status translate_key(hanse_key_codes *to,
                                  const hanse_key_codes *from, uint32_t **out,
                                  hanse_error *error)
{
    const size_t n = hanse_key_codes_count(from);
    uint32_t *codes = malloc(n * sizeof *codes);
    if (codes == NULL)
        return nomem(error, n);
    *out = codes;
    codes[0] = 0;
    if (from->is_text)
        HANSE_TRY(hanse_text_map_take(&to->texts, &from->texts, 0, n - 1,
                                      codes + 1, error));
    else
        HANSE_TRY(hanse_int_map_codes(&to->ints, from->ints.values, n - 1,
                                      codes + 1, error));
    for (size_t c = 1; c < n; c++)
        codes[c]++;
    return HANSE_OK;
}

static hanse_status translate_node(hanse_fold *to, const hanse_fold *from,
                                   size_t node, translation *t,
                                   hanse_error *error)
{
    const hanse_plan_node *plan_node = &to->plan->nodes[node];
    if (plan_node->parent == SIZE_MAX) {
        t->nodes[node] = t->keys[plan_node->key];
        return HANSE_OK;
    }
    const hanse_int_map *pairs = &from->pairs[node];
    uint32_t *groups = malloc((pairs->n + 1) * sizeof *groups);
    int64_t *moved = malloc((pairs->n + 1) * sizeof *moved);
    hanse_status status = HANSE_OK;
    if (groups == NULL || moved == NULL)
        status = nomem(error, pairs->n);
    for (size_t g = 0; status == HANSE_OK && g < pairs->n; g++) {
        const uint64_t pair = (uint64_t)pairs->values[g];
        const uint64_t parent = t->nodes[plan_node->parent][pair >> 32];
        const uint64_t code = t->keys[plan_node->key][(uint32_t)pair];
        moved[g] = (int64_t)(parent << 32 | code);
    }
    if (status == HANSE_OK)
        status = hanse_int_map_codes(&to->pairs[node], moved, pairs->n, groups,
                                     error);
    free(moved);
    t->nodes[node] = groups;
    return status;
}

static hanse_status translate(hanse_fold *to, const hanse_fold *from,
                              translation *t, hanse_error *error)
{
    const hanse_plan *plan = to->plan;
    t->keys = calloc(plan->n_keys + 1, sizeof *t->keys);
    t->nodes = calloc(plan->n_nodes + 1, sizeof *t->nodes);
    if (t->keys == NULL || t->nodes == NULL)
        return nomem(error, plan->n_keys + plan->n_nodes);
    for (size_t k = 0; k < plan->n_keys; k++)
        if (to->is_key_coded[k])
            HANSE_TRY(translate_key(&to->keys[k], &from->keys[k], &t->keys[k],
                                    error));
    for (size_t i = 0; i < plan->n_nodes; i++)
        if (to->is_coded[i])
            HANSE_TRY(translate_node(to, from, i, t, error));
    return HANSE_OK;
}

/* ---- States ------------------------------------------------------------- */

/* One limb of the other's window as a value on its own. */
static hanse_bits bits_of_limb(int64_t limb, int exponent)
{
    const bool negative = limb < 0;
    uint64_t magnitude =
        negative ? (uint64_t)0 - (uint64_t)limb : (uint64_t)limb;
    const int zeros = __builtin_ctzll(magnitude);
    magnitude >>= zeros;
    return (hanse_bits){magnitude, exponent + zeros, negative};
}

static void merge_extremes(const hanse_layout *to_layout, int64_t *to,
                           const hanse_layout *from_layout, const int64_t *from)
{
    for (size_t m = 0; to_layout->has_extremes && m < to_layout->n_measures;
         m++) {
        int64_t *a = to + hanse_layout_high_lane(to_layout, m);
        const int64_t *b = from + hanse_layout_high_lane(from_layout, m);
        for (size_t l = 0; l < 2; l++)
            if ((uint64_t)b[l] > (uint64_t)a[l])
                a[l] = b[l];
    }
}

static hanse_status merge_sums(hanse_fold *to, size_t grouping, size_t target,
                               const hanse_fold *from, size_t from_grouping,
                               size_t group, hanse_error *error)
{
    const int64_t *row =
        from->states[from_grouping].rows + group * from->layout.stride;
    int64_t *sum = to->states[grouping].rows + target * to->layout.stride;
    sum[0] += row[0];
    merge_extremes(&to->layout, sum, &from->layout, row);
    for (size_t a = 0; a < from->layout.n_addends; a++) {
        const hanse_addend *addend = &from->layout.addends[a];
        for (int k = 0; k < addend->window.n_limbs; k++) {
            const int64_t limb = row[addend->lane + (size_t)k];
            if (limb == 0)
                continue;
            const hanse_bits bits = bits_of_limb(limb, addend->window.exponent +
                                                           k * HANSE_LIMB_BITS);
            HANSE_TRY(
                hanse_fold_add_bits(to, a, grouping, target, &bits, error));
        }
    }
    return HANSE_OK;
}

/* Returns whether all sums are guarded. */
static bool add_lanes(int64_t *sum, const int64_t *row, size_t first,
                      size_t end)
{
    bool guarded = true;
    for (size_t l = first; l < end; l++) {
        sum[l] += row[l];
        guarded = guarded && hanse_limb_guarded(sum[l]);
    }
    return guarded;
}

/* Adds the count and the limbs of a row of the same layout; returns whether all
 * are guarded. */
static bool add_row(const hanse_layout *layout, int64_t *sum,
                    const int64_t *row)
{
    if (!layout->is_squared) {
        const bool dense = add_lanes(sum, row, 0, layout->n_sum_lanes);
        return add_lanes(sum, row, layout->n_dense_lanes, layout->stride) &&
               dense;
    }
    bool guarded = add_lanes(sum, row, 0, 1);
    for (size_t m = 0; m < layout->n_measures; m++) {
        const size_t lane = layout->addends[m].lane;
        guarded =
            add_lanes(sum, row, lane, lane + 2 + HANSE_SQUARE_LIMBS) && guarded;
    }
    return guarded;
}

/* With one layout rows of limbs are added as they are; both are guarded, so
 * that nothing can overflow before the carry. */
static hanse_status merge_rows(hanse_fold *to, size_t grouping, size_t target,
                               const hanse_fold *from, size_t from_grouping,
                               size_t group, hanse_error *error)
{
    const hanse_layout *layout = &to->layout;
    int64_t *sum = to->states[grouping].rows + target * layout->stride;
    const int64_t *row =
        from->states[from_grouping].rows + group * layout->stride;
    const bool guarded = add_row(layout, sum, row);
    merge_extremes(layout, sum, layout, row);
    return guarded ? HANSE_OK : hanse_fold_carry(to, grouping, target, error);
}

static hanse_status merge_rare(hanse_fold *to, size_t grouping, size_t target,
                               const hanse_fold *from, size_t from_grouping,
                               size_t group, hanse_error *error)
{
    for (size_t m = 0; m < to->plan->n_measures; m++) {
        if (from->states[from_grouping].rare[m] == NULL)
            continue;
        const hanse_rare *other = &from->states[from_grouping].rare[m][group];
        hanse_rare *rare;
        HANSE_TRY(hanse_states_rare(&to->states[grouping], to->budget, m,
                                    target, &rare, error));
        rare->missing += other->missing;
        rare->negative_zeros += other->negative_zeros;
        rare->infinities |= other->infinities;
    }
    return HANSE_OK;
}

/* Adds a row of limbs to a packed one; false, and nothing is done, when that
 * might leave its guard. */
static bool merge_packed(hanse_states *to, const hanse_layout *layout,
                         size_t target, const int64_t *row)
{
    int64_t sums[HANSE_PACKED_LANES * HANSE_PACKED_MEASURES];
    const size_t n_lanes = hanse_states_stride(to, layout);
    int64_t *state = to->rows + target * n_lanes;
    bool guarded = row[0] < (int64_t)1 << 15;
    for (size_t a = 0; guarded && a < layout->n_addends; a++) {
        const hanse_addend *addend = &layout->addends[a];
        const size_t lane = HANSE_PACKED_LANES * addend->measure;
        const __int128 value =
            (__int128)row[addend->lane + 1] * ((__int128)1 << HANSE_LIMB_BITS) +
            row[addend->lane];
        const uint64_t low = (uint64_t)state[lane] + (uint64_t)value;
        uint64_t high = (uint64_t)state[lane + 1] + (uint64_t)(value >> 64) +
                        (low < (uint64_t)value);
        if (addend->measure == 0)
            high += (uint64_t)row[0] << HANSE_PACKED_SUM_BITS;
        sums[lane] = (int64_t)low;
        sums[lane + 1] = (int64_t)high;
        guarded = hanse_packed_guarded((int64_t)high, addend->measure);
    }
    if (guarded)
        memcpy(state, sums, n_lanes * sizeof *state);
    return guarded;
}

/* Where states are packed and can stay so, adds a group; else unpacks them. */
static hanse_status merge_to_packed(hanse_fold *to, size_t grouping,
                                    size_t target, const hanse_fold *from,
                                    size_t from_grouping, size_t group,
                                    bool *done, hanse_error *error)
{
    hanse_states *states = &to->states[grouping];
    *done = states->is_packed &&
            hanse_layout_same(&to->layout, &from->layout) &&
            merge_packed(states, &to->layout, target,
                         from->states[from_grouping].rows +
                             group * from->layout.stride);
    return *done ? HANSE_OK
                 : hanse_states_unpack(states, &to->layout, to->budget, error);
}

static hanse_status merge_limbs(hanse_fold *fold, size_t grouping, size_t group,
                                const hanse_fold *from, size_t from_grouping,
                                size_t from_group, hanse_error *error)
{
    bool done;
    HANSE_TRY(merge_to_packed(fold, grouping, group, from, from_grouping,
                              from_group, &done, error));
    if (done)
        return HANSE_OK;
    return hanse_layout_same(&fold->layout, &from->layout)
               ? merge_rows(fold, grouping, group, from, from_grouping,
                            from_group, error)
               : merge_sums(fold, grouping, group, from, from_grouping,
                            from_group, error);
}

hanse_status hanse_fold_merge_group(hanse_fold *fold, size_t grouping,
                                    size_t group, const hanse_fold *from,
                                    size_t from_grouping, size_t from_group,
                                    hanse_error *error)
{
    HANSE_TRY(merge_limbs(fold, grouping, group, from, from_grouping,
                          from_group, error));
    return merge_rare(fold, grouping, group, from, from_grouping, from_group,
                      error);
}

static hanse_status merge_grouping(hanse_fold *to, const hanse_fold *from,
                                   size_t grouping, const translation *t,
                                   hanse_error *error)
{
    const size_t node = to->plan->groupings[grouping].node;
    HANSE_TRY(hanse_states_grow(&to->states[grouping], &to->layout, to->budget,
                                hanse_fold_node_groups(to, node), error));
    for (size_t g = 0; g < from->states[grouping].n_groups; g++)
        HANSE_TRY(hanse_fold_merge_group(
            to, grouping, node == SIZE_MAX ? 0 : t->nodes[node][g], from,
            grouping, g, error));
    return hanse_fold_extras_merge(
        to, from, grouping, node == SIZE_MAX ? NULL : t->nodes[node], error);
}

hanse_status hanse_fold_merge(hanse_fold *fold, const hanse_fold *other,
                              hanse_error *error)
{
    translation t = {0};
    if (!hanse_plan_equal(fold->plan, other->plan))
        return hanse_fail(error, HANSE_ERR_SPEC,
                          "merge: the two sides come from different "
                          "specifications or columns");
    hanse_status status = translate(fold, other, &t, error);
    for (size_t g = 0; status == HANSE_OK && g < fold->plan->n_groupings; g++)
        if (fold->roles[g] == HANSE_ROLE_ADDED)
            status = merge_grouping(fold, other, g, &t, error);
    if (status == HANSE_OK) {
        fold->rows.read += other->rows.read;
        fold->rows.kept += other->rows.kept;
        for (size_t k = 0; k < fold->plan->n_keys; k++)
            fold->made[k].n_unmapped += other->made[k].n_unmapped;
    }
    translation_clear(&t, fold->plan);
    return status;
}
