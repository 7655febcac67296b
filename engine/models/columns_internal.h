/* SPDX-License-Identifier: Apache-2.0
 *
 * Between columns.c, which keeps sets of computed columns, and
 * columns_reader.c, which computes them.
 */
#ifndef HANSE_ENGINE_MODELS_COLUMNS_INTERNAL_H
#define HANSE_ENGINE_MODELS_COLUMNS_INTERNAL_H

#include "engine/formula.h"
#include "engine/models/columns.h"

/* A set as it is kept. */
typedef struct hanse_kept_set {
    size_t first_field; /* of the schema; its columns follow each other */
    size_t n_columns;
    hanse_formula **formulas;
    size_t n_formulas;
    const hanse_groups **groups;
    size_t n_groups;
    size_t *fields; /* that formulas and groups read */
    size_t n_fields;
    hanse_rows_fill *fill;
    const void *context;
} hanse_kept_set;

struct hanse_columns {
    hanse_source base;
    hanse_source *inner;
    hanse_schema schema;
    hanse_field *fields;
    size_t n_inner; /* fields of the inner source */
    hanse_kept_set *sets;
    size_t n_sets;
    size_t scratch_bytes; /* for any of the formulas */
};

/* Of hanse_source_ops. */
hanse_status hanse_columns_open_reader(hanse_source *source, hanse_reader **out,
                                       hanse_error *error);
hanse_status hanse_columns_read(hanse_reader *base, size_t morsel,
                                const size_t *fields, size_t n_fields,
                                hanse_morsel *out, hanse_error *error);
hanse_status hanse_columns_finish_reader(hanse_reader *base,
                                         hanse_error *error);
void hanse_columns_close_reader(hanse_reader *base);

#endif
