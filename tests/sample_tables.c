/* SPDX-License-Identifier: Apache-2.0
 *
 * The sample tables, and writing them.
 */
#include "tests/sample_tables.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/result_file.h"

enum {
    N_CLUSTERS = 4,
    N_CHAINS = 5,
    N_PAIRS = 3,
    N_FLOWS = 3
};

/* ---- by_cluster --------------------------------------------------------- */

static const int32_t clusters[N_CLUSTERS] = {-3, 1, 2, 2000000000};
static const int64_t cluster_counts[N_CLUSTERS] = {1234567, 1, 12, 0};
static const double cluster_resources[N_CLUSTERS] = {1234567.25, 0.1, -0.0,
                                                     NAN};
static const int64_t cluster_information[N_CLUSTERS] = {
    INT64_C(9007199254740993), INT64_C(-9007199254740993), INT64_MAX, 7};
static const uint64_t cluster_large[N_CLUSTERS] = {UINT64_MAX, 0, 1, 2};
static const uint64_t cluster_small[N_CLUSTERS] = {INT64_MAX, 0, 1, 2};

static const hanse_column cluster_keys[] = {
    {.name = "cluster",
     .long_name = "industrial cluster",
     .type = HANSE_INT32,
     .values = clusters},
};
static const hanse_column cluster_columns[] = {
    {.name = "count",
     .long_name = "number of enterprises",
     .units = "1",
     .cell_methods = "enterprise: sum",
     .type = HANSE_INT64,
     .values = cluster_counts},
    {.name = "resource_total",
     .long_name = "resource, total",
     .units = "kW h",
     .cell_methods = "enterprise: sum",
     .type = HANSE_FLOAT64,
     .values = cluster_resources},
    {.name = "information_total",
     .cell_methods = "enterprise: sum",
     .type = HANSE_INT64,
     .values = cluster_information},
    {.name = "turnover_max",
     .units = "1000 EUR",
     .cell_methods = "enterprise: maximum",
     .type = HANSE_UINT64,
     .values = cluster_large},
    {.name = "turnover_min",
     .units = "EUR",
     .cell_methods = "enterprise: minimum",
     .type = HANSE_UINT64,
     .values = cluster_small},
};

/* ---- by_chain ----------------------------------------------------------- */

static const char *const chains[N_CHAINS] = {
    "", "bad\377byte", "\u0141\u00f3d\u017a", "\u4ea7\u4e1a", ""};
static const uint8_t chain_missing[N_CHAINS] = {0, 0, 0, 0, 1};
static const int64_t chain_counts[N_CHAINS] = {1, 2, 3, 4, 5};
static const double chain_resources[N_CHAINS] = {1.5, 1e300, 5e-324, -INFINITY,
                                                 NAN};

static const hanse_column chain_keys[] = {
    {.name = "chain",
     .long_name = "industry chain \u4ea7\u4e1a\u94fe",
     .type = HANSE_TEXT,
     .values = chains,
     .missing = chain_missing},
};
static const hanse_column chain_columns[] = {
    {.name = "count", .type = HANSE_INT64, .values = chain_counts},
    {.name = "resource_mean",
     .units = "m2",
     .cell_methods = "enterprise: mean",
     .type = HANSE_FLOAT64,
     .values = chain_resources},
};

/* ---- by_chain_platform -------------------------------------------------- */

static const char *const pair_chains[N_PAIRS] = {"steel", "steel",
                                                 "\u4ea7\u4e1a"};
static const int16_t pair_platforms[N_PAIRS] = {4, 0, 9};
static const uint8_t pair_missing[N_PAIRS] = {0, 1, 0};
static const int64_t pair_counts[N_PAIRS] = {10, 20, 30};
static const double pair_totals[N_PAIRS] = {0.5, 0.25, 0.125};

static const hanse_column pair_keys[] = {
    {.name = "chain", .type = HANSE_TEXT, .values = pair_chains},
    {.name = "platform",
     .type = HANSE_INT16,
     .values = pair_platforms,
     .missing = pair_missing},
};
static const hanse_column pair_columns[] = {
    {.name = "count", .type = HANSE_INT64, .values = pair_counts},
    {.name = "cooperation_total",
     .cell_methods = "enterprise: sum",
     .type = HANSE_FLOAT64,
     .values = pair_totals},
};

/* ---- total -------------------------------------------------------------- */

static const int64_t total_count[] = {INT64_C(9007199254740993)};
static const double total_resource[] = {1234567.35};

static const hanse_column total_columns[] = {
    {.name = "count", .type = HANSE_INT64, .values = total_count},
    {.name = "resource_total",
     .units = "kW h",
     .cell_methods = "enterprise: sum",
     .type = HANSE_FLOAT64,
     .values = total_resource},
};

/* ---- flows/by_cluster ---------------------------------------------------- */

