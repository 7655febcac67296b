/* SPDX-License-Identifier: Apache-2.0
 *
 * Data for the cases: tables in memory and generated files.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/cases.h"
#include "datasets/generate.h"
#include "engine/base/error.h"
#include "engine/base/memory.h"

uint64_t hanse_bench_random(uint64_t stream, uint64_t i)
{
    uint64_t x = (stream << 56) + (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* ---- Tables in memory --------------------------------------------------- */

/* 2^20 cents are ten thousand and some. */
static double money(uint64_t random)
{
    return floor(exp2((double)(random >> 11) * (20.0 * 0x1p-53))) / 100.0;
}

void hanse_bench_table_clear(hanse_bench_table *table)
{
    const size_t n = table->n_rows;
    hanse_free(NULL, table->cluster, n, sizeof *table->cluster);
    for (size_t m = 0; m < HANSE_BENCH_MEASURES; m++)
        hanse_free(NULL, table->measures[m], n, sizeof *table->measures[m]);
    *table = (hanse_bench_table){0};
}

static bool make_measures(hanse_bench_table *table, size_t n)
{
    table->n_rows = n;
    table->cluster = hanse_allocate(NULL, n, sizeof *table->cluster);
    bool made = table->cluster != NULL;
    for (size_t m = 0; m < HANSE_BENCH_MEASURES; m++) {
        double *values = hanse_allocate(NULL, n, sizeof *values);
        table->measures[m] = values;
        made = made && values != NULL;
        for (size_t i = 0; made && i < n; i++)
            values[i] = money(hanse_bench_random(HANSE_BENCH_SEED + 1 + m, i));
    }
    return made;
}

static bool make_clusters(hanse_bench_table *table, size_t n_groups)
{
    uint8_t *seen = hanse_allocate_zero(NULL, n_groups, 1);
    if (seen == NULL)
        return false;
    table->n_groups = n_groups;
    table->n_present = 0;
    for (size_t i = 0; i < table->n_rows; i++) {
        const size_t group = hanse_bench_random(HANSE_BENCH_SEED, i) % n_groups;
        table->cluster[i] = (int32_t)group;
        table->n_present += seen[group] == 0;
        seen[group] = 1;
    }
    hanse_free(NULL, seen, n_groups, 1);
    return true;
}

const hanse_bench_table *hanse_bench_table_make(hanse_bench_settings *settings,
                                                size_t n_groups)
{
    hanse_bench_table *table = &settings->table;
    if (table->n_rows == 0 && !make_measures(table, settings->n_rows)) {
        hanse_bench_table_clear(table);
        return NULL;
    }
    if (table->n_groups != n_groups && !make_clusters(table, n_groups))
        return NULL;
    return table;
}

/* ---- Files -------------------------------------------------------------- */

hanse_status hanse_bench_file(const hanse_bench_settings *settings,
                              const char *name, uint64_t n_rows,
                              const hanse_storage *storage, char *path,
                              hanse_error *error)
{
    const int length = snprintf(path, HANSE_BENCH_PATH, "%s/%s_%llu_seed%d.h5",
                                settings->data_dir, name,
                                (unsigned long long)n_rows, HANSE_BENCH_SEED);
    if (length < 0 || length >= HANSE_BENCH_PATH)
        return hanse_fail(error, HANSE_ERR_ARGUMENT, "%s: path too long",
                          settings->data_dir);
    if (mkdir(settings->data_dir, 0700) != 0 && errno != EEXIST)
        return hanse_fail(error, HANSE_ERR_IO, "%s: %s", settings->data_dir,
                          strerror(errno));
    /* A file appears under its name only when it is complete. */
    if (access(path, F_OK) == 0)
        return HANSE_OK;
    hanse_generate_options options = hanse_generate_defaults();
    options.n_rows = n_rows;
    options.population.seed = HANSE_BENCH_SEED;
    options.storage = *storage;
    return hanse_generate_file(path, &options, NULL, error);
}
