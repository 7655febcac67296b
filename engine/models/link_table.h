/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of links, read into memory: which row each link comes from, which it
 * goes to, and its weight.
 */
#ifndef HANSE_ENGINE_MODELS_LINK_TABLE_H
#define HANSE_ENGINE_MODELS_LINK_TABLE_H

#include "engine/models/models.h"
#include "engine/models/network.h"
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

/* Links in memory, 8 bytes each, 16 with weights. */
typedef struct hanse_link_arrays {
    hanse_budget *budget;
    size_t n;
    uint32_t *sources; /* [link] */
    uint32_t *targets;
    double *weights; /* NULL: all 1 */
} hanse_link_arrays;

/* Reads the links between rows of the run's table. An end that is no row is
 * HANSE_ERR_FORMAT with the first such link; messages begin with the path of
 * the links. */
hanse_status hanse_link_table_read(hanse_model_run *run,
                                   const hanse_link_spec *spec,
                                   hanse_link_arrays *out, hanse_error *error);

/* The same where the ends are ids of an index (not taken). */
hanse_status hanse_link_table_read_by(hanse_model_run *run,
                                      const hanse_link_spec *spec,
                                      const hanse_row_ids *ids,
                                      hanse_link_arrays *out,
                                      hanse_error *error);

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

static inline hanse_links hanse_link_arrays_view(const hanse_link_arrays *a)
{
    return (hanse_links){a->n, a->sources, a->targets, a->weights};
}

/* Accepts what is zero or already clear. */
void hanse_link_arrays_clear(hanse_link_arrays *arrays);

/* Threads for work on rows and links that are in memory. */
size_t hanse_model_threads(const hanse_model_run *run);

#endif
