/* SPDX-License-Identifier: Apache-2.0
 *
 * Between finish.c, finish_keys.c, finish_pages.c and finish_spilled.c: one
 * grouping on its way to a table.
 */
#ifndef HANSE_ENGINE_FINISH_H
#define HANSE_ENGINE_FINISH_H

#include "engine/deferred.h"
#include "engine/group_list.h"
#include "engine/result.h"
#include "engine/statistics.h"

enum {
    HANSE_FINISH_WINDOW = 256 /* rows whose memory is asked for at a time */
};

/* A column of one statistic. */
typedef struct hanse_filling {
    size_t measure;
    hanse_statistic statistic;
    hanse_type type;
    const char *name; /* of the column */
    void *values;     /* of its rows */
} hanse_filling;

typedef struct hanse_finishing {
    const hanse_plan *plan;
    const hanse_made_key *made; /* [plan->n_keys] */
    size_t n_threads;
    hanse_group_list list;
    hanse_owned_table *table;
    void *keys[HANSE_GROUP_KEYS_MAX]; /* values of key columns */
    hanse_type key_types[HANSE_GROUP_KEYS_MAX];
    uint8_t *missing[HANSE_GROUP_KEYS_MAX]; /* flags; NULL: none */
    /* Copies of the texts of text keys, owned by the table; NULL: no text key,
     * or none yet. */
    const char *texts[HANSE_GROUP_KEYS_MAX];
    int64_t *counts; /* the column of row counts */
    hanse_filling *fillings;
    size_t n_fillings;
} hanse_finishing;

/* Of INT64, UINT64 and FLOAT64 the one that holds the values of both. */
hanse_type hanse_type_wider(hanse_type a, hanse_type b);

/* Values of one of them, as bits, as those of a wider one, in place. */
void hanse_widen_values(int64_t *values, size_t n, hanse_type from,
                        hanse_type to);

/* Lists the statistics; free fillings afterwards. */
hanse_status hanse_finish_init(hanse_finishing *f, hanse_error *error);

/* Types of the statistics' columns for the groups of the list. */
void hanse_finish_choose_types(hanse_finishing *f);

/* The table of the list, with its columns, of the types that are set. Without
 * values: the rows will be deferred. */
hanse_status hanse_finish_make_table(hanse_finishing *f, hanse_result *result,
                                     bool with_values, hanse_error *error);

const hanse_plan_grouping *hanse_finish_grouping(const hanse_finishing *f);
const hanse_plan_key *hanse_finish_key(const hanse_finishing *f,
                                       size_t position);

/* Type of a key's column; whether any row's group lacks the key. */
hanse_type hanse_finish_key_type(const hanse_finishing *f, size_t position);
bool hanse_finish_any_missing(const hanse_finishing *f, size_t position);

/* The texts of text keys, for the table; before rows are filled. */
hanse_status hanse_finish_copy_texts(hanse_finishing *f, hanse_error *error);

/* Rows first to end - 1 of keys (but for labels) and missing marks; of counts
 * and statistics. */
void hanse_finish_fill_keys(const hanse_finishing *f, size_t first, size_t end);
hanse_status hanse_finish_fill_states(const hanse_finishing *f, size_t first,
                                      size_t end, hanse_error *error);

/* finish_pages.c: all rows of a list that is by page, but labels; frees the
 * states. */
hanse_status hanse_finish_fill_pages(hanse_finishing *f, hanse_error *error);

/* finish_deferred.c: the table of a list of which only `starts` are known, with
 * values or with deferred rows. Takes over the partitions of the grouping. */
hanse_status hanse_finish_page_by_page(hanse_finishing *f, hanse_shared *shared,
                                       size_t grouping, hanse_result *result,
                                       hanse_error *error);

/* Accepts NULL. */
void hanse_deferred_destroy(struct hanse_deferred_rows *rows);

/* All rows of labelled keys. */
hanse_status hanse_finish_fill_labels(hanse_finishing *f, hanse_error *error);

/* A grouping some of whose rows are in the spill: partition by partition. */
hanse_status hanse_finish_spilled(hanse_finishing *f,
                                  const hanse_shared *shared,
                                  hanse_partitions *parts, hanse_result *result,
                                  hanse_error *error);

#endif
