/* SPDX-License-Identifier: Apache-2.0
 *
 * Scattering rows over partitions.
 */
#include "engine/scatter.h"

#include <stdlib.h>
#include <string.h>

#include "engine/scatter_records.h"

enum {
    RECORDS = HANSE_LIMB_BATCH, /* collected for a partition */
    /* Buffers in use at a time; beyond that all are emptied first. At the usual
     * 32 bytes a record they are 8 MiB. */
    MOST_BUFFERS = 1024,
    STATES_ASKED = HANSE_PREFETCH_ROWS + HANSE_LINE_LANES
};
_Static_assert((int)RECORDS <= (int)HANSE_TUPLE_BATCH, "one look-up a buffer");

static const uint64_t no_place = UINT64_MAX;

typedef struct buffer {
    uint64_t *records; /* NULL: none yet */
    size_t n;
} buffer;

/* Pages or hashed partitions: buffers, and which of them have records. */
typedef struct side {
    buffer *buffers;
    size_t n_buffers;
    size_t *used;
    size_t n_used;
    hanse_record_shape shape;
    uint64_t **spare;
    size_t n_spare;
} side;

struct hanse_scatter {
    hanse_partitions *parts;
    side pages;
    side hashed;
    uint64_t places[HANSE_BLOCK_ROWS];
    /* For adding: a block of RECORDS rows, and the layout that its pieces
     * follow. */
    hanse_block block;
    hanse_layout pieces;
    uint32_t *heads; /* of the records: groups in a page, or masks */
    int64_t *tuples;
    uint32_t *found; /* groups in a hashed partition */
};

/* ---- Creating ----------------------------------------------------------- */

static bool side_init(side *s, size_t n_buffers, hanse_record_shape shape)
{
    *s = (side){.n_buffers = n_buffers, .shape = shape};
    s->buffers = calloc(n_buffers + 1, sizeof *s->buffers);
    s->used = calloc(MOST_BUFFERS, sizeof *s->used);
    s->spare = calloc(MOST_BUFFERS, sizeof *s->spare);
    return s->buffers != NULL && s->used != NULL && s->spare != NULL;
}

static void free_records(const hanse_scatter *scatter, const side *s,
                         uint64_t *records)
{
    hanse_free(scatter->parts->budget, records, RECORDS,
               s->shape.words * sizeof *records);
}

static void side_clear(const hanse_scatter *scatter, side *s)
{
    for (size_t i = 0; i < s->n_used; i++)
        free_records(scatter, s, s->buffers[s->used[i]].records);
    for (size_t i = 0; i < s->n_spare; i++)
        free_records(scatter, s, s->spare[i]);
    free(s->buffers);
    free(s->used);
    free(s->spare);
}

hanse_status hanse_scatter_create(hanse_partitions *parts, hanse_scatter **out,
                                  hanse_error *error)
{
    hanse_budget *budget = parts->budget;
    hanse_scatter *s = calloc(1, sizeof *s);
    if (s == NULL)
        return hanse_fail_nomem(error, "rows of partitions", sizeof *s);
    s->parts = parts;
    const hanse_record_shape placed = hanse_record_shape_of(parts->plan, 0);
    s->heads = hanse_allocate(budget, RECORDS, sizeof *s->heads);
    s->found = hanse_allocate(budget, RECORDS, sizeof *s->found);
    s->tuples =
        hanse_allocate(budget, RECORDS, parts->n_keys * sizeof *s->tuples);
    const bool sides =
        side_init(&s->pages, parts->n_pages, placed) &&
        side_init(&s->hashed, (size_t)1 << parts->hashed_bits,
                  hanse_record_shape_of(parts->plan, parts->n_keys));
    hanse_status status = HANSE_OK;
    if (s->heads == NULL || s->found == NULL || s->tuples == NULL || !sides)
        status = hanse_fail_budget(error, budget, "rows of partitions", RECORDS,
                                   placed.words * sizeof(uint64_t));
    if (status == HANSE_OK)
        status = hanse_block_init(&s->block, &parts->view, budget, error);
    if (status != HANSE_OK) {
        hanse_scatter_destroy(s);
        return status;
    }
    *out = s;
    return HANSE_OK;
}

