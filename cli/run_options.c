/* SPDX-License-Identifier: Apache-2.0
 *
 * Options of a run.
 */
#include "cli/run_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/machine.h"
#include "cli/options.h"
#include "engine/base/error.h"
#include "engine/kept_source.h"
#include "io/column_reason.h"
#include "io/file_pages.h"
#include "io/key_maps.h"

enum {
    OPTION_OUTPUT,
    OPTION_RECORDS_STORAGE,
    OPTION_BY,
    OPTION_KEY,
    OPTION_WHERE,
    OPTION_RESOURCE,
    OPTION_INFORMATION,
    OPTION_COOPERATION,
    OPTION_MEASURE,
    OPTION_STATISTICS,
    OPTION_WEIGHTS,
    OPTION_ID,
    OPTION_MISSING_KEYS,
    OPTION_TABLE,
    OPTION_ALLOW_EXTERNAL,
    OPTION_JOB,
    OPTION_THREADS,
    OPTION_MEMORY,
    OPTION_SPILL,
    OPTION_TRUSTED_INPUT,
    OPTION_READ,
    OPTION_NO_READ_AHEAD,
    OPTION_PROGRESS,
    OPTION_QUIET,
    OPTION_JSON_SUMMARY,
    N_OPTIONS
};

enum {
    MAX_THREADS = 4096
};

static const hanse_option options_table[N_OPTIONS] = {
    [OPTION_OUTPUT] = {"output", 'o', "FILE", "result file (HDF5, netCDF-4)"},
    [OPTION_RECORDS_STORAGE] =
        {"records-storage", 0, "METHOD",
         "record-level results of models: none, gzip[:1-9],\n"
         "lz4 or zstd[:1-19], +shuffle with any of these;\n"
         "default: gzip:1+shuffle"},
    [OPTION_BY] = {"by", 'b', "KEYS",
                   "group by one column or several (chain,platform);\n"
                   "rollup(a,b), a>b, cube(a,b), and NAME=DEFINITION\n"
                   "as in --key; may be given again; all rows (total)\n"
                   "always come too; default: cluster, chain and\n"
                   "platform as far as they exist"},
    [OPTION_KEY] = {"key", 'k', "NAME=DEFINITION",
                    "a key for --by that is no column: a formula, an\n"
                    "interval, bin(x, 10, 50), or through a table,\n"
                    "map(column, 'file', from, to); may be given again"},
    [OPTION_WHERE] = {"where", 'w', "FORMULA",
                      "use only rows for which it "
                      "is true"},
    [OPTION_RESOURCE] = {"resource", 0, "FORMULA",
                         "measure of the resource model"},
    [OPTION_INFORMATION] = {"information", 0, "FORMULA",
                            "measure of the information model"},
    [OPTION_COOPERATION] = {"cooperation", 0, "FORMULA",
                            "measure of the cooperation model"},
    [OPTION_MEASURE] = {"measure", 'm', "NAME[=FORMULA]",
                        "another measure: a column, or a formula with a\n"
                        "name; may be given again; default, when no\n"
                        "measure is named: the models whose column\n"
                        "(resource, information, strategy) exists"},
    [OPTION_STATISTICS] = {"statistics", 's', "LIST",
                           "of count, missing, total, mean, min, max, var,\n"
                           "std, or all (these), range, sum_squares, skew,\n"
                           "kurtosis, first, last, nunique, mode, wmean,\n"
                           "median, p1 to p99, p99.9, top1 to top100, cov,\n"
                           "corr; default: total"},
    [OPTION_WEIGHTS] = {"weights", 0, "FORMULA", "weights of wmean"},
    [OPTION_ID] = {"id", 0, "COLUMN",
                   "names the enterprises of topN; default:\n"
                   "enterprise_id, else the number of the row"},
    [OPTION_MISSING_KEYS] = {"missing-keys", 0, "group|drop",
                             "rows without a key are a group (default), or\n"
                             "are left out of that grouping"},
    [OPTION_TABLE] = {"table", 't', "PATH",
                      "table in the files; default: /enterprises, else\n"
                      "the only one"},
    [OPTION_ALLOW_EXTERNAL] = {"allow-external", 0, NULL,
                               "read columns whose values lie in other files\n"
                               "(external storage, virtual datasets)"},
    [OPTION_JOB] = {"job", 'j', "JOB.yaml",
                    "job file; the options here override it"},
    [OPTION_THREADS] = {"threads", 0, "N",
                        "default: OMP_NUM_THREADS, SLURM_CPUS_PER_TASK,\n"
                        "or all processors"},
    [OPTION_MEMORY] = {"memory", 0, "SIZE",
                       "limit, as in 8G; default: three quarters of what\n"
                       "machine, container or batch job allow"},
    [OPTION_SPILL] = {"spill", 0, "DIR",
                      "directory for temporary files, for groups that\n"
                      "memory does not hold; default: none, such a run\n"
                      "fails"},
    [OPTION_TRUSTED_INPUT] = {"trusted-input", 0, NULL,
                              "the files come from a trusted place: open them\n"
                              "without a confined process"},
    [OPTION_READ] = {"read", 0, "auto|copy|map",
                     "uncompressed columns: copied from the file piece by\n"
                     "piece, or used from mapped pages; default: auto, as\n"
                     "suits the file system"},
    [OPTION_NO_READ_AHEAD] = {"no-read-ahead", 0, NULL,
                              "do not have the next rows brought from disk "
                              "while\nthese are worked on"},
    [OPTION_PROGRESS] = {"progress", 0, NULL,
                         "report progress even where there is no terminal"},
    [OPTION_QUIET] = {"quiet", 'q', NULL, "no progress, no summary"},
    [OPTION_JSON_SUMMARY] = {"json-summary", 0, "FILE",
                             "write the summary as JSON, too"},
};

