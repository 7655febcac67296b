/* SPDX-License-Identifier: Apache-2.0
 *
 * What a hanse_spec holds; filled by spec.c, read by plan.c.
 */
#ifndef HANSE_ENGINE_SPEC_H
#define HANSE_ENGINE_SPEC_H

#include "engine/mapping.h"
#include "engine/statistic_set.h"

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

/* A key that is not a column by its own name. */
typedef struct hanse_spec_key {
    char *name;
    char *definition;       /* a formula or bin(...), or what it maps */
    char *column;           /* of a mapping, else NULL */
    hanse_mapping *mapping; /* shared, else NULL */
} hanse_spec_key;

struct hanse_spec {
    hanse_spec_key *keys;
    size_t n_keys;
    hanse_spec_measure *measures;
    size_t n_measures;
    hanse_spec_grouping *groupings;
    size_t n_groupings;
    char *filter; /* NULL: none */
    hanse_statistic_set statistics;
    bool default_statistics; /* nothing was set or added */
    char *weights;           /* formula; NULL: none */
    char *id;                /* column; NULL: by convention */
    hanse_missing_keys missing_keys;
};

/* spec_copy.c: a copy for another pass of the same job: keys, filter, missing
 * keys and groupings, and measures with their statistics, weights and id if
 * asked for; and what makes it another one. */
hanse_status hanse_spec_copy(const hanse_spec *spec, bool with_measures,
                             hanse_spec **out, hanse_error *error);
void hanse_spec_clear_groupings(hanse_spec *spec);

/* Gives a model's measure another formula; adds it where there is none. */
hanse_status hanse_spec_replace_model(hanse_spec *spec, hanse_model model,
                                      const char *formula, hanse_error *error);

/* The definition of a key, NULL when there is none of that name. */
const hanse_spec_key *hanse_spec_find_key(const hanse_spec *spec,
                                          const char *name);

/* Defines a key through a mapping of a column, which takes a share of the
 * mapping. `definition` describes it in plans and results. */
hanse_status hanse_spec_define_mapped_key(hanse_spec *spec, const char *name,
                                          const char *definition,
                                          const char *column,
                                          const hanse_mapping *mapping,
                                          hanse_error *error);

/* HANSE_ERR_ARGUMENT when a column has no name, no known type, a label without
 * text, or the name of another. */
hanse_status hanse_schema_check(const hanse_schema *schema, hanse_error *error);

/* Index of a field by name, SIZE_MAX when there is none. */
size_t hanse_schema_find(const hanse_schema *schema, const char *name);

/* HANSE_ERR_COLUMN "<what>: no column 'name'", with the nearest name. */
hanse_status hanse_fail_column(hanse_error *error, const char *what,
                               const char *name, const hanse_schema *schema);

#endif