void hanse_scatter_destroy(hanse_scatter *s)
{
    if (s == NULL)
        return;
    hanse_budget *budget = s->parts->budget;
    side_clear(s, &s->pages);
    side_clear(s, &s->hashed);
    hanse_block_clear(&s->block, &s->parts->view, budget);
    hanse_layout_clear(&s->pieces);
    hanse_free(budget, s->heads, RECORDS, sizeof *s->heads);
    hanse_free(budget, s->found, RECORDS, sizeof *s->found);
    hanse_free(budget, s->tuples, RECORDS,
               s->parts->n_keys * sizeof *s->tuples);
    free(s);
}

/* ---- Adding to a partition ---------------------------------------------- */

/* Groups of the records of a hashed partition. */
static hanse_status look_up(hanse_scatter *s, hanse_partition *partition,
                            const uint64_t *records, size_t n,
                            hanse_error *error)
{
    const size_t n_keys = s->hashed.shape.n_keys;
    const size_t words = s->hashed.shape.words;
    for (size_t i = 0; i < n; i++)
        memcpy(s->tuples + i * n_keys, records + i * words + 1,
               n_keys * sizeof *s->tuples);
    return hanse_tuple_map_codes(&partition->map, s->tuples, s->heads, n,
                                 s->found, error);
}

/* Adds the block to the states of a partition; `groups` are those of its rows.
 */
static hanse_status add_block(hanse_scatter *s, hanse_fold *fold,
                              uint32_t *groups, hanse_error *error)
{
    const size_t stride = hanse_states_stride(&fold->states[0], &fold->layout);
    /* The kernels ask for the states of later rows as they go. */
    for (size_t i = 0; i < s->block.n && i < STATES_ASKED; i++)
        hanse_prefetch_state(fold->states[0].rows + groups[i] * stride, stride);
    /* The pieces follow the layout of the partition that was added to last. */
    if (s->pieces.addends != NULL &&
        hanse_layout_same(&s->pieces, &fold->layout))
        s->block.layout_version = fold->layout.version;
    else
        s->block.layout_version = 0;
    fold->block = s->block;
    fold->block.node_codes = &groups;
    const hanse_status status = hanse_fold_sums(fold, error);
    uint32_t **const node_codes = s->block.node_codes;
    const bool is_followed = s->block.layout_version != 0 &&
                             fold->layout.version == s->block.layout_version;
    s->block = fold->block;
    s->block.node_codes = node_codes;
    fold->block = (hanse_block){0};
    if (is_followed || status != HANSE_OK)
        return status;
    hanse_layout_clear(&s->pieces);
    /* Widened at the very end, the pieces follow no layout that is left. */
    if (s->block.layout_version != fold->layout.version)
        return HANSE_OK;
    return hanse_layout_copy(&s->pieces, &fold->layout, error);
}

/* Groups that a partition would have at the most with the records. */
static size_t groups_with(const hanse_scatter *s,
                          const hanse_partition *partition, size_t n)
{
    return partition->page != SIZE_MAX ? s->parts->page_slots
                                       : partition->map.n + n;
}

static hanse_status add_locked(hanse_scatter *s, hanse_partition *partition,
                               const uint64_t *records, size_t n,
                               hanse_error *error)
{
    hanse_partitions *parts = s->parts;
    if (partition->page != SIZE_MAX) {
        HANSE_TRY(hanse_partition_reserve(parts, partition, parts->page_slots,
                                          error));
        return add_block(s, partition->fold, s->heads, error);
    }
    HANSE_TRY(look_up(s, partition, records, n, error));
    HANSE_TRY(
        hanse_partition_reserve(parts, partition, partition->map.n, error));
    return add_block(s, partition->fold, s->found, error);
}

static hanse_status find_partition(hanse_scatter *s, const side *from,
                                   size_t index, hanse_partition **out,
                                   hanse_error *error)
{
    if (from == &s->pages)
        return hanse_partitions_page(s->parts, index, out, error);
    *out = &s->parts->hashed[index];
    return HANSE_OK;
}

static hanse_status empty_buffer(hanse_scatter *s, const side *from,
                                 size_t index, hanse_error *error)
{
    buffer *b = &from->buffers[index];
    hanse_partition *partition;
    if (b->n == 0)
        return HANSE_OK;
    HANSE_TRY(find_partition(s, from, index, &partition, error));
    hanse_records_unpack(&from->shape, s->parts->plan, b->records, b->n,
                         s->heads, &s->block);
    (void)pthread_mutex_lock(&partition->lock);
    const hanse_status status =
        hanse_partition_must_spill(s->parts, partition,
                                   groups_with(s, partition, b->n))
            ? hanse_partition_spill(s->parts, partition, b->records, b->n,
                                    from->shape.words * sizeof *b->records,
                                    error)
            : add_locked(s, partition, b->records, b->n, error);
    (void)pthread_mutex_unlock(&partition->lock);
    b->n = 0;
    return status;
}

