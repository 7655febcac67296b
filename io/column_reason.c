/* SPDX-License-Identifier: Apache-2.0
 *
 * Why a column of the table cannot be used.
 */
#include "io/column_reason.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/spec.h"
#include "io/hdf5_source.h"

static hanse_status check_usable(const hanse_source *source, const char *name,
                                 const char *advice, hanse_error *error)
{
    const char *reason = hanse_hdf5_source_unsupported(source, name);
    if (reason == NULL)
        return HANSE_OK;
    return hanse_fail(error, HANSE_ERR_COLUMN,
                      "column '%s' cannot be used: %s; %s", name, reason,
                      advice);
}

hanse_status hanse_complete_spec(hanse_spec *spec, const hanse_source *source,
                                 hanse_error *error)
{
    /* Those that hanse_spec_complete looks for. */
    static const char *const measures[] = {"resource", "information",
                                           "strategy"};
    static const char *const keys[] = {"cluster", "chain", "platform"};
    for (size_t i = 0; i < 3 && spec->n_measures == 0; i++)
        HANSE_TRY(check_usable(source, measures[i],
                               "name the measures that are wanted", error));
    for (size_t i = 0; i < 3 && spec->n_groupings == 0; i++)
        HANSE_TRY(check_usable(source, keys[i], "name the keys that are wanted",
                               error));
    return hanse_spec_complete(spec, hanse_source_schema(source), error);
}

hanse_status hanse_explain_column(const hanse_source *source,
                                  hanse_status status, hanse_error *error)
{
    static const char unknown[] = "no column '";
    char name[HANSE_ERROR_SIZE];
    char tail[HANSE_ERROR_SIZE];
    if (error == NULL || status != HANSE_ERR_COLUMN)
        return status;
    char *at = strstr(error->message, unknown);
    if (at == NULL)
        return status;
    const char *begin = at + sizeof unknown - 1;
    const size_t length = strcspn(begin, "'\n");
    memcpy(name, begin, length);
    name[length] = '\0';
    const char *reason = hanse_hdf5_source_unsupported(source, name);
    if (reason == NULL)
        return status;
    /* The lines with the formula and its caret stay. */
    const char *rest = strchr(begin, '\n');
    snprintf(tail, sizeof tail, "%s", rest != NULL ? rest : "");
    snprintf(at, sizeof error->message - (size_t)(at - error->message),
             "column '%s' cannot be used: %s%s", name, reason, tail);
    return status;
}