/* Options that may change what stands in the result. The output's name does
 * not: the same job gives the same bytes under another name. */
static bool is_recorded(int option)
{
    return option > OPTION_OUTPUT && option <= OPTION_JOB;
}

static const hanse_usage run_usage = {
    .command = "run",
    .operands = "[JOB.yaml | FILE.h5...]",
    .purpose = "Aggregates the table in HDF5 files by groups and writes the "
               "result. Several\nfiles with the same columns are one table. "
               "docs/jobs.md explains job files,\ndocs/formulas.md formulas.",
    .epilogue = "examples:\n"
                "  hanse run enterprises.h5 -o totals.h5\n"
                "  hanse run t.h5 -o out.h5 --by region --by region,sector \\\n"
                "      --resource '0.4*labour + 0.6*equipment' "
                "--where 'active == 1'\n"
                "  hanse run job.yaml --threads 8",
    .options = options_table,
    .n_options = N_OPTIONS,
};

static const hanse_usage explain_usage = {
    .command = "explain",
    .operands = "[JOB.yaml | FILE.h5...]",
    .purpose = "Shows what `hanse run` with the same arguments would do, and "
               "finds every error\nof the job without reading a row.",
    .epilogue = "examples:\n"
                "  hanse explain enterprises.h5 --by cluster,chain\n"
                "  hanse explain job.yaml",
    .options = options_table,
    .n_options = N_OPTIONS,
};

/* What one parse gathers. */
typedef struct parse {
    hanse_run_arguments *arguments;
    hanse_job given; /* what the options say */
    char *job_path;
    hanse_text_list words; /* of history: recorded options */
    hanse_error error;
} parse;

/* Reports the error of a setter; the exit status. */
static int report(const parse *p, hanse_status status)
{
    return status == HANSE_OK ? HANSE_EXIT_DONE : hanse_report_error(&p->error);
}

static int set_missing_keys(hanse_job *job, const char *value)
{
    if (strcmp(value, "group") != 0 && strcmp(value, "drop") != 0)
        return hanse_usage_error("--missing-keys '%s': write group or drop",
                                 value);
    job->drop_missing_keys = strcmp(value, "drop") == 0;
    job->states_missing_keys = true;
    return HANSE_EXIT_DONE;
}

