/* SPDX-License-Identifier: Apache-2.0
 *
 * The columns of a table: whether they are well described, and finding one.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/spec.h"

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A formula or a key could mean either of two columns of one name. */
static hanse_status check_unique(const hanse_schema *schema, hanse_error *error)
{
    hanse_status status = HANSE_OK;
    const char **names = malloc((schema->n_fields + 1) * sizeof *names);
    if (names == NULL)
        return hanse_fail_nomem(error, "schema", schema->n_fields);
    for (size_t i = 0; i < schema->n_fields; i++)
        names[i] = schema->fields[i].name;
    qsort(names, schema->n_fields, sizeof *names, compare_names);
    for (size_t i = 1; i < schema->n_fields && status == HANSE_OK; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            status = hanse_fail(error, HANSE_ERR_ARGUMENT,
                                "schema: two columns are named '%s'", names[i]);
    free(names);
    return status;
}

static hanse_status check_field(const hanse_field *field, size_t index,
                                hanse_error *error)
{
    if (field->name == NULL || field->name[0] == '\0')
        return hanse_fail(error, HANSE_ERR_ARGUMENT,
                          "schema: column %zu has no name", index);
    if ((unsigned)field->type >= HANSE_TYPE_COUNT)
        return hanse_fail(error, HANSE_ERR_ARGUMENT,
                          "schema: column '%s' has no known type", field->name);
    for (size_t i = 0; i < field->n_labels; i++)
        if (field->labels == NULL || field->labels[i].text == NULL)
            return hanse_fail(error, HANSE_ERR_ARGUMENT,
                              "schema: label %zu of column '%s' is NULL", i,
                              field->name);
    return HANSE_OK;
}

hanse_status hanse_schema_check(const hanse_schema *schema, hanse_error *error)
{
    if (schema->n_fields == 0)
        return HANSE_OK;
    HANSE_REQUIRE(schema->fields, error);
    for (size_t i = 0; i < schema->n_fields; i++)
        HANSE_TRY(check_field(&schema->fields[i], i, error));
    return check_unique(schema, error);
}

size_t hanse_schema_find(const hanse_schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->n_fields; i++)
        if (strcmp(schema->fields[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

hanse_status hanse_fail_column(hanse_error *error, const char *what,
                               const char *name, const hanse_schema *schema)
{
    const char *nearest = NULL;
    const char **names = malloc((schema->n_fields + 1) * sizeof *names);
    if (names != NULL) {
        for (size_t i = 0; i < schema->n_fields; i++)
            names[i] = schema->fields[i].name;
        nearest = hanse_suggest(name, names, schema->n_fields);
        free(names);
    }
    return hanse_fail(
        error, HANSE_ERR_COLUMN, "%s: no column '%s' in the table%s%s%s", what,
        name, nearest != NULL ? ", did you mean '" : "",
        nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
}
