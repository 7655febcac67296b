/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts as JSON. File names are bytes and need not be UTF-8, which JSON
 * demands: a byte that is not part of a character is written as \xHH.
 */
#ifndef HANSE_IO_JSON_TEXT_H
#define HANSE_IO_JSON_TEXT_H

#include <jansson.h>

/* A new JSON string; JSON null for NULL; NULL when memory is out. */
json_t *hanse_json_text(const char *text);

#endif
