/* SPDX-License-Identifier: Apache-2.0
 *
 * `evaluate` of a model in a job file:
 *
 *     evaluate: {labour: 0.40, equipment: 0.35, technology: 0.25}
 *     evaluate:
 *       indicators: [labour, {name: debt, formula: debt/assets, cost: true,
 *                             weight: 0.2, low: 0, high: 1}]
 *       scale: minmax | zscore
 *       scope: all | group
 *       weights: fixed | equal | entropy | critic
 *       eps: 0.002            # or range: [0, 1]
 *       normalised: true
 */
#ifndef HANSE_IO_JOB_EVALUATE_H
#define HANSE_IO_JOB_EVALUATE_H

#include "engine/models/evaluate.h"
#include "io/job_models.h"

/* Reads either form into an initialised specification. *normalised (may be
 * NULL: the key is unknown then): whether indicators on the common scale are
 * asked for. */
hanse_status hanse_job_read_evaluate(hanse_job_reader *r,
                                     const yaml_node_t *node,
                                     hanse_evaluate_spec *spec,
                                     bool *normalised);

/* What has been read of an `evaluate`; zero but for the first two. */
typedef struct hanse_evaluate_reading {
    hanse_evaluate_spec *spec;
    bool *normalised;
    size_t n_weights; /* of indicators */
    bool has_weighting;
    bool has_eps;
    bool has_range;
} hanse_evaluate_reading;

/* The same in parts, for a model with further keys among these: one pair of
 * the longer form, *known false where the name is none of its keys, and in the
 * end what must fit together. */
hanse_status hanse_job_read_evaluate_pair(hanse_job_reader *r, const char *name,
                                          const yaml_node_t *value,
                                          hanse_evaluate_reading *reading,
                                          bool *known);
hanse_status hanse_job_check_evaluate(const hanse_job_reader *r,
                                      const yaml_node_t *node,
                                      const hanse_evaluate_reading *reading);

/* A list of indicators. *n_weights grows by the number of weights given. */
hanse_status hanse_job_read_indicators(hanse_job_reader *r,
                                       const yaml_node_t *node,
                                       hanse_evaluate_spec *spec,
                                       size_t *n_weights);

#endif
