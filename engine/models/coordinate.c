/* SPDX-License-Identifier: Apache-2.0
 *
 * Rounds over all rows, in blocks that threads share; every value of a round
 * depends on the round before alone.
 */
#include "engine/models/coordinate.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "engine/models/status.h"
#include "engine/models/term_sum.h"
#include "engine/parallel.h"
#include "engine/wide.h"

enum {
    BLOCK_ROWS = 4096,
    AHEAD_LINKS = 32 /* whose values are fetched meanwhile */
};

/* What a neighbour reads, in one place: its value and 1 / (1 + degree). */
typedef struct node {
    double value;
    double weight;
} node;

/* Of a block: the largest change, also as a share of the row's scale, and the
 * largest magnitude. */
typedef struct extent {
    double change;
    double share;
    double size;
} extent;

typedef struct rounds {
    const hanse_coordination *given;
    const int8_t *codes;  /* [row] */
    const double *scales; /* [row]; NULL unless the limit is asked for */
    size_t n_rows;
    const node *now;
    node *next;
    extent *extents; /* [block] */
    size_t n_blocks;
} rounds;

/* ---- One round ---------------------------------------------------------- */

/* What flows to a row from one of its neighbours. */
static inline double flow(const node *own, const node *other)
{
    const double weight =
        own->weight < other->weight ? own->weight : other->weight;
    return weight * (other->value - own->value);
}

/* Where the fast sum is undecided. */
static __attribute__((noinline, cold)) double
mix_exactly(const hanse_network *graph, const node *nodes, size_t row)
{
    hanse_wide sum, term;
    hanse_wide_from_double(&sum, nodes[row].value);
    for (uint64_t k = graph->starts[row]; k < graph->starts[row + 1]; k++) {
        const double x = flow(&nodes[row], &nodes[graph->sources[k]]);
        if (!isfinite(x))
            return (double)NAN;
        hanse_wide_from_double(&term, x);
        hanse_wide_add(&sum, &term);
    }
    return hanse_wide_round(&sum);
}

/* Values that links a little later in the arrays will want: they lie anywhere,
 * and rows are too short to keep enough of them on the way. */
static inline void fetch_ahead(const hanse_network *graph, const node *nodes,
                               size_t row)
{
    const uint64_t end = graph->starts[row + 1] + AHEAD_LINKS;
    if (end > graph->n_links)
        return;
    for (uint64_t k = graph->starts[row] + AHEAD_LINKS; k < end; k++)
        __builtin_prefetch(&nodes[graph->sources[k]]);
}

static inline double mix(const hanse_network *graph, const node *nodes,
                         size_t row)
{
    fetch_ahead(graph, nodes, row);
    const node own = nodes[row];
    hanse_term_sum sum = {own.value, 0.0, 0.0};
    double value;
    for (uint64_t k = graph->starts[row]; k < graph->starts[row + 1]; k++)
        hanse_term_sum_add(&sum, flow(&own, &nodes[graph->sources[k]]));
    return hanse_term_sum_round(&sum, &value) ? value
                                              : mix_exactly(graph, nodes, row);
}

/* Rows that keep what they began with. In the limit, undefined rows are not
 * waited for; nothing defined depends on them. */
static inline bool is_held(const rounds *r, size_t row)
{
    return hanse_network_degree(r->given->graph, row) == 0 ||
           isinf(r->given->strategy[row]) ||
           (r->given->rounds == HANSE_ROUNDS_LIMIT &&
            r->codes[row] != HANSE_MODEL_OK);
}

