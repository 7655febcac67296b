/* SPDX-License-Identifier: Apache-2.0
 *
 * Two steps. First the entries are dealt out to buckets of consecutive rows,
 * few enough that every bucket has an open line in the cache, each slice of
 * the links to places of its own. Then each bucket, which fits the cache, is
 * put in the order of its rows where it lies, by exchanging (American flag
 * sort: McIlroy, Bostic, McIlroy 1993), so that a bucket needs no second copy,
 * however many links one row has. Between the steps an entry knows its row by
 * the number within the bucket, two bytes.
 */
#include "engine/models/arrange.h"

#include <string.h>

#include "engine/parallel.h"

enum {
    SLICE_LINKS = 1 << 16,    /* at least */
    SLICES_PER_THREAD = 4,    /* at most */
    BUCKET_BITS_MAX = 16,     /* a row within a bucket: two bytes */
    BUCKETS_WANTED = 1 << 11, /* 3 streams each */
    BUCKETS_PER_TASK = 4
};

typedef struct arranger {
    const hanse_arrangement *in;
    hanse_network *out;
    hanse_budget *budget;
    size_t n_threads;
    unsigned shift; /* log2 of the rows of a bucket */
    size_t n_buckets;
    size_t n_slices;
    size_t *places; /* [slice][bucket]: counts, then where the next one goes */
    size_t *ends;   /* [bucket] */
    uint16_t *within; /* [entry] row within its bucket */
} arranger;

static unsigned shift_for(size_t n_rows)
{
    unsigned shift = 0;
    while (shift < BUCKET_BITS_MAX && (n_rows >> shift) > BUCKETS_WANTED)
        shift++;
    return shift;
}

static size_t slices_for(size_t n, size_t n_threads)
{
    const size_t wanted = n / SLICE_LINKS + 1;
    const size_t most = SLICES_PER_THREAD * n_threads;
    return wanted < most ? wanted : most;
}

static size_t slice_begin(const arranger *a, size_t slice)
{
    return (size_t)((unsigned __int128)a->in->n * slice / a->n_slices);
}

static inline bool is_kept(const hanse_arrangement *in, uint32_t key,
                           uint32_t other)
{
    return (in->keep == NULL || (in->keep[key] != 0 && in->keep[other] != 0)) &&
           !(in->both_ways && key == other);
}

static hanse_status count_slice(void *context, size_t slice, hanse_error *error)
{
    const arranger *a = context;
    const hanse_arrangement *in = a->in;
    size_t *counts = a->places + slice * a->n_buckets;
    const size_t end = slice_begin(a, slice + 1);
    (void)error;
    for (size_t k = slice_begin(a, slice); k < end; k++) {
        const uint32_t key = in->keys[k], other = in->others[k];
        if (!is_kept(in, key, other))
            continue;
        counts[key >> a->shift]++;
        if (in->both_ways)
            counts[other >> a->shift]++;
    }
    return HANSE_OK;
}

/* Counts become places: bucket by bucket, in each slice by slice. Returns the
 * number of entries. */
static size_t assign_places(arranger *a)
{
    size_t sum = 0;
    for (size_t b = 0; b < a->n_buckets; b++) {
        for (size_t s = 0; s < a->n_slices; s++) {
            size_t *place = &a->places[s * a->n_buckets + b];
            const size_t count = *place;
            *place = sum;
            sum += count;
        }
        a->ends[b] = sum;
    }
    return sum;
}

static inline double value_of(const hanse_arrangement *in, size_t k)
{
    if (in->divisors == NULL)
        return in->values[k];
    const double divisor = in->divisors[in->others[k]];
    if (divisor == 0.0)
        return 0.0;
    return (in->values == NULL ? 1.0 : in->values[k]) / divisor;
}

