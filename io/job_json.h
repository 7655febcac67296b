/* SPDX-License-Identifier: Apache-2.0
 *
 * A job as a JSON value, for the texts that contain one.
 */
#ifndef HANSE_IO_JOB_JSON_H
#define HANSE_IO_JOB_JSON_H

#include <jansson.h>

#include "io/job.h"

/* A new reference; NULL when memory is out. */
json_t *hanse_job_json(const hanse_job *job);

#endif
