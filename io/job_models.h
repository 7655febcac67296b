/* SPDX-License-Identifier: Apache-2.0
 *
 * The `models` of a job file: a table of keys for each model, in a file of its
 * own, and what their values are made of.
 */
#ifndef HANSE_IO_JOB_MODELS_H
#define HANSE_IO_JOB_MODELS_H

#include "io/job_nodes.h"

/* The keys under models.resource and so on, `column` and `formula` among
 * them. */
extern const hanse_node_rule hanse_job_resource_rules[];
extern const hanse_node_rule hanse_job_information_rules[];
extern const hanse_node_rule hanse_job_cooperation_rules[];

/* `models`. */
hanse_status hanse_job_read_models(hanse_job_reader *r,
                                   const yaml_node_t *node);

/* `column` or `formula` of a model. */
hanse_status hanse_job_read_model_formula(hanse_job_reader *r,
                                          const yaml_node_t *node,
                                          hanse_model model);

/* `within`: a key, a list of keys, or `total`, which is none. What was read is
 * the caller's in every case. */
hanse_status hanse_job_read_within(hanse_job_reader *r, const yaml_node_t *node,
                                   char ***keys, size_t *n_keys);

/* ---- Values ------------------------------------------------------------- */

/* A finite number; lowest <= number <= highest is checked. */
hanse_status hanse_node_number(hanse_job_reader *r, const yaml_node_t *node,
                               const char *what, double lowest, double highest,
                               double *out);

/* A whole number. */
hanse_status hanse_node_count(hanse_job_reader *r, const yaml_node_t *node,
                              const char *what, size_t lowest, size_t highest,
                              size_t *out);

/* true or false. */
hanse_status hanse_node_flag(hanse_job_reader *r, const yaml_node_t *node,
                             const char *what, bool *out);

/* One of n words; *out is its index. */
hanse_status hanse_node_choice(hanse_job_reader *r, const yaml_node_t *node,
                               const char *what, const char *const *words,
                               size_t n, size_t *out);

/* A formula that is compiled later, with "step 'NAME'" as its `what`, so that
 * its errors name line and column. */
hanse_status hanse_node_formula(hanse_job_reader *r, const yaml_node_t *node,
                                const char *name, char **out);

/* A list of texts or one text, which replaces what the list held: keys. */
hanse_status hanse_node_texts(hanse_job_reader *r, const yaml_node_t *node,
                              const char *what, hanse_text_list *out);

#endif
