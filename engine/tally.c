/* SPDX-License-Identifier: Apache-2.0
 *
 * Ranges of hashes and shards.
 */
#include "engine/tally.h"

#include <pthread.h>
#include <stdlib.h>

#include "engine/base/seed.h"

enum {
    MOST_SHARDS = 64,
    FEWEST_SLOTS = 64,  /* of a table */
    SHARD_SLOTS = 1024, /* of each of several shards, at least */
    N_STAGED = 512,     /* values on their way to the shards */
    MOST_PASSES = 1024
};

struct hanse_tally_shard {
    _Alignas(HANSE_ALIGNMENT) pthread_mutex_t lock;
    hanse_value_counts counts;
    uint64_t last; /* of the hashes in it */
};

static hanse_budget *budget_of(const hanse_tally *t)
{
    return t->fold->budget;
}

void hanse_tally_init(hanse_tally *t, const hanse_fold *fold, size_t grouping,
                      size_t measure, hanse_value_summary *summaries)
{
    *t = (hanse_tally){.fold = fold,
                       .grouping = grouping,
                       .measure = measure,
                       .summaries = summaries,
                       .seed = hanse_hash_seed()};
}

static void clear_pass(hanse_tally *t)
{
    for (size_t i = 0; t->shards != NULL && i < t->n_shards; i++) {
        (void)pthread_mutex_destroy(&t->shards[i].lock);
        hanse_group_array_clear(&t->shards[i].counts.large, budget_of(t),
                                sizeof(hanse_value_item));
    }
    hanse_free(budget_of(t), t->shards, t->n_shards, sizeof *t->shards);
    hanse_free(budget_of(t), t->slots, t->n_slots, sizeof *t->slots);
    t->shards = NULL;
    t->slots = NULL;
}

void hanse_tally_clear(hanse_tally *t)
{
    if (t->fold != NULL)
        clear_pass(t);
}

/* ---- The beginning of a pass -------------------------------------------- */

uint64_t hanse_tally_room(const hanse_budget *budget)
{
    if (budget == NULL || budget->limit_bytes == 0)
        return UINT64_MAX;
    const uint64_t used = atomic_load(&budget->used_bytes);
    return budget->limit_bytes > used ? (budget->limit_bytes - used) / 4 * 3
                                      : 0;
}

/* Values that n slots hold with short ways to each. */
static size_t capacity_of(size_t n_slots)
{
    return n_slots / 5 * 4;
}

/* The range that the next pass begins with: all that is left, or as large a
 * part of it as fits, by what has been counted so far. */
static uint64_t choose_last(const hanse_tally *t)
{
    if (t->first == 0 || t->n_counted == 0)
        return UINT64_MAX;
    const double done = (double)t->first, left = (double)(0 - t->first);
    const double expected = (double)t->n_counted / done * left;
    /* A tenth for chance, which does not divide evenly. */
    const double n_passes = 1.1 * expected / (double)capacity_of(t->n_slots);
    if (n_passes <= 1.0)
        return UINT64_MAX;
    return t->first + (uint64_t)(left / (double)((uint64_t)n_passes + 1)) - 1;
}

static size_t choose_slots(uint64_t n_bytes, uint64_t n_values)
{
    uint64_t n = n_bytes / sizeof(hanse_value_slot);
    if (n / 2 > n_values)
        n = 2 * n_values;
    return n < FEWEST_SLOTS ? FEWEST_SLOTS : (size_t)n;
}

static size_t choose_shards(size_t n_slots, size_t n_threads)
{
    size_t n = 1;
    while (n_threads > 1 && n < MOST_SHARDS && n_slots / (2 * n) >= SHARD_SLOTS)
        n *= 2;
    return n;
}

static void init_shards(hanse_tally *t)
{
    for (size_t i = 0; i < t->n_shards; i++) {
        const size_t first = t->n_slots / t->n_shards * i;
        (void)pthread_mutex_init(&t->shards[i].lock, NULL);
        t->shards[i].last = t->last;
        t->shards[i].counts =
            (hanse_value_counts){.budget = budget_of(t),
                                 .seed = t->seed,
                                 .slots = t->slots + first,
                                 .n_slots = t->n_slots / t->n_shards};
    }
}