static int set_threads(hanse_run_arguments *arguments, const char *value)
{
    uint64_t n;
    if (!hanse_parse_count(value, &n) || n == 0 || n > MAX_THREADS)
        return hanse_usage_error("--threads '%s': write a number from 1 to %d",
                                 value, MAX_THREADS);
    arguments->n_threads = (size_t)n;
    return HANSE_EXIT_DONE;
}

static int set_memory(hanse_run_arguments *arguments, const char *value)
{
    uint64_t size;
    if (!hanse_parse_size(value, &size) || size == 0)
        return hanse_usage_error("--memory '%s': write a size, as in 512M or "
                                 "8G",
                                 value);
    arguments->memory_bytes = size;
    return HANSE_EXIT_DONE;
}

static int set_read(hanse_run_arguments *arguments, const char *value)
{
    static const char *const ways[] = {[HANSE_READ_AUTO] = "auto",
                                       [HANSE_READ_COPY] = "copy",
                                       [HANSE_READ_MAP] = "map"};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (strcmp(value, ways[i]) != 0)
            continue;
        arguments->read = (hanse_read_way)i;
        return HANSE_EXIT_DONE;
    }
    return hanse_usage_error("--read '%s': write auto, copy or map", value);
}

static int set_option(parse *p, int option, const char *value)
{
    hanse_run_arguments *arguments = p->arguments;
    hanse_job *job = &p->given;
    hanse_error *error = &p->error;
    switch (option) {
    case OPTION_OUTPUT:
        return report(p, hanse_job_set_text(&job->output, value, error));
    case OPTION_RECORDS_STORAGE:
        return report(p, hanse_job_set_records_storage(job, value, error));
    case OPTION_BY:
        return report(p, hanse_job_add_grouping(job, value, error));
    case OPTION_KEY:
        return report(p, hanse_job_add_key(job, value, error));
    case OPTION_WHERE:
        return report(p, hanse_job_set_text(&job->where, value, error));
    case OPTION_RESOURCE:
    case OPTION_INFORMATION:
    case OPTION_COOPERATION:
        return report(
            p, hanse_job_set_model(job,
                                   (hanse_model)(HANSE_MODEL_RESOURCE + option -
                                                 OPTION_RESOURCE),
                                   value, error));
    case OPTION_MEASURE:
        return report(p, hanse_job_add_measure(job, value, error));
    case OPTION_STATISTICS:
        return report(p, hanse_job_set_statistics(job, value, error));
    case OPTION_WEIGHTS:
        return report(p, hanse_job_set_text(&job->weights, value, error));
    case OPTION_ID:
        return report(p, hanse_job_set_text(&job->id, value, error));
    case OPTION_MISSING_KEYS:
        return set_missing_keys(job, value);
    case OPTION_TABLE:
        return report(p, hanse_job_set_text(&job->table, value, error));
    case OPTION_JOB:
        return report(p, hanse_job_set_text(&p->job_path, value, error));
    case OPTION_THREADS:
        return set_threads(arguments, value);
    case OPTION_MEMORY:
        return set_memory(arguments, value);
    case OPTION_SPILL:
        return report(p, hanse_job_set_text(&arguments->spill, value, error));
    case OPTION_ALLOW_EXTERNAL:
        arguments->allow_external = true;
        return HANSE_EXIT_DONE;
    case OPTION_TRUSTED_INPUT:
        arguments->trusted_input = true;
        return HANSE_EXIT_DONE;
    case OPTION_READ:
        return set_read(arguments, value);
    case OPTION_NO_READ_AHEAD:
        arguments->no_read_ahead = true;
        return HANSE_EXIT_DONE;
    case OPTION_PROGRESS:
        arguments->progress = true;
        return HANSE_EXIT_DONE;
    case OPTION_QUIET:
        arguments->quiet = true;
        return HANSE_EXIT_DONE;
    default:
        return report(
            p, hanse_job_set_text(&arguments->json_summary, value, error));
    }
}