static hanse_status round_block(void *context, size_t block, hanse_error *error)
{
    const rounds *r = context;
    const hanse_coordination *given = r->given;
    const size_t begin = block * BLOCK_ROWS;
    const size_t end =
        begin + BLOCK_ROWS < r->n_rows ? begin + BLOCK_ROWS : r->n_rows;
    extent seen = {0.0, 0.0, 0.0};
    (void)error;
    for (size_t i = begin; i < end; i++) {
        const double old = r->now[i].value;
        double value = old;
        if (!is_held(r, i)) {
            const double s = given->independence[i];
            value = (1.0 - s) * mix(given->graph, r->now, i);
            if (s > 0.0)
                value += s * given->strategy[i];
        }
        r->next[i] = (node){value, r->now[i].weight};
        const double change = fabs(value - old);
        seen.change = fmax(seen.change, change);
        if (r->scales != NULL && change > 0.0)
            seen.share = fmax(seen.share, change / r->scales[i]);
        seen.size = fmax(seen.size, fabs(value));
    }
    r->extents[block] = seen;
    return HANSE_OK;
}

/* A round of all rows; what it computed is `now`, after that. */
static hanse_status one_round(rounds *r, node *buffers[2], extent *all,
                              hanse_error *error)
{
    r->now = buffers[0];
    r->next = buffers[1];
    HANSE_TRY(hanse_parallel_for(r->given->n_threads, r->n_blocks, round_block,
                                 r, error));
    *all = (extent){0.0, 0.0, 0.0};
    for (size_t b = 0; b < r->n_blocks; b++) {
        all->change = fmax(all->change, r->extents[b].change);
        all->share = fmax(all->share, r->extents[b].share);
        all->size = fmax(all->size, r->extents[b].size);
    }
    node *const swap = buffers[0];
    buffers[0] = buffers[1];
    buffers[1] = swap;
    return HANSE_OK;
}

/* All rounds. One that changes nothing is the last. */
static hanse_status all_rounds(rounds *r, node *buffers[2],
                               hanse_coordination_report *report,
                               hanse_error *error)
{
    const hanse_coordination *given = r->given;
    const bool limit = given->rounds == HANSE_ROUNDS_LIMIT;
    const uint64_t most = limit ? given->max_rounds : given->rounds;
    report->converged = !limit;
    for (report->rounds = 0; report->rounds < most; report->rounds++) {
        extent all;
        if (given->go_on != NULL && !given->go_on(given->go_on_context))
            return hanse_fail(error, HANSE_ERR_INTERRUPTED,
                              "interrupted in round %" PRIu64
                              " of the coordination",
                              report->rounds + 1);
        HANSE_TRY(one_round(r, buffers, &all, error));
        report->change = all.change;
        if (all.change == 0.0 ||
            (limit && isfinite(all.size) && all.share <= given->tolerance)) {
            report->rounds++;
            report->converged = true;
            break;
        }
    }
    return HANSE_OK;
}

/* ---- What has no value -------------------------------------------------- */

static int8_t code_of_row(const hanse_coordination *given, size_t row)
{
    const double s = given->independence[row];
    if (isnan(given->strategy[row]))
        return HANSE_MODEL_EMPTY;
    if (!(s >= 0.0 && s <= 1.0))
        return HANSE_MODEL_INFEASIBLE;
    if (isinf(given->strategy[row]))
        return HANSE_MODEL_NOT_FINITE;
    if (given->rounds == HANSE_ROUNDS_LIMIT && s == 0.0 &&
        hanse_network_degree(given->graph, row) != 0)
        return HANSE_MODEL_INFEASIBLE;
    return HANSE_MODEL_OK;
}

/* Gives `code` to all rows that it reaches in the rounds: every neighbour that
 * listens to others. Rows are reached in order of their distance. */
static void spread(const hanse_coordination *given, int8_t code,
                   uint32_t *queue, uint8_t *reached, int8_t *codes)
{
    const hanse_network *graph = given->graph;
    size_t n = 0;
    for (size_t i = 0; i < graph->n_rows; i++) {
        reached[i] = codes[i] == code;
        if (reached[i])
            queue[n++] = (uint32_t)i;
    }
    size_t at = 0;
    for (uint64_t round = 0; round < given->rounds && at < n; round++)
        for (const size_t end = n; at < end; at++) {
            const uint32_t from = queue[at];
            for (uint64_t k = graph->starts[from]; k < graph->starts[from + 1];
                 k++) {
                const uint32_t to = graph->sources[k];
                if (reached[to] || given->independence[to] == 1.0)
                    continue;
                reached[to] = 1;
                queue[n++] = to;
                if (codes[to] < code)
                    codes[to] = code;
            }
        }
}

