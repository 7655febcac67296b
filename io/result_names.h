/* SPDX-License-Identifier: Apache-2.0
 *
 * Names in result files: a letter, then letters, digits and underscores, no
 * two of a group the same or different in case only (CF 2.3). Whatever has
 * another name keeps it in `long_name`.
 */
#ifndef HANSE_IO_RESULT_NAMES_H
#define HANSE_IO_RESULT_NAMES_H

#include "engine/hanse.h"

/* The names of one group, in the order in which they were added. Initialise
 * with zeros. */
typedef struct hanse_names {
    char **names;
    size_t n;
} hanse_names;

/* Adds the nearest valid and free name: other characters become underscores,
 * an "x" is put before what does not start with a letter, and "_2", "_3", ...
 * after what is taken. The name is names->names[names->n - 1] afterwards. */
hanse_status hanse_names_add(hanse_names *names, const char *wanted,
                             hanse_error *error);

/* Frees the names and makes the list empty. */
void hanse_names_clear(hanse_names *names);

#endif
