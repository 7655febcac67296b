/* SPDX-License-Identifier: Apache-2.0
 *
 * Finishing what memory does not hold. One partition after the other is
 * completed from the spill and finished; its rows go back to the spill, column
 * by column, and its states are freed. Then the rows are brought into order by
 * their keys, which are kept, and the columns of the table are put together.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/finish.h"
#include "engine/scatter.h"
#include "engine/sort.h"

/* Finished rows of one partition in the spill: key numbers, counts, each
 * statistic, 8 bytes a value; then masks, 4 bytes each. */
typedef struct segment {
    size_t n;
    uint64_t place;
} segment;

typedef struct spilled {
    hanse_finishing *f;
    const hanse_shared *shared;
    hanse_partitions *parts;
    hanse_spill *spill;
    segment *segments; /* [owner] */
    size_t n_owners;
    size_t n;       /* rows of all */
    size_t n_paged; /* of those in pages */
    size_t most;    /* rows of one */
    uint64_t n_dropped;
    /* Groups that were left over, by owner. */
    hanse_sort_entry *leftovers;
    size_t n_leftovers;
    hanse_type *segment_types; /* [owner][statistic] */
    hanse_large numbers;       /* [row][key] */
    hanse_large masks;         /* [row] */
    hanse_large ranks;         /* [row] its row in the table */
} spilled;

/* Where column `column` (0: counts) of a segment begins. */
static uint64_t column_place(const spilled *s, const segment *from,
                             size_t column)
{
    return from->place +
           (s->parts->n_keys + column) * from->n * sizeof(int64_t);
}

/* ---- Finishing a partition ---------------------------------------------- */

static hanse_status append(const spilled *s, const void *bytes, size_t n,
                           uint64_t *place, hanse_error *error)
{
    return s->spill->ops->append(s->spill, bytes, n, place, error);
}

/* Everything of the list in one piece, as a segment has it. */
static hanse_status fill_segment(const spilled *s, char *bytes, size_t owner,
                                 hanse_error *error)
{
    hanse_finishing *f = s->f;
    const size_t n = f->list.n, n_keys = s->parts->n_keys;
    int64_t *numbers = (int64_t *)(void *)bytes;
    /* After the columns of 8 bytes, so that all are aligned. */
    char *const columns = bytes + n * n_keys * sizeof *numbers;
    uint32_t *masks = (uint32_t *)(void *)(columns + (1 + f->n_fillings) * n *
                                                         sizeof(int64_t));
    for (size_t row = 0; row < n; row++)
        masks[row] =
            hanse_group_list_numbers(&f->list, row, numbers + row * n_keys);
    f->counts = (int64_t *)(void *)columns;
    for (size_t i = 0; i < f->n_fillings; i++) {
        f->fillings[i].values = columns + (1 + i) * n * sizeof(int64_t);
        s->segment_types[owner * f->n_fillings + i] = f->fillings[i].type;
    }
    return hanse_finish_fill_states(f, 0, n, error);
}

static hanse_status store_segment(spilled *s, size_t owner, hanse_error *error)
{
    const hanse_finishing *f = s->f;
    segment *to = &s->segments[owner];
    const size_t row_bytes =
        (s->parts->n_keys + 1 + f->n_fillings) * sizeof(int64_t) +
        sizeof(uint32_t);
    to->n = f->list.n;
    if (to->n == 0)
        return HANSE_OK;
    char *bytes = hanse_allocate(s->parts->budget, to->n, row_bytes);
    if (bytes == NULL)
        return hanse_fail_budget(error, s->parts->budget, "finished rows",
                                 to->n, row_bytes);
    hanse_status status = fill_segment(s, bytes, owner, error);
    if (status == HANSE_OK)
        status = append(s, bytes, to->n * row_bytes, &to->place, error);
    hanse_free(s->parts->budget, bytes, to->n, row_bytes);
    return status;
}

/* Few: a thread shares a grouping while it is small. */
static hanse_status sort_leftovers(spilled *s, hanse_error *error)
{
    const hanse_partition *from = hanse_partitions_leftovers(s->parts);
    int64_t numbers[HANSE_TUPLE_WIDTH_MAX];
    const size_t n = from->map.n;
    s->leftovers = calloc(2 * n + 1, sizeof *s->leftovers);
    if (s->leftovers == NULL)
        return hanse_fail_nomem(error, "groups left over", n);
    s->n_leftovers = n;
    for (size_t g = 0; g < n; g++) {
        const uint32_t mask =
            hanse_partition_numbers(s->parts, from, g, numbers);
        s->leftovers[g] = (hanse_sort_entry){
            hanse_partitions_owner_of(s->parts, numbers, mask), (uint32_t)g};
    }
    hanse_sort(s->leftovers, s->leftovers + n, n);
    return HANSE_OK;
}

