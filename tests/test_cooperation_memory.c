/* SPDX-License-Identifier: Apache-2.0
 *
 * A run of all steps of the cooperation model in which every allocation fails
 * once, alone and with all that follow: each failure is reported, nothing leaks
 * (the sanitizers see that), and what was taken from the budget goes back.
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
#include "engine/models/cooperation.h"
#include "tests/refused_memory.h"

/* ---- The work ----------------------------------------------------------- */

enum {
    N_ROWS = 60,
    N_LINKS = 100
};

typedef struct work {
    int32_t group[N_ROWS], month[N_ROWS];
    double strategy[N_ROWS], own[N_ROWS], a[N_ROWS], b[N_ROWS];
    int32_t source[N_LINKS], target[N_LINKS];
    hanse_array arrays[6], ends[2];
    hanse_batch rows, links;
    hanse_budget budget;
} work;

static const hanse_field fields[] = {
    {.name = "group", .type = HANSE_INT32},
    {.name = "month", .type = HANSE_INT32},
    {.name = "strategy", .type = HANSE_FLOAT64},
    {.name = "own", .type = HANSE_FLOAT64},
    {.name = "a", .type = HANSE_FLOAT64},
    {.name = "b", .type = HANSE_FLOAT64}};
static const hanse_field end_fields[] = {
    {.name = "source", .type = HANSE_INT32},
    {.name = "target", .type = HANSE_INT32}};
static const hanse_schema schema = {fields, 6};
static const hanse_schema end_schema = {end_fields, 2};

static void fill(work *w)
{
    memset(w, 0, sizeof *w);
    for (int i = 0; i < N_ROWS; i++) {
        w->group[i] = i % 5;
        w->month[i] = i / 5 % 3;
        w->strategy[i] = i % 11 == 0 ? (double)NAN : i;
        w->own[i] = (i % 7) / 5.0; /* up to 1.2, which does not do */
        w->a[i] = (i * 37) % 23;
        w->b[i] = (i * 17) % 29;
    }
    for (int k = 0; k < N_LINKS; k++) {
        w->source[k] = k % N_ROWS;
        w->target[k] = (k * 7) % N_ROWS;
    }
    const void *const values[] = {w->group, w->month, w->strategy,
                                  w->own,   w->a,     w->b};
    for (size_t i = 0; i < 6; i++)
        w->arrays[i].values = values[i];
    w->ends[0].values = w->source;
    w->ends[1].values = w->target;
    w->rows = (hanse_batch){N_ROWS, w->arrays};
    w->links = (hanse_batch){N_LINKS, w->ends};
}

static hanse_status open_links(void *context, const char *file,
                               const char *path, hanse_source **out,
                               hanse_error *error)
{
    work *w = context;
    (void)file;
    assert_string_equal(path, "/links");
    HANSE_TRY(hanse_memory_source_open(&end_schema, &w->links, 30, out, error));
    (*out)->budget = &w->budget;
    return HANSE_OK;
}

/* A text, which a failure leaves NULL. */
static hanse_status set_text(char **slot, const char *text, hanse_error *error)
{
    *slot = hanse_text_copy(text);
    return *slot != NULL ? HANSE_OK : hanse_fail_nomem(error, "text", 1);
}

static hanse_status add_subsystem(hanse_cooperation_spec *spec,
                                  const char *name, const char *column,
                                  hanse_error *error)
{
    hanse_subsystem_spec *subsystem;
    hanse_indicator indicator = {.weight = 1.0};
    char *copy;
    HANSE_TRY(set_text(&copy, name, error));
    HANSE_TRY(hanse_cooperation_spec_add(spec, copy, &subsystem, error));
    indicator.name = hanse_text_copy(column);
    indicator.formula = hanse_text_copy(column);
    if (indicator.name == NULL || indicator.formula == NULL) {
        free(indicator.name);
        free(indicator.formula);
        return hanse_fail_nomem(error, "text", 1);
    }
    return hanse_evaluate_spec_add(&subsystem->evaluate, &indicator, error);
}

static hanse_status describe(hanse_cooperation_spec *spec, bool along_links,
                             hanse_error *error)
{
    HANSE_TRY(add_subsystem(spec, "one", "a", error));
    HANSE_TRY(add_subsystem(spec, "two", "b", error));
    HANSE_TRY(set_text(&spec->size, "a + 1", error));
    HANSE_TRY(set_text(&spec->periods.column, "month", error));
    HANSE_TRY(set_text(&spec->periods.from, "0", error));
    HANSE_TRY(set_text(&spec->periods.to, "2", error));
    HANSE_TRY(set_text(&spec->coordinate.independence, "own", error));
    spec->synergises = true;
    spec->coordinate.preserve = true;
    spec->coordinate.rounds = 3;
    spec->coordinate.along_links = along_links;
    return along_links ? set_text(&spec->coordinate.links.path, "/links", error)
                       : HANSE_OK;
}

