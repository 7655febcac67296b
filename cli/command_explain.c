/* SPDX-License-Identifier: Apache-2.0
 *
 * `hanse explain`: the plan of a run.
 */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/numbers.h"
#include "cli/run_options.h"
#include "engine/base/error.h"
#include "engine/distinct.h"
#include "engine/plan.h"
#include "engine/quantile.h"
#include "engine/spec.h"
#include "io/column_reason.h"
#include "io/hdf5_source.h"

static void print_input(const hanse_source *source)
{
    const size_t n_files = hanse_hdf5_source_n_files(source);
    for (size_t i = 0; i < n_files; i++) {
        uint64_t n_rows;
        const char *file = hanse_hdf5_source_file(source, i, &n_rows);
        printf("%-12s%s, %s rows\n", i == 0 ? "input" : "", file,
               hanse_format_count(n_rows).text);
    }
    printf("table       %s (%s), %s rows\n", hanse_hdf5_source_path(source),
           hanse_hdf5_source_shape(source),
           hanse_format_count(source->ops->n_rows(source)).text);
}

/* Bytes of a row in memory. A text is taken for 16 bytes and an offset. */
static size_t row_bytes(const hanse_plan *plan)
{
    size_t n_bytes = 0;
    for (size_t i = 0; i < plan->n_used; i++) {
        const hanse_type type = plan->types[plan->used[i]];
        n_bytes += type == HANSE_TEXT ? 20 : hanse_type_size(type);
    }
    return n_bytes;
}

static void print_columns(const hanse_plan *plan, const hanse_schema *schema)
{
    size_t n = 0; /* of the table; the others are computed */
    printf("columns     ");
    for (size_t i = 0; i < plan->n_used; i++) {
        if (plan->used[i] >= schema->n_fields)
            continue;
        const hanse_field *field = &schema->fields[plan->used[i]];
        printf("%s%s %s", n > 0 ? ", " : "", field->name,
               hanse_type_name(field->type));
        n++;
    }
    printf("%s(%zu of %zu, %zu bytes a row)\n", n > 0 ? " " : "", n,
           schema->n_fields, row_bytes(plan));
}

/* The filter, and which columns are read for every row because of it. */
static void print_filter(const hanse_source *source, const hanse_plan *plan)
{
    size_t n;
    if (plan->filter == NULL) {
        printf("filter      none\n");
        return;
    }
    printf("filter      %s\n", plan->filter_text);
    if (source->rows_together || plan->n_rest == 0)
        return;
    const size_t *fields = hanse_formula_fields(plan->filter, &n);
    printf("read first  ");
    for (size_t i = 0; i < n; i++)
        printf("%s%s", i > 0 ? ", " : "",
               hanse_source_schema(source)->fields[fields[i]].name);
    printf("%s; the other columns where a row is left\n",
           n == 0 ? "nothing" : "");
}

/* Whether a measure is made by the steps of a model. */
static bool has_steps(const hanse_job *job, const char *measure)
{
    const hanse_models *models = &job->models;
    return (models->resource != NULL && strcmp(measure, "resource") == 0) ||
           (models->information != NULL &&
            strcmp(measure, "information") == 0) ||
           (models->cooperation != NULL && strcmp(measure, "cooperation") == 0);
}

static void print_measures(const hanse_job *job, const hanse_spec *spec,
                           const hanse_plan *plan)
{
    static const char *const numbers[] = {
        [HANSE_NUMBER_FLOAT] = "float",
        [HANSE_NUMBER_INT] = "integer",
        [HANSE_NUMBER_UINT] = "unsigned integer",
    };
    for (size_t i = 0; i < spec->n_measures; i++) {
        const hanse_spec_measure *measure = &spec->measures[i];
        printf("%-12s%s = ", i == 0 ? "measures" : "", measure->name);
        if (has_steps(job, measure->name))
            printf("what its steps give (float)\n");
        else
            printf("%s (%s)\n", measure->formula,
                   numbers[plan->measures[i].number]);
    }
    printf("statistics  count");
    const size_t n_statistics = hanse_statistic_set_count(&spec->statistics);
    for (size_t i = 0; i < n_statistics; i++) {
        char name[HANSE_STATISTIC_NAME];
        hanse_statistic_set_name(&spec->statistics, i, name);
        printf(", %s%s",
               strcmp(name, "cov") == 0 || strcmp(name, "corr") == 0
                   ? "<measure>_<measure>_"
                   : "<measure>_",
               name);
    }
    printf("\n");
    if (plan->weights != SIZE_MAX)
        printf("weights     %s\n", spec->weights);
    if (plan->set.n_top != 0)
        printf("id          %s\n",
               plan->id_name != NULL ? plan->id_name : "number of the row");
}

