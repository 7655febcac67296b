/* SPDX-License-Identifier: Apache-2.0
 *
 * Valid and unique names for the objects of a result file.
 */
#include "io/result_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/error.h"
#include "io/utf8.h"

/* Room for "x" before and "_<number>" after a name. */
enum {
    N_EXTRA = 24
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* One underscore for each character that is not allowed, not for each byte. */
static size_t sanitise(const char *wanted, char *out)
{
    size_t n = 0;
    uint32_t code_point;
    if (!is_letter(*wanted))
        out[n++] = 'x';
    while (*wanted != '\0') {
        const size_t size = hanse_utf8_decode(wanted, &code_point);
        const bool keep =
            is_letter(*wanted) || (*wanted >= '0' && *wanted <= '9');
        out[n++] = keep ? *wanted : '_';
        wanted += size == 0 ? 1 : size;
    }
    out[n] = '\0';
    return n;
}

static bool is_taken(const hanse_names *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++)
        if (strcasecmp(names->names[i], name) == 0)
            return true;
    return false;
}

hanse_status hanse_names_add(hanse_names *names, const char *wanted,
                             hanse_error *error)
{
    const size_t size_bytes = strlen(wanted) + N_EXTRA;
    char *name = malloc(size_bytes);
    char **grown = realloc(names->names, (names->n + 1) * sizeof *names->names);
    if (grown != NULL)
        names->names = grown;
    if (name == NULL || grown == NULL) {
        free(name);
        return hanse_fail_nomem(error, "name in the result", size_bytes);
    }
    const size_t n = sanitise(wanted, name);
    for (unsigned number = 2; is_taken(names, name); number++)
        snprintf(name + n, size_bytes - n, "_%u", number);
    names->names[names->n++] = name;
    return HANSE_OK;
}

void hanse_names_clear(hanse_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->names[i]);
    free(names->names);
    *names = (hanse_names){0};
}