static hanse_status make_job(hanse_spec *job, hanse_error *error)
{
    const char *const key = "group";
    HANSE_TRY(hanse_spec_add_grouping(job, &key, 1, error));
    HANSE_TRY(hanse_spec_add_grouping(job, NULL, 0, error));
    HANSE_TRY(hanse_spec_set_filter(job, "a > 1", error));
    return hanse_spec_add_model(job, HANSE_MODEL_COOPERATION, NULL, error);
}

static hanse_status run_steps(work *w, const hanse_cooperation_spec *spec,
                              const hanse_spec *job, hanse_source *source,
                              hanse_error *error)
{
    const hanse_run_options options = {.n_threads = 1};
    const hanse_run_tuning tuning = {.is_temporary = true};
    hanse_model_run run = {.source = source,
                           .spec = job,
                           .options = &options,
                           .tuning = &tuning,
                           .open_table = open_links,
                           .open_context = w};
    hanse_result *result = NULL;
    hanse_status status = hanse_model_run_init(&run, error);
    if (status == HANSE_OK)
        status = hanse_cooperation_run(spec, &run, error);
    if (status == HANSE_OK)
        status = hanse_model_run_finish(&run, NULL, &result, error);
    if (status == HANSE_OK) {
        const hanse_table *table = hanse_result_table(result, 0);
        assert_non_null(hanse_table_find(table, "synergy"));
        assert_non_null(hanse_table_find(table, "coupling_classic"));
        assert_int_equal(run.n_records, 6);
    }
    hanse_result_destroy(result);
    hanse_model_run_clear(&run);
    return status;
}

static hanse_status do_work(work *w, bool along_links, hanse_error *error)
{
    hanse_cooperation_spec *spec = NULL;
    hanse_spec *job = NULL;
    hanse_source *source = NULL;
    hanse_status status = hanse_cooperation_spec_create(&spec, error);
    if (status == HANSE_OK)
        status = describe(spec, along_links, error);
    if (status == HANSE_OK)
        status = hanse_spec_create(&job, error);
    if (status == HANSE_OK)
        status = make_job(job, error);
    if (status == HANSE_OK)
        status =
            hanse_memory_source_open(&schema, &w->rows, 25, &source, error);
    if (status == HANSE_OK) {
        source->budget = &w->budget;
        status = run_steps(w, spec, job, source, error);
    }
    hanse_source_close(source);
    hanse_spec_destroy(job);
    hanse_cooperation_spec_destroy(spec);
    return status;
}

/* ---- Tests -------------------------------------------------------------- */

static void every_allocation_fails(bool along_links)
{
    work *w = __real_malloc(sizeof *w);
    assert_non_null(w);
    for (int mode = 0; mode < 2; mode++) {
        hanse_status status = HANSE_ERR_NOMEM;
        long n = 0;
        for (; status != HANSE_OK; n++) {
            hanse_error error = {0};
            fill(w);
            once = mode == 0;
            calls_left = n;
            armed = true;
            status = do_work(w, along_links, &error);
            armed = false;
            /* The one that failed may have been dispensable. */
            if (calls_left >= 0)
                break;
            if (status != HANSE_OK) {
                assert_int_equal(status, HANSE_ERR_NOMEM);
                assert_int_equal(error.status, status);
                assert_true(error.message[0] != '\0');
            }
            assert_int_equal(w->budget.used_bytes, 0);
            status = HANSE_ERR_NOMEM;
        }
        assert_int_equal(status, HANSE_OK);
        assert_true(n > 300);
    }
    free(w);
}

static void every_allocation_of_mixing_fails(void **state)
{
    (void)state;
    every_allocation_fails(false);
}

static void every_allocation_along_links_fails(void **state)
{
    (void)state;
    every_allocation_fails(true);
}

static void every_budget_is_kept(void **state)
{
    work *w = malloc(sizeof *w);
    (void)state;
    assert_non_null(w);
    for (int links = 0; links < 2; links++) {
        hanse_status status = HANSE_ERR_LIMIT;
        size_t failures = 0;
        for (uint64_t limit = 1000; status == HANSE_ERR_LIMIT;
             limit += 1 + limit / 50) {
            hanse_error error = {0};
            fill(w);
            w->budget.limit_bytes = limit;
            status = do_work(w, links != 0, &error);
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
        cmocka_unit_test(every_allocation_of_mixing_fails),
        cmocka_unit_test(every_allocation_along_links_fails),
        cmocka_unit_test(every_budget_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
