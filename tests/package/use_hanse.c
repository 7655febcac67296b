/* SPDX-License-Identifier: Apache-2.0
 *
 * A program outside the project: sums three rows by cluster through the
 * installed header and library. Valid C and C++; the package test builds it
 * as both.
 */
#include <hanse.h>

#include <stdio.h>
#include <string.h>

static int fail(const char *what, const hanse_error *error)
{
    fprintf(stderr, "use_hanse: %s: %s\n", what, error->message);
    return 1;
}

static hanse_status describe(hanse_spec *spec, hanse_error *error)
{
    const char *const keys[] = {"cluster"};
    hanse_status status = hanse_spec_add_grouping(spec, keys, 1, error);
    if (status == HANSE_OK) {
        status =
            hanse_spec_add_model(spec, HANSE_MODEL_RESOURCE, "resource", error);
    }
    return status;
}

static hanse_status fold(const hanse_spec *spec, hanse_result **out,
                         hanse_error *error)
{
    static const int32_t cluster[] = {7, 3, 7};
    static const double resource[] = {9e15, 5.0, 1.0};
    hanse_field fields[2];
    memset(fields, 0, sizeof fields);
    fields[0].name = "cluster";
    fields[0].type = HANSE_INT32;
    fields[1].name = "resource";
    fields[1].type = HANSE_FLOAT64;
    const hanse_schema schema = {fields, 2};
    const hanse_array arrays[] = {{cluster, NULL, NULL},
                                  {resource, NULL, NULL}};
    const hanse_batch batch = {3, arrays};

    hanse_aggregation *aggregation = NULL;
    hanse_status status =
        hanse_aggregation_create(spec, &schema, &aggregation, error);
    if (status != HANSE_OK) {
        return status;
    }
    /* Twice: cluster 7 holds 9e15 + 1 + 9e15 + 1, whose plain sum in binary64
     * from left to right loses the ones. */
    for (int i = 0; i < 2 && status == HANSE_OK; i++) {
        status = hanse_aggregation_add(aggregation, &batch, error);
    }
    if (status == HANSE_OK) {
        status = hanse_aggregation_finish(aggregation, out, error);
    }
    hanse_aggregation_destroy(aggregation);
    return status;
}

static int check(const hanse_result *result)
{
    const hanse_table *table = hanse_result_find(result, "by_cluster");
    if (table == NULL || table->n_rows != 2) {
        fprintf(stderr, "use_hanse: no table by_cluster of two rows\n");
        return 1;
    }
    for (size_t i = 0; i < table->n_columns; i++) {
        if (strcmp(table->columns[i].name, "resource_total") == 0) {
            const double *total = (const double *)table->columns[i].values;
            printf("%s %.17g %.17g\n", hanse_version(), total[0], total[1]);
            return !(total[0] == 10.0 && total[1] == 18000000000000002.0);
        }
    }
    fprintf(stderr, "use_hanse: no column resource_total\n");
    return 1;
}

int main(void)
{
    hanse_error error;
    hanse_spec *spec = NULL;
    hanse_result *result = NULL;
    memset(&error, 0, sizeof error);
    if (hanse_spec_create(&spec, &error) != HANSE_OK) {
        return fail("create", &error);
    }
    hanse_status status = describe(spec, &error);
    if (status == HANSE_OK) {
        status = fold(spec, &result, &error);
    }
    int failed = status == HANSE_OK ? check(result) : fail("fold", &error);
    hanse_result_destroy(result);
    hanse_spec_destroy(spec);
    return failed;
}
