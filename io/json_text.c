/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts as JSON.
 */
#include "io/json_text.h"

#include <stdlib.h>

#include "io/utf8.h"

json_t *hanse_json_text(const char *text)
{
    if (text == NULL)
        return json_null();
    char *escaped = malloc(hanse_utf8_escaped_length(text) + 1);
    if (escaped == NULL)
        return NULL;
    hanse_utf8_escape(text, escaped);
    json_t *json = json_string(escaped);
    free(escaped);
    return json;
}
