/* SPDX-License-Identifier: Apache-2.0
 *
 * Quantiles of one measure in the groups of one grouping, by reading the table
 * several times in bounded memory. For every rank that a quantile needs there
 * is an interval of order-preserving integers that holds its value, at first
 * all of them. A pass either counts the values of an interval in ranges of
 * equal length, which narrows it to the one that holds the rank, or, once few
 * enough values are left in it, collects them.
 *
 * Threads add values at the same time: counters and places are atomic, and
 * neither depends on the order.
 */
#ifndef HANSE_ENGINE_NARROW_H
#define HANSE_ENGINE_NARROW_H

#include <stdatomic.h>

#include "engine/quantile.h"

/* A rank in a group, and its value once it is known. */
typedef struct hanse_query {
    uint64_t rank;
    int64_t value;
    uint32_t quantile;
    bool is_upper; /* the rank after the quantile's */
} hanse_query;

typedef enum hanse_interval_use {
    HANSE_INTERVAL_WAITS, /* not in this pass */
    HANSE_INTERVAL_COUNTS,
    HANSE_INTERVAL_COLLECTS,
    HANSE_INTERVAL_DONE
} hanse_interval_use;

/* Values of a group between low and high, both included. */
typedef struct hanse_interval {
    int64_t low;
    int64_t high;
    uint64_t below;     /* values of the group less than low */
    uint64_t n;         /* values in the interval */
    size_t first_query; /* ranks in the interval: queries of these numbers */
    size_t n_queries;
    uint32_t group;
    hanse_interval_use use;
    int shift;    /* of its ranges, when it counts */
    size_t place; /* of its first counter or value */
} hanse_interval;

typedef struct hanse_narrow {
    const hanse_fold *fold;
    size_t grouping;
    size_t measure;
    size_t n_groups;
    uint64_t *counts;     /* [group]: its values */
    hanse_query *queries; /* by group, then rank */
    size_t n_queries;
    hanse_interval *intervals; /* by group, then low */
    size_t n_intervals;
    size_t *first; /* [group]: its first interval; one more at the end */
    _Atomic uint64_t *counters;
    size_t n_counters;
    int64_t *values;
    size_t n_values;
    _Atomic uint64_t *used; /* [interval]: values collected so far */
    size_t n_used;
} hanse_narrow;

hanse_status hanse_narrow_init(hanse_narrow *narrow, const hanse_fold *fold,
                               size_t grouping, size_t measure,
                               const hanse_members *members,
                               hanse_error *error);
void hanse_narrow_clear(hanse_narrow *narrow);

bool hanse_narrow_is_done(const hanse_narrow *narrow);

/* Decides what each interval does in the next pass, with about n_bytes. */
hanse_status hanse_narrow_begin(hanse_narrow *narrow, uint64_t n_bytes,
                                hanse_error *error);

/* Gives the memory of a pass that failed back, to begin it again. */
void hanse_narrow_abandon(hanse_narrow *narrow);

/* Adds the measure of the rows of a block, which follow the groups of the
 * fold. Any thread. */
void hanse_narrow_add(hanse_narrow *narrow, const hanse_block *block);

/* After a pass: narrows, or finds the values. */
hanse_status hanse_narrow_end(hanse_narrow *narrow, hanse_error *error);

/* The quantiles of all groups, when all is done. */
void hanse_narrow_results(const hanse_narrow *narrow,
                          const hanse_quantiles *quantiles, double *results);

#endif