static hanse_status restore(const spilled *s, size_t owner, hanse_error *error)
{
    size_t low = 0, high = s->n_leftovers;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (s->leftovers[middle].key < owner)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < s->n_leftovers && s->leftovers[low].key == owner; low++)
        HANSE_TRY(
            hanse_partitions_restore(s->parts, s->leftovers[low].index, error));
    return HANSE_OK;
}

static hanse_status finish_partition(spilled *s, hanse_scatter *scatter,
                                     size_t owner, hanse_error *error)
{
    hanse_finishing *f = s->f;
    HANSE_TRY(restore(s, owner, error));
    hanse_partition *partition = hanse_partitions_owner(s->parts, owner);
    if (partition == NULL)
        return HANSE_OK;
    HANSE_TRY(hanse_scatter_load(scatter, partition, error));
    hanse_status status = hanse_group_list_of_partition(s->shared, s->parts,
                                                        owner, &f->list, error);
    if (status == HANSE_OK) {
        hanse_finish_choose_types(f);
        status = store_segment(s, owner, error);
        s->n_dropped += f->list.n_dropped;
    }
    hanse_group_list_clear(&f->list);
    hanse_partition_release(partition);
    return status;
}

static bool is_in_memory(const spilled *s, size_t owner)
{
    const hanse_partition *partition = hanse_partitions_owner(s->parts, owner);
    return partition != NULL && partition->fold != NULL;
}

/* Those that are in memory first, which makes room for the others. */
static hanse_status finish_partitions(spilled *s, hanse_error *error)
{
    hanse_scatter *scatter;
    HANSE_TRY(hanse_scatter_create(s->parts, &scatter, error));
    hanse_status status = HANSE_OK;
    bool *is_finished = calloc(s->n_owners, sizeof *is_finished);
    if (is_finished == NULL)
        status = hanse_fail_nomem(error, "partitions", s->n_owners);
    for (size_t o = 0; status == HANSE_OK && o < s->n_owners; o++) {
        if (!is_in_memory(s, o))
            continue;
        status = finish_partition(s, scatter, o, error);
        is_finished[o] = true;
    }
    for (size_t o = 0; status == HANSE_OK && o < s->n_owners; o++)
        if (!is_finished[o])
            status = finish_partition(s, scatter, o, error);
    for (size_t o = 0; o < s->n_owners; o++) {
        s->n += s->segments[o].n;
        s->most = s->segments[o].n > s->most ? s->segments[o].n : s->most;
        if (o + 1 == s->parts->n_pages)
            s->n_paged = s->n;
    }
    free(is_finished);
    hanse_scatter_destroy(scatter);
    return status;
}

/* ---- Order -------------------------------------------------------------- */

static hanse_status read_keys(spilled *s, hanse_error *error)
{
    const size_t n_keys = s->parts->n_keys;
    const size_t n_columns = 1 + s->f->n_fillings;
    int64_t *numbers = s->numbers.memory;
    uint32_t *masks = s->masks.memory;
    for (size_t o = 0; o < s->n_owners; o++) {
        const segment *from = &s->segments[o];
        const size_t number_bytes = from->n * n_keys * sizeof *numbers;
        if (from->n == 0)
            continue;
        HANSE_TRY(s->spill->ops->read(s->spill, from->place, numbers,
                                      number_bytes, error));
        HANSE_TRY(s->spill->ops->read(s->spill,
                                      column_place(s, from, n_columns), masks,
                                      from->n * sizeof *masks, error));
        numbers += from->n * n_keys;
        masks += from->n;
    }
    return HANSE_OK;
}

static hanse_status find_order(spilled *s, hanse_error *error)
{
    hanse_budget *budget = s->parts->budget;
    hanse_finishing *f = s->f;
    HANSE_TRY(hanse_large_allocate(&s->numbers, s->n + 1,
                                   s->parts->n_keys * sizeof(int64_t), budget,
                                   s->spill, "keys of groups", error));
    HANSE_TRY(hanse_large_allocate(&s->masks, s->n + 1, sizeof(uint32_t),
                                   budget, s->spill, "keys of groups", error));
    HANSE_TRY(hanse_large_allocate(&s->ranks, s->n + 1, sizeof(uint32_t),
                                   budget, s->spill, "order of groups", error));
    HANSE_TRY(read_keys(s, error));
    HANSE_TRY(hanse_group_list_of_numbers(
        s->shared, s->parts, s->numbers.memory, s->masks.memory, s->n,
        s->n_paged, f->n_threads, &f->list, error));
    f->list.n_dropped = s->n_dropped;
    uint32_t *ranks = s->ranks.memory;
    for (size_t row = 0; row < s->n; row++)
        ranks[f->list.groups[row]] = (uint32_t)row;
    return HANSE_OK;
}