hanse_status hanse_scatter_load(hanse_scatter *s, hanse_partition *partition,
                                hanse_error *error)
{
    const side *from = partition->page != SIZE_MAX ? &s->pages : &s->hashed;
    const size_t row_bytes = from->shape.words * sizeof(uint64_t);
    hanse_spill *spill = s->parts->spill;
    if (partition->n_extents == 0)
        return HANSE_OK;
    uint64_t *records = hanse_allocate(s->parts->budget, RECORDS, row_bytes);
    if (records == NULL)
        return hanse_fail_budget(error, s->parts->budget, "spilled rows",
                                 RECORDS, row_bytes);
    hanse_status status = HANSE_OK;
    for (size_t e = 0; status == HANSE_OK && e < partition->n_extents; e++) {
        const hanse_extent *extent = &partition->extents[e];
        status = spill->ops->read(spill, extent->place, records,
                                  extent->n_rows * row_bytes, error);
        if (status != HANSE_OK)
            break;
        hanse_records_unpack(&from->shape, s->parts->plan, records,
                             extent->n_rows, s->heads, &s->block);
        status = add_locked(s, partition, records, extent->n_rows, error);
    }
    partition->n_extents = 0;
    hanse_free(s->parts->budget, records, RECORDS, row_bytes);
    return status;
}

static hanse_status empty_side(hanse_scatter *s, side *from, hanse_error *error)
{
    for (size_t i = 0; i < from->n_used; i++)
        HANSE_TRY(empty_buffer(s, from, from->used[i], error));
    for (size_t i = 0; i < from->n_used; i++) {
        buffer *b = &from->buffers[from->used[i]];
        from->spare[from->n_spare++] = b->records;
        b->records = NULL;
    }
    from->n_used = 0;
    return HANSE_OK;
}

hanse_status hanse_scatter_flush(hanse_scatter *s, hanse_error *error)
{
    HANSE_TRY(empty_side(s, &s->pages, error));
    return empty_side(s, &s->hashed, error);
}

/* ---- Collecting --------------------------------------------------------- */

static hanse_status new_buffer(hanse_scatter *s, side *to, size_t index,
                               hanse_error *error)
{
    hanse_budget *budget = s->parts->budget;
    if (to->n_used == MOST_BUFFERS)
        HANSE_TRY(empty_side(s, to, error));
    uint64_t *records;
    if (to->n_spare > 0) {
        records = to->spare[--to->n_spare];
    } else {
        records =
            hanse_allocate(budget, RECORDS, to->shape.words * sizeof *records);
        if (records == NULL)
            return hanse_fail_budget(error, budget, "rows of partitions",
                                     RECORDS,
                                     to->shape.words * sizeof *records);
    }
    to->buffers[index] = (buffer){records, 0};
    to->used[to->n_used++] = index;
    return HANSE_OK;
}

/* Room for one more record of a partition. */
static inline hanse_status make_room(hanse_scatter *s, side *to, size_t index,
                                     hanse_error *error)
{
    const buffer *b = &to->buffers[index];
    if (b->records == NULL)
        return new_buffer(s, to, index, error);
    return b->n == RECORDS ? empty_buffer(s, to, index, error) : HANSE_OK;
}

/* Places of the block's rows; `no_place` outside the ranges. Returns whether
 * all rows have one. */
static bool find_places(hanse_scatter *s, const hanse_block *block)
{
    const hanse_partitions *parts = s->parts;
    uint64_t *places = s->places;
    for (size_t k = 0; k < parts->n_keys; k++) {
        const size_t key = parts->keys[k];
        const int64_t *numbers = block->key_numbers[key];
        const uint8_t *missing =
            block->any_key_missing[key] ? block->key_missing[key] : NULL;
        const uint64_t base = (uint64_t)parts->ranges[k].base;
        const uint64_t extent = parts->ranges[k].extent;
        for (size_t i = 0; i < block->n; i++) {
            uint64_t offset = (uint64_t)numbers[i] - base;
            bool inside = offset < extent;
            if (missing != NULL && missing[i]) {
                offset = extent;
                inside = k > 0;
            }
            const uint64_t outer = k == 0 ? 0 : places[i] * (extent + 1);
            places[i] = inside && (k == 0 || places[i] != no_place)
                            ? outer + offset
                            : no_place;
        }
    }
    bool all = true;
    for (size_t i = 0; i < block->n; i++)
        all &= places[i] != no_place;
    return all;
}

