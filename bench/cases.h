/* SPDX-License-Identifier: Apache-2.0
 *
 * What the cases share: settings, and a table in memory that several of them
 * use.
 */
#ifndef HANSE_BENCH_CASES_H
#define HANSE_BENCH_CASES_H

#include <stddef.h>
#include <stdint.h>

#include "bench/harness.h"
#include "engine/hanse.h"
#include "io/storage.h"

enum {
    HANSE_BENCH_MEASURES = 3,
    HANSE_BENCH_SEED = 1
};

/* Clusters of enterprises, with measures that look like money: 1 cent to ten
 * thousand, log-uniform, rounded to cents. Row i's values depend on i alone. */
typedef struct hanse_bench_table {
    size_t n_rows; /* 0: nothing made yet */
    size_t n_groups;
    size_t n_present; /* of the groups, that have a row */
    int32_t *cluster; /* 0 to n_groups - 1, uniform, in no order */
    double *measures[HANSE_BENCH_MEASURES];
} hanse_bench_table;

typedef struct hanse_bench_settings {
    uint64_t n_rows;         /* of tables and jobs */
    const char *data_dir;    /* where generated files are kept */
    const char *program;     /* hanse */
    hanse_bench_table table; /* made when the first case asks for it */
} hanse_bench_settings;

/* Makes the settings' table one of n_rows rows in n_groups groups; NULL when
 * memory is exhausted. hanse_bench_table_clear frees it. */
const hanse_bench_table *hanse_bench_table_make(hanse_bench_settings *settings,
                                                size_t n_groups);
void hanse_bench_table_clear(hanse_bench_table *table);

/* The i-th number of a stream, uniform over all of uint64: splitmix64 of
 * Steele, Lea, Flood 2014 as a counter-based generator. */
uint64_t hanse_bench_random(uint64_t stream, uint64_t i);

/* Generates a population's file in data_dir and keeps it; one that is there
 * already is used as it is. `name` tells storages apart. `path` has room for
 * HANSE_BENCH_PATH bytes. */
enum {
    HANSE_BENCH_PATH = 4096
};
hanse_status hanse_bench_file(const hanse_bench_settings *settings,
                              const char *name, uint64_t n_rows,
                              const hanse_storage *storage, char *path,
                              hanse_error *error);

/* Each registers the cases of one file. */
void hanse_bench_add_kernels(void);
void hanse_bench_add_fold(hanse_bench_settings *settings);
void hanse_bench_add_keys(hanse_bench_settings *settings);
void hanse_bench_add_read(hanse_bench_settings *settings);
void hanse_bench_add_job(hanse_bench_settings *settings);

#endif