static bool has_code(const int8_t *codes, size_t n, int8_t code)
{
    return n != 0 && memchr(codes, code, n) != NULL;
}

/* Codes of all rows before the first round. The larger of two codes stays, as
 * its rows are found last. */
static hanse_status find_codes(const hanse_coordination *given, int8_t *codes,
                               hanse_error *error)
{
    const size_t n = given->graph->n_rows;
    for (size_t i = 0; i < n; i++)
        codes[i] = code_of_row(given, i);
    const bool infeasible = has_code(codes, n, HANSE_MODEL_INFEASIBLE);
    const bool infinite = has_code(codes, n, HANSE_MODEL_NOT_FINITE);
    if (!infeasible && !infinite)
        return HANSE_OK;
    uint32_t *queue = hanse_allocate(given->budget, n, sizeof *queue);
    uint8_t *reached = hanse_allocate(given->budget, n, sizeof *reached);
    const bool ok = queue != NULL && reached != NULL;
    if (ok && infeasible)
        spread(given, HANSE_MODEL_INFEASIBLE, queue, reached, codes);
    if (ok && infinite)
        spread(given, HANSE_MODEL_NOT_FINITE, queue, reached, codes);
    hanse_free(given->budget, queue, n, sizeof *queue);
    hanse_free(given->budget, reached, n, sizeof *reached);
    return ok ? HANSE_OK
              : hanse_fail_budget(error, given->budget, "coordination", n,
                                  sizeof *queue + sizeof *reached);
}

/* ---- Scales ------------------------------------------------------------- */

/* The rows that hang together with `first`, one after another, and the largest
 * magnitude of their strategies. Returns their number. */
static size_t find_component(const hanse_coordination *given, uint32_t first,
                             uint32_t *queue, double *scales, double *largest)
{
    const hanse_network *graph = given->graph;
    size_t n = 0;
    queue[n++] = first;
    scales[first] = 0.0;
    *largest = 0.0;
    for (size_t at = 0; at < n; at++) {
        const uint32_t row = queue[at];
        const double size = fabs(given->strategy[row]);
        if (isfinite(size) && size > *largest)
            *largest = size;
        for (uint64_t k = graph->starts[row]; k < graph->starts[row + 1]; k++) {
            const uint32_t other = graph->sources[k];
            if (isnan(scales[other])) {
                scales[other] = 0.0;
                queue[n++] = other;
            }
        }
    }
    return n;
}

/* What changes of a row are measured by in the limit. */
static hanse_status find_scales(const hanse_coordination *given, double *scales,
                                hanse_error *error)
{
    const size_t n = given->graph->n_rows;
    uint32_t *queue = hanse_allocate(given->budget, n, sizeof *queue);
    if (queue == NULL)
        return hanse_fail_budget(error, given->budget, "coordination", n,
                                 sizeof *queue);
    for (size_t i = 0; i < n; i++)
        scales[i] = (double)NAN;
    for (size_t i = 0; i < n; i++) {
        double largest;
        if (!isnan(scales[i]))
            continue;
        const size_t m =
            find_component(given, (uint32_t)i, queue, scales, &largest);
        for (size_t k = 0; k < m; k++)
            scales[queue[k]] = largest;
    }
    hanse_free(given->budget, queue, n, sizeof *queue);
    return HANSE_OK;
}

/* ---- All of it ---------------------------------------------------------- */

