/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the nodes of a job file: texts, lists, and mappings whose keys stand
 * in tables with a handler each, so that a new key is a line and a function.
 * Errors begin with "FILE:LINE:COLUMN: ".
 */
#ifndef HANSE_IO_JOB_NODES_H
#define HANSE_IO_JOB_NODES_H

#include "io/job.h"
#include "io/yaml_file.h"

enum {
    /* Of a mapping or of group_by, whose entries are compared in pairs. */
    HANSE_JOB_MAX_ENTRIES = 4096,
    HANSE_NODE_RULES_MAX = 32 /* of which a message lists the names */
};

typedef struct hanse_job_reader {
    const char *path;
    yaml_document_t *document;
    hanse_job *job;
    hanse_error *error;
} hanse_job_reader;

/* Reads one entry of a list; the value of one key. */
typedef hanse_status (*hanse_item_handler)(hanse_job_reader *r,
                                           const yaml_node_t *node);

/* Reads one pair of a mapping; `context` is the caller's. */
typedef hanse_status (*hanse_pair_handler)(hanse_job_reader *r,
                                           const void *context,
                                           const yaml_node_t *key,
                                           const char *name,
                                           const yaml_node_t *value);

/* A key of a mapping. A table of them ends with a rule without a name. */
typedef struct hanse_node_rule {
    const char *name;
    hanse_item_handler read;
} hanse_node_rule;

#define HANSE_COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Passes on the failure of a setter, with the place. */
hanse_status hanse_node_located(const hanse_job_reader *r,
                                const yaml_node_t *node, hanse_status status);

/* Notes the place of what only the engine can check (io/job_places.h). */
hanse_status hanse_node_note(hanse_job_reader *r, const yaml_node_t *node,
                             const char *what, const char *name);

/* Whether it is a mapping that has this key. */
bool hanse_node_has_key(const hanse_job_reader *r, const yaml_node_t *node,
                        const char *name);

/* "unknown key 'grup_by', did you mean 'group_by'?" or what is known. */
hanse_status hanse_node_fail_unknown(const hanse_job_reader *r,
                                     const yaml_node_t *node, const char *what,
                                     const char *name, const char *const *known,
                                     size_t n_known);

bool hanse_node_is_null(const yaml_node_t *node);

/* The text of a scalar, borrowed from the document; `what` begins the message
 * about anything else. Or a copy of it in a slot. */
hanse_status hanse_node_text(const hanse_job_reader *r, const yaml_node_t *node,
                             const char *what, const char **out);
hanse_status hanse_node_set_text(hanse_job_reader *r, const yaml_node_t *node,
                                 const char *what, char **slot);

/* Entries of a list. */
size_t hanse_node_n_items(const yaml_node_t *node);
const yaml_node_t *hanse_node_item(const hanse_job_reader *r,
                                   const yaml_node_t *node, size_t index);

/* Every entry of a list, or one entry without the brackets. */
hanse_status hanse_node_list(hanse_job_reader *r, const yaml_node_t *node,
                             const char *what, size_t max_items,
                             hanse_item_handler read);

/* Every pair of a mapping; keys are texts and none stands twice. */
hanse_status hanse_node_pairs(hanse_job_reader *r, const yaml_node_t *node,
                              const char *what, hanse_pair_handler read,
                              const void *context);

/* A mapping by its table of rules. */
hanse_status hanse_node_mapping(hanse_job_reader *r, const yaml_node_t *node,
                                const char *what, const hanse_node_rule *rules);

/* job_yaml_keys.c: `keys` and `group_by`. */
hanse_status hanse_job_read_keys(hanse_job_reader *r, const yaml_node_t *node);
hanse_status hanse_job_read_group_by(hanse_job_reader *r,
                                     const yaml_node_t *node);

#endif
