/* SPDX-License-Identifier: Apache-2.0
 *
 * Partitions: shaping, creating, destroying.
 */
#include "engine/partitions.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/seed.h"

enum {
    /* More pages than this in sight make larger pages: threads keep some rows
     * of each page that they meet. */
    MOST_PAGES_SEEN = 512,
    LEAST_PAGES = 1024,
    LEAST_GROWTH = 8,
    MOST_PAGES = 1 << 18,
    LEAST_PAGE_SHIFT = 6,
    /* So that threads seldom wait for one another. */
    PAGES_PER_THREAD = 8,
    LEAST_HASHED_BITS = 6,
    MOST_HASHED_BITS = 10,
    /* Places for each group that is expected. */
    MOST_PLACES_PER_GROUP = 4
};

/* From here on partitions are faster: states leave the second cache level, and
 * places by arithmetic save the look-up of combined keys. */
static const size_t default_share_bytes = (size_t)1 << 20;
static const size_t default_page_bytes = (size_t)4 << 20;
static const size_t least_page_bytes = (size_t)2 << 20;

/* Large pages are for many groups. Where memory is limited, pages and their
 * copies while they widen must not take most of it. */
static size_t choose_page_bytes(const hanse_budget *budget)
{
    const uint64_t limit = budget != NULL ? budget->limit_bytes : 0;
    return limit != 0 && limit < (uint64_t)1 << 30 ? least_page_bytes
                                                   : default_page_bytes;
}

/* ---- What the threads share --------------------------------------------- */

hanse_status hanse_shared_init(hanse_shared *shared, const hanse_plan *plan,
                               hanse_budget *budget, uint64_t n_rows,
                               size_t n_threads, hanse_error *error)
{
    *shared = (hanse_shared){.plan = plan,
                             .budget = budget,
                             .n_rows = n_rows,
                             .n_threads = n_threads,
                             .share_bytes = default_share_bytes,
                             .page_bytes = choose_page_bytes(budget)};
    shared->partitions =
        calloc(plan->n_groupings + 1, sizeof *shared->partitions);
    shared->dictionaries =
        calloc(plan->n_keys + 1, sizeof *shared->dictionaries);
    (void)pthread_mutex_init(&shared->lock, NULL);
    for (size_t k = 0; shared->dictionaries != NULL && k < plan->n_keys; k++)
        hanse_dictionary_init(&shared->dictionaries[k], budget);
    return shared->partitions != NULL && shared->dictionaries != NULL
               ? HANSE_OK
               : hanse_fail_nomem(error, "partitions", plan->n_groupings);
}

void hanse_shared_clear(hanse_shared *shared)
{
    const hanse_plan *plan = shared->plan;
    for (size_t g = 0; shared->partitions != NULL && g < plan->n_groupings; g++)
        hanse_partitions_destroy(atomic_load(&shared->partitions[g]));
    for (size_t k = 0; shared->dictionaries != NULL && k < plan->n_keys; k++)
        hanse_dictionary_clear(&shared->dictionaries[k]);
    (void)pthread_mutex_destroy(&shared->lock);
    free(shared->partitions);
    free(shared->dictionaries);
}

/* A lock of a partition is held for some microseconds, so that waiting a little
 * is better than sleeping. */
static void init_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attributes;
    (void)pthread_mutexattr_init(&attributes);
    (void)pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP);
    (void)pthread_mutex_init(lock, &attributes);
    (void)pthread_mutexattr_destroy(&attributes);
}

/* ---- What was seen ------------------------------------------------------ */

/* Groups that the whole table may have (Chao 1984: those not seen yet follow
 * from those seen once and twice), and at the most one for each row. */
static double expected_groups(const hanse_shared *shared,
                              const hanse_fold *seen, size_t grouping)
{
    const hanse_states *states = &seen->states[grouping];
    double n = 0, once = 0, twice = 0;
    for (size_t g = 0; g < states->n_groups; g++) {
        const int64_t rows = states->rows[g * seen->layout.stride];
        n += rows != 0;
        once += rows == 1;
        twice += rows == 2;
    }
    n += once * once / (2.0 * (twice > 0 ? twice : 1));
    return n < (double)shared->n_rows ? n : (double)shared->n_rows;
}

/* Range of the numbers seen of a key; false when there is none that keeps
 * their order. */
static bool seen_range(const hanse_fold *seen, size_t key, hanse_key_range *out)
{
    const hanse_key_codes *codes = &seen->keys[key];
    if (codes->is_text) {
        const uint64_t n = codes->texts.n;
        *out = (hanse_key_range){0, n + n / 4 + 16};
        return true;
    }
    if (codes->ints.n == 0)
        return false;
    int64_t low = codes->ints.values[0], high = low;
    for (size_t i = 0; i < codes->ints.n; i++) {
        const int64_t value = codes->ints.values[i];
        low = value < low ? value : low;
        high = value > high ? value : high;
    }
    /* The patterns of uint64 are in order on either side of 2^63 only. */
    if (seen->plan->keys[key].type == HANSE_UINT64 && (low < 0) != (high < 0))
        return false;
    *out = (hanse_key_range){low, (uint64_t)high - (uint64_t)low + 1};
    return out->extent != 0;
}