static inline void deal_out(const arranger *a, size_t *places, size_t k,
                            uint32_t key, uint32_t other)
{
    const size_t place = places[key >> a->shift]++;
    a->within[place] = (uint16_t)(key & (((uint32_t)1 << a->shift) - 1));
    if (a->out->sources != NULL)
        a->out->sources[place] = other;
    if (a->out->weights != NULL)
        a->out->weights[place] = value_of(a->in, k);
}

static hanse_status deal_slice(void *context, size_t slice, hanse_error *error)
{
    const arranger *a = context;
    const hanse_arrangement *in = a->in;
    size_t *places = a->places + slice * a->n_buckets;
    const size_t end = slice_begin(a, slice + 1);
    (void)error;
    for (size_t k = slice_begin(a, slice); k < end; k++) {
        const uint32_t key = in->keys[k], other = in->others[k];
        if (!is_kept(in, key, other))
            continue;
        deal_out(a, places, k, key, other);
        if (in->both_ways)
            deal_out(a, places, k, other, key);
    }
    return HANSE_OK;
}

/* ---- Rows of a bucket --------------------------------------------------- */

typedef struct entry {
    uint16_t within;
    uint32_t source;
    double weight;
} entry;

static inline entry take_entry(const arranger *a, size_t place)
{
    const hanse_network *out = a->out;
    return (entry){a->within[place],
                   out->sources == NULL ? 0 : out->sources[place],
                   out->weights == NULL ? 0 : out->weights[place]};
}

static inline void put_entry(const arranger *a, size_t place, const entry *e)
{
    a->within[place] = e->within;
    if (a->out->sources != NULL)
        a->out->sources[place] = e->source;
    if (a->out->weights != NULL)
        a->out->weights[place] = e->weight;
}

/* Every entry that is not in its row's range goes to the next free place of
 * its range, and what was there goes on in the same way. */
static void exchange(const arranger *a, const uint64_t *starts, size_t *next,
                     size_t n_rows)
{
    for (size_t row = 0; row < n_rows; row++) {
        while (next[row] < starts[row + 1]) {
            entry e = take_entry(a, next[row]);
            while (e.within != row) {
                const size_t place = next[e.within]++;
                const entry displaced = take_entry(a, place);
                put_entry(a, place, &e);
                e = displaced;
            }
            put_entry(a, next[row]++, &e);
        }
    }
}

/* Sets starts[1 ..] of the bucket's rows; starts[0] is another's to set, so
 * the first range begins at `begin`. */
static void sort_bucket(const arranger *a, size_t bucket, size_t *next)
{
    const size_t first_row = bucket << a->shift;
    const size_t begin = bucket == 0 ? 0 : a->ends[bucket - 1];
    uint64_t *starts = a->out->starts + first_row;
    size_t n_rows = (size_t)1 << a->shift;
    if (n_rows > a->out->n_rows - first_row)
        n_rows = a->out->n_rows - first_row;
    memset(next, 0, n_rows * sizeof *next);
    for (size_t k = begin; k < a->ends[bucket]; k++)
        next[a->within[k]]++;
    size_t sum = begin;
    for (size_t row = 0; row < n_rows; row++) {
        const size_t count = next[row];
        next[row] = sum;
        sum += count;
        starts[row + 1] = sum;
    }
    exchange(a, starts, next, n_rows);
}

static hanse_status sort_buckets(void *context, size_t task, hanse_error *error)
{
    const arranger *a = context;
    const size_t n_rows = (size_t)1 << a->shift;
    size_t *next = hanse_allocate(a->budget, n_rows, sizeof *next);
    if (next == NULL)
        return hanse_fail_budget(error, a->budget, "rows of links", n_rows,
                                 sizeof *next);
    size_t end = (task + 1) * BUCKETS_PER_TASK;
    if (end > a->n_buckets)
        end = a->n_buckets;
    for (size_t b = task * BUCKETS_PER_TASK; b < end; b++)
        sort_bucket(a, b, next);
    hanse_free(a->budget, next, n_rows, sizeof *next);
    return HANSE_OK;
}

