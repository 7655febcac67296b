/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzer of the language of keys: any text is taken as an entry of `--by`, and
 * what parses is resolved against a table. Whatever the text, errors are well
 * formed, no grouping is there twice, and a resolved plan evaluates.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/fold.h"
#include "io/job.h"
#include "tests/formula_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stops the fuzzer, in release builds too. */
#define CHECK(holds)                                                    \
    do {                                                                \
        if (!(holds)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #holds); \
            abort();                                                    \
        }                                                               \
    } while (0)

static void check_error(hanse_status status, const hanse_error *error)
{
    CHECK(status != HANSE_ERR_ARGUMENT && status != HANSE_ERR_NOMEM);
    CHECK(error->status == status);
    CHECK(error->message[0] != '\0');
}

/* Groups the table's rows; keys may be no integers. */
static void fold_rows(const hanse_plan *plan)
{
    hanse_fold *fold;
    hanse_error error = {0};
    hanse_result *result;
    CHECK(hanse_fold_create(plan, NULL, &fold, &error) == HANSE_OK);
    const hanse_status status = hanse_fold_add(fold, &table_batch, &error);
    if (status == HANSE_OK) {
        CHECK(hanse_fold_finish(fold, 1, &result, &error) == HANSE_OK);
        CHECK(hanse_result_n_tables(result) == plan->n_groupings);
        hanse_result_destroy(result);
    } else {
        CHECK(status == HANSE_ERR_OVERFLOW);
        check_error(status, &error);
    }
    hanse_fold_destroy(fold);
}

static void use_job(const hanse_job *job)
{
    hanse_spec *spec;
    hanse_plan *plan;
    hanse_error error = {0};
    hanse_status status = hanse_job_spec(job, &spec, &error);
    if (status != HANSE_OK) {
        check_error(status, &error);
        return;
    }
    CHECK(hanse_spec_add_measure(spec, "one", "1", &error) == HANSE_OK);
    status = hanse_plan_create(spec, &table_schema, &plan, &error);
    if (status == HANSE_OK) {
        if (plan->n_groupings <= 8)
            fold_rows(plan);
        hanse_plan_destroy(plan);
    } else {
        check_error(status, &error);
    }
    hanse_spec_destroy(spec);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hanse_job job;
    hanse_error error = {0};
    /* Not strndup, which may look at the byte behind the data. */
    char *text = calloc(size + 1, 1);
    CHECK(text != NULL);
    if (size != 0)
        memcpy(text, data, size);
    hanse_job_init(&job);
    const hanse_status status = hanse_job_add_grouping(&job, text, &error);
    if (status == HANSE_OK)
        use_job(&job);
    else
        check_error(status, &error);
    hanse_job_clear(&job);
    free(text);
    return 0;
}
