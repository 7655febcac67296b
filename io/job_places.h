/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a job file says something: the engine finds a missing column or a
 * faulty formula long after the file was read, and its message should still
 * name line and column. The engine begins such messages with "filter",
 * "measure 'NAME'", "key 'NAME'", "step 'NAME'", "weights", "id:", "records:"
 * or "group by", and quotes a key or a record-level result first of all.
 */
#ifndef HANSE_IO_JOB_PLACES_H
#define HANSE_IO_JOB_PLACES_H

#include "io/job.h"

extern const char hanse_place_filter[];     /* has no name */
extern const char hanse_place_measure[];    /* models, too */
extern const char hanse_place_key[];        /* of a grouping */
extern const char hanse_place_definition[]; /* of a key */
extern const char hanse_place_weights[];    /* has no name */
extern const char hanse_place_id[];         /* has no name */
extern const char hanse_place_step[];       /* formulas of a model's steps */
extern const char hanse_place_records[];    /* record-level results */

/* Notes where the job says it; `what` is one of the above, `name` NULL for
 * what has no name, line and column count from 1. */
hanse_status hanse_job_note(hanse_job *job, const char *what, const char *name,
                            size_t line, size_t column, hanse_error *error);

/* Forgets places of something that was replaced; `name` NULL: all of them. */
void hanse_job_forget(hanse_job *job, const char *what, const char *name);

/* Moves the places of a job that was read from a file. */
void hanse_job_move_places(hanse_job *job, hanse_job *from);

void hanse_job_clear_places(hanse_job *job);

#endif