/* ---- Whole -------------------------------------------------------------- */

static hanse_status allocate_out(arranger *a, size_t n, hanse_error *error)
{
    const hanse_arrangement *in = a->in;
    hanse_network *out = a->out;
    const bool with_values = in->values != NULL || in->divisors != NULL;
    size_t size_bytes = sizeof *a->within;
    out->n_links = n;
    a->within = hanse_allocate(a->budget, n, sizeof *a->within);
    bool failed = a->within == NULL;
    if (in->with_others) {
        size_bytes += sizeof *out->sources;
        out->sources = hanse_allocate(a->budget, n, sizeof *out->sources);
        failed = failed || out->sources == NULL;
    }
    if (with_values) {
        size_bytes += sizeof *out->weights;
        out->weights = hanse_allocate(a->budget, n, sizeof *out->weights);
        failed = failed || out->weights == NULL;
    }
    if (failed)
        return hanse_fail_budget(error, a->budget, "links of a network", n,
                                 size_bytes);
    return HANSE_OK;
}

static hanse_status work(arranger *a, hanse_error *error)
{
    hanse_network *out = a->out;
    const size_t n_places = a->n_slices * a->n_buckets;
    out->starts =
        hanse_allocate_zero(a->budget, out->n_rows + 1, sizeof *out->starts);
    a->places = hanse_allocate_zero(a->budget, n_places, sizeof *a->places);
    a->ends = hanse_allocate(a->budget, a->n_buckets, sizeof *a->ends);
    if (out->starts == NULL || a->places == NULL || a->ends == NULL)
        return hanse_fail_budget(error, a->budget, "rows of a network",
                                 out->n_rows + 1, sizeof *out->starts);
    HANSE_TRY(
        hanse_parallel_for(a->n_threads, a->n_slices, count_slice, a, error));
    HANSE_TRY(allocate_out(a, assign_places(a), error));
    HANSE_TRY(
        hanse_parallel_for(a->n_threads, a->n_slices, deal_slice, a, error));
    const size_t n_tasks =
        (a->n_buckets + BUCKETS_PER_TASK - 1) / BUCKETS_PER_TASK;
    return hanse_parallel_for(a->n_threads, n_tasks, sort_buckets, a, error);
}

hanse_status hanse_arrange(const hanse_arrangement *arrangement,
                           size_t n_threads, hanse_budget *budget,
                           hanse_network *out, hanse_error *error)
{
    const unsigned shift = shift_for(arrangement->n_rows);
    hanse_network network = {.budget = budget, .n_rows = arrangement->n_rows};
    arranger a = {
        .in = arrangement,
        .out = &network,
        .budget = budget,
        .n_threads = n_threads,
        .shift = shift,
        .n_buckets = (arrangement->n_rows + ((size_t)1 << shift) - 1) >> shift,
        .n_slices = slices_for(arrangement->n, n_threads),
    };
    const hanse_status status = work(&a, error);
    hanse_free(budget, a.within, network.n_links, sizeof *a.within);
    hanse_free(budget, a.ends, a.n_buckets, sizeof *a.ends);
    hanse_free(budget, a.places, a.n_slices * a.n_buckets, sizeof *a.places);
    if (status != HANSE_OK)
        hanse_network_clear(&network);
    else
        *out = network;
    return status;
}

uint64_t hanse_arrange_bytes(size_t n_rows, size_t n, size_t n_threads)
{
    const unsigned shift = shift_for(n_rows);
    const uint64_t n_buckets = (n_rows >> shift) + 1;
    const uint64_t n_slices = slices_for(n, n_threads);
    return n * sizeof(uint16_t) + (n_slices + 1) * n_buckets * sizeof(size_t) +
           n_threads * (((uint64_t)1 << shift) * sizeof(size_t)) +
           (3 + n_threads) * HANSE_ALIGNMENT;
}
