/* SPDX-License-Identifier: Apache-2.0
 *
 * The fold by keys of every shape: a shape that somebody has, or chooses to do
 * harm, must not cost much more than scattered keys. Three float64 measures by
 * one int64 key, a table in memory.
 */
#include <stdio.h>
#include <string.h>

#include "bench/cases.h"
#include "engine/base/memory.h"
#include "engine/memory_source.h"
#include "engine/run.h"

enum {
    MORSEL_ROWS = 1 << 17,
    N_GROUPS = 1000000
};

typedef enum key_shape {
    SHAPE_RANDOM,      /* a million groups in a range */
    SHAPE_SCATTERED,   /* the same over all of int64 */
    SHAPE_ASCENDING,   /* the same, sorted */
    SHAPE_DESCENDING,  /* sorted the other way */
    SHAPE_EQUAL_BITS,  /* multiples of 2^32: equal modulo any power of two */
    SHAPE_ALTERNATING, /* two groups in turn */
    SHAPE_ONE,         /* a single group */
    SHAPE_GIANT,       /* nine rows of ten in one group, the rest alone */
    SHAPE_COUNT
} key_shape;

static const char *const shape_names[SHAPE_COUNT] = {
    "random",     "scattered",   "ascending", "descending",
    "equal_bits", "alternating", "one",       "giant"};

typedef struct key_case {
    hanse_bench_settings *settings;
    key_shape shape;
    size_t n_threads;
} key_case;

static int64_t key_of(key_shape shape, size_t i, size_t n_rows)
{
    const uint64_t random = hanse_bench_random(HANSE_BENCH_SEED + 9, i);
    const uint64_t group = random % N_GROUPS;
    const uint64_t sorted = (uint64_t)i * N_GROUPS / n_rows;
    switch (shape) {
    case SHAPE_SCATTERED:
        return (int64_t)hanse_bench_random(HANSE_BENCH_SEED + 10,
                                           (size_t)group);
    case SHAPE_ASCENDING:
        return (int64_t)sorted;
    case SHAPE_DESCENDING:
        return -(int64_t)sorted;
    case SHAPE_EQUAL_BITS:
        return (int64_t)(group << 32);
    case SHAPE_ALTERNATING:
        return (int64_t)(i % 2);
    case SHAPE_ONE:
        return 7;
    case SHAPE_GIANT:
        return random % 10 != 0 ? 0 : (int64_t)i;
    default:
        return (int64_t)group;
    }
}

static hanse_status make_spec(hanse_spec **out, hanse_error *error)
{
    static const char *const keys[] = {"key"};
    hanse_spec *spec;
    HANSE_TRY(hanse_spec_create(&spec, error));
    hanse_status status = hanse_spec_add_grouping(spec, keys, 1, error);
    for (int m = 0; m < HANSE_MODEL_COUNT && status == HANSE_OK; m++)
        status = hanse_spec_add_model(spec, (hanse_model)m, NULL, error);
    if (status == HANSE_OK)
        *out = spec;
    else
        hanse_spec_destroy(spec);
    return status;
}

static hanse_status run_once(const key_case *c, const hanse_spec *spec,
                             hanse_source *source, hanse_error *error)
{
    hanse_result *result;
    const hanse_run_options options = {.n_threads = c->n_threads};
    HANSE_TRY(hanse_run(spec, source, &options, NULL, &result, error));
    const bool complete =
        hanse_result_rows(result).kept == source->ops->n_rows(source);
    hanse_result_destroy(result);
    return complete ? HANSE_OK
                    : hanse_fail(error, HANSE_ERR_ARGUMENT, "rows are missing");
}

static void fold_keys(hanse_bench_state *state, const void *context)
{
    static const hanse_field fields[] = {
        {.name = "key", .type = HANSE_INT64},
        {.name = "resource", .type = HANSE_FLOAT64},
        {.name = "information", .type = HANSE_FLOAT64},
        {.name = "strategy", .type = HANSE_FLOAT64},
    };
    static const hanse_schema schema = {fields, 4};
    const key_case *c = context;
    const hanse_bench_table *table = hanse_bench_table_make(c->settings, 1000);
    int64_t *keys = table == NULL
                        ? NULL
                        : hanse_allocate(NULL, table->n_rows, sizeof *keys);
    if (keys == NULL) {
        hanse_bench_fail(state, "out of memory");
        return;
    }
    for (size_t i = 0; i < table->n_rows; i++)
        keys[i] = key_of(c->shape, i, table->n_rows);
    const hanse_array arrays[] = {{.values = keys},
                                  {.values = table->measures[0]},
                                  {.values = table->measures[1]},
                                  {.values = table->measures[2]}};
    const hanse_batch batch = {table->n_rows, arrays};
    hanse_spec *spec = NULL;
    hanse_source *source = NULL;
    hanse_error error = {0};
    hanse_status status = make_spec(&spec, &error);
    if (status == HANSE_OK)
        status = hanse_memory_source_open(&schema, &batch, MORSEL_ROWS, &source,
                                          &error);
    if (status != HANSE_OK)
        hanse_bench_fail(state, error.message);
    while (hanse_bench_continue(state))
        if (run_once(c, spec, source, &error) != HANSE_OK)
            hanse_bench_fail(state, error.message);
    hanse_bench_set_rows(state, table->n_rows);
    hanse_source_close(source);
    hanse_spec_destroy(spec);
    hanse_free(NULL, keys, table->n_rows, sizeof *keys);
}

void hanse_bench_add_keys(hanse_bench_settings *settings)
{
    char name[64];
    key_case c = {.settings = settings};
    for (int shape = 0; shape < SHAPE_COUNT; shape++) {
        c.shape = (key_shape)shape;
        for (c.n_threads = 1; c.n_threads <= 2; c.n_threads++) {
            (void)snprintf(name, sizeof name, "fold/keys/%s/threads:%zu",
                           shape_names[shape], c.n_threads);
            hanse_bench_add(name, fold_keys, &c, sizeof c);
        }
    }
}