hanse_status hanse_tally_begin(hanse_tally *t, uint64_t n_bytes,
                               uint64_t n_values, size_t n_threads,
                               hanse_error *error)
{
    hanse_budget *budget = budget_of(t);
    t->n_slots = choose_slots(n_bytes, n_values);
    t->n_shards = choose_shards(t->n_slots, n_threads);
    t->last = choose_last(t);
    t->slots = hanse_allocate_zero(budget, t->n_slots, sizeof *t->slots);
    t->shards = hanse_allocate_zero(budget, t->n_shards, sizeof *t->shards);
    if (t->slots != NULL && t->shards != NULL) {
        init_shards(t);
        return HANSE_OK;
    }
    hanse_free(budget, t->shards, t->n_shards, sizeof *t->shards);
    t->shards = NULL;
    clear_pass(t);
    return hanse_fail_budget(error, budget, "different values (nunique, mode)",
                             t->n_slots, sizeof *t->slots);
}

/* ---- Adding to a shard -------------------------------------------------- */

/* Gives up the last quarter of a range, unless another thread has narrowed it
 * meanwhile. False when there is only one hash left. */
static bool narrow(hanse_tally *t, uint64_t last)
{
    const uint64_t length = last - t->first;
    if (length == 0)
        return false;
    (void)atomic_compare_exchange_strong(&t->last, &last,
                                         t->first + length / 2 + length / 4);
    return true;
}

/* Room for one more value. */
static hanse_status make_room(hanse_tally *t, hanse_tally_shard *shard,
                              hanse_error *error)
{
    while (shard->counts.n >= capacity_of(shard->counts.n_slots)) {
        const uint64_t last = atomic_load(&t->last);
        if (shard->last > last) {
            hanse_value_counts_purge(&shard->counts, last);
            shard->last = last;
        } else if (!narrow(t, last)) {
            return hanse_fail(error, HANSE_ERR_LIMIT,
                              "memory limit reached: different values "
                              "(nunique, mode); raise --memory");
        }
    }
    return HANSE_OK;
}

/* Values on their way to the shards, with their hashes. */
typedef struct staged {
    size_t n;
    hanse_value_item items[N_STAGED];
    uint64_t hashes[N_STAGED];
} staged;

static hanse_tally_shard *shard_of(const hanse_tally *t, uint64_t hash)
{
    return &t->shards[hash & (t->n_shards - 1)];
}

static hanse_status add_to_shard(hanse_tally *t, hanse_tally_shard *shard,
                                 const staged *s, const uint16_t *order,
                                 size_t n, hanse_error *error)
{
    hanse_status status = HANSE_OK;
    (void)pthread_mutex_lock(&shard->lock);
    for (size_t i = 0; status == HANSE_OK && i < n; i++) {
        status = make_room(t, shard, error);
        if (status == HANSE_OK && s->hashes[order[i]] <= shard->last)
            status = hanse_value_counts_add(&shard->counts, &s->items[order[i]],
                                            s->hashes[order[i]], error);
    }
    (void)pthread_mutex_unlock(&shard->lock);
    return status;
}

static hanse_status add_staged(hanse_tally *t, staged *s, hanse_error *error)
{
    uint16_t order[N_STAGED];
    size_t ends[MOST_SHARDS + 1] = {0};
    for (size_t i = 0; i < s->n; i++) {
        hanse_value_counts_prefetch(&shard_of(t, s->hashes[i])->counts,
                                    s->hashes[i]);
        ends[(s->hashes[i] & (t->n_shards - 1)) + 1]++;
    }
    for (size_t k = 1; k < t->n_shards; k++)
        ends[k] += ends[k - 1];
    for (size_t i = 0; i < s->n; i++)
        order[ends[s->hashes[i] & (t->n_shards - 1)]++] = (uint16_t)i;
    for (size_t k = 0, first = 0; k < t->n_shards; first = ends[k++])
        if (ends[k] != first)
            HANSE_TRY(add_to_shard(t, &t->shards[k], s, order + first,
                                   ends[k] - first, error));
    s->n = 0;
    return HANSE_OK;
}

