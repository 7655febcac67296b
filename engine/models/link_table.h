/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of links, read into networks.
 */
#ifndef HANSE_ENGINE_MODELS_LINK_TABLE_H
#define HANSE_ENGINE_MODELS_LINK_TABLE_H

#include "engine/models/models.h"
#include "engine/models/network_build.h"
#include "engine/models/row_ids.h"

/* What a job says of links. Texts are owned (malloc); zero-initialise. */
typedef struct hanse_link_spec {
    char *path;   /* of the table, "/links" */
    char *file;   /* NULL: the input files */
    char *source; /* columns; NULL: "source", "target" */
    char *target;
    char *weight; /* formula; NULL: the column "weight" where there is one, else
                     all weights are 1 */
    bool without_weights; /* none are read, whatever columns there are */
    bool by_id; /* ends are ids, else row numbers over the whole input */
    char *id;   /* column of ids; NULL: the job's, else enterprise_id */
} hanse_link_spec;

void hanse_link_spec_clear(hanse_link_spec *spec);

/* Reads the links between rows of the run's table. An end that is no row, or a
 * weight that is negative or not finite, is HANSE_ERR_FORMAT with the first
 * such link, an end before any weight; messages begin with the path of the
 * links. */
hanse_status hanse_link_table_read(hanse_model_run *run,
                                   const hanse_link_spec *spec,
                                   const hanse_network_options *options,
                                   hanse_network *out, hanse_error *error);

/* The same between n_rows rows of an index; it is taken, and freed when it has
 * served. */
hanse_status hanse_link_table_read_by(hanse_model_run *run,
                                      const hanse_link_spec *spec,
                                      hanse_row_ids *ids, size_t n_rows,
                                      const hanse_network_options *options,
                                      hanse_network *out, hanse_error *error);

/* What is known of a table of links that was opened and not read. */
typedef struct hanse_link_facts {
    uint64_t n;
    bool has_weights;
} hanse_link_facts;

/* Whether all columns are there and of types that can be used. `between_rows`:
 * the ends are rows or their ids, else anything. */
hanse_status hanse_link_table_check(const hanse_model_run *run,
                                    const hanse_link_spec *spec,
                                    bool between_rows, hanse_link_facts *out,
                                    hanse_error *error);

/* The same of links between rows; their number, for plans. */
hanse_status hanse_link_table_count(const hanse_model_run *run,
                                    const hanse_link_spec *spec, uint64_t *n,
                                    hanse_error *error);

/* Threads for work on rows and links that are in memory. */
size_t hanse_model_threads(const hanse_model_run *run);

#endif
