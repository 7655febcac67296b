/* SPDX-License-Identifier: Apache-2.0
 *
 * A network as a source: a row for every link, with the groups of its ends and
 * its flow, made when it is read.
 */
#include "engine/models/group_flows.h"

#include <stdlib.h>

#include "engine/base/error.h"
#include "engine/models/network_work.h"

enum {
    FROM,
    TO,
    FLOW,
    N_FIELDS
};

static const hanse_field fields[N_FIELDS] = {
    [FROM] = {.name = "from", .type = HANSE_UINT32},
    [TO] = {.name = "to", .type = HANSE_UINT32},
    [FLOW] = {.name = "flow", .type = HANSE_FLOAT64},
};

static const hanse_schema flow_schema = {fields, N_FIELDS};

typedef struct flow_source {
    hanse_source base;
    const hanse_network *network;
    const uint32_t *groups;
    const double *sent;
} flow_source;

typedef struct flow_reader {
    hanse_reader base;
    size_t capacity; /* links that the arrays have room for */
    uint32_t *from;
    uint32_t *to;
    double *flow;
    size_t morsel; /* in the arrays */
    size_t n;
    hanse_array arrays[N_FIELDS];
} flow_reader;

static const hanse_schema *get_schema(const hanse_source *source)
{
    (void)source;
    return &flow_schema;
}

static uint64_t get_n_rows(const hanse_source *source)
{
    return ((const flow_source *)source)->network->n_links;
}

static size_t get_n_morsels(const hanse_source *source)
{
    return hanse_network_n_tasks(((const flow_source *)source)->network);
}

static hanse_status open_reader(hanse_source *source, hanse_reader **out,
                                hanse_error *error)
{
    flow_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return hanse_fail_nomem(error, "reader", sizeof *reader);
    reader->base.source = source;
    reader->morsel = SIZE_MAX;
    *out = &reader->base;
    return HANSE_OK;
}

static void free_arrays(flow_reader *reader)
{
    hanse_budget *budget = reader->base.source->budget;
    hanse_free(budget, reader->from, reader->capacity, sizeof *reader->from);
    hanse_free(budget, reader->to, reader->capacity, sizeof *reader->to);
    hanse_free(budget, reader->flow, reader->capacity, sizeof *reader->flow);
    reader->from = reader->to = NULL;
    reader->flow = NULL;
    reader->capacity = 0;
}

static void close_reader(hanse_reader *base)
{
    free_arrays((flow_reader *)base);
    free(base);
}

static hanse_status reserve(flow_reader *reader, size_t n, hanse_error *error)
{
    hanse_budget *budget = reader->base.source->budget;
    if (n <= reader->capacity)
        return HANSE_OK;
    free_arrays(reader);
    reader->from = hanse_allocate(budget, n, sizeof *reader->from);
    reader->to = hanse_allocate(budget, n, sizeof *reader->to);
    reader->flow = hanse_allocate(budget, n, sizeof *reader->flow);
    reader->capacity = n;
    if (reader->from == NULL || reader->to == NULL || reader->flow == NULL)
        return hanse_fail_budget(error, budget, "flows of links", n,
                                 2 * sizeof *reader->from +
                                     sizeof *reader->flow);
    return HANSE_OK;
}

static uint32_t group_of(const flow_source *source, size_t row)
{
    return source->groups == NULL ? (uint32_t)row : source->groups[row];
}

/* Links to the rows of a morsel. */
static void fill(flow_reader *reader, const flow_source *source, size_t first,
                 size_t end)
{
    const hanse_network *network = source->network;
    size_t n = 0;
    for (size_t row = first; row < end; row++) {
        const uint32_t to = group_of(source, row);
        if (to == HANSE_NO_GROUP)
            continue;
        for (uint64_t k = network->starts[row]; k < network->starts[row + 1];
             k++) {
            const uint32_t from = group_of(source, network->sources[k]);
            const double weight =
                network->weights == NULL ? 1.0 : network->weights[k];
            if (from == HANSE_NO_GROUP)
                continue;
            reader->from[n] = from;
            reader->to[n] = to;
            reader->flow[n++] =
                source->sent == NULL
                    ? weight
                    : weight * source->sent[network->sources[k]];
        }
    }
    reader->n = n;
}

