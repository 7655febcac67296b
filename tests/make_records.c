/* SPDX-License-Identifier: Apache-2.0
 *
 * make_records PATH ROWS STORAGE THREADS MORSEL_ROWS [COLUMNS]: writes
 * record-level results whose values tests/test_records.py knows, COLUMNS (1) of
 * numbers and one of codes. Prints the seconds that it took.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/base/memory.h"
#include "engine/memory_source.h"
#include "io/atomic_file.h"
#include "io/result_file.h"
#include "tests/sample_tables.h"

enum {
    MAX_COLUMNS = 8
};

typedef struct columns {
    size_t n_rows;
    size_t n_numbers;
    double *values[MAX_COLUMNS + 1]; /* the last used one: codes */
    uint8_t *missing;
} columns;

static void make_columns(columns *c)
{
    c->missing = calloc(c->n_rows + 1, 1);
    for (size_t k = 0; k <= c->n_numbers; k++)
        c->values[k] = calloc(c->n_rows + 1, sizeof(double));
    for (size_t i = 0; i < c->n_rows; i++) {
        for (size_t k = 0; k < c->n_numbers; k++)
            c->values[k][i] =
                i % 7 == 3 ? -(double)NAN : (double)(i % 1000 + k) / 8;
        c->missing[i] = i % 11 == 5;
        c->values[c->n_numbers][i] =
            i % 101 == 5 ? (double)NAN : (double)(i % 9);
    }
}

static void free_columns(columns *c)
{
    for (size_t k = 0; k <= c->n_numbers; k++)
        free(c->values[k]);
    free(c->missing);
}

static double seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static hanse_status write_records(hanse_sink *sink, const columns *c,
                                  size_t n_threads, size_t morsel_rows,
                                  hanse_error *error)
{
    static const char *const names[] = {"award",   "award_2", "award_3",
                                        "award_4", "award_5", "award_6",
                                        "award_7", "award_8"};
    hanse_field fields[MAX_COLUMNS + 1] = {0};
    hanse_array arrays[MAX_COLUMNS + 1] = {0};
    hanse_record_variable variables[MAX_COLUMNS + 1] = {0};
    const size_t n = c->n_numbers + 1;
    for (size_t k = 0; k < n; k++) {
        const bool is_status = k + 1 == n;
        fields[k] = (hanse_field){.name = is_status ? "s" : names[k],
                                  .type = HANSE_FLOAT64};
        arrays[k] = (hanse_array){.values = c->values[k],
                                  .missing = k == 0 ? c->missing : NULL};
        variables[k] = (hanse_record_variable){
            .name = is_status ? "award_status" : names[k],
            .long_name = is_status ? "whether the award is defined"
                                   : "award of the record",
            .units = is_status ? NULL : "kW h",
            .field = k,
            .is_status = is_status};
    }
    const hanse_schema schema = {fields, n};
    const hanse_batch batch = {c->n_rows, arrays};
    const hanse_run_options options = {.n_threads = n_threads};
    hanse_budget budget = {.limit_bytes = (uint64_t)256 << 20};
    hanse_source *source;
    hanse_status status =
        hanse_memory_source_open(&schema, &batch, morsel_rows, &source, error);
    if (status != HANSE_OK)
        return status;
    source->budget = &budget;
    const hanse_record_set set = {source, variables, n, &options};
    status = sink->ops->records(sink, &set, error);
    hanse_source_close(source);
    return status;
}

static hanse_status write_file(char **argv, const columns *c,
                               hanse_error *error)
{
    hanse_storage storage;
    hanse_sink *sink;
    hanse_status status = hanse_storage_parse_chunked(&storage, argv[3], error);
    if (status != HANSE_OK)
        return status;
    const hanse_result_info info = {.history = "hanse run",
                                    .records = &storage};
    status = hanse_result_sink_open(argv[1], &info, &sink, error);
    if (status != HANSE_OK)
        return status;
    status = sink->ops->table(sink, &sample_tables[SAMPLE_BY_CLUSTER], error);
    const double start = seconds();
    if (status == HANSE_OK)
        status = write_records(sink, c, strtoull(argv[4], NULL, 10),
                               strtoull(argv[5], NULL, 10), error);
    printf("%.3f\n", seconds() - start);
    if (status == HANSE_OK)
        status = sink->ops->table(sink, &sample_tables[SAMPLE_FLOWS], error);
    if (status == HANSE_OK)
        status = sink->ops->commit(sink, error);
    sink->ops->close(sink);
    return status;
}

int main(int argc, char **argv)
{
    hanse_error error = {0};
    if (argc != 6 && argc != 7)
        return 2;
    columns c = {.n_rows = strtoull(argv[2], NULL, 10),
                 .n_numbers = argc == 7 ? strtoull(argv[6], NULL, 10) : 1};
    if (c.n_numbers > MAX_COLUMNS)
        return 2;
    hanse_atomic_file_install_signal_handlers();
    make_columns(&c);
    const hanse_status status = write_file(argv, &c, &error);
    free_columns(&c);
    if (status != HANSE_OK)
        fprintf(stderr, "make_records: %s\n", error.message);
    return status == HANSE_OK ? 0 : 1;
}