/* ---- Shape -------------------------------------------------------------- */

/* Numbers that a key's type has below `base`, and above the range. */
static void type_room(hanse_type type, const hanse_key_range *range,
                      uint64_t *below, uint64_t *above)
{
    const bool is_unsigned = type == HANSE_UINT64;
    const int64_t least = is_unsigned && range->base >= 0 ? 0 : INT64_MIN;
    const int64_t most = is_unsigned && range->base < 0 ? -1 : INT64_MAX;
    const uint64_t last = (uint64_t)range->base + (range->extent - 1);
    *below = (uint64_t)range->base - (uint64_t)least;
    *above = (uint64_t)most - last;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Room for numbers of the first key that are still to come, on both sides: a
 * table that is sorted by it has shown only the beginning. */
static void widen_first(hanse_partitions *parts, const hanse_shared *shared,
                        const hanse_fold *seen, uint64_t inner_slots,
                        uint64_t n_slots)
{
    hanse_key_range *first = &parts->ranges[0];
    const uint64_t page_slots = parts->page_slots;
    const uint64_t n_seen = seen->rows.read + 1;
    uint64_t growth = 3 * (shared->n_rows / n_seen + 1);
    growth = growth < LEAST_GROWTH ? LEAST_GROWTH : growth;
    growth = smaller(growth, MOST_PAGES);
    uint64_t n_pages = growth * (n_slots / page_slots + 1);
    n_pages = n_pages < LEAST_PAGES ? LEAST_PAGES : n_pages;
    n_pages = smaller(n_pages, MOST_PAGES);
    uint64_t below, above;
    type_room(parts->plan->keys[parts->keys[0]].type, first, &below, &above);
    const uint64_t room = n_pages * page_slots / inner_slots - first->extent;
    below = smaller(below, room / 2);
    above = smaller(above, room - below);
    first->base = (int64_t)((uint64_t)first->base - below);
    first->extent += below + above;
    parts->n_pages = (size_t)(first->extent * inner_slots / page_slots) + 1;
}

/* Whether states begin packed. Where rows go to a spill once half of the memory
 * is in use, states that have to be unpacked must not need the other half and
 * more. */
static bool begin_packed(const hanse_spill *spill, const hanse_layout *layout)
{
    return layout->is_packed &&
           (spill == NULL ||
            layout->stride < 2 * HANSE_PACKED_LANES * layout->n_measures);
}

/* Bytes of a group's state in a partition. */
static size_t state_bytes(const hanse_shared *shared, const hanse_fold *seen)
{
    const hanse_states states = {.is_packed =
                                     begin_packed(shared->spill, &seen->layout),
                                 .n_measures = seen->plan->n_measures};
    return hanse_states_stride(&states, &seen->layout) * sizeof(int64_t);
}

/* Places of a page: a power of two, or as many as fill the bytes of a page,
 * which are then given back in huge pages as they came. */
static void shape_pages(hanse_partitions *parts, const hanse_shared *shared,
                        uint64_t n_slots, size_t row_bytes)
{
    const uint64_t least_pages = PAGES_PER_THREAD * shared->n_threads;
    const size_t most = shared->page_bytes / row_bytes;
    unsigned shift = LEAST_PAGE_SHIFT;
    while (((row_bytes << (shift + 1)) <= shared->page_bytes &&
            n_slots >> (shift + 1) >= least_pages) ||
           n_slots >> shift > MOST_PAGES_SEEN)
        shift++;
    parts->page_slots = (size_t)1 << shift;
    parts->page_inverse = (uint64_t)1 << (64 - shift);
    if (most <= parts->page_slots || n_slots / most < least_pages)
        return;
    /* With 2^64 / most rounded up, by a factor of 1 + most / 2^64 at the most,
     * quotients are right below 2^64 / most, beyond all places. */
    parts->page_slots = most;
    parts->page_inverse = UINT64_MAX / most + 1;
}

/* Places by arithmetic, when they would be filled well enough. */
static void shape_places(hanse_partitions *parts, const hanse_shared *shared,
                         const hanse_fold *seen, double n_expected)
{
    uint64_t n_slots = 1, inner_slots = 1;
    const size_t row_bytes = state_bytes(shared, seen);
    for (size_t k = 0; k < parts->n_keys; k++) {
        if (!seen_range(seen, parts->keys[k], &parts->ranges[k]))
            return;
        const uint64_t slots = hanse_partitions_key_slots(parts, k);
        if (slots == 0 || __builtin_mul_overflow(n_slots, slots, &n_slots))
            return;
        if (k > 0)
            inner_slots *= slots;
    }
    if ((double)n_slots > MOST_PLACES_PER_GROUP * n_expected + 1024 ||
        n_slots > (uint64_t)1 << 40)
        return;
    const uint64_t limit =
        shared->budget != NULL ? shared->budget->limit_bytes : 0;
    if (limit != 0 && shared->spill == NULL && n_slots > limit / 2 / row_bytes)
        return;
    shape_pages(parts, shared, n_slots, row_bytes);
    parts->is_dense = true;
    widen_first(parts, shared, seen, inner_slots, n_slots);
}

static void shape_hashed(hanse_partitions *parts, const hanse_shared *shared,
                         const hanse_fold *seen, double n_expected)
{
    const double bytes = n_expected * (double)state_bytes(shared, seen);
    parts->hashed_bits = LEAST_HASHED_BITS;
    while (parts->hashed_bits < MOST_HASHED_BITS &&
           (bytes > (double)shared->page_bytes *
                        (double)((uint64_t)1 << parts->hashed_bits) ||
            (size_t)1 << parts->hashed_bits <
                PAGES_PER_THREAD * shared->n_threads))
        parts->hashed_bits++;
}

/* ---- Creating ----------------------------------------------------------- */

/* A plan whose only grouping has groups that nobody looks up. */
static void make_view(hanse_partitions *parts)
{
    parts->view = *parts->plan;
    parts->view_grouping = parts->plan->groupings[parts->grouping];
    parts->view_grouping.node = 0;
    parts->view_node = (hanse_plan_node){SIZE_MAX, 0};
    parts->view.groupings = &parts->view_grouping;
    parts->view.n_groupings = 1;
    parts->view.nodes = &parts->view_node;
    parts->view.n_nodes = 1;
    parts->view.n_keys = 0;
    parts->view.filter = NULL;
}

static hanse_status create_hashed(hanse_partitions *parts, hanse_error *error)
{
    const size_t n = ((size_t)1 << parts->hashed_bits) + 1;
    parts->hashed = calloc(n, sizeof *parts->hashed);
    if (parts->hashed == NULL)
        return hanse_fail_nomem(error, "partitions", n * sizeof *parts->hashed);
    for (size_t i = 0; i < n; i++) {
        parts->hashed[i].page = SIZE_MAX;
        init_lock(&parts->hashed[i].lock);
        hanse_tuple_map_init(&parts->hashed[i].map, parts->n_keys,
                             parts->budget);
    }
    return HANSE_OK;
}

hanse_status hanse_partitions_create(const hanse_shared *shared,
                                     const hanse_fold *seen, size_t grouping,
                                     hanse_partitions **out, hanse_error *error)
{
    hanse_partitions *parts = calloc(1, sizeof *parts);
    if (parts == NULL)
        return hanse_fail_nomem(error, "partitions", sizeof *parts);
    parts->plan = shared->plan;
    parts->grouping = grouping;
    parts->n_keys = shared->plan->groupings[grouping].n_keys;
    parts->keys = shared->plan->groupings[grouping].keys;
    parts->budget = shared->budget;
    parts->seed = hanse_hash_seed();
    parts->spill = shared->spill;
    parts->most_bytes = shared->most_bytes;
    (void)pthread_mutex_init(&parts->lock, NULL);
    make_view(parts);
    const double n_expected = expected_groups(shared, seen, grouping);
    if (!shared->hash_only)
        shape_places(parts, shared, seen, n_expected);
    shape_hashed(parts, shared, seen, n_expected);
    parts->pages = calloc(parts->n_pages + 1, sizeof *parts->pages);
    hanse_status status = HANSE_OK;
    if (parts->pages == NULL)
        status = hanse_fail_nomem(error, "partitions", parts->n_pages);
    if (status == HANSE_OK)
        status = create_hashed(parts, error);
    if (status == HANSE_OK)
        status = hanse_fold_create_like(seen, &parts->view, &parts->prototype,
                                        error);
    if (status != HANSE_OK) {
        hanse_partitions_destroy(parts);
        return status;
    }
    *out = parts;
    return HANSE_OK;
}

void hanse_partition_release(hanse_partition *partition)
{
    hanse_fold_destroy(partition->fold);
    partition->fold = NULL;
    if (partition->page == SIZE_MAX)
        hanse_tuple_map_clear(&partition->map);
}

static void destroy_partition(hanse_partition *partition)
{
    hanse_partition_release(partition);
    free(partition->extents);
    (void)pthread_mutex_destroy(&partition->lock);
}

void hanse_partitions_destroy(hanse_partitions *parts)
{
    if (parts == NULL)
        return;
    for (size_t p = 0; parts->pages != NULL && p < parts->n_pages; p++) {
        hanse_partition *partition = atomic_load(&parts->pages[p]);
        if (partition != NULL)
            destroy_partition(partition);
        free(partition);
    }
    for (size_t p = 0;
         parts->hashed != NULL && p <= (size_t)1 << parts->hashed_bits; p++)
        destroy_partition(&parts->hashed[p]);
    hanse_fold_destroy(parts->prototype);
    (void)pthread_mutex_destroy(&parts->lock);
    free(parts->pages);
    free(parts->hashed);
    free(parts);
}

/* ---- Partitions --------------------------------------------------------- */

static hanse_status create_page(hanse_partitions *parts, size_t page,
                                hanse_error *error)
{
    if (atomic_load(&parts->pages[page]) != NULL)
        return HANSE_OK;
    hanse_partition *partition = calloc(1, sizeof *partition);
    if (partition == NULL)
        return hanse_fail_nomem(error, "partition", sizeof *partition);
    partition->page = page;
    init_lock(&partition->lock);
    atomic_store(&parts->pages[page], partition);
    return HANSE_OK;
}

hanse_status hanse_partitions_page(hanse_partitions *parts, size_t page,
                                   hanse_partition **out, hanse_error *error)
{
    hanse_status status = HANSE_OK;
    *out = atomic_load(&parts->pages[page]);
    if (*out != NULL)
        return HANSE_OK;
    (void)pthread_mutex_lock(&parts->lock);
    status = create_page(parts, page, error);
    (void)pthread_mutex_unlock(&parts->lock);
    *out = atomic_load(&parts->pages[page]);
    return status;
}

/* Packed, but for groups that will be merged. */
static hanse_status create_states(hanse_partitions *parts,
                                  hanse_partition *partition,
                                  hanse_error *error)
{
    HANSE_TRY(hanse_fold_create_like(parts->prototype, &parts->view,
                                     &partition->fold, error));
    if (partition != hanse_partitions_leftovers(parts) &&
        begin_packed(parts->spill, &partition->fold->layout))
        hanse_states_pack(&partition->fold->states[0],
                          &partition->fold->layout);
    return HANSE_OK;
}

hanse_status hanse_partition_reserve(hanse_partitions *parts,
                                     hanse_partition *partition,
                                     size_t n_groups, hanse_error *error)
{
    if (partition->fold == NULL)
        HANSE_TRY(create_states(parts, partition, error));
    hanse_fold *fold = partition->fold;
    return hanse_states_grow(&fold->states[0], &fold->layout, fold->budget,
                             n_groups, error);
}

/* ---- Spilling ----------------------------------------------------------- */

bool hanse_partition_must_spill(const hanse_partitions *parts,
                                const hanse_partition *partition,
                                size_t n_groups)
{
    const hanse_budget *budget = parts->budget;
    if (parts->spill == NULL || budget == NULL || parts->most_bytes == 0)
        return false;
    const hanse_fold *fold =
        partition->fold != NULL ? partition->fold : parts->prototype;
    const size_t capacity =
        partition->fold != NULL ? fold->states[0].capacity : 0;
    if (n_groups <= capacity)
        return false;
    /* States grow by doubling. */
    const size_t grown = n_groups > 2 * capacity ? n_groups : 2 * capacity;
    const size_t stride = hanse_states_stride(&fold->states[0], &fold->layout);
    const uint64_t needed = grown * stride * sizeof(int64_t);
    return atomic_load(&budget->used_bytes) + needed > parts->most_bytes;
}

static hanse_status reserve_extent(hanse_partition *partition,
                                   hanse_error *error)
{
    if (partition->n_extents < partition->extent_capacity)
        return HANSE_OK;
    const size_t wanted = 2 * partition->extent_capacity + 16;
    hanse_extent *larger = realloc(partition->extents, wanted * sizeof *larger);
    if (larger == NULL)
        return hanse_fail_nomem(error, "spilled rows", wanted * sizeof *larger);
    partition->extents = larger;
    partition->extent_capacity = wanted;
    return HANSE_OK;
}

hanse_status hanse_partition_spill(hanse_partitions *parts,
                                   hanse_partition *partition,
                                   const void *records, size_t n_rows,
                                   size_t row_bytes, hanse_error *error)
{
    hanse_extent extent = {.n_rows = n_rows};
    HANSE_TRY(reserve_extent(partition, error));
    HANSE_TRY(parts->spill->ops->append(
        parts->spill, records, n_rows * row_bytes, &extent.place, error));
    partition->extents[partition->n_extents++] = extent;
    atomic_store_explicit(&parts->is_spilled, true, memory_order_relaxed);
    return HANSE_OK;
}