/* ---- Columns ------------------------------------------------------------ */

/* One type for all segments; what an integer column lacks in one of them makes
 * it a float64 column in all (statistics.h). */
static hanse_type common_type(const spilled *s, size_t statistic)
{
    hanse_type common = HANSE_INT64;
    for (size_t o = 0; o < s->n_owners; o++)
        if (s->segments[o].n != 0)
            common = hanse_type_wider(
                common, s->segment_types[o * s->f->n_fillings + statistic]);
    return common;
}

/* Reads a column (0: counts) of all segments to its rows of the table. */
static hanse_status put_column(const spilled *s, size_t column, int64_t *buffer,
                               int64_t *out, hanse_error *error)
{
    const uint32_t *ranks = s->ranks.memory;
    const size_t n_fillings = s->f->n_fillings;
    for (size_t o = 0; o < s->n_owners; o++) {
        const segment *from = &s->segments[o];
        if (from->n == 0)
            continue;
        HANSE_TRY(s->spill->ops->read(s->spill, column_place(s, from, column),
                                      buffer, from->n * sizeof *buffer, error));
        if (column > 0)
            hanse_widen_values(buffer, from->n,
                               s->segment_types[o * n_fillings + column - 1],
                               s->f->fillings[column - 1].type);
        for (size_t i = 0; i < from->n; i++)
            out[ranks[i]] = buffer[i];
        ranks += from->n;
    }
    return HANSE_OK;
}

static hanse_status put_columns(const spilled *s, hanse_error *error)
{
    const hanse_finishing *f = s->f;
    hanse_budget *budget = s->parts->budget;
    int64_t *buffer = hanse_allocate(budget, s->most + 1, sizeof *buffer);
    if (buffer == NULL)
        return hanse_fail_budget(error, budget, "finished rows", s->most + 1,
                                 sizeof *buffer);
    hanse_status status = put_column(s, 0, buffer, f->counts, error);
    for (size_t i = 0; status == HANSE_OK && i < f->n_fillings; i++)
        status = put_column(s, i + 1, buffer, f->fillings[i].values, error);
    hanse_free(budget, buffer, s->most + 1, sizeof *buffer);
    return status;
}

static hanse_status make_table(spilled *s, hanse_result *result,
                               hanse_error *error)
{
    hanse_finishing *f = s->f;
    if (s->n == 0)
        hanse_finish_choose_types(f);
    for (size_t i = 0; s->n != 0 && i < f->n_fillings; i++)
        f->fillings[i].type = common_type(s, i);
    HANSE_TRY(hanse_finish_make_table(f, result, true, error));
    HANSE_TRY(hanse_finish_copy_texts(f, error));
    hanse_finish_fill_keys(f, 0, f->list.n);
    HANSE_TRY(hanse_finish_fill_labels(f, error));
    return put_columns(s, error);
}

hanse_status hanse_finish_spilled(hanse_finishing *f,
                                  const hanse_shared *shared,
                                  hanse_partitions *parts, hanse_result *result,
                                  hanse_error *error)
{
    spilled s = {.f = f,
                 .shared = shared,
                 .parts = parts,
                 .spill = parts->spill,
                 .n_owners = hanse_partitions_count(parts)};
    s.segments = calloc(s.n_owners, sizeof *s.segments);
    s.segment_types =
        calloc(s.n_owners * f->n_fillings + 1, sizeof *s.segment_types);
    hanse_status status = HANSE_OK;
    if (s.segments == NULL || s.segment_types == NULL)
        status = hanse_fail_nomem(error, "partitions", s.n_owners);
    if (status == HANSE_OK)
        status = sort_leftovers(&s, error);
    if (status == HANSE_OK)
        status = finish_partitions(&s, error);
    if (status == HANSE_OK)
        status = find_order(&s, error);
    if (status == HANSE_OK)
        status = make_table(&s, result, error);
    hanse_large_free(&s.numbers);
    hanse_large_free(&s.masks);
    hanse_large_free(&s.ranks);
    free(s.leftovers);
    free(s.segments);
    free(s.segment_types);
    return status;
}