static hanse_status read_morsel(hanse_reader *base, size_t morsel,
                                const size_t *wanted, size_t n_wanted,
                                hanse_morsel *out, hanse_error *error)
{
    flow_reader *reader = (flow_reader *)base;
    const flow_source *source = (const flow_source *)base->source;
    const hanse_network *network = source->network;
    const size_t first = hanse_network_task_row(network, morsel);
    const size_t end = hanse_network_task_row(network, morsel + 1);
    (void)wanted;
    (void)n_wanted;
    if (reader->morsel != morsel) {
        reader->morsel = SIZE_MAX;
        HANSE_TRY(reserve(reader, network->starts[end] - network->starts[first],
                          error));
        fill(reader, source, first, end);
        reader->morsel = morsel;
        reader->arrays[FROM] = (hanse_array){.values = reader->from};
        reader->arrays[TO] = (hanse_array){.values = reader->to};
        reader->arrays[FLOW] = (hanse_array){.values = reader->flow};
    }
    *out = (hanse_morsel){.batch = {reader->n, reader->arrays},
                          .first_row = network->starts[first],
                          .n_bytes = reader->n * (2 * sizeof *reader->from +
                                                  sizeof *reader->flow)};
    return HANSE_OK;
}

static void close_source(hanse_source *source)
{
    (void)source;
}

static const hanse_source_ops flow_ops = {
    .schema = get_schema,
    .n_rows = get_n_rows,
    .n_morsels = get_n_morsels,
    .open_reader = open_reader,
    .read = read_morsel,
    .close_reader = close_reader,
    .close = close_source,
};

static hanse_status fold(const hanse_model_run *run, const hanse_spec *spec,
                         flow_source *source, hanse_result **out,
                         hanse_error *error)
{
    hanse_run_options options = *run->options;
    hanse_run_tuning tuning = *run->tuning;
    options.progress = NULL; /* these are no rows of the table */
    tuning.is_temporary = true;
    return hanse_run_tuned(spec, &source->base, &options, &tuning, NULL, out,
                           error);
}

hanse_status hanse_group_flows_fold(const hanse_model_run *run,
                                    const hanse_network *network,
                                    const uint32_t *groups, const double *sent,
                                    hanse_group_flows *out, hanse_error *error)
{
    static const char *const keys[] = {"from", "to"};
    flow_source source = {{.ops = &flow_ops, .budget = run->source->budget},
                          network,
                          groups,
                          sent};
    hanse_spec *spec;
    hanse_result *result = NULL;
    HANSE_TRY(hanse_spec_create(&spec, error));
    hanse_status status = hanse_spec_add_grouping(spec, keys, 2, error);
    if (status == HANSE_OK)
        status = hanse_spec_add_measure(spec, "flow", "flow", error);
    if (status == HANSE_OK)
        status = hanse_spec_set_statistics(
            spec, HANSE_STAT_TOTAL | HANSE_STAT_MEAN, error);
    if (status == HANSE_OK)
        status = fold(run, spec, &source, &result, error);
    hanse_spec_destroy(spec);
    if (status != HANSE_OK)
        return status;
    const hanse_table *table = hanse_result_table(result, 0);
    *out = (hanse_group_flows){
        .result = result,
        .n = table->n_rows,
        .from = table->keys[0].values,
        .to = table->keys[1].values,
        .flow = hanse_table_find(table, "flow_total")->values,
        .mean = hanse_table_find(table, "flow_mean")->values,
        .n_links = hanse_table_find(table, "count")->values,
    };
    return HANSE_OK;
}

void hanse_group_flows_clear(hanse_group_flows *flows)
{
    hanse_result_destroy(flows->result);
    *flows = (hanse_group_flows){0};
}
