/* SPDX-License-Identifier: Apache-2.0
 *
 * How a result was made, as JSON for /provenance: job as run, inputs with
 * sizes and times, program, machine, clock. Nothing here enters the results.
 */
#ifndef HANSE_IO_PROVENANCE_H
#define HANSE_IO_PROVENANCE_H

#include "engine/run.h"
#include "io/job.h"

typedef struct hanse_provenance hanse_provenance;

/* Notes the job, the files as they are now, and the clock. `files` are the
 * names that the job's patterns gave, `command_line` may be NULL. Nothing is
 * kept. */
hanse_status hanse_provenance_create(const hanse_job *job,
                                     const hanse_text_list *files,
                                     const char *command_line,
                                     hanse_provenance **out,
                                     hanse_error *error);
void hanse_provenance_destroy(hanse_provenance *provenance);

/* Add a fact of its own; further files as they are now. */
void hanse_provenance_note(hanse_provenance *provenance, const char *key,
                           const char *text);
void hanse_provenance_note_files(hanse_provenance *provenance, const char *key,
                                 const hanse_text_list *files);

/* Adds what the run reported and the clock; the text is from malloc. */
hanse_status hanse_provenance_finish(hanse_provenance *provenance,
                                     const hanse_run_report *report,
                                     hanse_row_counts rows, char **out,
                                     hanse_error *error);

enum {
    HANSE_HDF5_VERSION_SIZE = 40
};

/* Version of the HDF5 library in use, "1.10.8". */
void hanse_hdf5_version(char text[HANSE_HDF5_VERSION_SIZE]);

#endif