static void begin(const hanse_coordination *given, node *nodes)
{
    for (size_t i = 0; i < given->graph->n_rows; i++) {
        const double p = given->strategy[i];
        const double degree = (double)hanse_network_degree(given->graph, i);
        nodes[i] = (node){isfinite(p) ? p : 0.0, 1.0 / (1.0 + degree)};
    }
}

static void finish(const hanse_coordination *given, const node *nodes,
                   bool converged, double *values, int8_t *codes)
{
    for (size_t i = 0; i < given->graph->n_rows; i++) {
        if (codes[i] == HANSE_MODEL_OK && !isfinite(nodes[i].value))
            codes[i] = HANSE_MODEL_NOT_FINITE;
        if (codes[i] == HANSE_MODEL_OK && !converged &&
            given->independence[i] < 1.0 &&
            hanse_network_degree(given->graph, i) != 0)
            codes[i] = HANSE_MODEL_NOT_CONVERGED;
        values[i] = codes[i] == HANSE_MODEL_OK ? nodes[i].value : (double)NAN;
    }
}

static hanse_status compute(const hanse_coordination *given, node *buffers[2],
                            extent *extents, size_t n_blocks, double *values,
                            int8_t *codes, hanse_coordination_report *report,
                            hanse_error *error)
{
    const size_t n = given->graph->n_rows;
    rounds r = {.given = given,
                .codes = codes,
                .n_rows = n,
                .extents = extents,
                .n_blocks = n_blocks};
    double *scales = NULL;
    HANSE_TRY(find_codes(given, codes, error));
    if (given->rounds == HANSE_ROUNDS_LIMIT) {
        scales = hanse_allocate(given->budget, n, sizeof *scales);
        if (scales == NULL)
            return hanse_fail_budget(error, given->budget, "coordination", n,
                                     sizeof *scales);
    }
    hanse_status status =
        scales != NULL ? find_scales(given, scales, error) : HANSE_OK;
    r.scales = scales;
    begin(given, buffers[0]);
    if (status == HANSE_OK)
        status = all_rounds(&r, buffers, report, error);
    hanse_free(given->budget, scales, n, sizeof *scales);
    if (status == HANSE_OK)
        finish(given, buffers[0], report->converged, values, codes);
    return status;
}

uint64_t hanse_coordinate_bytes(size_t n_rows)
{
    return (uint64_t)n_rows * (2 * sizeof(node) + sizeof(double) + 5) +
           (n_rows / BLOCK_ROWS + 1) * sizeof(extent) +
           6 * HANSE_ALIGNMENT; /* of each array */
}

hanse_status hanse_coordinate_links(const hanse_coordination *coordination,
                                    double *values, int8_t *codes,
                                    hanse_coordination_report *report,
                                    hanse_error *error)
{
    hanse_budget *budget = coordination->budget;
    const size_t n = coordination->graph->n_rows;
    const size_t n_blocks = (n + BLOCK_ROWS - 1) / BLOCK_ROWS;
    hanse_coordination_report found = {0, 0.0, true};
    node *buffers[2];
    node *const first = hanse_allocate(budget, n, sizeof *first);
    node *const second = hanse_allocate(budget, n, sizeof *second);
    extent *extents = hanse_allocate(budget, n_blocks, sizeof *extents);
    hanse_status status;
    buffers[0] = first;
    buffers[1] = second;
    if (first == NULL || second == NULL || extents == NULL)
        status = hanse_fail_budget(error, budget, "coordination", n,
                                   2 * sizeof *first);
    else {
        hanse_prefer_huge_pages(first, n * sizeof *first);
        hanse_prefer_huge_pages(second, n * sizeof *second);
        status = compute(coordination, buffers, extents, n_blocks, values,
                         codes, &found, error);
    }
    hanse_free(budget, first, n, sizeof *first);
    hanse_free(budget, second, n, sizeof *second);
    hanse_free(budget, extents, n_blocks, sizeof *extents);
    if (status == HANSE_OK && report != NULL)
        *report = found;
    return status;
}