/* What kind of key a definition gives. */
static void print_kind(const hanse_plan_key *key)
{
    switch (key->source) {
    case HANSE_KEY_BINS:
        printf(" (%zu intervals)", key->n_labels);
        break;
    case HANSE_KEY_CONDITION:
        printf(" (condition)");
        break;
    case HANSE_KEY_FORMULA:
        printf(" (integer)");
        break;
    case HANSE_KEY_MAPPING:
        printf(" (%s values, to ",
               hanse_format_count(hanse_mapping_n(key->mapping)).text);
        if (key->n_labels > 0)
            printf("%s texts)", hanse_format_count(key->n_labels).text);
        else
            printf("integers)");
        break;
    default:
        printf(" (column)");
        break;
    }
}

static void print_keys(const hanse_plan *plan)
{
    const char *title = "keys";
    for (size_t i = 0; i < plan->n_keys; i++) {
        const hanse_plan_key *key = &plan->keys[i];
        if (key->definition == NULL)
            continue;
        printf("%-12s%s = %s", title, key->name, key->definition);
        print_kind(key);
        printf("\n");
        title = "";
    }
}

static void print_groupings(const hanse_spec *spec)
{
    for (size_t i = 0; i < spec->n_groupings; i++) {
        const hanse_spec_grouping *grouping = &spec->groupings[i];
        printf("%-12s%s:", i == 0 ? "groupings" : "", grouping->name);
        for (size_t k = 0; k < grouping->n_keys; k++)
            printf("%s %s", k > 0 ? "," : "", grouping->keys[k]);
        printf("%s\n", grouping->n_keys == 0 ? " all rows" : "");
    }
    printf("missing key %s\n", spec->missing_keys == HANSE_MISSING_KEYS_DROP
                                   ? "row left out of the grouping"
                                   : "a group of its own");
}

/* A group keeps a row counter, per measure two 64-bit words of exact sum as
 * most data need, and the extremes; whole cache lines on each thread. With
 * squares a measure has a line to itself, and extremes the counter one. */
static size_t group_bytes(const hanse_plan *plan)
{
    const bool has_extremes = hanse_plan_needs_extremes(plan);
    size_t words = 1;
    if (hanse_plan_needs_squares(plan))
        return 64 * (plan->n_measures + (has_extremes ? 1 : 0));
    if (hanse_plan_needs_sums(plan))
        words += 2 * plan->n_measures;
    words = (words + 7) / 8 * 8;
    if (has_extremes)
        words += 2 * plan->n_measures;
    return words * sizeof(int64_t);
}

/* The passes of the models, numbered; returns the next number. */
static size_t print_notes(const hanse_pass_notes *notes)
{
    for (size_t i = 0; i < notes->n; i++) {
        const hanse_pass_note *note = &notes->notes[i];
        printf("%-12s%zu: %s: %s\n", i == 0 ? "passes" : "", i + 1, note->step,
               note->computes);
        if (note->reads != NULL)
            printf("%15sreads %s\n", "", note->reads);
        if (note->writes != NULL)
            printf("%15swrites %s\n", "", note->writes);
        if (note->bytes != 0)
            printf("%15skeeps %s in memory\n", "",
                   hanse_format_bytes((double)note->bytes).text);
    }
    return notes->n + 1;
}

static void print_quantiles(const hanse_plan *plan, uint64_t n_rows,
                            size_t number, uint64_t limit_bytes)
{
    const uint64_t size_bytes = hanse_quantiles_bytes(plan, n_rows);
    const hanse_number_text size = hanse_format_bytes((double)size_bytes);
    if (hanse_quantiles_count(plan) == 0)
        return;
    if (hanse_quantiles_may_keep(size_bytes, limit_bytes))
        printf("            then quantiles, from values kept in memory, about "
               "%s\n",
               size.text);
    else
        printf("            %zu and on, for quantiles: read, filter, formulas, "
               "groups; count values\n            by ranges until those left "
               "fit in memory, then collect them (all would\n            "
               "take about %s)\n",
               number, size.text);
}

/* How many values are different nobody knows before. */
static void print_distinct(const hanse_plan *plan, uint64_t n_rows,
                           size_t number, uint64_t limit_bytes)
{
    const uint64_t size_bytes = hanse_distinct_bytes(plan, n_rows);
    const hanse_number_text size = hanse_format_bytes((double)size_bytes);
    if (!hanse_distinct_needed(plan))
        return;
    if (hanse_distinct_may_keep(size_bytes, limit_bytes))
        printf("            then different values (nunique, mode), kept in "
               "memory, at most about %s\n",
               size.text);
    else
        printf("            %zu and on, where different values (nunique, mode) "
               "do not fit in memory: read,\n            filter, formulas, "
               "groups; count a part of the values (were all different,\n"
               "            about %s)\n",
               number, size.text);
}

