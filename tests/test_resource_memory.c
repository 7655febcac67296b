/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs of the resource model in which every allocation fails once, alone and
 * with all that follow: each failure is reported, nothing leaks (the sanitizers
 * see that), and what was taken from the budget goes back.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/memory_source.h"
#include "engine/models/all.h"
#include "engine/models/resource.h"
#include "tests/refused_memory.h"

/* ---- The work ----------------------------------------------------------- */

enum {
    N_ROWS = 60,
    N_FIELDS = 6
};

typedef struct work {
    int32_t group[N_ROWS], chain[N_ROWS], id[N_ROWS];
    double resource[N_ROWS], a[N_ROWS], b[N_ROWS];
    hanse_array arrays[N_FIELDS];
    hanse_batch rows;
    hanse_budget budget;
    hanse_claims_rule rule;
    hanse_weighting weighting;
} work;

static const hanse_field fields[N_FIELDS] = {
    {.name = "group", .type = HANSE_INT32},
    {.name = "chain", .type = HANSE_INT32},
    {.name = "enterprise_id", .type = HANSE_INT32},
    {.name = "resource", .type = HANSE_FLOAT64},
    {.name = "a", .type = HANSE_FLOAT64},
    {.name = "b", .type = HANSE_FLOAT64}};
static const hanse_schema schema = {fields, N_FIELDS};

static void fill(work *w)
{
    for (int i = 0; i < N_ROWS; i++) {
        w->group[i] = i % 5;
        w->chain[i] = i / 5 % 3;
        w->id[i] = N_ROWS - i;
        w->resource[i] = i % 11 == 0 ? (double)NAN : i % 7 / 3.0;
        w->a[i] = (i * 37) % 23;
        w->b[i] = (i * 17) % 29;
    }
    w->resource[8] = -1.0; /* a group that is undefined */
    const void *const values[N_FIELDS] = {w->group,    w->chain, w->id,
                                          w->resource, w->a,     w->b};
    for (size_t i = 0; i < N_FIELDS; i++)
        w->arrays[i] = (hanse_array){.values = values[i]};
    w->rows = (hanse_batch){N_ROWS, w->arrays};
    w->budget = (hanse_budget){0};
}

/* A text, which a failure leaves NULL. */
static hanse_status set_text(char **slot, const char *text, hanse_error *error)
{
    *slot = hanse_text_copy(text);
    return *slot != NULL ? HANSE_OK : hanse_fail_nomem(error, "text", 1);
}

static hanse_status add_indicator(hanse_evaluate_spec *spec, const char *column,
                                  hanse_error *error)
{
    hanse_indicator indicator = {.weight = 1.0};
    indicator.name = hanse_text_copy(column);
    indicator.formula = hanse_text_copy(column);
    if (indicator.name == NULL || indicator.formula == NULL) {
        free(indicator.name);
        free(indicator.formula);
        return hanse_fail_nomem(error, "text", 1);
    }
    return hanse_evaluate_spec_add(spec, &indicator, error);
}

static hanse_status describe(const work *w, hanse_resource_spec *spec,
                             hanse_error *error)
{
    spec->evaluates = spec->normalised = spec->allocates = true;
    spec->evaluate.by_group = true;
    spec->evaluate.weighting = w->weighting;
    spec->allocate.rule = w->rule;
    HANSE_TRY(add_indicator(&spec->evaluate, "a", error));
    HANSE_TRY(add_indicator(&spec->evaluate, "b", error));
    HANSE_TRY(set_text(&spec->allocate.claim, "100*score", error));
    return w->rule == HANSE_RULE_LARGEST_REMAINDER
               ? set_text(&spec->allocate.pool, "7", error)
               : HANSE_OK;
}

static hanse_status make_job(hanse_spec *job, hanse_error *error)
{
    const char *const keys[] = {"group", "chain"};
    HANSE_TRY(hanse_spec_add_grouping(job, &keys[0], 1, error));
    HANSE_TRY(hanse_spec_add_grouping(job, &keys[1], 1, error));
    HANSE_TRY(hanse_spec_add_grouping(job, NULL, 0, error));
    HANSE_TRY(hanse_spec_set_filter(job, "a > 1", error));
    return hanse_spec_add_model(job, HANSE_MODEL_RESOURCE, NULL, error);
}

static void check_result(const hanse_model_run *run, const hanse_result *result)
{
    for (size_t i = 0; i < 3; i++)
        assert_non_null(
            hanse_table_find(hanse_result_table(result, i), "resource_status"));
    assert_int_equal(run->n_records, 6);
    assert_int_equal(run->n_record_names, 6);
}

