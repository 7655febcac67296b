/* SPDX-License-Identifier: Apache-2.0
 *
 * `hanse run`: everything that can be wrong with the job, the table or the
 * output is found before a row is read; the result appears at the very end.
 */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/numbers.h"
#include "cli/progress.h"
#include "cli/run_options.h"
#include "cli/summary.h"
#include "engine/base/error.h"
#include "engine/models/all.h"
#include "engine/run.h"
#include "engine/spec.h"
#include "io/column_reason.h"
#include "io/hdf5_source.h"
#include "io/provenance.h"
#include "io/result_file.h"
#include "io/spill_file.h"

/* Everything that one run holds. */
typedef struct run {
    hanse_run_arguments arguments;
    hanse_run_input input;
    hanse_status output_status; /* of preparing the output */
    hanse_error output_error;
    hanse_provenance *provenance;
    hanse_atomic_file *summary_file; /* NULL: not asked for */
    hanse_spill *spill;              /* NULL: not asked for */
    hanse_run_options options;
    hanse_run_tuning tuning;
    hanse_progress progress;
    hanse_summary summary;
    hanse_model_run models; /* of a job with models of several steps */
    hanse_result *result;
    hanse_sink *sink;  /* while it is written */
    int signal_number; /* that stopped the run, 0: none */
} run;

/* ---- Before ------------------------------------------------------------- */

