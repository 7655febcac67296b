/* SPDX-License-Identifier: Apache-2.0
 *
 * Links in job files.
 */
#include "io/job_links.h"

#include <string.h>

#include "engine/base/error.h"

static hanse_status read_ends(hanse_job_reader *r, const yaml_node_t *node,
                              hanse_link_spec *links)
{
    static const char *const words[] = {"row", "id"};
    size_t index = 0;
    HANSE_TRY(hanse_node_choice(r, node, "ends", words, 2, &index));
    links->by_id = index == 1;
    return HANSE_OK;
}

static hanse_status read_part(hanse_job_reader *r, const void *context,
                              const yaml_node_t *key, const char *name,
                              const yaml_node_t *value)
{
    static const char *const known[] = {"table",  "file", "source", "target",
                                        "weight", "ends", "id"};
    hanse_link_spec *links = (hanse_link_spec *)(uintptr_t)context;
    char **const texts[] = {&links->path, &links->file, &links->source,
                            &links->target};
    for (size_t i = 0; i < HANSE_COUNT(texts); i++)
        if (strcmp(name, known[i]) == 0)
            return hanse_node_set_text(r, value, name, texts[i]);
    if (strcmp(name, "weight") == 0)
        return hanse_node_formula(r, value, name, &links->weight);
    if (strcmp(name, "ends") == 0)
        return read_ends(r, value, links);
    if (strcmp(name, "id") == 0) {
        links->by_id = true;
        return hanse_node_set_text(r, value, name, &links->id);
    }
    return hanse_node_fail_unknown(r, key, "key", name, known,
                                   HANSE_COUNT(known));
}

hanse_status hanse_job_read_links(hanse_job_reader *r, const yaml_node_t *node,
                                  hanse_link_spec *links)
{
    if (node->type != YAML_MAPPING_NODE)
        return hanse_node_set_text(r, node, "links", &links->path);
    HANSE_TRY(hanse_node_pairs(r, node, "links", read_part, links));
    if (links->path != NULL)
        return HANSE_OK;
    return hanse_yaml_fail(r->error, r->path, node->start_mark,
                           "links: 'table' is missing, the path of the table "
                           "of links in the file, such as /links");
}
