/* SPDX-License-Identifier: Apache-2.0
 *
 * Statistics beyond plain sums and extremes: each is a module with states of
 * its own and the operations of hanse_extra_ops. The fold knows only this
 * interface. States of a grouping take rows in any order; where the order
 * matters (first, last, ties of topN) they look at the row numbers.
 */
#ifndef HANSE_ENGINE_EXTRAS_H
#define HANSE_ENGINE_EXTRAS_H

#include "engine/base/memory.h"
#include "engine/plan.h"
#include "engine/result.h"
#include "engine/source.h"

struct hanse_fold;

/* Evaluated rows of one grouping, at most HANSE_BLOCK_ROWS. */
typedef struct hanse_extra_rows {
    size_t n;
    size_t n_groups;        /* of the grouping so far, these rows included */
    const uint32_t *groups; /* NULL: all in group 0 */
    int64_t *const
        *values; /* [plan value][row]: bits of binary64 or integers */
    /* [plan value][row], integers only: non-zero where missing; [value] NULL
     * where none is. */
    const uint8_t *const *absent;
    const uint64_t *numbers;      /* of the rows in the table */
    const hanse_array *id_texts;  /* of a text id, else NULL */
    const uint64_t *id_positions; /* of the rows in id_texts */
} hanse_extra_rows;

static inline size_t hanse_extra_group(const hanse_extra_rows *rows, size_t i)
{
    return rows->groups == NULL ? 0 : rows->groups[i];
}

static inline bool hanse_value_is_nan(int64_t bits)
{
    return (uint64_t)(bits & INT64_MAX) > (uint64_t)0x7ff << 52;
}

/* Whether value `value` (index in the plan) of row i is missing. */
static inline bool hanse_extra_absent(const hanse_extra_rows *rows,
                                      hanse_number number, size_t value,
                                      size_t i)
{
    if (number == HANSE_NUMBER_FLOAT)
        return hanse_value_is_nan(rows->values[value][i]);
    return rows->absent[value] != NULL && rows->absent[value][i] != 0;
}

/* A grouping on its way to a table (finish.c). */
typedef struct hanse_extra_target {
    const struct hanse_fold *fold;   /* numbers the groups */
    const struct hanse_fold *states; /* has their sums and extras */
    size_t grouping;
    const uint32_t *groups; /* of the table's rows */
    size_t n;
    hanse_owned_table *table;
} hanse_extra_target;

/* What one module can do. States of one grouping are behind `state`. */
typedef struct hanse_extra_ops {
    bool (*needed)(const hanse_plan *plan);
    /* The zero state; *state is set only on success. */
    hanse_status (*create)(const hanse_plan *plan, size_t grouping,
                           hanse_budget *budget, void **state,
                           hanse_error *error);
    void (*destroy)(void *state); /* accepts NULL */
    hanse_status (*add)(void *state, const hanse_extra_rows *rows,
                        hanse_error *error);
    /* Adds the groups 0 .. n_from - 1 of `from` to groups map[..] (NULL: 0)
     * of `state`, which then has n_groups. `take`: `from` may be emptied, it
     * will only be destroyed. */
    hanse_status (*merge)(void *state, size_t n_groups, void *from,
                          size_t n_from, const uint32_t *map, bool take,
                          hanse_error *error);
    /* Adds the columns of `statistic` (one of the module's) of a measure; of a
     * pair of measures, those of all pairs. */
    hanse_status (*emit)(const void *state, const hanse_extra_target *target,
                         uint32_t statistic, size_t measure,
                         hanse_error *error);
    uint32_t statistics; /* of hanse_statistic, HANSE_EXTRA_* */
} hanse_extra_ops;

/* Beside the bits of hanse_statistic. */
#define HANSE_EXTRA_QUANTILES (1u << 30)
#define HANSE_EXTRA_TOP       (1u << 31)

extern const hanse_extra_ops hanse_moments_ops;
extern const hanse_extra_ops hanse_ordered_ops;
extern const hanse_extra_ops hanse_distinct_ops;
extern const hanse_extra_ops hanse_weighted_ops;
extern const hanse_extra_ops hanse_quantile_ops;
extern const hanse_extra_ops hanse_top_ops;
extern const hanse_extra_ops hanse_pairs_ops;

enum {
    HANSE_N_EXTRAS = 7
};

/* All modules' states of one grouping. */
typedef struct hanse_extras {
    void *states[HANSE_N_EXTRAS]; /* NULL: not asked for */
} hanse_extras;

/* Whether a plan asks for any of them. */
bool hanse_extras_needed(const hanse_plan *plan);

hanse_status hanse_extras_init(hanse_extras *extras, const hanse_plan *plan,
                               size_t grouping, hanse_budget *budget,
                               hanse_error *error);
void hanse_extras_clear(hanse_extras *extras);
hanse_status hanse_extras_add(hanse_extras *extras,
                              const hanse_extra_rows *rows, hanse_error *error);
/* As hanse_extra_ops.merge. */
hanse_status hanse_extras_merge(hanse_extras *extras, size_t n_groups,
                                hanse_extras *from, size_t n_from,
                                const uint32_t *map, bool take,
                                hanse_error *error);

/* Number of columns that all modules add for all measures. */
size_t hanse_extras_count_columns(const hanse_plan *plan);

/* Columns of `statistic` of a measure (the mask's bit, or HANSE_EXTRA_*). */
hanse_status hanse_extras_emit(const hanse_extras *extras,
                               const hanse_extra_target *target,
                               uint32_t statistic, size_t measure,
                               hanse_error *error);

/* State of the module that answers for a statistic. */
void *hanse_extras_state(const hanse_extras *extras, uint32_t statistic);

/* ---- For modules -------------------------------------------------------- */

/* An array of states, one for each group. */
typedef struct hanse_group_array {
    void *items;
    size_t n;
    size_t capacity;
} hanse_group_array;

/* At least n_groups items, new ones copied from *zero (NULL: all bits 0). */
hanse_status hanse_group_array_grow(hanse_group_array *array,
                                    hanse_budget *budget, size_t n_groups,
                                    size_t item_bytes, const void *zero,
                                    hanse_error *error);
void hanse_group_array_clear(hanse_group_array *array, hanse_budget *budget,
                             size_t item_bytes);

/* Name, description and units of a column that a module adds. */
typedef struct hanse_extra_column {
    const char *name;         /* whole: "resource_first" */
    const char *about;        /* long name of what it is of */
    const char *words;        /* "first value by row number" */
    const char *units;        /* NULL: unknown */
    const char *cell_methods; /* NULL: none */
} hanse_extra_column;

hanse_status hanse_emit_column(const hanse_extra_target *target,
                               const hanse_extra_column *column,
                               hanse_type type, void **values,
                               hanse_error *error);

/* A column of values of a measure as they are: float64, or int64, uint64 where
 * a value needs it, float64 where a group has none. `get` returns false for a
 * group without a value; values are as in blocks. */
typedef bool hanse_get_value(const void *context, size_t group, int64_t *value);
hanse_status hanse_emit_values(const hanse_extra_target *target,
                               const hanse_extra_column *column,
                               hanse_number number, hanse_get_value *get,
                               const void *context, hanse_error *error);

typedef double hanse_get_float(const void *context, size_t group);
hanse_status hanse_emit_floats(const hanse_extra_target *target,
                               const hanse_extra_column *column,
                               hanse_get_float *get, const void *context,
                               hanse_error *error);

#endif
