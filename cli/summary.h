/* SPDX-License-Identifier: Apache-2.0
 *
 * What a run did, for people and for pipelines.
 */
#ifndef HANSE_CLI_SUMMARY_H
#define HANSE_CLI_SUMMARY_H

#include "engine/run.h"
#include "io/atomic_file.h"

typedef struct hanse_summary {
    const char *output; /* as given */
    const hanse_result *result;
    hanse_run_report report;
    double seconds;          /* reading, folding, writing tables */
    uint64_t spilled_bytes;  /* to temporary files */
    const char *confinement; /* of the processes that open the input */
} hanse_summary;

/* Prints it on stdout. */
void hanse_summary_print(const hanse_summary *summary);

/* Writes it as JSON to an open file and commits that. */
hanse_status hanse_summary_write(const hanse_summary *summary,
                                 hanse_atomic_file *file, hanse_error *error);

#endif