static bool is_same(const char *path, const char *other)
{
    struct stat a;
    struct stat b;
    return stat(path, &a) == 0 && stat(other, &b) == 0 &&
           a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Writing over an input would destroy the data. */
static hanse_status check_no_input(const char *path,
                                   const hanse_text_list *files,
                                   hanse_error *error)
{
    for (size_t i = 0; i < files->n; i++)
        if (is_same(path, files->items[i]))
            return hanse_fail(error, HANSE_ERR_ARGUMENT,
                              "the output %s is the input file %s; give "
                              "another name",
                              path, files->items[i]);
    return HANSE_OK;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* Whether two names, of files that may not exist yet, name the same one. */
static bool is_same_name(const char *path, const char *other)
{
    char *copies[] = {strdup(path), strdup(other)};
    bool same = strcmp(path, other) == 0;
    if (copies[0] != NULL && copies[1] != NULL &&
        strcmp(base_name(path), base_name(other)) == 0)
        same = is_same(dirname(copies[0]), dirname(copies[1]));
    free(copies[0]);
    free(copies[1]);
    return same;
}

/* The summary would take the result's place. */
static hanse_status check_two_files(const char *output, const char *summary,
                                    hanse_error *error)
{
    if (is_same(output, summary) || is_same_name(output, summary))
        return hanse_fail(error, HANSE_ERR_ARGUMENT,
                          "the output and the summary are the same file, %s; "
                          "give --json-summary another name",
                          summary);
    return HANSE_OK;
}

/* A file that can be begun in the output's directory can be written there
 * later, but for a full disk. It goes away again, so that a killed run leaves
 * nothing behind. */
static hanse_status check_writable(const char *path, hanse_error *error)
{
    hanse_atomic_file *probe;
    HANSE_TRY(hanse_atomic_file_open(path, 0600, &probe, error));
    hanse_atomic_file_close(probe);
    return HANSE_OK;
}

/* What needs the names of the files alone. */
static hanse_status prepare_output(run *r, hanse_error *error)
{
    const hanse_job *job = &r->arguments.job;
    const char *json_path = r->arguments.json_summary;
    if (r->arguments.spill != NULL)
        HANSE_TRY(hanse_spill_file_open(r->arguments.spill, &r->spill, error));
    HANSE_TRY(check_no_input(job->output, &r->input.files, error));
    HANSE_TRY(check_writable(job->output, error));
    if (json_path != NULL) {
        HANSE_TRY(check_no_input(json_path, &r->input.files, error));
        HANSE_TRY(check_two_files(job->output, json_path, error));
        HANSE_TRY(
            hanse_atomic_file_open(json_path, 0600, &r->summary_file, error));
    }
    return hanse_provenance_create(job, &r->input.files, r->arguments.history,
                                   &r->provenance, error);
}

static void prepare_meanwhile(void *context)
{
    run *r = context;
    r->output_status = prepare_output(r, &r->output_error);
}

static hanse_status prepare(run *r, hanse_error *error)
{
    HANSE_TRY(hanse_run_input_open(&r->input, &r->arguments, prepare_meanwhile,
                                   r, error));
    if (r->output_status != HANSE_OK) {
        *error = r->output_error;
        return r->output_status;
    }
    HANSE_TRY(check_no_input(r->arguments.job.output, &r->input.maps, error));
    if (r->arguments.json_summary != NULL)
        HANSE_TRY(
            check_no_input(r->arguments.json_summary, &r->input.maps, error));
    if (r->input.maps.n > 0)
        hanse_provenance_note_files(r->provenance, "maps", &r->input.maps);
    r->summary.confinement = hanse_hdf5_source_confinement(r->input.source);
    hanse_provenance_note(r->provenance, "confinement", r->summary.confinement);
    return HANSE_OK;
}

/* ---- The run ------------------------------------------------------------ */

static bool on_progress(void *context, uint64_t rows_done, uint64_t n_rows,
                        uint64_t bytes_done)
{
    run *r = context;
    hanse_progress_update(&r->progress, rows_done, n_rows, bytes_done);
    return hanse_interrupt_signal() == 0;
}

static hanse_status open_table(void *context, const char *file,
                               const char *path, hanse_source **out,
                               hanse_error *error)
{
    run *r = context;
    return hanse_run_input_open_table(&r->input, &r->arguments, file, path, out,
                                      error);
}

static hanse_status check_records(const run *r, hanse_error *error)
{
    const hanse_text_list *wanted = &r->arguments.job.records_columns;
    return hanse_model_check_records(
        &r->models, (const char *const *)wanted->items, wanted->n, error);
}

/* The passes of the models' steps, and the last one. */
static hanse_status run_models(run *r, hanse_error *error)
{
    hanse_model_run *models = &r->models;
    HANSE_TRY(hanse_run_input_keep(&r->input, error));
    models->source = r->input.kept;
    models->spec = r->input.spec;
    models->options = &r->options;
    models->tuning = &r->tuning;
    models->open_table = open_table;
    models->open_context = r;
    HANSE_TRY(hanse_model_run_init(models, error));
    HANSE_TRY(
        hanse_models_check(&r->arguments.job.models, models, NULL, error));
    HANSE_TRY(check_records(r, error));
    HANSE_TRY(hanse_models_run(&r->arguments.job.models, models, error));
    const hanse_text_list *wanted = &r->arguments.job.records_columns;
    if (wanted->n > 0)
        hanse_model_choose_records(models, (const char *const *)wanted->items,
                                   wanted->n);
    return hanse_model_run_finish(models, &r->summary.report, &r->result,
                                  error);
}

static hanse_status run_passes(run *r, hanse_error *error)
{
    if (hanse_models_any(&r->arguments.job.models))
        return run_models(r, error);
    HANSE_TRY(check_records(r, error));
    r->tuning.defers_rows = true;
    return hanse_run_tuned(r->input.spec, r->input.source, &r->options,
                           &r->tuning, &r->summary.report, &r->result, error);
}

/* Does what reads the whole table, with progress and until a signal. */
static hanse_status attend(run *r, hanse_status (*act)(run *, hanse_error *),
                           hanse_error *error)
{
    hanse_progress_start(
        &r->progress,
        hanse_progress_choose(r->arguments.progress, r->arguments.quiet));
    const double start = hanse_clock_seconds();
    hanse_interrupt_begin();
    const hanse_status status = act(r, error);
    r->signal_number =
        status == HANSE_ERR_INTERRUPTED ? hanse_interrupt_signal() : 0;
    hanse_interrupt_end();
    hanse_progress_finish(&r->progress);
    r->summary.seconds += hanse_clock_seconds() - start;
    if (r->signal_number != 0)
        return hanse_fail(error, status,
                          "stopped by signal %d (%s) before the end; nothing "
                          "was written",
                          r->signal_number, strsignal(r->signal_number));
    return hanse_explain_column(r->input.source, status, error);
}

static hanse_status fold(run *r, hanse_error *error)
{
    r->options = (hanse_run_options){
        .table = r->arguments.job.table,
        .n_threads = r->arguments.n_threads,
        .memory_bytes = r->arguments.memory_bytes,
        .progress = on_progress,
        .progress_context = r,
    };
    r->tuning = (hanse_run_tuning){.spill = r->spill};
    const hanse_status status = attend(r, run_passes, error);
    if (r->spill != NULL)
        r->summary.spilled_bytes = hanse_spill_file_bytes(r->spill);
    return status;
}

/* ---- After -------------------------------------------------------------- */

static hanse_status check_rows(const run *r, hanse_error *error)
{
    const hanse_row_counts rows = hanse_result_rows(r->result);
    if (rows.kept > 0)
        return HANSE_OK;
    return hanse_fail(error, HANSE_ERR_FORMAT,
                      "the filter '%s' is true for none of the %s rows; "
                      "nothing was written",
                      r->arguments.job.where != NULL ? r->arguments.job.where
                                                     : "",
                      hanse_format_count(rows.read).text);
}

/* The record-level columns of the models. */
static hanse_status write_records(run *r, hanse_error *error)
{
    const size_t n = r->models.n_records;
    hanse_source *source = hanse_columns_source(r->models.columns);
    hanse_record_variable *variables = calloc(n, sizeof *variables);
    if (variables == NULL)
        return hanse_fail_nomem(error, "records", n);
    for (size_t i = 0; i < n; i++) {
        const hanse_record_column *record = &r->models.records[i];
        variables[i] = (hanse_record_variable){
            .name = record->name,
            .long_name = record->long_name,
            .units = record->units,
            .field =
                hanse_schema_find(hanse_source_schema(source), record->column),
            .is_status = record->is_status};
    }
    const hanse_record_set set = {source, variables, n, &r->options};
    const hanse_status status = r->sink->ops->records(r->sink, &set, error);
    free(variables);
    return status;
}

static hanse_status write_tables(const run *r, hanse_sink *sink,
                                 hanse_error *error)
{
    const size_t n = hanse_result_n_tables(r->result);
    for (size_t i = 0; i < n; i++)
        HANSE_TRY(
            sink->ops->table(sink, hanse_result_table(r->result, i), error));
    for (size_t t = 0; t < r->models.n_tables; t++)
        for (size_t i = 0; i < hanse_result_n_tables(r->models.tables[t]); i++)
            HANSE_TRY(sink->ops->table(
                sink, hanse_result_table(r->models.tables[t], i), error));
    return HANSE_OK;
}

static hanse_status write_all(run *r, hanse_error *error)
{
    const double start = hanse_clock_seconds();
    HANSE_TRY(write_tables(r, r->sink, error));
    /* Deferred rows are made on the way. */
    r->summary.seconds += hanse_clock_seconds() - start;
    if (r->models.n_records > 0)
        HANSE_TRY(attend(r, write_records, error));
    return r->sink->ops->commit(r->sink, error);
}

static hanse_status write_result(run *r, hanse_error *error)
{
    char *provenance;
    hanse_storage storage;
    const char *said = r->arguments.job.records_storage;
    if (said != NULL)
        HANSE_TRY(hanse_storage_parse_chunked(&storage, said, error));
    HANSE_TRY(hanse_provenance_finish(r->provenance, &r->summary.report,
                                      hanse_result_rows(r->result), &provenance,
                                      error));
    const hanse_result_info info = {.history = r->arguments.history,
                                    .provenance_json = provenance,
                                    .records = said != NULL ? &storage : NULL};
    hanse_status status =
        hanse_result_sink_open(r->arguments.job.output, &info, &r->sink, error);
    free(provenance);
    if (status != HANSE_OK)
        return status;
    status = write_all(r, error);
    r->sink->ops->close(r->sink);
    return status;
}

static hanse_status finish(run *r, hanse_error *error)
{
    HANSE_TRY(check_rows(r, error));
    HANSE_TRY(write_result(r, error));
    r->summary.output = r->arguments.job.output;
    r->summary.result = r->result;
    if (r->summary_file != NULL)
        HANSE_TRY(hanse_summary_write(&r->summary, r->summary_file, error));
    if (!r->arguments.quiet)
        hanse_summary_print(&r->summary);
    return HANSE_OK;
}

static void clear(run *r)
{
    hanse_result_destroy(r->result);
    hanse_model_run_clear(&r->models);
    if (r->spill != NULL)
        r->spill->ops->close(r->spill);
    hanse_atomic_file_close(r->summary_file);
    hanse_provenance_destroy(r->provenance);
    hanse_run_input_close(&r->input);
    hanse_run_arguments_clear(&r->arguments);
}

int hanse_command_run(int argc, char **argv)
{
    run r = {0};
    int exit_status;
    hanse_error error = {0};
    if (!hanse_run_arguments_parse(&r.arguments, argc, argv, &exit_status))
        return exit_status;
    if (r.arguments.job.output == NULL) {
        hanse_run_arguments_clear(&r.arguments);
        return hanse_usage_error("no output file; give one with -o, or "
                                 "'output' in the job");
    }
    hanse_status status = prepare(&r, &error);
    if (status == HANSE_OK)
        status = fold(&r, &error);
    if (status == HANSE_OK)
        status = finish(&r, &error);
    status = hanse_job_locate(&r.arguments.job, status, &error);
    const int signal_number = r.signal_number;
    clear(&r);
    exit_status =
        status == HANSE_OK ? HANSE_EXIT_DONE : hanse_report_error(&error);
    if (signal_number != 0)
        hanse_interrupt_die(signal_number);
    return exit_status;
}
