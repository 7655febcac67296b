/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels on data in the first cache levels: the three steps of an exact
 * grouped sum in every instruction set of the machine, and the plain sum that
 * they compete with; then maps from keys to codes, and the sort of groups.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/cases.h"
#include "bench/plain.h"
#include "engine/base/memory.h"
#include "engine/exact.h"
#include "engine/key_map.h"
#include "engine/kernels/kernels.h"
#include "engine/sort.h"
#include "engine/source.h"

enum {
    N_GROUPS = 1000, /* of grouped adds: 64 KB of states */
    N_KEYS = 1 << 20
};

/* One part of a block as the fold has it. */
typedef struct part {
    _Alignas(64) double x[HANSE_LIMB_BATCH];
    _Alignas(64) int64_t lanes[HANSE_LINE_LANES * HANSE_LIMB_BATCH];
    _Alignas(64) int64_t rows[HANSE_LINE_LANES * HANSE_LIMB_BATCH];
    _Alignas(64) int64_t states[N_GROUPS * HANSE_LINE_LANES];
    uint32_t groups[HANSE_LIMB_BATCH];
    uint16_t bad[HANSE_LIMB_BATCH];
    hanse_split_grid grid;
} part;

typedef struct kernel_case {
    const hanse_kernels *kernels;
    int n_limbs; /* of the window */
} kernel_case;