/* ---- Adding ------------------------------------------------------------- */

static inline hanse_status stage(hanse_tally *t, staged *s, int64_t value,
                                 uint32_t group, uint64_t count,
                                 hanse_error *error)
{
    const uint64_t hash = hanse_value_hash(value, group, t->seed);
    if (hash < t->first ||
        hash > atomic_load_explicit(&t->last, memory_order_relaxed))
        return HANSE_OK;
    s->hashes[s->n] = hash;
    s->items[s->n++] = (hanse_value_item){value, count, group};
    return s->n == N_STAGED ? add_staged(t, s, error) : HANSE_OK;
}

hanse_status hanse_tally_add(hanse_tally *t, const hanse_block *block,
                             hanse_error *error)
{
    const hanse_plan *plan = t->fold->plan;
    const size_t node = plan->groupings[t->grouping].node;
    const size_t m = t->measure;
    const bool is_float = plan->measures[m].number == HANSE_NUMBER_FLOAT;
    const uint32_t *groups = node == SIZE_MAX ? NULL : block->node_codes[node];
    const size_t n_groups = hanse_fold_node_groups(t->fold, node);
    staged s;
    s.n = 0;
    for (size_t i = 0; i < block->n; i++) {
        int64_t value = block->values[m][i];
        const uint32_t group = groups == NULL ? 0 : groups[i];
        /* An unknown group only if the table changes while it is read. */
        if ((is_float ? hanse_value_is_nan(value)
                      : block->any_absent[m] && block->absent[m][i] != 0) ||
            group >= n_groups)
            continue;
        if (is_float && value == INT64_MIN)
            value = 0; /* -0.0 */
        HANSE_TRY(stage(t, &s, value, group, 1, error));
    }
    return add_staged(t, &s, error);
}

static size_t group_above(const hanse_tally *t, size_t finer, size_t group)
{
    const hanse_plan *plan = t->fold->plan;
    return hanse_fold_group_above(t->fold, plan->groupings[finer].node,
                                  plan->groupings[t->grouping].node, group);
}

hanse_status hanse_tally_add_counts(hanse_tally *t, size_t finer,
                                    const hanse_value_counts *counts,
                                    size_t first, size_t end,
                                    hanse_error *error)
{
    staged s;
    s.n = 0;
    for (size_t i = first; i < end; i++) {
        const hanse_value_slot *slot = &counts->slots[i];
        if (slot->count != 0)
            HANSE_TRY(stage(t, &s, slot->value,
                            (uint32_t)group_above(t, finer, slot->group),
                            slot->count, error));
    }
    return add_staged(t, &s, error);
}

hanse_status hanse_tally_add_large(hanse_tally *t, size_t finer,
                                   const hanse_value_counts *counts,
                                   hanse_error *error)
{
    const hanse_value_item *large = counts->large.items;
    staged s;
    s.n = 0;
    for (size_t i = 0; i < counts->large.n; i++)
        HANSE_TRY(stage(t, &s, large[i].value,
                        (uint32_t)group_above(t, finer, large[i].group),
                        large[i].count, error));
    return add_staged(t, &s, error);
}

/* ---- The end of a pass -------------------------------------------------- */

hanse_status hanse_tally_end(hanse_tally *t, hanse_error *error)
{
    const hanse_number number = t->fold->plan->measures[t->measure].number;
    const bool is_first = t->first == 0;
    const uint64_t last = atomic_load(&t->last);
    for (size_t i = 0; i < t->n_shards; i++)
        t->n_counted += hanse_value_counts_summarise(&t->shards[i].counts, last,
                                                     number, t->summaries);
    clear_pass(t);
    t->first = last + 1;
    t->is_done = last == UINT64_MAX;
    if (is_first && last < UINT64_MAX / MOST_PASSES)
        return hanse_fail(error, HANSE_ERR_LIMIT,
                          "memory limit reached: to count the different values "
                          "of %s the table would be read more than %d times; "
                          "raise --memory",
                          t->fold->plan->measures[t->measure].name,
                          MOST_PASSES);
    return HANSE_OK;
}
