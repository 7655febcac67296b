/* SPDX-License-Identifier: Apache-2.0
 *
 * The fold: the state of a job over the rows seen so far, with the operations
 * zero (create), add, merge and finish. Merging is commutative and associative
 * to the bit, so any division of the rows among folds gives the same result.
 * A fold belongs to one thread at a time.
 */
#ifndef HANSE_ENGINE_FOLD_H
#define HANSE_ENGINE_FOLD_H

#include "engine/base/memory.h"
#include "engine/dictionary.h"
#include "engine/extras.h"
#include "engine/key_map.h"
#include "engine/kernels/kernels.h"
#include "engine/pair_table.h"
#include "engine/part.h"
#include "engine/plan.h"
#include "engine/source.h"
#include "engine/states.h"

/* Codes of one key column. Code 0 is "missing"; code c + 1 is the map's c. */
typedef struct hanse_key_codes {
    bool is_text;
    hanse_int_map ints;
    hanse_text_map texts;
} hanse_key_codes;

static inline size_t hanse_key_codes_count(const hanse_key_codes *key)
{
    return 1 + (key->is_text ? key->texts.n : key->ints.n);
}

/* Values of a key that is no column, for the rows of a block. */
typedef struct hanse_made_key {
    int64_t *values; /* or bytes, of conditions */
    uint8_t *missing;
    double *numbers;     /* of formulas */
    uint64_t n_unmapped; /* rows so far */
} hanse_made_key;

/* Buffers of one block of rows. */
typedef struct hanse_block {
    size_t n;       /* rows kept by the filter */
    uint16_t *kept; /* their numbers in the block; NULL: all rows */
    uint8_t *condition;
    uint16_t *kept_buffer;       /* with HANSE_SELECT_SLACK behind it */
    uint8_t *answers;            /* of the filter for a whole batch: 0, 1 */
    size_t capacity_answers;     /* rows */
    bool answered;               /* for the batch that is added */
    hanse_array *gathered;       /* [field] kept rows, of columns of measures */
    hanse_array *gathered_store; /* [field] their buffers */
    bool *is_gathered;           /* [field]: for this block */
    bool *can_gather;            /* [measure]: its formula reads no text */
    void *scratch;               /* of the formulas */
    int64_t *numbers;            /* pairs on their way to codes */
    int64_t **key_numbers;       /* [key][row], integer keys: values */
    uint8_t **key_missing;       /* [key][row] */
    bool *any_key_missing;       /* [key] */
    uint32_t **key_codes;        /* [key][row] */
    uint32_t **node_codes; /* [node][row]; shared with key_codes for roots */
    int64_t **values;      /* [measure][row]: bits of binary64, or integers */
    int64_t **own_values;  /* [measure] buffers, where values mostly are */
    bool
        may_borrow; /* values may be those of the batch, which nobody changes */
    uint8_t **absent;        /* [measure][row], integers: missing */
    bool *any_absent;        /* [measure] */
    int64_t *lanes;          /* [lane][HANSE_LIMB_BATCH]: pieces of a part */
    int64_t *pieces;         /* [HANSE_LIMB_BATCH][lane]: the same by row */
    size_t n_lanes;          /* that both are allocated for */
    uint64_t layout_version; /* of the layout that they follow */
    uint16_t *left; /* [addend][HANSE_LIMB_BATCH] rows left by kernels */
    size_t *n_left; /* [addend] */
    bool *full;     /* [grouping]: a limb left its guard */
} hanse_block;

/* Where the states of a grouping come from. */
typedef enum hanse_fold_role {
    HANSE_ROLE_ADDED,   /* rows are added to them */
    HANSE_ROLE_DERIVED, /* from a finer grouping of the fold, at the end */
    HANSE_ROLE_SHARED   /* all threads' rows are in partitions instead */
} hanse_fold_role;

typedef struct hanse_fold {
    const hanse_plan *plan; /* borrowed */
    hanse_budget *budget;   /* borrowed, may be NULL */
    const hanse_kernels *kernels;
    hanse_layout layout;
    hanse_key_codes *keys;         /* [plan->n_keys] */
    hanse_int_map *pairs;          /* [plan->n_nodes]; unused for roots */
    hanse_pair_table *pair_tables; /* the same */
    hanse_states *states;          /* [plan->n_groupings] */
    hanse_fold_role *roles;        /* [plan->n_groupings] */
    size_t *finer; /* [plan->n_groupings] what a derived one is from */
    size_t *added; /* groupings of that role */
    size_t n_added;
    bool *is_coded;         /* [plan->n_nodes] group numbers are in use */
    bool *is_key_coded;     /* [plan->n_keys] codes are in use */
    hanse_extras *extras;   /* [plan->n_groupings]; NULL: none asked for */
    const uint8_t **absent; /* [plan value]: as the extras see it */
    uint64_t *numbers;      /* of a block's rows, for the extras; NULL: none */
    uint64_t *positions;    /* of a block's rows in the batch, as well */
    bool is_spent;          /* a merge may empty the extras of this fold */
    hanse_row_counts rows;
    hanse_made_key *made; /* [plan->n_keys] */
    hanse_part part;      /* of the groups; rows of others are passed over */
    uint64_t batch_first_row; /* number of the batch's first row in the table;
                               * set by who adds */
    hanse_block block;
    /* With other threads; NULL: this fold keeps all states itself. */
    struct hanse_shared *shared;     /* borrowed */
    struct hanse_scatter **scatters; /* [plan->n_groupings]; NULL: own states */
    size_t n_shared;
    hanse_translation *translations; /* [plan->n_keys], of texts */
} hanse_fold;