/* Values from 1 to 2^20 with bits down to 2^-20, pieces all 1. */
static part *make_part(hanse_bench_state *state, int n_limbs)
{
    part *p = hanse_allocate_zero(NULL, 1, sizeof *p);
    if (p == NULL) {
        hanse_bench_fail(state, "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < HANSE_LIMB_BATCH; i++) {
        const uint64_t random = hanse_bench_random(HANSE_BENCH_SEED, i);
        p->x[i] = ldexp((double)(random >> 24), -20);
        p->groups[i] = (uint32_t)(random % N_GROUPS);
    }
    for (size_t i = 0; i < HANSE_LINE_LANES * HANSE_LIMB_BATCH; i++)
        p->lanes[i] = p->rows[i] = 1;
    const hanse_window window = {-40, n_limbs};
    if (!hanse_window_grid(&window, &p->grid))
        hanse_bench_fail(state, "no grid for this window");
    return p;
}

static void free_part(part *p)
{
    hanse_free(NULL, p, 1, sizeof *p);
}

static void run_split(hanse_bench_state *state, const kernel_case *c,
                      hanse_split_function *split)
{
    part *p = make_part(state, c->n_limbs);
    if (p == NULL)
        return;
    if (split(p->x, HANSE_LIMB_BATCH, &p->grid, p->lanes, p->bad) != 0)
        hanse_bench_fail(state, "values outside the window");
    while (hanse_bench_continue(state)) {
        const size_t n_bad =
            split(p->x, HANSE_LIMB_BATCH, &p->grid, p->lanes, p->bad);
        hanse_bench_keep(&n_bad);
    }
    hanse_bench_set_rows(state, HANSE_LIMB_BATCH);
    hanse_bench_set_bytes(state, sizeof p->x);
    free_part(p);
}

static void split_values(hanse_bench_state *state, const void *context)
{
    const kernel_case *c = context;
    run_split(state, c, c->kernels->split_f64);
}

static void split_squares(hanse_bench_state *state, const void *context)
{
    const kernel_case *c = context;
    run_split(state, c, c->kernels->split_square_f64);
}

/* All rows in one group. */
static void run_total(hanse_bench_state *state, const kernel_case *c,
                      hanse_total_function *total)
{
    part *p = make_part(state, c->n_limbs);
    if (p == NULL)
        return;
    if (total(p->x, HANSE_LIMB_BATCH, &p->grid, p->lanes, p->bad) != 0)
        hanse_bench_fail(state, "values outside the window");
    while (hanse_bench_continue(state)) {
        (void)total(p->x, HANSE_LIMB_BATCH, &p->grid, p->lanes, p->bad);
        hanse_bench_keep(p->lanes);
    }
    hanse_bench_set_rows(state, HANSE_LIMB_BATCH);
    hanse_bench_set_bytes(state, sizeof p->x);
    free_part(p);
}

static void total_values(hanse_bench_state *state, const void *context)
{
    const kernel_case *c = context;
    run_total(state, c, c->kernels->total_f64);
}

static void total_squares(hanse_bench_state *state, const void *context)
{
    const kernel_case *c = context;
    run_total(state, c, c->kernels->total_square_f64);
}

static void transpose(hanse_bench_state *state, const void *context)
{
    const kernel_case *c = context;
    part *p = make_part(state, 2);
    if (p == NULL)
        return;
    while (hanse_bench_continue(state)) {
        c->kernels->transpose(p->lanes, HANSE_LIMB_BATCH, HANSE_LINE_LANES,
                              HANSE_LIMB_BATCH, p->rows);
        hanse_bench_keep(p->rows);
    }
    hanse_bench_set_rows(state, HANSE_LIMB_BATCH);
    hanse_bench_set_bytes(state, sizeof p->lanes);
    free_part(p);
}

/* States of ones only reach the guard after 2^61 adds. */
static void group_add(hanse_bench_state *state, const void *context)
{
    const kernel_case *c = context;
    part *p = make_part(state, 2);
    if (p == NULL)
        return;
    while (hanse_bench_continue(state)) {
        const bool full = c->kernels->group_add(
            p->states, HANSE_LINE_LANES, p->groups, p->rows, HANSE_LINE_LANES,
            HANSE_LINE_LANES, HANSE_LIMB_BATCH);
        hanse_bench_keep(&full);
        hanse_bench_keep(p->states);
    }
    hanse_bench_set_rows(state, HANSE_LIMB_BATCH);
    hanse_bench_set_bytes(state, sizeof p->rows);
    free_part(p);
}

/* Transpose and group add in one. */
static void lanes_add(hanse_bench_state *state, const void *context)
{
    const kernel_case *c = context;
    part *p = make_part(state, 2);
    if (p == NULL)
        return;
    while (hanse_bench_continue(state)) {
        const bool full = c->kernels->lanes_add(
            p->states, HANSE_LINE_LANES, p->groups, p->lanes, HANSE_LIMB_BATCH,
            HANSE_LINE_LANES, HANSE_LINE_LANES, HANSE_LIMB_BATCH);
        hanse_bench_keep(&full);
        hanse_bench_keep(p->states);
    }
    hanse_bench_set_rows(state, HANSE_LIMB_BATCH);
    hanse_bench_set_bytes(state, sizeof p->lanes);
    free_part(p);
}

/* Three measures to packed states. */
static void packed_add(hanse_bench_state *state, const void *context)
{
    const kernel_case *c = context;
    part *p = make_part(state, 2);
    if (p == NULL)
        return;
    uint16_t bad[3][HANSE_LIMB_BATCH];
    hanse_line_measure measures[3];
    for (size_t m = 0; m < 3; m++)
        measures[m] = (hanse_line_measure){p->x, &p->grid, bad[m], 0};
    while (hanse_bench_continue(state)) {
        const bool full = c->kernels->packed_add(p->states, p->groups, measures,
                                                 3, HANSE_LIMB_BATCH);
        hanse_bench_keep(&full);
        hanse_bench_keep(p->states);
    }
    hanse_bench_set_rows(state, HANSE_LIMB_BATCH);
    hanse_bench_set_bytes(state, 3 * sizeof p->x);
    free_part(p);
}

/* Three measures with squares and extremes; states are 256 KB. */
static void square_add(hanse_bench_state *state, const void *context)
{
    enum {
        STRIDE = 4 * HANSE_LINE_LANES
    };
    const kernel_case *c = context;
    part *p = make_part(state, 2);
    int64_t *rows = hanse_allocate_zero(NULL, N_GROUPS, STRIDE * sizeof *rows);
    uint16_t bad[3][HANSE_LIMB_BATCH];
    hanse_line_measure measures[3];
    if (p == NULL || rows == NULL) {
        hanse_bench_fail(state, "out of memory");
    } else {
        const hanse_square_states states = {rows, STRIDE, p->groups, true};
        for (size_t m = 0; m < 3; m++)
            measures[m] = (hanse_line_measure){p->x, &p->grid, bad[m], 0};
        while (hanse_bench_continue(state)) {
            const bool full =
                c->kernels->square_add(&states, measures, 3, HANSE_LIMB_BATCH);
            hanse_bench_keep(&full);
            hanse_bench_keep(rows);
        }
        hanse_bench_set_rows(state, HANSE_LIMB_BATCH);
        hanse_bench_set_bytes(state, 3 * sizeof p->x);
    }
    hanse_free(NULL, rows, N_GROUPS, STRIDE * sizeof *rows);
    free_part(p);
}

static void plain_add(hanse_bench_state *state, const void *context)
{
    (void)context;
    part *p = make_part(state, 2);
    hanse_plain_state *states =
        hanse_allocate_zero(NULL, N_GROUPS, sizeof *states);
    int32_t groups[HANSE_LIMB_BATCH];
    if (p == NULL || states == NULL) {
        hanse_bench_fail(state, "out of memory");
    } else {
        for (size_t i = 0; i < HANSE_LIMB_BATCH; i++)
            groups[i] = (int32_t)p->groups[i];
        const double *const measures[HANSE_BENCH_MEASURES] = {p->x, p->x, p->x};
        while (hanse_bench_continue(state)) {
            hanse_plain_add(states, groups, measures, 0, HANSE_LIMB_BATCH);
            hanse_bench_keep(states);
        }
        hanse_bench_set_rows(state, HANSE_LIMB_BATCH);
        hanse_bench_set_bytes(state, HANSE_BENCH_MEASURES * sizeof p->x);
    }
    hanse_free(NULL, states, N_GROUPS, sizeof *states);
    free_part(p);
}

/* ---- Keys --------------------------------------------------------------- */

typedef struct key_case {
    size_t n_keys;   /* different ones */
    uint64_t spread; /* distance of neighbours: 1 is dense */
} key_case;

/* Codes of a million keys, all of them known to the map already. */
static void map_keys(hanse_bench_state *state, const void *context)
{
    const key_case *c = context;
    hanse_int_map map;
    hanse_int_map_init(&map, NULL);
    int64_t *keys = hanse_allocate(NULL, N_KEYS, sizeof *keys);
    uint32_t *codes = hanse_allocate(NULL, N_KEYS, sizeof *codes);
    hanse_error error = {0};
    hanse_status status = HANSE_ERR_NOMEM;
    if (keys != NULL && codes != NULL) {
        for (size_t i = 0; i < N_KEYS; i++)
            keys[i] = (int64_t)(hanse_bench_random(HANSE_BENCH_SEED, i) %
                                c->n_keys * c->spread);
        status = hanse_int_map_codes(&map, keys, N_KEYS, codes, &error);
    }
    if (status != HANSE_OK)
        hanse_bench_fail(state, hanse_status_text(status));
    while (hanse_bench_continue(state)) {
        if (hanse_int_map_codes(&map, keys, N_KEYS, codes, &error) != HANSE_OK)
            hanse_bench_fail(state, error.message);
        hanse_bench_keep(codes);
    }
    hanse_bench_set_rows(state, N_KEYS);
    hanse_bench_set_bytes(state, N_KEYS * sizeof *keys);
    hanse_free(NULL, keys, N_KEYS, sizeof *keys);
    hanse_free(NULL, codes, N_KEYS, sizeof *codes);
    hanse_int_map_clear(&map);
}

/* A million keys over all of uint64; filling the array again is timed with the
 * sort, about a twentieth of it. */
static void sort_keys(hanse_bench_state *state, const void *context)
{
    (void)context;
    hanse_sort_entry *entries = hanse_allocate(NULL, N_KEYS, sizeof *entries);
    hanse_sort_entry *spare = hanse_allocate(NULL, N_KEYS, sizeof *spare);
    if (entries == NULL || spare == NULL)
        hanse_bench_fail(state, "out of memory");
    while (hanse_bench_continue(state)) {
        for (uint32_t i = 0; i < N_KEYS; i++)
            entries[i] =
                (hanse_sort_entry){hanse_bench_random(HANSE_BENCH_SEED, i), i};
        hanse_sort(entries, spare, N_KEYS);
        hanse_bench_keep(entries);
    }
    hanse_bench_set_rows(state, N_KEYS);
    hanse_bench_set_bytes(state, N_KEYS * sizeof *entries);
    hanse_free(NULL, entries, N_KEYS, sizeof *entries);
    hanse_free(NULL, spare, N_KEYS, sizeof *spare);
}

/* ---- Registration ------------------------------------------------------- */

/* A block of rows of which a quarter is kept; and its bins. */
static void select_rows(hanse_bench_state *state, const void *context)
{
    const kernel_case *c = context;
    static uint8_t condition[HANSE_BLOCK_ROWS];
    static uint16_t kept[HANSE_BLOCK_ROWS + HANSE_SELECT_SLACK];
    for (size_t i = 0; i < HANSE_BLOCK_ROWS; i++)
        condition[i] = hanse_bench_random(HANSE_BENCH_SEED, i) % 4 == 0;
    while (hanse_bench_continue(state)) {
        hanse_bench_keep(condition);
        (void)c->kernels->select(condition, HANSE_BLOCK_ROWS, kept);
        hanse_bench_keep(kept);
    }
    hanse_bench_set_rows(state, HANSE_BLOCK_ROWS);
}

static void reach_edges(hanse_bench_state *state, const void *context)
{
    const kernel_case *c = context;
    static int64_t values[HANSE_BLOCK_ROWS], bins[HANSE_BLOCK_ROWS];
    static const int64_t edges[] = {10, 20, 30, 50, 100, 150};
    for (size_t i = 0; i < HANSE_BLOCK_ROWS; i++)
        values[i] = (int64_t)(hanse_bench_random(HANSE_BENCH_SEED, i) % 200);
    while (hanse_bench_continue(state)) {
        hanse_bench_keep(values);
        c->kernels->reach_i64(values, HANSE_BLOCK_ROWS, edges, 6, bins);
        hanse_bench_keep(bins);
    }
    hanse_bench_set_rows(state, HANSE_BLOCK_ROWS);
}

static void add_kernels_of(hanse_cpu cpu)
{
    char name[64];
    kernel_case c = {hanse_kernels_of(cpu), 2};
    for (c.n_limbs = 2; c.n_limbs <= 4; c.n_limbs++) {
        (void)snprintf(name, sizeof name, "kernel/split/%s/limbs:%d",
                       hanse_cpu_name(cpu), c.n_limbs);
        hanse_bench_add(name, split_values, &c, sizeof c);
        (void)snprintf(name, sizeof name, "kernel/total/%s/limbs:%d",
                       hanse_cpu_name(cpu), c.n_limbs);
        hanse_bench_add(name, total_values, &c, sizeof c);
    }
    c.n_limbs = 4;
    (void)snprintf(name, sizeof name, "kernel/total_square/%s/limbs:4",
                   hanse_cpu_name(cpu));
    hanse_bench_add(name, total_squares, &c, sizeof c);
    (void)snprintf(name, sizeof name, "kernel/split_square/%s/limbs:4",
                   hanse_cpu_name(cpu));
    hanse_bench_add(name, split_squares, &c, sizeof c);
    (void)snprintf(name, sizeof name, "kernel/transpose/%s",
                   hanse_cpu_name(cpu));
    hanse_bench_add(name, transpose, &c, sizeof c);
    (void)snprintf(name, sizeof name, "kernel/group_add/%s",
                   hanse_cpu_name(cpu));
    hanse_bench_add(name, group_add, &c, sizeof c);
    if (c.kernels->lanes_add != NULL) {
        (void)snprintf(name, sizeof name, "kernel/lanes_add/%s",
                       hanse_cpu_name(cpu));
        hanse_bench_add(name, lanes_add, &c, sizeof c);
    }
    (void)snprintf(name, sizeof name, "kernel/packed_add/%s",
                   hanse_cpu_name(cpu));
    hanse_bench_add(name, packed_add, &c, sizeof c);
    (void)snprintf(name, sizeof name, "kernel/square_add/%s",
                   hanse_cpu_name(cpu));
    hanse_bench_add(name, square_add, &c, sizeof c);
    (void)snprintf(name, sizeof name, "kernel/select/%s", hanse_cpu_name(cpu));
    hanse_bench_add(name, select_rows, &c, sizeof c);
    (void)snprintf(name, sizeof name, "kernel/reach_i64/%s/edges:6",
                   hanse_cpu_name(cpu));
    hanse_bench_add(name, reach_edges, &c, sizeof c);
}

void hanse_bench_add_kernels(void)
{
    static const struct {
        const char *name;
        key_case keys;
    } maps[] = {
        {"kernel/int_map/dense/keys:1000", {1000, 1}},
        {"kernel/int_map/dense/keys:100000", {100000, 1}},
        {"kernel/int_map/hashed/keys:1000", {1000, 1000000007}},
        {"kernel/int_map/hashed/keys:100000", {100000, 1000000007}},
    };
    for (int cpu = HANSE_CPU_SCALAR; cpu <= (int)hanse_cpu_detect(); cpu++)
        add_kernels_of((hanse_cpu)cpu);
    hanse_bench_add("kernel/plain_add", plain_add, "", 0);
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
        hanse_bench_add(maps[i].name, map_keys, &maps[i].keys,
                        sizeof maps[i].keys);
    hanse_bench_add("kernel/sort", sort_keys, "", 0);
}
