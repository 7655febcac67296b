/* SPDX-License-Identifier: Apache-2.0
 *
 * Options and operands of `hanse run` and `hanse explain`, and the job, files
 * and table that they lead to.
 */
#ifndef HANSE_CLI_RUN_OPTIONS_H
#define HANSE_CLI_RUN_OPTIONS_H

#include "engine/base/memory.h"
#include "engine/source.h"
#include "io/hdf5_source.h"
#include "io/job.h"

typedef struct hanse_run_arguments {
    hanse_job job;         /* job file and options together */
    size_t n_threads;      /* at least 1 */
    uint64_t memory_bytes; /* budget */
    char *spill;           /* directory for temporary files; NULL: none */
    bool trusted_input;
    bool allow_external;
    hanse_read_way read;
    bool no_read_ahead;
    bool progress;
    bool quiet;
    char *json_summary; /* NULL: none */
    /* The command line without the options that cannot change a result, in
     * the order given: "hanse run t.h5 --by cluster". */
    char *history;
} hanse_run_arguments;

/* Parses the arguments of the command `argv[0]` ("run" or "explain") and
 * reads the job file. False when there is nothing more to do: help was printed
 * or an error reported, and *exit_status says which. */
bool hanse_run_arguments_parse(hanse_run_arguments *arguments, int argc,
                               char **argv, int *exit_status);
void hanse_run_arguments_clear(hanse_run_arguments *arguments);

/* The table of a job, open, and the specification completed for it. */
typedef struct hanse_run_input {
    hanse_text_list files;
    hanse_text_list maps; /* mapping tables read */
    hanse_budget budget;  /* of readers and states */
    hanse_source *source;
    hanse_source
        *kept; /* the same, keeping what is read; NULL: not asked for */
    hanse_spec *spec;
} hanse_run_input;

/* Finds and opens the files; HANSE_ERR_FORMAT when the table has no row. On
 * failure the input is empty. `meanwhile` is called when the files are known
 * and are being opened; NULL: not. */
hanse_status hanse_run_input_open(hanse_run_input *input,
                                  const hanse_run_arguments *arguments,
                                  void (*meanwhile)(void *context),
                                  void *context, hanse_error *error);
/* Opens another table: `path` in the input files, or in `file`. Its readers are
 * charged to the same budget; the caller closes it, before the input. */
hanse_status hanse_run_input_open_table(hanse_run_input *input,
                                        const hanse_run_arguments *arguments,
                                        const char *file, const char *path,
                                        hanse_source **out, hanse_error *error);
/* Opens input->kept, for a job of several passes, which may take half the
 * memory limit. */
hanse_status hanse_run_input_keep(hanse_run_input *input, hanse_error *error);

void hanse_run_input_close(hanse_run_input *input);

#endif