/* Number of groups of a node (of all rows for SIZE_MAX). For a root this
 * counts the code of missing keys even when no row has it. */
size_t hanse_fold_node_groups(const hanse_fold *fold, size_t node);

hanse_status hanse_fold_create(const hanse_plan *plan, hanse_budget *budget,
                               hanse_fold **out, hanse_error *error);
void hanse_fold_destroy(hanse_fold *fold);

/* The same without buffers for rows, to merge states into; the layout is that
 * of `like`. */
hanse_status hanse_fold_create_like(const hanse_fold *like,
                                    const hanse_plan *plan, hanse_fold **out,
                                    hanse_error *error);

/* Adds the rows of a batch, the first of which is row fold->batch_first_row
 * of the
 * table. After a failure the fold can only be destroyed. */
hanse_status hanse_fold_add(hanse_fold *fold, const hanse_batch *batch,
                            hanse_error *error);

/* Adds rows first .. first + n - 1 only. */
hanse_status hanse_fold_add_rows(hanse_fold *fold, const hanse_batch *batch,
                                 size_t first, size_t n, hanse_error *error);

/* fold_share.c: lets the fold share large groupings with those of other
 * threads, through `shared` (borrowed). */
hanse_status hanse_fold_join(hanse_fold *fold, struct hanse_shared *shared,
                             hanse_error *error);

/* Moves large groupings, and those that other threads moved, to partitions. */
hanse_status hanse_fold_share(hanse_fold *fold, hanse_error *error);

/* Adds to the partitions what is still collected for them. By each thread when
 * it has no rows left. */
hanse_status hanse_fold_flush(hanse_fold *fold, hanse_error *error);

/* When all threads have flushed, and before folds are merged: follows what was
 * shared after the fold's last rows, and frees what adding rows needs. */
hanse_status hanse_fold_leave(hanse_fold *fold, hanse_error *error);

/* Key numbers of texts: their codes in the shared dictionaries. */
hanse_status hanse_fold_number_texts(hanse_fold *fold, hanse_error *error);

/* Answers the filter for all rows of a batch of which only the filter's
 * columns need to be there: *any says whether it keeps a row. The
 * answers serve the additions that follow, of the same batch with all columns,
 * up to hanse_fold_forget_filter. */
hanse_status hanse_fold_filter(hanse_fold *fold, const hanse_batch *batch,
                               bool *any, hanse_error *error);
void hanse_fold_forget_filter(hanse_fold *fold);

/* Counts rows of which the filter keeps none, in place of an addition. */
void hanse_fold_skip(hanse_fold *fold, size_t n_rows);

/* Gives addends that have seen no value yet the windows that `other` chose
 * ([addend]). Results are the same with any windows; with equal ones a merge
 * adds rows as they are. */
hanse_status hanse_fold_adopt_windows(hanse_fold *fold,
                                      const hanse_window *windows,
                                      hanse_error *error);

/* Adds what `other` holds; same plan. After a failure `fold` can only be
 * destroyed; `other` is never changed. */
hanse_status hanse_fold_merge(hanse_fold *fold, const hanse_fold *other,
                              hanse_error *error);

/* Adds one group of `from`, whose states are not packed, to one of `fold`. The
 * plans have the same measures. */
hanse_status hanse_fold_merge_group(hanse_fold *fold, size_t grouping,
                                    size_t group, const hanse_fold *from,
                                    size_t from_grouping, size_t from_group,
                                    hanse_error *error);

/* fold_derive.c: decides the roles, given which groupings are shared. */
void hanse_fold_choose_roles(hanse_fold *fold);

/* Adds the groups of `from`'s grouping `finer` to those groups of `grouping` in
 * `fold` that they are part of; both folds, which may be the same, number
 * groups by the maps of `keys`. */
hanse_status hanse_fold_derive(hanse_fold *fold, size_t grouping,
                               const hanse_fold *from, size_t finer,
                               const hanse_fold *keys, hanse_error *error);

/* A fold with the states of all derived groupings of `fold`, finished; NULL
 * when there are none. */
