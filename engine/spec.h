/* SPDX-License-Identifier: Apache-2.0
 *
 * What a hanse_spec holds; filled by spec.c, read by plan.c.
 */
#ifndef HANSE_ENGINE_SPEC_H
#define HANSE_ENGINE_SPEC_H

#include "engine/hanse.h"

typedef struct hanse_spec_measure {
    char *name;
    char *formula;
    char *long_name; /* NULL: the formula's */
} hanse_spec_measure;

typedef struct hanse_spec_grouping {
    char *name; /* of the table */
    char **keys;
    size_t n_keys;
} hanse_spec_grouping;

struct hanse_spec {
    hanse_spec_measure *measures;
    size_t n_measures;
    hanse_spec_grouping *groupings;
    size_t n_groupings;
    char *filter; /* NULL: none */
    uint32_t statistics;
    hanse_missing_keys missing_keys;
};

/* HANSE_ERR_ARGUMENT when a column has no name, no known type, a label without
 * text, or the name of another. */
hanse_status hanse_schema_check(const hanse_schema *schema, hanse_error *error);

/* Index of a field by name, SIZE_MAX when there is none. */
size_t hanse_schema_find(const hanse_schema *schema, const char *name);

/* HANSE_ERR_COLUMN "<what>: no column 'name'", with the nearest name. */
hanse_status hanse_fail_column(hanse_error *error, const char *what,
                               const char *name, const hanse_schema *schema);

#endif
