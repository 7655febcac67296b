/* SPDX-License-Identifier: Apache-2.0
 *
 * Nodes of a job file.
 */
#include "io/job_nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "io/job_places.h"

/* ---- Messages ----------------------------------------------------------- */

/* Passes on the failure of a setter, with the place. */
hanse_status hanse_node_located(const hanse_job_reader *r,
                                const yaml_node_t *node, hanse_status status)
{
    if (status != HANSE_OK)
        hanse_error_prefix(r->error, "%s:%zu:%zu", r->path,
                           node->start_mark.line + 1,
                           node->start_mark.column + 1);
    return status;
}

/* Notes the place of what only the engine can check. */
hanse_status hanse_node_note(hanse_job_reader *r, const yaml_node_t *node,
                             const char *what, const char *name)
{
    return hanse_job_note(r->job, what, name, node->start_mark.line + 1,
                          node->start_mark.column + 1, r->error);
}

/* "'grup_by', did you mean 'group_by'?" or the list of what is known. */
hanse_status hanse_node_fail_unknown(const hanse_job_reader *r,
                                     const yaml_node_t *node, const char *what,
                                     const char *name, const char *const *known,
                                     size_t n_known)
{
    const char *nearest = hanse_suggest(name, known, n_known);
    if (nearest != NULL)
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "unknown %s '%s', did you mean '%s'?", what,
                               name, nearest);
    char list[256] = "";
    size_t used = 0;
    for (size_t i = 0; i < n_known && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s",
                                 i > 0 ? ", " : "", known[i]);
    return hanse_yaml_fail(r->error, r->path, node->start_mark,
                           "unknown %s '%s'; known: %s", what, name, list);
}

static const char *node_kind(const yaml_node_t *node)
{
    switch (node->type) {
    case YAML_MAPPING_NODE:
        return "a mapping";
    case YAML_SEQUENCE_NODE:
        return "a list";
    default:
        return node->data.scalar.length == 0 ? "nothing" : "a text";
    }
}

/* ---- Nodes -------------------------------------------------------------- */

static const yaml_node_t *node_at(const hanse_job_reader *r,
                                  yaml_node_item_t index)
{
    return yaml_document_get_node(r->document, index);
}

bool hanse_node_is_null(const yaml_node_t *node)
{
    if (node->type != YAML_SCALAR_NODE ||
        node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    const char *text = (const char *)node->data.scalar.value;
    return *text == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0;
}

/* The text of a scalar, borrowed from the document. */
hanse_status hanse_node_text(const hanse_job_reader *r, const yaml_node_t *node,
                             const char *what, const char **out)
{
    if (node->type != YAML_SCALAR_NODE || hanse_node_is_null(node))
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "%s: expected a text, found %s", what,
                               hanse_node_is_null(node) ? "nothing"
                                                        : node_kind(node));
    const char *text = (const char *)node->data.scalar.value;
    if (strlen(text) != node->data.scalar.length)
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "%s: the text holds a NUL byte", what);
    if (*text == '\0')
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "%s: the text is empty", what);
    *out = text;
    return HANSE_OK;
}

hanse_status hanse_node_set_text(hanse_job_reader *r, const yaml_node_t *node,
                                 const char *what, char **slot)
{
    const char *text = NULL;
    HANSE_TRY(hanse_node_text(r, node, what, &text));
    return hanse_node_located(r, node,
                              hanse_job_set_text(slot, text, r->error));
}

size_t hanse_node_n_items(const yaml_node_t *node)
{
    return (size_t)(node->data.sequence.items.top -
                    node->data.sequence.items.start);
}

const yaml_node_t *hanse_node_item(const hanse_job_reader *r,
                                   const yaml_node_t *node, size_t index)
{
    return node_at(r, node->data.sequence.items.start[index]);
}

bool hanse_node_has_key(const hanse_job_reader *r, const yaml_node_t *node,
                        const char *name)
{
    if (node->type != YAML_MAPPING_NODE)
        return false;
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = node_at(r, pair->key);
        if (key->type == YAML_SCALAR_NODE &&
            strcmp((const char *)key->data.scalar.value, name) == 0)
            return true;
    }
    return false;
}

/* A list, or one entry without the brackets. */
hanse_status hanse_node_list(hanse_job_reader *r, const yaml_node_t *node,
                             const char *what, size_t max_items,
                             hanse_item_handler read)
{
    if (node->type != YAML_SEQUENCE_NODE)
        return read(r, node);
    if (hanse_node_n_items(node) == 0)
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "%s: the list is empty", what);
    if (hanse_node_n_items(node) > max_items)
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "%s: more than %zu entries", what, max_items);
    for (size_t i = 0; i < hanse_node_n_items(node); i++)
        HANSE_TRY(read(r, hanse_node_item(r, node, i)));
    return HANSE_OK;
}

/* Every pair of a mapping; keys are texts and none stands twice. */
hanse_status hanse_node_pairs(hanse_job_reader *r, const yaml_node_t *node,
                              const char *what, hanse_pair_handler read,
                              const void *context)
{
    if (node->type != YAML_MAPPING_NODE)
        return hanse_yaml_fail(
            r->error, r->path, node->start_mark,
            "%s: expected 'key: value' lines, found %s", what,
            hanse_node_is_null(node) ? "nothing" : node_kind(node));
    const yaml_node_pair_t *start = node->data.mapping.pairs.start;
    const size_t n = (size_t)(node->data.mapping.pairs.top - start);
    if (n > HANSE_JOB_MAX_ENTRIES)
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "%s: more than %d entries", what,
                               HANSE_JOB_MAX_ENTRIES);
    for (size_t i = 0; i < n; i++) {
        const yaml_node_t *key = node_at(r, start[i].key);
        const char *name;
        HANSE_TRY(hanse_node_text(r, key, "key", &name));
        for (size_t j = 0; j < i; j++) {
            const yaml_node_t *earlier = node_at(r, start[j].key);
            if (strcmp((const char *)earlier->data.scalar.value, name) == 0)
                return hanse_yaml_fail(
                    r->error, r->path, key->start_mark,
                    "key '%s' stands twice, first in line %zu", name,
                    earlier->start_mark.line + 1);
        }
        HANSE_TRY(read(r, context, key, name, node_at(r, start[i].value)));
    }
    return HANSE_OK;
}

/* A table of keys; ends with a rule without a name. */
static hanse_status read_ruled_pair(hanse_job_reader *r, const void *context,
                                    const yaml_node_t *key, const char *name,
                                    const yaml_node_t *value)
{
    const char *known[HANSE_NODE_RULES_MAX];
    size_t n = 0;
    for (const hanse_node_rule *rule = context; rule->name != NULL; rule++) {
        if (strcmp(rule->name, name) == 0)
            return rule->read(r, value);
        if (n < HANSE_NODE_RULES_MAX)
            known[n++] = rule->name;
    }
    return hanse_node_fail_unknown(r, key, "key", name, known, n);
}

hanse_status hanse_node_mapping(hanse_job_reader *r, const yaml_node_t *node,
                                const char *what, const hanse_node_rule *rules)
{
    return hanse_node_pairs(r, node, what, read_ruled_pair, rules);
}