/* Notes a recorded option as "--name", "value". */
static int record(parse *p, int option, const char *value)
{
    char name[32];
    if (!is_recorded(option))
        return HANSE_EXIT_DONE;
    snprintf(name, sizeof name, "--%s", options_table[option].name);
    hanse_status status = hanse_text_list_add(&p->words, name, &p->error);
    if (status == HANSE_OK && value != NULL)
        status = hanse_text_list_add(&p->words, value, &p->error);
    return report(p, status);
}

static bool is_job_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL &&
           (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

/* The first operand may be a job; all others are data. */
static int take_operands(parse *p, char **operands, size_t n)
{
    hanse_status status = HANSE_OK;
    for (size_t i = 0; status == HANSE_OK && i < n; i++) {
        if (!is_job_name(operands[i])) {
            status = hanse_job_add_file(&p->given, operands[i], &p->error);
            continue;
        }
        if (p->job_path != NULL)
            return hanse_usage_error("two job files, '%s' and '%s'; give one",
                                     p->job_path, operands[i]);
        status = hanse_job_set_text(&p->job_path, operands[i], &p->error);
    }
    return report(p, status);
}

/* "hanse run", operands, options. */
static int make_history(parse *p, char **operands, size_t n_operands)
{
    static char program[] = "hanse";
    static char command[] = "run";
    const size_t n = 2 + n_operands + p->words.n;
    char **words = malloc(n * sizeof *words);
    if (words != NULL) {
        words[0] = program;
        words[1] = command;
        memcpy(words + 2, operands, n_operands * sizeof *words);
        if (p->words.n > 0)
            memcpy(words + 2 + n_operands, p->words.items,
                   p->words.n * sizeof *words);
        p->arguments->history = hanse_command_line((int)n, words);
        free(words);
    }
    if (p->arguments->history == NULL)
        return report(p, hanse_fail_nomem(&p->error, "command line", n));
    return HANSE_EXIT_DONE;
}

static int parse_all(parse *p, const hanse_usage *usage, int argc, char **argv,
                     bool *is_help)
{
    hanse_options options;
    int option;
    int exit_status = HANSE_EXIT_DONE;
    hanse_options_start(&options, usage, argc, argv);
    while (exit_status == HANSE_EXIT_DONE &&
           (option = hanse_options_next(&options)) >= 0) {
        exit_status = set_option(p, option, options.value);
        if (exit_status == HANSE_EXIT_DONE)
            exit_status = record(p, option, options.value);
    }
    if (exit_status != HANSE_EXIT_DONE)
        return exit_status;
    *is_help = option == HANSE_OPTIONS_STOP;
    if (*is_help)
        return options.exit_status;
    exit_status = take_operands(p, options.operands, options.n_operands);
    if (exit_status != HANSE_EXIT_DONE)
        return exit_status;
    hanse_job *job = &p->arguments->job;
    hanse_status status = HANSE_OK;
    if (p->job_path != NULL)
        status = hanse_job_load(job, p->job_path, &p->error);
    if (status == HANSE_OK)
        status = hanse_job_override(job, &p->given, &p->error);
    if (status != HANSE_OK)
        return report(p, status);
    return make_history(p, options.operands, options.n_operands);
}

bool hanse_run_arguments_parse(hanse_run_arguments *arguments, int argc,
                               char **argv, int *exit_status)
{
    parse p = {.arguments = arguments};
    bool stop = false;
    memset(arguments, 0, sizeof *arguments);
    hanse_job_init(&arguments->job);
    hanse_job_init(&p.given);
    const hanse_usage *usage =
        strcmp(argv[0], "explain") == 0 ? &explain_usage : &run_usage;
    *exit_status = parse_all(&p, usage, argc, argv, &stop);
    hanse_job_clear(&p.given);
    hanse_text_list_clear(&p.words);
    free(p.job_path);
    if (stop || *exit_status != HANSE_EXIT_DONE) {
        hanse_run_arguments_clear(arguments);
        return false;
    }
    if (arguments->n_threads == 0)
        arguments->n_threads = hanse_machine_threads();
    if (arguments->memory_bytes == 0)
        arguments->memory_bytes = hanse_machine_memory() / 4 * 3;
    return true;
}

void hanse_run_arguments_clear(hanse_run_arguments *arguments)
{
    hanse_job_clear(&arguments->job);
    free(arguments->spill);
    free(arguments->json_summary);
    free(arguments->history);
    memset(arguments, 0, sizeof *arguments);
}

/* ---- Input -------------------------------------------------------------- */

/* How tables are opened; `table` may be NULL. */
static hanse_hdf5_options how_to_open(hanse_run_input *input,
                                      const hanse_run_arguments *arguments,
                                      const char *table)
{
    return (hanse_hdf5_options){.table = table,
                                .budget = &input->budget,
                                .is_trusted = arguments->trusted_input,
                                .allow_foreign = arguments->allow_external,
                                .read = arguments->read,
                                .no_read_ahead = arguments->no_read_ahead};
}

hanse_status hanse_run_input_open_table(hanse_run_input *input,
                                        const hanse_run_arguments *arguments,
                                        const char *file, const char *path,
                                        hanse_source **out, hanse_error *error)
{
    const hanse_hdf5_options how = how_to_open(input, arguments, path);
    const char *const *files = (const char *const *)input->files.items;
    return file != NULL ? hanse_hdf5_source_open(&file, 1, &how, out, error)
                        : hanse_hdf5_source_open(files, input->files.n, &how,
                                                 out, error);
}

static hanse_status open_input(hanse_run_input *input,
                               const hanse_run_arguments *arguments,
                               void (*meanwhile)(void *context), void *context,
                               hanse_error *error)
{
    const hanse_job *job = &arguments->job;
    HANSE_TRY(hanse_job_expand_files(job, &input->files, error));
    HANSE_TRY(hanse_job_spec(job, &input->spec, error));
    hanse_hdf5_options how = how_to_open(input, arguments, job->table);
    how.meanwhile = meanwhile;
    how.meanwhile_context = context;
    if (how.read == HANSE_READ_MAP && !hanse_file_pages_guard())
        return hanse_fail(error, HANSE_ERR_IO,
                          "--read map: the system refuses a handler for "
                          "failing pages; use --read copy");
    HANSE_TRY(hanse_hdf5_source_open((const char *const *)input->files.items,
                                     input->files.n, &how, &input->source,
                                     error));
    if (input->source->ops->n_rows(input->source) == 0)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "%s: the table %s has no row; there is nothing to "
                          "aggregate",
                          input->files.items[0],
                          hanse_hdf5_source_path(input->source));
    const hanse_status status = hanse_job_define_maps(
        job, hanse_source_schema(input->source), arguments->trusted_input,
        &input->budget, input->spec, &input->maps, error);
    HANSE_TRY(hanse_explain_column(input->source, status, error));
    return hanse_complete_spec(input->spec, input->source, error);
}

hanse_status hanse_run_input_open(hanse_run_input *input,
                                  const hanse_run_arguments *arguments,
                                  void (*meanwhile)(void *context),
                                  void *context, hanse_error *error)
{
    memset(input, 0, sizeof *input);
    input->budget.limit_bytes = arguments->memory_bytes;
    const hanse_status status =
        open_input(input, arguments, meanwhile, context, error);
    if (status != HANSE_OK)
        hanse_run_input_close(input);
    return status;
}

hanse_status hanse_run_input_keep(hanse_run_input *input, hanse_error *error)
{
    const uint64_t limit_bytes = input->budget.limit_bytes;
    return hanse_kept_source_open(
        input->source, limit_bytes != 0 ? limit_bytes / 2 : UINT64_MAX,
        &input->kept, error);
}

void hanse_run_input_close(hanse_run_input *input)
{
    hanse_source_close(input->kept != NULL ? input->kept : input->source);
    hanse_spec_destroy(input->spec);
    hanse_text_list_clear(&input->files);
    hanse_text_list_clear(&input->maps);
    input->source = input->kept = NULL;
    input->spec = NULL;
}