static void print_passes(const hanse_source *source, const hanse_plan *plan,
                         const hanse_pass_notes *notes, uint64_t limit_bytes)
{
    const uint64_t n_rows = source->ops->n_rows(source);
    const size_t number = print_notes(notes);
    printf("%-12s%zu: read, filter, formulas, groups, sums\n",
           number == 1 ? "passes" : "", number);
    print_quantiles(plan, n_rows, number + 1, limit_bytes);
    print_distinct(plan, n_rows, number + 1, limit_bytes);
}

static void print_work(const hanse_run_arguments *arguments,
                       const hanse_source *source, const hanse_plan *plan,
                       const hanse_pass_notes *notes)
{
    const uint64_t n_rows = source->ops->n_rows(source);
    const size_t n_morsels = source->ops->n_morsels(source);
    const size_t n_threads =
        arguments->n_threads < n_morsels ? arguments->n_threads : n_morsels;
    const uint64_t morsel_rows = n_morsels > 0 ? n_rows / n_morsels : 0;
    print_passes(source, plan, notes, arguments->memory_bytes);
    /* A reader keeps what it has decoded for a span. */
    const uint64_t span_rows =
        n_morsels > 0 ? morsel_rows * hanse_source_span_end(source, 0) : 0;
    printf("morsels     %zu, about %s rows each\n", n_morsels,
           hanse_format_count(morsel_rows).text);
    printf("threads     %zu\n", n_threads);
    printf("memory      readers about %s, groups about %s each; limit %s\n",
           hanse_format_bytes((double)(n_threads * span_rows) *
                              (double)row_bytes(plan))
               .text,
           hanse_format_bytes((double)(n_threads * group_bytes(plan))).text,
           hanse_format_bytes((double)arguments->memory_bytes).text);
    printf("output      %s\n", arguments->job.output != NULL
                                   ? arguments->job.output
                                   : "not given; `hanse run` needs one (-o)");
}

/* What a run has open, for the models to describe their passes. */
typedef struct opened {
    hanse_run_input input;
    const hanse_run_arguments *arguments;
} opened;

static hanse_status open_table(void *context, const char *file,
                               const char *path, hanse_source **out,
                               hanse_error *error)
{
    opened *o = context;
    return hanse_run_input_open_table(&o->input, o->arguments, file, path, out,
                                      error);
}

/* The passes of the models' steps, and the plan of the last one. */
static hanse_status note_passes(opened *o, hanse_pass_notes *notes,
                                hanse_plan **plan, hanse_error *error)
{
    const hanse_run_options options = {.n_threads = o->arguments->n_threads,
                                       .memory_bytes =
                                           o->arguments->memory_bytes};
    const hanse_run_tuning tuning = {0};
    hanse_model_run run = {.source = o->input.source,
                           .spec = o->input.spec,
                           .options = &options,
                           .tuning = &tuning,
                           .open_table = open_table,
                           .open_context = o};
    const hanse_models *models = &o->arguments->job.models;
    const hanse_text_list *wanted = &o->arguments->job.records_columns;
    hanse_status status = hanse_model_run_init(&run, error);
    if (status == HANSE_OK)
        status = hanse_models_check(models, &run, plan, error);
    if (status == HANSE_OK)
        status = hanse_model_check_records(
            &run, (const char *const *)wanted->items, wanted->n, error);
    if (status == HANSE_OK)
        status = hanse_models_explain(models, &run, notes, error);
    hanse_model_run_clear(&run);
    return hanse_explain_column(o->input.source, status, error);
}

static hanse_status explain_opened(opened *o, hanse_error *error)
{
    hanse_plan *plan = NULL;
    hanse_pass_notes notes = {0};
    hanse_source *source = o->input.source;
    const hanse_status status = note_passes(o, &notes, &plan, error);
    if (status == HANSE_OK) {
        print_input(source);
        print_columns(plan, hanse_source_schema(source));
        print_filter(source, plan);
        print_measures(&o->arguments->job, o->input.spec, plan);
        print_keys(plan);
        print_groupings(o->input.spec);
        print_work(o->arguments, source, plan, &notes);
    }
    hanse_pass_notes_clear(&notes);
    hanse_plan_destroy(plan);
    return status;
}

static hanse_status explain(const hanse_run_arguments *arguments,
                            hanse_error *error)
{
    opened o = {.arguments = arguments};
    HANSE_TRY(hanse_run_input_open(&o.input, arguments, NULL, NULL, error));
    const hanse_status status = explain_opened(&o, error);
    hanse_run_input_close(&o.input);
    return status;
}

int hanse_command_explain(int argc, char **argv)
{
    hanse_run_arguments arguments;
    hanse_error error = {0};
    int exit_status;
    if (!hanse_run_arguments_parse(&arguments, argc, argv, &exit_status))
        return exit_status;
    const hanse_status status =
        hanse_job_locate(&arguments.job, explain(&arguments, &error), &error);
    hanse_run_arguments_clear(&arguments);
    return status == HANSE_OK ? HANSE_EXIT_DONE : hanse_report_error(&error);
}
