/* SPDX-License-Identifier: Apache-2.0
 *
 * Grouping sets: what one entry of `--by` or `group_by` stands for. An entry
 * is a list of elements, each of them a key, a rollup or a cube; a grouping is
 * made for every way to take one set of keys from each element.
 *
 *     a,b                      (a, b)
 *     rollup(a,b), also a>b    (a), (a, b), ()
 *     cube(a,b)                (a), (b), (a, b), ()
 *     y,rollup(a,b)            (y, a), (y, a, b), (y)
 *
 * All rows together, (), are a table of every job and are not added here.
 */
#ifndef HANSE_IO_KEY_SETS_H
#define HANSE_IO_KEY_SETS_H

#include "io/job.h"

typedef enum hanse_set_kind {
    HANSE_SET_KEY, /* one key, one set */
    HANSE_SET_ROLLUP,
    HANSE_SET_CUBE
} hanse_set_kind;

typedef struct hanse_set_element {
    hanse_set_kind kind;
    hanse_text_list keys;
} hanse_set_element;

typedef struct hanse_set_list {
    hanse_set_element *items;
    size_t n;
} hanse_set_list;

/* Appends an element without keys yet. */
hanse_status hanse_set_list_add(hanse_set_list *list, hanse_set_kind kind,
                                hanse_set_element **out, hanse_error *error);
void hanse_set_list_clear(hanse_set_list *list);

/* Adds the groupings of an entry to a job. Those that rollups and cubes make
 * come once; a plain entry stays as it is, for the specification to check.
 * HANSE_ERR_SPEC for a rollup or cube of too many keys. */
hanse_status hanse_job_add_sets(hanse_job *job, const hanse_set_list *list,
                                hanse_error *error);

/* Parses the text of an entry into a list, and puts the keys that it defines
 * (name=definition) into the job. Whatever the status, the caller clears the
 * list. */
hanse_status hanse_set_list_parse(hanse_job *job, const char *text,
                                  hanse_set_list *list, hanse_error *error);

#endif