static const int32_t flow_sources[N_FLOWS] = {1, 1, 2000000000};
static const int32_t flow_targets[N_FLOWS] = {1, 2, -3};
static const double flow_values[N_FLOWS] = {12.5, NAN, 0.25};
static const int8_t flow_statuses[N_FLOWS] = {0, 2, 9};
static const int8_t flow_flags[] = {0, 2, -1};
static const char *const flow_meanings[] = {"ok", "zero_total", "lost"};

static const hanse_column flow_keys[] = {
    {.name = "source", .type = HANSE_INT32, .values = flow_sources},
    {.name = "target", .type = HANSE_INT32, .values = flow_targets},
};
static const hanse_column flow_columns[] = {
    {.name = "flow", .type = HANSE_FLOAT64, .values = flow_values},
    {.name = "flow_status",
     .long_name = "whether the flow is defined",
     .type = HANSE_INT8,
     .values = flow_statuses,
     .n_flags = 3,
     .flag_values = flow_flags,
     .flag_meanings = flow_meanings},
};

#define ARRAY_SIZE(array) (sizeof(array) / sizeof(array)[0])

const hanse_table sample_tables[N_SAMPLE_TABLES] = {
    [SAMPLE_BY_CLUSTER] = {.name = "by_cluster",
                           .n_rows = N_CLUSTERS,
                           .keys = cluster_keys,
                           .n_keys = 1,
                           .columns = cluster_columns,
                           .n_columns = ARRAY_SIZE(cluster_columns)},
    [SAMPLE_BY_CHAIN] = {.name = "by_chain",
                         .n_rows = N_CHAINS,
                         .keys = chain_keys,
                         .n_keys = 1,
                         .columns = chain_columns,
                         .n_columns = ARRAY_SIZE(chain_columns)},
    [SAMPLE_BY_CHAIN_PLATFORM] = {.name = "by_chain_platform",
                                  .n_rows = N_PAIRS,
                                  .keys = pair_keys,
                                  .n_keys = 2,
                                  .columns = pair_columns,
                                  .n_columns = ARRAY_SIZE(pair_columns),
                                  .n_dropped = 17},
    [SAMPLE_TOTAL] = {.name = "total",
                      .n_rows = 1,
                      .columns = total_columns,
                      .n_columns = ARRAY_SIZE(total_columns)},
    [SAMPLE_FLOWS] = {.name = "flows/by_cluster",
                      .n_rows = N_FLOWS,
                      .keys = flow_keys,
                      .n_keys = 2,
                      .columns = flow_columns,
                      .n_columns = ARRAY_SIZE(flow_columns)},
};

/* ---- Writing and large tables ------------------------------------------- */

hanse_status sample_write(const char *path, const hanse_table *tables,
                          size_t n_tables, const char *provenance,
                          hanse_error *error)
{
    const hanse_result_info info = {
        .title = "Sample \u4ea7\u4e1a",
        .history = "hanse run enterprises.h5 -o totals.h5",
        .provenance_json = provenance,
    };
    hanse_sink *sink = NULL;
    hanse_status status = hanse_result_sink_open(path, &info, &sink, error);
    if (status != HANSE_OK)
        return status;
    for (size_t i = 0; i < n_tables && status == HANSE_OK; i++)
        status = sink->ops->table(sink, &tables[i], error);
    if (status == HANSE_OK)
        status = sink->ops->commit(sink, error);
    sink->ops->close(sink);
    return status;
}

typedef struct large_table {
    hanse_table table;
    hanse_column key;
    hanse_column column;
    const char **labels;
    char (*texts)[32];
    double *values;
} large_table;

hanse_table *sample_create_large(size_t n_rows, unsigned salt)
{
    large_table *large = calloc(1, sizeof *large);
    assert(large != NULL);
    large->labels = calloc(n_rows, sizeof *large->labels);
    large->texts = calloc(n_rows, sizeof *large->texts);
    large->values = calloc(n_rows, sizeof *large->values);
    assert(large->labels != NULL && large->texts != NULL &&
           large->values != NULL);
    for (size_t i = 0; i < n_rows; i++) {
        snprintf(large->texts[i], sizeof large->texts[i], "enterprise %zu", i);
        large->labels[i] = large->texts[i];
        large->values[i] = (double)i + salt;
    }
    large->key = (hanse_column){
        .name = "enterprise_id", .type = HANSE_TEXT, .values = large->labels};
    large->column = (hanse_column){.name = "resource_total",
                                   .type = HANSE_FLOAT64,
                                   .values = large->values};
    large->table = (hanse_table){.name = "by_enterprise_id",
                                 .n_rows = n_rows,
                                 .keys = &large->key,
                                 .n_keys = 1,
                                 .columns = &large->column,
                                 .n_columns = 1};
    return &large->table;
}

void sample_destroy(hanse_table *table)
{
    large_table *large = (large_table *)table;
    if (large == NULL)
        return;
    free(large->labels);
    free(large->texts);
    free(large->values);
    free(large);
}