static hanse_status add_hashed(hanse_scatter *s, const hanse_block *block,
                               size_t row, hanse_error *error)
{
    const hanse_partitions *parts = s->parts;
    int64_t tuple[HANSE_TUPLE_WIDTH_MAX];
    uint32_t mask = 0;
    for (size_t k = 0; k < parts->n_keys; k++) {
        const size_t key = parts->keys[k];
        const bool is_missing =
            block->any_key_missing[key] && block->key_missing[key][row];
        tuple[k] = is_missing ? 0 : block->key_numbers[key][row];
        mask |= (uint32_t)is_missing << k;
    }
    const uint64_t hash =
        hanse_tuple_hash(tuple, parts->n_keys, mask, parts->seed);
    const size_t index = (size_t)(hash >> (64 - parts->hashed_bits));
    side *to = &s->hashed;
    HANSE_TRY(make_room(s, to, index, error));
    buffer *b = &to->buffers[index];
    uint64_t *record = b->records + b->n++ * to->shape.words;
    record[0] = mask;
    memcpy(record + 1, tuple, parts->n_keys * sizeof *tuple);
    hanse_record_store_measures(&to->shape, block, row,
                                record + 1 + parts->n_keys);
    return HANSE_OK;
}

/* A row that has a place. */
static inline hanse_status add_placed(hanse_scatter *s,
                                      const hanse_block *block, size_t row,
                                      hanse_error *error)
{
    const hanse_partitions *parts = s->parts;
    side *to = &s->pages;
    const size_t page = hanse_partitions_page_of(parts, s->places[row]);
    HANSE_TRY(make_room(s, to, page, error));
    buffer *b = &to->buffers[page];
    uint64_t *record = b->records + b->n++ * to->shape.words;
    record[0] = s->places[row] - page * parts->page_slots;
    hanse_record_store_measures(&to->shape, block, row, record + 1);
    return HANSE_OK;
}

/* The usual rows: all placed, measures without missing marks. Inlined with the
 * number of measures. */
static inline __attribute__((always_inline)) hanse_status
add_plain_rows(hanse_scatter *s, const hanse_block *block, size_t n_measures,
               hanse_error *error)
{
    const uint64_t page_slots = s->parts->page_slots;
    side *to = &s->pages;
    for (size_t i = 0; i < block->n; i++) {
        const size_t page = hanse_partitions_page_of(s->parts, s->places[i]);
        HANSE_TRY(make_room(s, to, page, error));
        buffer *b = &to->buffers[page];
        uint64_t *record = b->records + b->n++ * (1 + n_measures);
        record[0] = s->places[i] - page * page_slots;
        for (size_t m = 0; m < n_measures; m++)
            record[1 + m] = (uint64_t)block->values[m][i];
    }
    return HANSE_OK;
}

static hanse_status add_plain(hanse_scatter *s, const hanse_block *block,
                              hanse_error *error)
{
    switch (s->parts->plan->n_measures) {
    case 1:
        return add_plain_rows(s, block, 1, error);
    case 2:
        return add_plain_rows(s, block, 2, error);
    case 3:
        return add_plain_rows(s, block, 3, error);
    default:
        return add_plain_rows(s, block, s->parts->plan->n_measures, error);
    }
}

hanse_status hanse_scatter_add(hanse_scatter *s, const hanse_block *block,
                               hanse_error *error)
{
    hanse_partitions *parts = s->parts;
    for (size_t k = 0; k < parts->n_keys; k++)
        if (block->any_key_missing[parts->keys[k]])
            atomic_store_explicit(&parts->any_missing[k], true,
                                  memory_order_relaxed);
    if (parts->is_dense && find_places(s, block) &&
        s->pages.shape.n_absent_words == 0)
        return add_plain(s, block, error);
    for (size_t i = 0; i < block->n; i++)
        HANSE_TRY(parts->is_dense && s->places[i] != no_place
                      ? add_placed(s, block, i, error)
                      : add_hashed(s, block, i, error));
    return HANSE_OK;
}