static hanse_status run_steps(const hanse_models *models, const hanse_spec *job,
                              hanse_source *source, hanse_error *error)
{
    const hanse_run_options options = {.n_threads = 1};
    const hanse_run_tuning tuning = {.is_temporary = true};
    const char *const score = "score";
    hanse_model_run run = {
        .source = source, .spec = job, .options = &options, .tuning = &tuning};
    hanse_result *result = NULL;
    hanse_status status = hanse_model_run_init(&run, error);
    if (status == HANSE_OK)
        status = hanse_models_check(models, &run, NULL, error);
    if (status == HANSE_OK)
        status = hanse_model_check_records(&run, &score, 1, error);
    if (status == HANSE_OK)
        status = hanse_models_run(models, &run, error);
    if (status == HANSE_OK)
        status = hanse_model_run_finish(&run, NULL, &result, error);
    if (status == HANSE_OK) {
        check_result(&run, result);
        hanse_model_choose_records(&run, &score, 1);
        assert_int_equal(run.n_records, 1);
    }
    hanse_result_destroy(result);
    hanse_model_run_clear(&run);
    return status;
}

static hanse_status do_work(work *w, hanse_error *error)
{
    hanse_models models = {.resource = hanse_resource_spec_create()};
    hanse_spec *job = NULL;
    hanse_source *source = NULL;
    hanse_status status = models.resource != NULL
                              ? describe(w, models.resource, error)
                              : hanse_fail_nomem(error, "job", 1);
    if (status == HANSE_OK)
        status = hanse_spec_create(&job, error);
    if (status == HANSE_OK)
        status = make_job(job, error);
    if (status == HANSE_OK)
        status =
            hanse_memory_source_open(&schema, &w->rows, 25, &source, error);
    if (status == HANSE_OK) {
        source->budget = &w->budget;
        status = run_steps(&models, job, source, error);
    }
    hanse_source_close(source);
    hanse_spec_destroy(job);
    hanse_models_clear(&models);
    return status;
}

/* ---- Tests -------------------------------------------------------------- */

static void every_allocation_fails(hanse_claims_rule rule,
                                   hanse_weighting weighting)
{
    work *w = __real_malloc(sizeof *w);
    assert_non_null(w);
    w->rule = rule;
    w->weighting = weighting;
    for (int mode = 0; mode < 2; mode++) {
        hanse_status status = HANSE_ERR_NOMEM;
        long n = 0;
        for (; status != HANSE_OK; n += mode == 0 ? 1 : 5) {
            hanse_error error = {0};
            fill(w);
            once = mode == 0;
            calls_left = n;
            armed = true;
            status = do_work(w, &error);
            armed = false;
            assert_int_equal(w->budget.used_bytes, 0);
            /* The one that failed may have been dispensable. */
            if (calls_left >= 0)
                break;
            if (status != HANSE_OK)
                assert_int_equal(status, HANSE_ERR_NOMEM);
            else
                status = HANSE_ERR_NOMEM;
        }
        assert_int_equal(status, HANSE_OK);
        assert_true(n > 100);
    }
    free(w);
}

static void streaming_rules_without_memory(void **state)
{
    (void)state;
    every_allocation_fails(HANSE_RULE_PROPORTIONAL, HANSE_WEIGHTS_ENTROPY);
}

static void ranking_rules_without_memory(void **state)
{
    (void)state;
    every_allocation_fails(HANSE_RULE_LARGEST_REMAINDER, HANSE_WEIGHTS_CRITIC);
}

static void every_budget_is_kept(void **state)
{
    static const hanse_claims_rule rules[] = {
        HANSE_RULE_PROPORTIONAL, HANSE_RULE_TALMUD,
        HANSE_RULE_LARGEST_REMAINDER, HANSE_RULE_SHAPLEY};
    work *w = malloc(sizeof *w);
    (void)state;
    assert_non_null(w);
    for (size_t r = 0; r < sizeof rules / sizeof rules[0]; r++) {
        hanse_status status = HANSE_ERR_LIMIT;
        size_t failures = 0;
        w->rule = rules[r];
        w->weighting = HANSE_WEIGHTS_ENTROPY;
        for (uint64_t limit = 1000; status == HANSE_ERR_LIMIT;
             limit += 1 + limit / 50) {
            hanse_error error = {0};
            fill(w);
            w->budget.limit_bytes = limit;
            status = do_work(w, &error);
            failures += status == HANSE_ERR_LIMIT;
            assert_int_equal(w->budget.used_bytes, 0);
            assert_true(w->budget.peak_bytes <= limit);
        }
        assert_int_equal(status, HANSE_OK);
        assert_true(failures > 20);
    }
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streaming_rules_without_memory),
        cmocka_unit_test(ranking_rules_without_memory),
        cmocka_unit_test(every_budget_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
