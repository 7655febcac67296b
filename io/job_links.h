/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a model finds links, in a job file:
 *
 *     links: /links               # a table of the input files
 *     links: {table: /links, file: links.h5, source: from, target: to,
 *             weight: strength, ends: id, id: enterprise_id}
 */
#ifndef HANSE_IO_JOB_LINKS_H
#define HANSE_IO_JOB_LINKS_H

#include "engine/models/link_table.h"
#include "io/job_models.h"

/* Reads either form into a specification that has no texts yet. Ends are row
 * numbers over the whole input from 0, or ids of records where `ends: id` or
 * the column `id` is given. */
hanse_status hanse_job_read_links(hanse_job_reader *r, const yaml_node_t *node,
                                  hanse_link_spec *links);

#endif
