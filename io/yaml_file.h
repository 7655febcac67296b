/* SPDX-License-Identifier: Apache-2.0
 *
 * A YAML file as libyaml's document, whose nodes know line and column.
 */
#ifndef HANSE_IO_YAML_FILE_H
#define HANSE_IO_YAML_FILE_H

#include <yaml.h>

#include "engine/hanse.h"

/* Reads the one document of a file; free it with yaml_document_delete. The
 * file may be a pipe. HANSE_ERR_IO when it cannot be read; HANSE_ERR_SPEC,
 * with "FILE:LINE:COLUMN: " in front, when it is empty, larger than 1 MiB,
 * nested deeper than 32 levels, not YAML, or holds anchors, aliases, tags or a
 * second document. */
hanse_status hanse_yaml_load(const char *path, yaml_document_t *out,
                             hanse_error *error);

/* HANSE_ERR_SPEC with "PATH:LINE:COLUMN: " before the message. */
__attribute__((format(printf, 4, 5))) hanse_status
hanse_yaml_fail(hanse_error *error, const char *path, yaml_mark_t mark,
                const char *format, ...);

#endif
