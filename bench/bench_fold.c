/* SPDX-License-Identifier: Apache-2.0
 *
 * The fold over a table in memory, three float64 measures by one int32 key:
 * exact, as a run does it (keys to group numbers, sums, count, finished result
 * sorted by key), against plain sums that are given the group numbers.
 */
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "bench/cases.h"
#include "bench/plain.h"
#include "engine/base/memory.h"
#include "engine/memory_source.h"
#include "engine/run.h"

enum {
    MORSEL_ROWS = 1 << 17
};

typedef struct fold_case {
    hanse_bench_settings *settings;
    size_t n_groups;
    size_t n_threads;
    uint32_t statistics;
} fold_case;

/* A row has its key and its measures. */
static uint64_t table_bytes(const hanse_bench_table *table)
{
    return (uint64_t)table->n_rows *
           (sizeof(int32_t) + HANSE_BENCH_MEASURES * sizeof(double));
}

static void set_amount(hanse_bench_state *state, const hanse_bench_table *table)
{
    hanse_bench_set_rows(state, table->n_rows);
    hanse_bench_set_bytes(state, table_bytes(table));
}

/* ---- Exact -------------------------------------------------------------- */

static hanse_status make_spec(uint32_t statistics, hanse_spec **out,
                              hanse_error *error)
{
    static const char *const keys[] = {"cluster"};
    hanse_spec *spec;
    hanse_status status = hanse_spec_create(&spec, error);
    if (status != HANSE_OK)
        return status;
    status = hanse_spec_add_grouping(spec, keys, 1, error);
    for (int m = 0; m < HANSE_MODEL_COUNT && status == HANSE_OK; m++)
        status = hanse_spec_add_model(spec, (hanse_model)m, NULL, error);
    if (status == HANSE_OK)
        status = hanse_spec_set_statistics(spec, statistics, error);
    if (status == HANSE_OK)
        *out = spec;
    else
        hanse_spec_destroy(spec);
    return status;
}

/* A result of the wrong size would make the fastest fold. */
static hanse_status check_result(const hanse_result *result,
                                 const hanse_bench_table *table,
                                 hanse_error *error)
{
    const hanse_table *by = hanse_result_find(result, "by_cluster");
    if (hanse_result_rows(result).kept == table->n_rows && by != NULL &&
        by->n_rows == table->n_present)
        return HANSE_OK;
    return hanse_fail(error, HANSE_ERR_ARGUMENT, "not the result expected");
}

static hanse_status run_once(const fold_case *c, const hanse_spec *spec,
                             hanse_source *source,
                             const hanse_bench_table *table, hanse_error *error)
{
    hanse_result *result;
    const hanse_run_options options = {.n_threads = c->n_threads};
    HANSE_TRY(hanse_run(spec, source, &options, NULL, &result, error));
    const hanse_status status = check_result(result, table, error);
    hanse_result_destroy(result);
    return status;
}

static void exact(hanse_bench_state *state, const void *context)
{
    static const hanse_field fields[] = {
        {.name = "cluster", .type = HANSE_INT32},
        {.name = "resource", .type = HANSE_FLOAT64},
        {.name = "information", .type = HANSE_FLOAT64},
        {.name = "strategy", .type = HANSE_FLOAT64},
    };
    static const hanse_schema schema = {fields, 4};
    const fold_case *c = context;
    const hanse_bench_table *table =
        hanse_bench_table_make(c->settings, c->n_groups);
    if (table == NULL) {
        hanse_bench_fail(state, "out of memory");
        return;
    }
    const hanse_array arrays[] = {{.values = table->cluster},
                                  {.values = table->measures[0]},
                                  {.values = table->measures[1]},
                                  {.values = table->measures[2]}};
    const hanse_batch batch = {table->n_rows, arrays};
    hanse_spec *spec = NULL;
    hanse_source *source = NULL;
    hanse_error error = {0};
    hanse_status status = make_spec(c->statistics, &spec, &error);
    if (status == HANSE_OK)
        status = hanse_memory_source_open(&schema, &batch, MORSEL_ROWS, &source,
                                          &error);
    if (status != HANSE_OK)
        hanse_bench_fail(state, error.message);
    while (hanse_bench_continue(state))
        if (run_once(c, spec, source, table, &error) != HANSE_OK)
            hanse_bench_fail(state, error.message);
    set_amount(state, table);
    hanse_source_close(source);
    hanse_spec_destroy(spec);
}

/* ---- Plain -------------------------------------------------------------- */

/* Threads take equal shares, as suits rows of equal cost. */
static bool plain_once(const fold_case *c, const hanse_bench_table *table)
{
    hanse_plain_state *total =
        hanse_allocate_zero(NULL, c->n_groups, sizeof *total);
    bool complete = total != NULL;
#pragma omp parallel num_threads((int)c->n_threads)
    {
        const size_t n_threads = (size_t)omp_get_num_threads();
        const size_t thread = (size_t)omp_get_thread_num();
        const size_t first = table->n_rows * thread / n_threads;
        const size_t end = table->n_rows * (thread + 1) / n_threads;
        hanse_plain_state *own =
            thread == 0 ? total
                        : hanse_allocate_zero(NULL, c->n_groups, sizeof *own);
        if (own != NULL)
            hanse_plain_add(own, table->cluster,
                            (const double *const *)table->measures, first,
                            end - first);
#pragma omp barrier
        if (thread != 0) {
#pragma omp critical(hanse_bench_merge)
            {
                if (own != NULL && total != NULL)
                    hanse_plain_merge(total, own, c->n_groups);
                else
                    complete = false;
            }
            hanse_free(NULL, own, c->n_groups, sizeof *own);
        }
    }
    hanse_bench_keep(total);
    hanse_free(NULL, total, c->n_groups, sizeof *total);
    return complete;
}

static void plain(hanse_bench_state *state, const void *context)
{
    const fold_case *c = context;
    const hanse_bench_table *table =
        hanse_bench_table_make(c->settings, c->n_groups);
    if (table == NULL) {
        hanse_bench_fail(state, "out of memory");
        return;
    }
    while (hanse_bench_continue(state))
        if (!plain_once(c, table))
            hanse_bench_fail(state, "out of memory");
    set_amount(state, table);
}

/* ---- Registration ------------------------------------------------------- */

static void add_pair(fold_case *c)
{
    char name[64];
    c->statistics = HANSE_STAT_TOTAL;
    (void)snprintf(name, sizeof name, "fold/exact/groups:%zu/threads:%zu",
                   c->n_groups, c->n_threads);
    hanse_bench_add(name, exact, c, sizeof *c);
    (void)snprintf(name, sizeof name, "fold/plain/groups:%zu/threads:%zu",
                   c->n_groups, c->n_threads);
    hanse_bench_add(name, plain, c, sizeof *c);
}

void hanse_bench_add_fold(hanse_bench_settings *settings)
{
    static const size_t group_counts[] = {1, 10, 1000, 100000, 1000000};
    char name[64];
    fold_case c = {.settings = settings};
    for (size_t i = 0; i < sizeof group_counts / sizeof group_counts[0]; i++) {
        c.n_groups = group_counts[i];
        for (c.n_threads = 1; c.n_threads <= 2; c.n_threads++)
            add_pair(&c);
    }
    c.n_groups = 1000;
    c.statistics = HANSE_STAT_ALL;
    for (c.n_threads = 1; c.n_threads <= 2; c.n_threads++) {
        (void)snprintf(name, sizeof name,
                       "fold/all_statistics/groups:1000/threads:%zu",
                       c.n_threads);
        hanse_bench_add(name, exact, &c, sizeof c);
    }
}
