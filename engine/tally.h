/* SPDX-License-Identifier: Apache-2.0
 *
 * Different values of one measure in the groups of one grouping, counted in
 * several passes over the same values in bounded memory. A pass takes the
 * values whose hashes, with their groups, lie in a range: a part of the
 * values, and with many groups also a part of the groups of each value. Where
 * a range turns out to be too large the pass takes less of it and forgets the
 * rest, which leaves what it has counted whole; the next pass begins after it.
 *
 * Threads add values at the same time: each shard of the table has a lock.
 */
#ifndef HANSE_ENGINE_TALLY_H
#define HANSE_ENGINE_TALLY_H

#include <stdatomic.h>

#include "engine/fold.h"
#include "engine/value_counts.h"

typedef struct hanse_tally_shard hanse_tally_shard;

typedef struct hanse_tally {
    const hanse_fold *fold;
    size_t grouping;
    size_t measure;
    hanse_value_summary *summaries; /* [group], borrowed */
    uint64_t seed;
    uint64_t first;        /* hashes before it have been counted */
    _Atomic uint64_t last; /* of this pass */
    uint64_t n_counted;    /* values before `first` */
    bool is_done;
    hanse_tally_shard *shards; /* NULL: between passes */
    size_t n_shards;           /* a power of two */
    hanse_value_slot *slots;   /* of all shards */
    size_t n_slots;
} hanse_tally;

/* Adds all that is counted to the summaries, which are borrowed and zero at
 * first. */
void hanse_tally_init(hanse_tally *tally, const hanse_fold *fold,
                      size_t grouping, size_t measure,
                      hanse_value_summary *summaries);

/* Gives the memory of a pass back, which may begin again. */
void hanse_tally_clear(hanse_tally *tally);

/* Memory for the tables of a pass: three quarters of what is left, because
 * readers and others need some, too. */
uint64_t hanse_tally_room(const hanse_budget *budget);

/* Begins a pass with about n_bytes, of at most so many values. */
hanse_status hanse_tally_begin(hanse_tally *tally, uint64_t n_bytes,
                               uint64_t n_values, size_t n_threads,
                               hanse_error *error);

/* Adds the measure of the rows of a block, which follow the groups of the
 * fold. Any thread. */
hanse_status hanse_tally_add(hanse_tally *tally, const hanse_block *block,
                             hanse_error *error);

/* Adds counted values of a finer grouping of the fold, slots first to end - 1
 * of the table. Any thread. */
hanse_status hanse_tally_add_counts(hanse_tally *tally, size_t finer,
                                    const hanse_value_counts *counts,
                                    size_t first, size_t end,
                                    hanse_error *error);

/* The same of counts beyond 32 bits, which the slots lack. */
hanse_status hanse_tally_add_large(hanse_tally *tally, size_t finer,
                                   const hanse_value_counts *counts,
                                   hanse_error *error);

/* After a pass, to which all values have been added. */
hanse_status hanse_tally_end(hanse_tally *tally, hanse_error *error);

#endif