hanse_status hanse_fold_derive_all(const hanse_fold *fold, hanse_fold **out,
                                   hanse_error *error);

/* Result tables of the rows so far, made on n_threads threads; the fold can go
 * on afterwards. */
hanse_status hanse_fold_finish(const hanse_fold *fold, size_t n_threads,
                               hanse_result **out, hanse_error *error);

/* fold_view.c: a copy of a finished fold, with buffers of its own, that numbers
 * rows by the fold's maps (hanse_block_filter, hanse_block_keys) and may do so
 * while others do; all keys of those rows must be known to it. Closing is
 * needed after a failure, too. */
hanse_status hanse_fold_view_open(hanse_fold *view, const hanse_fold *fold,
                                  hanse_error *error);
void hanse_fold_view_close(hanse_fold *view);

/* ---- Between fold.c and its parts --------------------------------------- */

/* block.c and block_filter.c: buffers, and filling them from rows first ..
 * first + n - 1. */
hanse_status hanse_block_init(hanse_block *block, const hanse_plan *plan,
                              hanse_budget *budget, hanse_error *error);
void hanse_block_clear(hanse_block *block, const hanse_plan *plan,
                       hanse_budget *budget);
bool hanse_block_init_filter(hanse_block *block, const hanse_plan *plan,
                             hanse_budget *budget);
void hanse_block_clear_filter(hanse_block *block, const hanse_plan *plan,
                              hanse_budget *budget);
void hanse_block_filter(hanse_fold *fold, const hanse_batch *batch,
                        size_t first, size_t n);

/* Values of the kept rows of a float measure. */
void hanse_block_number(hanse_block *block, const hanse_plan *plan,
                        size_t measure, const hanse_batch *batch, size_t first,
                        size_t n);
void hanse_block_measures(hanse_block *block, const hanse_plan *plan,
                          const hanse_batch *batch, size_t first, size_t n);
hanse_status hanse_block_keys(hanse_fold *fold, const hanse_batch *batch,
                              size_t first, size_t n, hanse_error *error);

/* fold_part.c: drops the block's rows that are not of the fold's part. */
hanse_status hanse_block_take_part(hanse_fold *fold, const hanse_batch *batch,
                                   size_t first, size_t n, hanse_error *error);

/* made_keys.c: buffers; and the array of key values of a block's rows, its row
 * 0 being the block's first. Rows that the filter drops are not looked at. */
hanse_status hanse_made_keys_init(hanse_fold *fold, hanse_error *error);
void hanse_made_keys_clear(hanse_fold *fold);
hanse_status hanse_made_key_values(hanse_fold *fold, size_t key,
                                   const hanse_batch *batch, size_t first,
                                   size_t n, hanse_array *out,
                                   hanse_error *error);

/* fold_extras.c: the statistics beyond sums and extremes of all groupings. */
hanse_status hanse_fold_extras_init(hanse_fold *fold, hanse_error *error);
void hanse_fold_extras_clear(hanse_fold *fold);
hanse_status hanse_fold_extras_add(hanse_fold *fold, const hanse_batch *batch,
                                   size_t first, hanse_error *error);
hanse_status hanse_fold_extras_merge(hanse_fold *fold, const hanse_fold *other,
                                     size_t grouping, const uint32_t *map,
                                     hanse_error *error);

/* As hanse_fold_derive, for these statistics. */
hanse_status hanse_fold_extras_derive(hanse_fold *fold, size_t grouping,
                                      const hanse_fold *from, size_t finer,
                                      const hanse_fold *keys,
                                      hanse_error *error);

/* fold_derive.c: the group of node `ancestor` (SIZE_MAX: of all rows) that a
 * group of `node` is part of. */
size_t hanse_fold_group_above(const hanse_fold *fold, size_t node,
                              size_t ancestor, size_t group);

/* fold_sums.c: adds the measures of the block to the sums of all groupings. */
hanse_status hanse_fold_sums(hanse_fold *fold, hanse_error *error);

/* fold_limbs.c: the limbs of an addend in a group, which is not packed. */
static inline int64_t *hanse_fold_limbs(const hanse_fold *fold, size_t addend,
                                        size_t grouping, size_t group)
{
    return fold->states[grouping].rows + group * fold->layout.stride +
           fold->layout.addends[addend].lane;
}

/* Widens the window of an addend so that it holds bits low to high. */
hanse_status hanse_fold_cover(hanse_fold *fold, size_t addend, int low,
                              int high, hanse_error *error);

/* Carries the limbs of one group, widening where a top limb is full. */
hanse_status hanse_fold_carry(hanse_fold *fold, size_t grouping, size_t group,
                              hanse_error *error);

/* Adds one value to one group's sum, widening as needed. */
hanse_status hanse_fold_add_bits(hanse_fold *fold, size_t addend,
                                 size_t grouping, size_t group,
                                 const hanse_bits *bits, hanse_error *error);

#endif
